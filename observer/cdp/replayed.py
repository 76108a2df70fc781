"""What Chrome tells again: enabling Runtime or Log, and a restore from the back/forward cache, repeat up to 1000 old entries."""

from __future__ import annotations

from collections import Counter, deque

KEPT_ENTRIES = 1100


class ReplayHistory:
    """The entries of one target that were told already, by their timestamps.

    Ids change in a replay, the original timestamp (microseconds) does not; two entries of one microsecond are counted, not merged.
    """

    def __init__(self) -> None:
        self._told: dict[str, deque[float]] = {}
        self._expected: dict[str, Counter[float]] = {}
        self.repeats = 0

    def expect(self) -> None:
        """A replay may follow."""
        self._expected = {stream: Counter(times) for stream, times in self._told.items()}
        self.repeats = 0

    @property
    def lost_touch(self) -> bool:
        """Something had been told, and nothing of it came again."""
        return bool(self._expected) and not self.repeats

    def is_repeat(self, stream: str, timestamp: float) -> bool:
        expected = self._expected.get(stream)
        if expected and expected[timestamp] > 0:
            expected[timestamp] -= 1
            self.repeats += 1
            return True
        told = self._told.get(stream)
        if told is None:
            told = self._told[stream] = deque(maxlen=KEPT_ENTRIES)
        told.append(timestamp)
        return False
