"""Plain asserts: pytest's rewritten ones and unittest's, with what was expected and what was there."""

from __future__ import annotations

import re
from typing import Final

from .failure import Failure

# The first of these that an assert has is what it compares by: an operator within a text is rarer than one before it.
OPERATORS: Final = ("==", "!=", "<=", ">=", "is not", "not in", "is", "in", "<", ">")
TRUTH: Final = re.compile(r"^assert (?P<not>not )?(?P<value>.+)$")
UNITTEST: Final = re.compile(
    r"^(?P<left>.+?) (?P<how>!=|==|not found in|unexpectedly found in) (?P<right>.+?)(?: : .*)?$"
)
# unittest tells what went wrong, an assert what was wanted.
NAMES: Final = {"!=": "==", "==": "!=", "not found in": "in", "unexpectedly found in": "not in"}


def read(message: str, classes: list[str]) -> Failure | None:
    """None if it is no AssertionError."""
    if "builtins.AssertionError" not in classes:
        return None
    lines = message.strip().splitlines()
    told = next((line.strip() for line in lines if line.strip().startswith("assert ")), "")
    headline = lines[0].strip() if lines else "AssertionError"
    for how in OPERATORS:
        left, found, right = told.removeprefix("assert ").partition(f" {how} ")
        if found and left:
            return _compared(headline, left, how, right)
    if truth := TRUTH.match(told):
        wanted = "something false" if truth["not"] else "something true"
        return Failure(
            "assertion", headline, is_assertion=True, matcher="is", expected=wanted, received=truth["value"]
        )
    if unittest := UNITTEST.match(headline):
        return _compared(headline, unittest["left"], NAMES[unittest["how"]], unittest["right"])
    return Failure("assertion", headline, is_assertion=True)


def _compared(headline: str, left: str, how: str, right: str) -> Failure:
    """The left side is what was there, as most people write it; of `x in y` that is y."""
    received, expected = (right, left) if how in {"in", "not in"} else (left, right)
    return Failure(
        "assertion",
        headline,
        is_assertion=True,
        matcher=how,
        negated=how in {"!=", "not in", "is not"},
        expected=_plain(expected),
        received=_plain(received),
    )


def _plain(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
