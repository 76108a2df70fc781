"""E-mail addresses: no secrets, and hidden on request only."""

from __future__ import annotations

import re
from typing import Final

from .rule import HIDDEN, Rule

ADDRESS: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]++(?:@|%(?:25)*+40)[\w-]++(?:\.[\w-]++)++…?|(?<![\w.+-])[\w.+-]++@[\w.-]*+…"
)


def hide_emails(text: str) -> str:
    return ADDRESS.sub(HIDDEN, text)


EMAILS: Final = Rule("@|%(?:25)*40", hide_emails)
