"""What a run has told: the events of all its browsers and of its tests, in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from ...correlator.event import SEVERITIES, Channel, Event, Severity

MAX_EVENTS: Final = 100_000


class Log:
    """Takes events as they happen; `passed_on` gets each of them with its place in the log."""

    def __init__(
        self, passed_on: Callable[[Event], object] = lambda _: None, limit: int = MAX_EVENTS
    ) -> None:
        self.events: list[Event] = []
        self.left_out = 0
        """How many came after there were too many to keep."""
        self.severities: Counter[Severity] = Counter()
        """Of what the browsers told; how a test ended is for its runner to say."""
        self._passed_on = passed_on
        self._limit = limit
        self._last: Counter[Channel] = Counter()

    def tell(self, event: Event) -> None:
        self.severities[event.severity] += 1
        self.tell_of_test(event)

    def tell_of_test(self, event: Event) -> None:
        self._last[event.channel] += 1
        # Every browser counts by itself.
        event = event.model_copy(update={"seq": self._last[event.channel]})
        if len(self.events) < self._limit:
            self.events.append(event)
        else:
            self.left_out += 1
        self._passed_on(event)

    def as_bad_as(self, severity: Severity) -> int:
        """How many are of this severity or worse."""
        return sum(self.severities[each] for each in SEVERITIES[: SEVERITIES.index(severity) + 1])
