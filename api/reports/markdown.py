"""A recording as Markdown: what failed and why, as much of it as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ...correlator.event import Event, Severity
from .content import Case, Content, Failure
from .escaping import block, code, words

MAX_EXPLAINED: Final = 10
MAX_ROWS: Final = 40
MAX_BYTES: Final = 1 << 20
PIPE: Final = "\\|"
MARKS: Final[dict[Severity, str]] = {
    "critical": "🔴",
    "high": "🔴",
    "medium": "🟠",
    "low": "🔵",
    "info": "⚪",
}


def render(content: Content, max_bytes: int = MAX_BYTES) -> str:
    """At most `max_bytes` as UTF-8; what finds no room is counted in the last line."""
    return _fitting([*_blocks(content)], max_bytes)


def _blocks(content: Content) -> Iterator[str]:
    yield f"# {words(content.title)}"
    yield f"**{content.headline}.**"
    failed, failures = content.failed_tests, content.failures
    if content.tests:
        yield from map(_case, failed[:MAX_EXPLAINED])
        yield from _table("More failed tests", [_case_row(case) for case in failed[MAX_EXPLAINED:]])
        yield from _table("Failures beside the tests", [_failure_row(failure) for failure in failures])
    else:
        yield from map(_failure, failures[:MAX_EXPLAINED])
        yield from _table("More failures", [_failure_row(failure) for failure in failures[MAX_EXPLAINED:]])
    if content.unexplained:
        yield f"… and {content.unexplained} more failures."
    yield from (words(note) for note in content.notes)


def _case(case: Case) -> str:
    return _told(
        case.severity, code(case.name), case.first, case.explanation.text if case.explanation else ""
    )


def _failure(failure: Failure) -> str:
    times = f" ×{failure.times}" if failure.times > 1 else ""
    return _told(
        failure.severity, f"{code(failure.event.kind)}{times}", failure.first, failure.explanation.text
    )


def _told(severity: Severity, title: str, first: Event, text: str) -> str:
    return f"### {MARKS[severity]} {title}\n\n{_said(first)}\n\n{block(text)}"


def _said(event: Event) -> str:
    at = event.context.get("at")
    place = f" at {code(at)}" if isinstance(at, str) and at and at not in event.summary else ""
    return f"First cause: {code(event.summary)}{place}"


def _case_row(case: Case) -> Sequence[str]:
    return MARKS[case.severity], code(case.name), code(case.first.summary), words(case.first.page)


def _failure_row(failure: Failure) -> Sequence[str]:
    times = f" ×{failure.times}" if failure.times > 1 else ""
    return (
        MARKS[failure.severity],
        f"{code(failure.event.kind)}{times}",
        code(failure.first.summary),
        words(failure.first.page),
    )


def _table(title: str, rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if not rows:
        return
    lines = [f"| {' | '.join(cell.replace('|', PIPE) for cell in row)} |" for row in rows[:MAX_ROWS]]
    head = ["| | what | first cause | page |", "| --- | --- | --- | --- |"]
    yield "\n".join([f"### {title}", "", *head, *lines])
    if len(rows) > MAX_ROWS:
        yield f"… and {len(rows) - MAX_ROWS} more."


def _fitting(blocks: Sequence[str], max_bytes: int) -> str:
    """Whole blocks only: half of one may be a table without its end, or code that never ends."""
    kept: list[str] = []
    left = max_bytes - 100
    for number, text in enumerate(blocks):
        left -= len(text.encode()) + 2
        if left < 0:
            kept.append(f"… and {len(blocks) - number} more parts, which find no room here.")
            break
        kept.append(text)
    return "\n\n".join(kept) + "\n"
