"""Credentials behind the word for what they are: `Bearer …`, `Basic …`, and what a curl command is given."""

from __future__ import annotations

import re
from typing import Final

from .fields import looks_random
from .rule import HIDDEN, Rule

WORDS: Final = "bearer|basic|token|apikey|negotiate"
SCHEME: Final = re.compile(rf"\b({WORDS})((?:\s|%20|\+)++)([\w.~+/=…-]++)", re.IGNORECASE)
MIN_BEARER_CHARS: Final = 16
OPTION: Final = re.compile(
    r"(\s(?:-[uUb]|--(?:proxy-)?user|--cookie|--oauth2-bearer|--pass|--key-passwd)(?:\s++|=))"
    r"(?:\"[^\"]*+\"?|'[^']*+'?|[^\s\"']++)"
)


def hide_schemes(text: str) -> str:
    return SCHEME.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    word, gap, value = found.groups()
    spelled = word == "Bearer" and (len(value) >= MIN_BEARER_CHARS or value.endswith("…"))
    return f"{word}{gap}{HIDDEN}" if spelled or looks_random(value) else found[0]


def hide_options(text: str) -> str:
    return OPTION.sub(rf"\g<1>{HIDDEN}", text)


SCHEMES: Final = Rule(rf"(?i)\b(?:{WORDS})(?:\s|%20|\+)", hide_schemes)
CURL: Final = Rule(r"\bcurl\b", hide_options)
