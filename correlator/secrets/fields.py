"""Secrets that are known by their name: `password: x`, `?token=x`, `"apiKey":"x"` at any depth of quoting, headers and cookies.

A text is walked from name to name, and every character of it is looked at a bounded number of times, whatever it is made of.
"""

from __future__ import annotations

import re
from typing import Final

from .names import Kind, Names
from .rule import HIDDEN, Rule

QUOTE: Final = r"""(?:\\*+["'`]|\\++u002[27]|%(?:25)*+2[27]|&(?:quot|apos|\#3[49]|\#x2[27]);)"""
SPACE: Final = r"(?:\s|%(?:25)*+20)*+"
CLOSED: Final = r"(?:\]|%(?:25)*+5[dD])*+"
ASSIGNED: Final = r"(?:=(?![=~])>?|:(?!//|:)=?|%(?:25)*+3[aAdD]|(?<![\s=-])>)"
FIELD: Final = re.compile(rf"(?<![\w.$-])([\w.$-]++)({CLOSED}{QUOTE}?{CLOSED}{SPACE}{ASSIGNED}{SPACE})")
OPENING: Final = re.compile(QUOTE)
BRACKET: Final = re.compile(r"[\[\]{}]")

# A value without quotes goes on to where a list or a sentence does; in a logged object, to the next name.
UNQUOTED: Final = re.compile(r"[^\s\"'`,;&(){}\[\]<>]*+")
IN_OBJECT: Final = re.compile(r"[^}]*?(?=, (?:[\w$.-]++: |…)|\}|\Z)")
IN_ELEMENT: Final = re.compile(r"[^<]*+")
# encodeURIComponent leaves an apostrophe as it is; one that is followed by nothing of an address ends a quotation.
IN_ADDRESS: Final = re.compile(r"(?:[^&#\s\"'`<>;]|'(?=[\w%!*(])|;(?!\s|[\w.-]++=))*+")
IN_ENCODED: Final = re.compile(r"(?:[^&#\s\"'`<>;%]|%(?!(?:25)*+(?:2[236]|3[Bb])))*+")
CREDENTIALS: Final = re.compile(
    r"(?:[a-zA-Z][\w-]*+\s++)?+(?:[\w-]++=\"[^\"]*+\"|[^\s\"',;]++)(?:,\s*+[\w-]++=(?:\"[^\"]*+\"|[^\s,\"']*+))*+"
)
COOKIES: Final = re.compile(r"[^\s\"'=;,]++=[^\s\"';]*+(?:;\s*+[^\s\"';]++)*+")

# `Bearer undefined` is a mistake that people look for.
PLAIN: Final = re.compile(
    r"(?:(?:bearer|basic|token)\s+)?(?:undefined|null|none|true|false|nan|\*+)[.!?…]*", re.IGNORECASE
)
SMALL: Final = re.compile(r"\d{1,3}[.!?]*")
ERROR_CODE: Final = re.compile(r"E[A-Z0-9_]+[.!?]*")
PIECE: Final = re.compile(r"[\w.~+/=…-]*+")
JUDGED_CHARS: Final = 64
NAMING: Final = frozenset({"name", "key", "header"})
VALUE: Final = "value"


def looks_random(value: str) -> bool:
    """A number of six digits, eight characters with digits and letters, sixteen of both cases; or too long for any word."""
    piece = value[:JUDGED_CHARS]
    found = PIECE.match(piece)
    run = found[0] if found else ""
    if run[:6].isdecimal() and len(run) >= 6:
        return True
    digit, lower = any(map(str.isdigit, run)), any(map(str.islower, run))
    upper = any(map(str.isupper, run))
    if lower and digit and len(run) >= 8:
        return True
    return (lower and upper and len(run) >= 16) or len(run) == JUDGED_CHARS


def is_secret(kind: Kind, value: str, *, in_address: bool = False) -> bool:
    """Whether a value is hidden that stands behind a name of this kind."""
    if not value or PLAIN.fullmatch(value):
        return False
    if kind == "whole":
        return True
    if SMALL.fullmatch(value):
        return False
    if kind in ("strong", "authorization", "cookie") or in_address:
        return bool(kind)
    return kind == "weak" and not ERROR_CODE.fullmatch(value) and looks_random(value)


def rule(names: Names) -> Rule:

    def hide(text: str) -> str:
        return Walk(text, names).hidden()

    return Rule(rf"(?is)(?:{names.trigger}).*(?:[:=>]|%(?:25)*3[ad])", hide)


class Walk:
    """One way through one text."""

    def __init__(self, text: str, names: Names) -> None:
        self._text = text
        self._names = names
        self._named: Kind = ""

    def hidden(self) -> str:
        kept: list[str] = []
        done = at = 0
        while found := FIELD.search(self._text, at):
            at = found.end()
            start, end = self._secret(found)
            if end > start:
                kept += (self._text[done:start], HIDDEN)
                done = at = end
        return "".join((*kept, self._text[done:]))

    def _secret(self, found: re.Match[str]) -> tuple[int, int]:
        """From where to where the value of a field is hidden; nowhere if that ends where it starts."""
        name, text, at = found[1], self._text, found.end()
        kind = self._names.kind_at(text, found.start(), name)
        if found[2][-1:] == ">" and not found[2].endswith("=>") and text[found.start() - 1] not in "<:":
            return at, at  # greater than something, and not the end of a tag
        if not kind:
            kind = self._named_before(name, at)
        if not kind:
            return at, at
        opened = OPENING.match(text, at)
        if opened:
            start = opened.end()
            judged = text[start : quoted_end(text, start, opened[0], start + JUDGED_CHARS)]
            secret = is_quoted_secret(kind, judged)
            return start, quoted_end(text, start, opened[0], len(text)) if secret else start
        if text[at : at + 1] in ("[", "{"):
            return at, bracket_end(text, at) if kind != "weak" else at
        return at, self._unquoted_end(found, kind)

    def _named_before(self, name: str, at: int) -> Kind:
        """`{name: "password", value: "x"}`: the first field names the second."""
        if name.lower() == VALUE:
            kind, self._named = self._named, ""
            return kind
        if name.lower() in NAMING:
            opened = OPENING.match(self._text, at)
            start = opened.end() if opened else at
            word = UNQUOTED.match(self._text, start, start + JUDGED_CHARS)
            self._named = self._names.kind(word[0].rstrip("\\")) if word else ""
        return ""

    def _unquoted_end(self, found: re.Match[str], kind: Kind) -> int:
        text, at = self._text, found.end()
        before = text[found.start() - 1 : found.start()]
        encoded = "%" in found[2] or before == "%"
        in_address = encoded or (before in ("?", "&", "#", ";") and found[2].endswith("="))
        if in_address:
            pattern = IN_ENCODED if encoded else IN_ADDRESS
        elif found[2][-1:] == ">" and not found[2].endswith("=>"):
            pattern = IN_ELEMENT
        elif kind == "authorization":
            pattern = CREDENTIALS
        elif kind == "cookie":
            pattern = COOKIES
        elif kind != "weak" and found[2] == ": " and text.rfind("{", 0, at) > text.rfind("}", 0, at):
            pattern = IN_OBJECT
        else:
            pattern = UNQUOTED
        limit = at + JUDGED_CHARS if kind == "weak" and not in_address else len(text)
        value = pattern.match(text, at, limit)
        if value is None:
            return at
        if not is_secret(kind, value[0], in_address=in_address):
            return at
        whole = pattern.match(text, at)
        return whole.end() if whole else at


def is_quoted_secret(kind: Kind, value: str) -> bool:
    if kind == "cookie":
        return "=" in value or looks_random(value)
    return is_secret(kind, value)


def quoted_end(text: str, start: int, quote: str, limit: int) -> int:
    """Where the quotation ends, at any depth of escaping: JSON in JSON in JSON. One that was cut ends with the text."""
    if not quote.endswith(("'", '"', "`")):
        found = text.find(quote, start, limit)
        return found if found >= 0 else min(limit, len(text))
    depth = len(quote) - 1
    at = start
    while (end := text.find(quote[-1], at, limit)) >= 0:
        first = end
        while first > at and text[first - 1] == "\\":
            first -= 1
        escapes = end - first
        if escapes < depth or escapes % (2 * depth + 2) == depth:
            return end - min(escapes, depth)
        at = end + 1
    return min(limit, len(text))


def bracket_end(text: str, start: int) -> int:
    depth = 0
    for found in BRACKET.finditer(text, start):
        depth += 1 if found[0] in "[{" else -1
        if depth == 0:
            return found.end()
    return len(text)
