"""Counting within a time: what detectors keep of the past, bounded by the time and by how much there may be."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from ...observer.signal import Signal
from ..kept import Kept

KEPT_KEYS = 2_000
KEPT_PER_KEY = 1_000

K = TypeVar("K")
T = TypeVar("T")
PageKey = tuple[str, str]


def page_of(signal: Signal) -> PageKey:
    return signal.browser, signal.page


class Windows(Generic[K, T]):
    """For each key what came within the last `within_s`, the oldest first."""

    def __init__(self, within_s: float, keys: int = KEPT_KEYS, per_key: int = KEPT_PER_KEY) -> None:
        self._within_s = within_s
        self._per_key = per_key
        self._entries: Kept[K, deque[tuple[float, T]]] = Kept(keys)

    def add(self, key: K, now_s: float, value: T) -> deque[tuple[float, T]]:
        """What there is now, with the new one last; pairs of time and value."""
        entries = self._entries.get(key)
        if entries is None:
            entries = self._entries[key] = deque(maxlen=self._per_key)
        while entries and now_s - entries[0][0] > self._within_s:
            entries.popleft()
        entries.append((now_s, value))
        return entries

    def forget(self, key: K) -> None:
        self._entries.pop(key, None)


class Growth:
    """Says of a count that grows whether it is time to tell it again: at its first and each time that it got ten times as large."""

    def __init__(self, keys: int = KEPT_KEYS) -> None:
        self._next: Kept[str, int] = Kept(keys)

    def is_due(self, episode: str, count: int) -> bool:
        if not self.may_be_due(episode, count):
            return False
        self._next[episode] = count * 10
        return True

    def may_be_due(self, episode: str, count: int) -> bool:
        """The same without telling it: for what is dear to find out otherwise."""
        due = self._next.get(episode)
        return due is None or count >= due

    def over(self, episode: str) -> None:
        """The next one is a new episode."""
        self._next.pop(episode, None)
