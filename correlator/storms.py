"""A flood of equal failures is one event with a count: the first is told, then the 10th, the 100th …, and how many it were in the end.

Equal is what says the same at the same place and comes of the same; what only has a template in common counts as equal once ten
of it were told. A critical one is always told. Of activity only what the page logs can be a flood: the rest may be a cause.
"""

from __future__ import annotations

from collections import deque

from ..observer.signal import Signal
from .detectors.detector import NEVER_S
from .event import Event
from .findings.finding import Finding
from .kept import Kept
from .templates import template_of

# A flood is over when nothing came for so long.
QUIET_S = 10.0
TOLD_EACH = 10
LOGS_TOLD_EACH = 50
KEPT_STORMS = 2_000
STEP = 10


class Storm:
    """What is counted in one event; it is told again at `next_count`. A mixed one counts what only has the template in common."""

    __slots__ = ("began_s", "count", "event", "is_mixed", "last", "next_count", "said")

    def __init__(self, event: Event, signal: Signal, said: tuple[str, ...]) -> None:
        self.event = event
        self.said = said
        self.began_s = signal.monotonic_s
        self.last = signal
        self.count = 1
        self.is_mixed = False
        self.next_count = STEP

    @property
    def over_s(self) -> float:
        return self.last.monotonic_s + QUIET_S

    def grow(self, signal: Signal) -> bool:
        """Whether it is to be told again."""
        self.count += 1
        self.last = signal
        if self.count < self.next_count:
            return False
        self.next_count *= STEP
        return True


class Storms:
    """The failures of late, by what they have in common."""

    def __init__(self) -> None:
        self._storms: Kept[tuple[str, ...], deque[Storm]] = Kept(KEPT_STORMS)
        self._growing: dict[int, Storm] = {}
        self.due_s = NEVER_S
        """Nothing is over before that."""

    def find(self, signal: Signal, finding: Finding, cause: str) -> Storm | None:
        """The storm that it is part of, if it is not to be told by itself."""
        if not can_flood(finding):
            return None
        storms = self._storms.get(shared(signal, finding))
        if not storms:
            return None
        same = said_by(finding, cause)
        is_full = len(storms) == storms.maxlen
        for storm in reversed(storms):
            if signal.monotonic_s < storm.over_s and (is_full or storm.said == same):
                storm.is_mixed = storm.is_mixed or storm.said != same
                return storm
        return None

    def begin(self, signal: Signal, finding: Finding, cause: str, event: Event) -> None:
        """The first of its kind was told by this event."""
        if not can_flood(finding):
            return
        key = shared(signal, finding)
        storms = self._storms.get(key)
        if storms is None or signal.monotonic_s >= storms[-1].over_s:
            each = LOGS_TOLD_EACH if finding.channel == "activity" else TOLD_EACH
            storms = self._storms[key] = deque(maxlen=each)
        storms.append(Storm(event, signal, said_by(finding, cause)))

    def count(self, storm: Storm, signal: Signal) -> bool:
        """Count it; whether the storm is to be told again."""
        is_due = storm.grow(signal)
        self._growing[id(storm)] = storm
        self.due_s = min(self.due_s, storm.over_s)
        return is_due

    def told(self, storm: Storm) -> None:
        """What it has come to is known."""
        self._growing.pop(id(storm), None)

    def over(self, now_s: float) -> list[Storm]:
        """Those that ended with more than was told."""
        ended = [storm for storm in self._growing.values() if storm.over_s <= now_s]
        for storm in ended:
            self.told(storm)
        self.due_s = min((storm.over_s for storm in self._growing.values()), default=NEVER_S)
        return ended


def can_flood(finding: Finding) -> bool:
    return finding.severity != "critical" and (
        finding.channel != "activity" or finding.kind == "console_message"
    )


def shared(signal: Signal, finding: Finding) -> tuple[str, ...]:
    return signal.browser, signal.page, finding.kind, template_of(finding.template or finding.summary)


def said_by(finding: Finding, cause: str) -> tuple[str, ...]:
    return finding.summary, str(finding.context.get("at", "")), cause
