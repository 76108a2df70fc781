"""How much one token may have at once and a second."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from .errors import TooMany

MAX_KEYS: Final = 10_000
ROUNDING: Final = 1e-6


class Connections:
    """Counts what is open for each key; `limit` may be changed while it counts."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[str] = Counter()

    @contextmanager
    def take(self, key: str) -> Generator[None]:
        """One more, for as long as the block lasts."""
        if self._open[key] >= self.limit:
            raise TooMany(
                f"This token has {self._open[key]} connections open, and {self.limit} is the limit.",
                "Close one, use one connection for several subscriptions, or raise max_connections.",
            )
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class Rate:
    """A token bucket for each key: `burst` at once, then `per_s`; both may be changed while it counts.

    Of very many keys the one that was idle longest is forgotten, which at worst fills its bucket.
    """

    def __init__(
        self,
        per_s: float,
        burst: float,
        *,
        now_s: Callable[[], float] = time.monotonic,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self.per_s = per_s
        self.burst = burst
        self._now_s = now_s
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, count: int = 1) -> None:
        """Refuses and takes nothing while there is too little. More than a bucket holds goes when it is full, and is owed."""
        now_s = self._now_s()
        level, at_s = self._buckets.get(key, (self.burst, now_s))
        level = min(self.burst, level + (now_s - at_s) * self.per_s)
        missing = min(count, self.burst) - level
        self._buckets[key] = (level if missing > ROUNDING else level - count, now_s)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        if missing > ROUNDING:
            raise TooMany(
                f"This token has used up its rate of {self.per_s:g} a second.",
                f"Try again in {missing / self.per_s:.2f} s, or raise publish_per_s.",
            )
