"""Which events a subscription wants: its patterns, compiled once for all subscriptions that have the same ones."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import re2  # pyright: ignore[reportMissingTypeStubs]

from ..correlator.event import SEVERITIES, Severity
from .errors import BadFilter
from .ring import Entry
from .wire import Patterns

MAX_PATTERNS: Final = 64
MAX_PROGRAM_BYTES: Final = 1 << 20
RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}
WHOLE: Final = ("kind", "page", "severity")
FIELDS: Final = ("url", "kind", "text", "page", "selector", "severity")

RE2: Any = re2
Test = Callable[[Entry], bool]
Fields = tuple[tuple[str, ...], ...]
Key = tuple[Fields, Fields, Severity]


class Filter:
    """`wants` an entry or not; `key` is the same for filters that want the same."""

    def __init__(self, key: Key, wants: Test | None) -> None:
        self.key = key
        self._wants = wants

    def of(self, entries: list[Entry]) -> list[Entry]:
        wants = self._wants
        return entries if wants is None else [entry for entry in entries if wants(entry)]


def compiled(include: Patterns, exclude: Patterns, min_severity: Severity) -> Filter:
    """Raises BadFilter with RE2's reason."""
    return _compiled(_text(include), _text(exclude), min_severity)


def line_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Which lines of a text are wanted, by patterns as those of events. Raises BadFilter with RE2's reason."""
    wanted, refused = _line_test(include), _line_test(exclude)
    return lambda line: (not include or wanted(line)) and not refused(line)


def _line_test(patterns: Sequence[str]) -> Callable[[str], bool]:
    literals = [pattern for pattern in patterns if not _is_expression(pattern) and "*" not in pattern]
    search = _search([_expression(pattern, whole=False) for pattern in patterns if pattern not in literals])
    return lambda line: any(literal in line for literal in literals) or (search is not None and search(line))


def _text(patterns: Patterns) -> Fields:
    fields = tuple(tuple(sorted(set(getattr(patterns, name)))) for name in FIELDS)
    if sum(map(len, fields)) > MAX_PATTERNS:
        raise BadFilter(
            f"A filter may have {MAX_PATTERNS} patterns at most.",
            "Join some by `*` or as one /a|b/ expression.",
        )
    return fields


@functools.lru_cache(maxsize=256)
def _compiled(include: Fields, exclude: Fields, min_severity: Severity) -> Filter:
    tests: list[Test] = []
    if min_severity != "info":
        lowest = RANK[min_severity]
        tests.append(lambda entry: RANK[entry.severity] <= lowest)
    wanted = [_test(name, patterns) for name, patterns in zip(FIELDS, include, strict=True) if patterns]
    refused = [_test(name, patterns) for name, patterns in zip(FIELDS, exclude, strict=True) if patterns]
    tests += wanted
    if refused:
        tests.append(lambda entry: not any(test(entry) for test in refused))
    key = (include, exclude, min_severity)
    if not tests:
        return Filter(key, None)
    return Filter(key, tests[0] if len(tests) == 1 else lambda entry: all(test(entry) for test in tests))


def _test(name: str, patterns: tuple[str, ...]) -> Test:
    whole = name in WHOLE
    literals = [pattern for pattern in patterns if not _is_expression(pattern) and "*" not in pattern]
    search = _search([_expression(pattern, whole=whole) for pattern in patterns if pattern not in literals])

    def test(entry: Entry) -> bool:
        value = getattr(entry, name)
        if whole:
            if value in literals:
                return True
        elif any(literal in value for literal in literals):
            return True
        return search is not None and search(value)

    return test


def _is_expression(pattern: str) -> bool:
    return len(pattern) > 2 and pattern[0] == "/" == pattern[-1]


def _expression(pattern: str, *, whole: bool) -> str:
    if _is_expression(pattern):
        return pattern[1:-1]
    text = ".*".join(RE2.escape(part) for part in pattern.split("*"))
    return f"^(?:{text})$" if whole else text


def _search(expressions: list[str]) -> Callable[[str], bool] | None:
    if not expressions:
        return None
    options = RE2.Options()
    options.log_errors = False
    options.max_mem = MAX_PROGRAM_BYTES
    options.dot_nl = True
    found = RE2.Set.SearchSet(options)
    for expression in expressions:
        try:
            found.Add(expression)
        except RE2.error as error:
            raise BadFilter(
                f"/{expression[:80]}/ is not an RE2 expression: {_reason(expression, options) or error}.",
                "RE2 has no look-around and no back references.",
            ) from error
    try:
        found.Compile()
    except RE2.error as error:
        raise BadFilter(
            "The expressions of one field are too large together.",
            "Use fewer or shorter ones, above all fewer counted repetitions like {100}.",
        ) from error
    return lambda value: bool(found.Match(value))


def _reason(expression: str, options: Any) -> str:
    """A set only says that it failed."""
    try:
        RE2.compile(expression, options)
    except RE2.error as error:
        said = error.args[0]
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return ""
