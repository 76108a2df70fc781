"""One failure is one event, though Chrome reports it up to four times (request, log line, issue, failure of the load)."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple, Self

from ..observer.signal import Signal

# Lines about a failure that do not name the request come, or happened, within this time of the ones that do: on a busy machine they
# come late, and of some Chrome does not say when they happened.
SAME_FAILURE_S = 0.25
KEPT_KEYS = 10_000
KEPT_ADDRESSES = 1_000
KEPT_PER_ADDRESS = 50


class Moment(NamedTuple):
    """When a report came, by our clock, and when that happened, by Chrome's."""

    came_s: float
    happened_s: float

    @classmethod
    def of(cls, signal: Signal) -> Self:
        return cls(signal.monotonic_s, signal.wall_ms / 1000)

    def is_near(self, other: Moment) -> bool:
        came_s, happened_s = self.came_s - other.came_s, self.happened_s - other.happened_s
        return came_s <= SAME_FAILURE_S or abs(happened_s) <= SAME_FAILURE_S


class Told:
    """A failure that was told: by which event, who has reported it, and whether its request is known."""

    __slots__ = ("at", "event_id", "families", "named")

    def __init__(self, at: Moment, *, named: bool, family: str) -> None:
        self.at = at
        self.named = named
        self.families = {family}
        self.event_id = ""


class Fold:
    """Remembers what was told, and knows a second report of the same failure."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, Told] = OrderedDict()
        self._told: OrderedDict[str, deque[Told]] = OrderedDict()

    def known(self, key: str, about: str, family: str, now: Moment) -> Told | None:
        """The failure that this report repeats, if it does.

        Reports with a key (a request's id) are matched by it. One without is matched by address, each earlier failure at most
        once per family of reporters, so that two failures of one address stay two.
        """
        if key and key in self._keys:
            return self._keys[key]
        told = self._matching(about, family, now, named=bool(key)) if about else None
        if told is not None and key:
            self._keep(key, told)
        return told

    def remember(self, key: str, about: str, family: str, now: Moment, event_id: str) -> None:
        """A failure that is told for the first time."""
        told = Told(now, named=bool(key), family=family)
        told.event_id = event_id
        if key:
            self._keep(key, told)
        if about:
            recent = self._told.setdefault(about, deque(maxlen=KEPT_PER_ADDRESS))
            recent.append(told)
            self._told.move_to_end(about)
            if len(self._told) > KEPT_ADDRESSES:
                self._told.popitem(last=False)

    def _keep(self, key: str, told: Told) -> None:
        self._keys[key] = told
        if len(self._keys) > KEPT_KEYS:
            self._keys.popitem(last=False)

    def _matching(self, about: str, family: str, now: Moment, *, named: bool) -> Told | None:
        for told in self._told.get(about, ()):
            if not now.is_near(told.at) or family in told.families or (named and told.named):
                continue
            told.families.add(family)
            told.named = told.named or named
            return told
        return None
