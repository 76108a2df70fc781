"""Rules of the user's own: RE2 expressions, which take no longer than the text is long; whatever one matches is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import re2  # pyright: ignore[reportMissingTypeStubs]

from .rule import HIDDEN, Rule

RE2: Any = re2
MAX_PATTERN_CHARS: Final = 1_000
MAX_PROGRAM_BYTES: Final = 1 << 20


class PatternRefused(ValueError):
    """An expression that can't be a rule, with the reason."""


def checked_pattern(pattern: str) -> str:
    """Raises PatternRefused."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternRefused(f"must be RE2 expressions of {MAX_PATTERN_CHARS} characters at most")
    if _compiled(pattern).search("") is not None:
        raise PatternRefused("must be RE2 expressions that match some characters, not an empty text")
    return pattern


def pattern_rules(patterns: Iterable[str]) -> Iterator[Rule]:
    for pattern in patterns:
        yield Rule(checked_pattern(pattern), _hider(_compiled(pattern)))


def _compiled(pattern: str) -> Any:
    options = RE2.Options()
    options.log_errors = False
    options.max_mem = MAX_PROGRAM_BYTES
    try:
        return RE2.compile(pattern, options)
    except RE2.error as error:
        told = error.args[0]
        reason = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    raise PatternRefused(f"must be RE2 expressions: {reason}")


def _hider(expression: Any) -> Callable[[str], str]:
    return lambda text: expression.sub(HIDDEN, text)
