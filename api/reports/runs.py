"""The tests that the events of a recording name: how each ended, and which event says why it failed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from ...correlator.event import Event

Outcome = Literal["passed", "failed", "skipped", "unfinished"]
STARTED: Final = "test.started"
OUTCOMES: Final[Mapping[str, Outcome]] = {
    "test.passed": "passed",
    "test.failed": "failed",
    "test.skipped": "skipped",
}
ASSERTION: Final = "assertion_failed"
NAMES: Final = ("test", "test_id", "nodeid")
SPOKEN: Final = re.compile(
    r"^(?:test )?(?P<name>.+?) (?:was |has )?(?:started|passed|failed|skipped)\b.*$", re.DOTALL
)


@dataclass(slots=True)
class Run:
    """One run of one test: a retry is another."""

    name: str
    events: list[Event] = field(default_factory=list[Event])
    outcome: Outcome = "unfinished"

    @property
    def failure(self) -> Event:
        """What failed in it, as exactly as it was told."""
        asserted = [event for event in self.events if event.kind == ASSERTION]
        return (asserted or self.events)[-1]

    @property
    def duration_s(self) -> float:
        told = self.events[-1].context.get("duration_ms")
        if isinstance(told, int | float) and math.isfinite(told):
            return max(0.0, told / 1000)
        return seconds_between(self.events[0].timestamp, self.events[-1].timestamp)


def runs_in(events: Iterable[Event]) -> list[Run]:
    """In the order in which they began."""
    runs: list[Run] = []
    running: dict[str, Run] = {}
    for event in events:
        name = name_of(event)
        key = _text(event, "test_id") or name
        if not key:
            continue
        if event.kind == STARTED or (event.kind in OUTCOMES and key not in running):
            running[key] = Run(name)
            runs.append(running[key])
        if key not in running:
            continue
        running[key].events.append(event)
        if event.kind in OUTCOMES:
            running.pop(key).outcome = OUTCOMES[event.kind]
    return runs


def is_of_a_run(event: Event) -> bool:
    return event.kind == STARTED or event.kind in OUTCOMES


def name_of(event: Event) -> str:
    """The test that an event belongs to, as its publisher names it."""
    told = next((name for key in NAMES if (name := _text(event, key))), "")
    if told or not is_of_a_run(event):
        return told
    spoken = SPOKEN.match(event.summary)
    return spoken["name"].strip(" :") if spoken else event.summary


def _text(event: Event, name: str) -> str:
    value = event.context.get(name)
    return value if isinstance(value, str) else ""


def seconds_between(earlier: str, later: str) -> float:
    """Never negative; a file may say anything."""
    try:
        passed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, passed.total_seconds())
