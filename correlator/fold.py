"""One failure is one event, though Chrome reports it up to four times (request, log line, issue, failure of the load)."""

from __future__ import annotations

from collections import OrderedDict, deque

# Lines about a failure that do not name the request come within this time of the ones that do.
SAME_FAILURE_S = 0.25
KEPT_KEYS = 10_000
KEPT_ADDRESSES = 1_000
KEPT_PER_ADDRESS = 50


class Told:
    """A failure that was told: who has reported it, and whether its request is known."""

    __slots__ = ("at_s", "families", "named")

    def __init__(self, at_s: float, *, named: bool, family: str) -> None:
        self.at_s = at_s
        self.named = named
        self.families = {family}


class Fold:
    """Remembers what was told, and knows a second report of the same failure."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._told: OrderedDict[str, deque[Told]] = OrderedDict()

    def is_known(self, key: str, about: str, family: str, now_s: float) -> bool:
        """Whether this report repeats an earlier one; if not, it is remembered.

        Reports with a key (a request's id) are matched by it. One without is matched by address, each earlier failure at most
        once per family of reporters, so that two failures of one address stay two.
        """
        if key and key in self._keys:
            return True
        known = bool(about) and self._matches(about, family, now_s, named=bool(key))
        if key:
            self._keys[key] = None
            if len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)
        if about and not known:
            self._remember(about, Told(now_s, named=bool(key), family=family))
        return known

    def _matches(self, about: str, family: str, now_s: float, *, named: bool) -> bool:
        for told in self._told.get(about, ()):
            recent = now_s - told.at_s <= SAME_FAILURE_S
            if not recent or family in told.families or (named and told.named):
                continue
            told.families.add(family)
            told.named = told.named or named
            return True
        return False

    def _remember(self, about: str, told: Told) -> None:
        recent = self._told.setdefault(about, deque(maxlen=KEPT_PER_ADDRESS))
        recent.append(told)
        self._told.move_to_end(about)
        if len(self._told) > KEPT_ADDRESSES:
            self._told.popitem(last=False)
