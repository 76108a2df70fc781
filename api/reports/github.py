"""For GitHub Actions: annotations, which its log turns into marks beside the code, and the summary of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from ...correlator.event import Event, Severity
from ..terminal import printable
from . import markdown
from .content import Content
from .places import Sources

Level = Literal["error", "warning", "notice"]
LEVELS: Final[dict[Severity, Level]] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "notice",
    "info": "notice",
}
MAX_OF_A_LEVEL: Final = 10
"""GitHub shows no more of a step."""
MAX_SUMMARY_BYTES: Final = 1 << 20
MIN_SUMMARY_BYTES: Final = 500
MAX_MESSAGE_CHARS: Final = 4_000


class Annotation(NamedTuple):
    level: Level
    title: str
    text: str
    events: tuple[Event, ...]


def annotated(content: Content, sources: Sources) -> list[str]:
    """Lines for the standard output of a step."""
    left = dict.fromkeys(LEVELS.values(), MAX_OF_A_LEVEL)
    lines: list[str] = []
    for annotation in _annotations(content):
        if left[annotation.level] > 0:
            left[annotation.level] -= 1
            lines.append(_line(annotation, sources))
    return lines


def summary(content: Content, taken_bytes: int = 0) -> str:
    """What a job's summary has room for; `taken_bytes` are in it already. GitHub drops one that is too large, all of it."""
    left_bytes = MAX_SUMMARY_BYTES - taken_bytes
    return markdown.render(content, left_bytes) if left_bytes >= MIN_SUMMARY_BYTES else ""


def _annotations(content: Content) -> Iterator[Annotation]:
    for case in content.failed_tests:
        text = case.explanation.text if case.explanation is not None else case.event.summary
        events = (case.event, case.run.events[-1], case.run.events[0], case.first)
        yield Annotation("error", f"{case.name}: {case.first.summary}", text, events)
    for failure in content.failures:
        level = LEVELS[failure.severity]
        # No test failed by it, so it fails nothing here either.
        level = "warning" if level == "error" and content.tests else level
        title = f"{failure.first.kind}: {failure.first.summary}"
        yield Annotation(level, title, failure.explanation.text, (failure.first, failure.event))


def _line(annotation: Annotation, sources: Sources) -> str:
    place = sources.place(*annotation.events)
    fields = {"title": printable(" ".join(annotation.title.split()))[:200]}
    if place is not None and place.known:
        fields = {"file": place.path, "line": str(place.line), **fields}
    told = ",".join(f"{name}={_field(value)}" for name, value in fields.items())
    return f"::{annotation.level} {told}::{_text(annotation.text.split(chr(10)))}"


def _text(lines: Iterable[str]) -> str:
    return _encoded("\n".join(printable(line) for line in lines)[:MAX_MESSAGE_CHARS])


def _field(text: str) -> str:
    return _encoded(text).replace(":", "%3A").replace(",", "%2C")


def _encoded(text: str) -> str:
    """On one line, so that nothing in it begins a command of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
