"""Keeps the hub within its memory budget, in steps that can be seen: trim, tell digests only, clear the largest project."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from ..correlator.event import Channel, Severity
from .hub import Hub

log = logging.getLogger(__name__)

Level = Literal[0, 70, 90, 95]
LEVELS: Final[tuple[Level, ...]] = (95, 90, 70, 0)
EASED_BY: Final = 10  # a level ends this many per cent below where it begins, so that it does not flicker
BULKY: Final[tuple[Channel, ...]] = ("output", "activity")
SEVERITY: Final[dict[Level, Severity]] = {0: "info", 70: "low", 90: "medium", 95: "high"}
DONE: Final[dict[Level, str]] = {
    0: "there is room again",
    70: "the oldest events were let go",
    90: "only digests are told, and the events of output and activity were let go",
    95: "the events of the largest project were let go",
}
KEPT: Final = "none is let go yet, because retention is none"


class Pressure:
    """`look` after every group of news; `tell` gets each step in words."""

    def __init__(
        self,
        hub: Hub,
        budget_bytes: int,
        *,
        tell: Callable[[Level, Severity, str], object],
        max_age_ms: float | None = None,
        trims: bool = True,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.budget_bytes = budget_bytes
        self.level: Level = 0
        self.steps: dict[Level, int] = dict.fromkeys(LEVELS, 0)
        self._hub = hub
        self._tell = tell
        self._max_age_ms = max_age_ms
        self._trims = trims
        self._now_s = now_s

    @property
    def used_percent(self) -> float:
        return 100 * self._hub.size_bytes / self.budget_bytes

    def look(self) -> None:
        used = self.used_percent
        level: Level = next(level for level in LEVELS if used >= level)
        if level > self.level:
            for step in reversed(LEVELS):
                # What an easier step has brought may be enough.
                if self.level < step <= self.used_percent:
                    self._take(step)
        elif self.level and used < self.level - EASED_BY:
            self._enter(level, used)
        elif self.level and used >= self.level:
            self._act(self.level)

    def optimize(self) -> tuple[dict[str, int], dict[str, int]]:
        """Free what can be freed now; what was in use before and after."""
        before = self.in_use()
        for project in self._hub.projects.values():
            project.frames.clear()
        self._trim()
        gc.collect()
        if sys.platform == "linux":
            # The allocator keeps freed memory; only musl has no malloc_trim.
            with suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
        return before, self.in_use()

    def _take(self, step: Level) -> None:
        used = self.used_percent
        self._act(step)
        self._enter(step, used)

    def _enter(self, level: Level, used: float) -> None:
        self.level = level
        self.steps[level] += 1
        self._hub.digest_only = level >= 90
        done = DONE[level] if level != 70 or self._trims else KEPT
        text = f"Kept events take {used:.0f} % of {self.budget_bytes / (1 << 20):.3g} MB: {done}"
        log.info("%s", text)
        self._tell(level, SEVERITY[level], text)

    def _act(self, level: Level) -> None:
        if level == 70:
            self._trim()
        elif level == 90:
            for project in self._hub.projects.values():
                for channel in BULKY:
                    project.rings[channel].trim(0, 0, cause="pressure")
        elif level == 95:
            largest = max(self._hub.projects.values(), key=lambda project: project.size_bytes)
            for ring in largest.rings.values():
                ring.trim(0, 0, cause="pressure")

    def _trim(self) -> None:
        """By retention: what is too old, or the older half of every channel; nothing where all is to be kept."""
        if not self._trims:
            return
        limits = self._hub.limits
        oldest_ms = None if self._max_age_ms is None else self._now_s() * 1000 - self._max_age_ms
        for project in self._hub.projects.values():
            for ring in project.rings.values():
                if oldest_ms is None:
                    ring.trim(limits.ring_events // 2, limits.ring_bytes / 2, cause="pressure")
                else:
                    while ring.oldest is not None and ring.oldest.stored_ms < oldest_ms:
                        ring.trim(len(ring) - 1, ring.size_bytes, cause="pressure")

    def in_use(self) -> dict[str, int]:
        return {"kept_bytes": self._hub.size_bytes, "rss_bytes": rss_bytes()}


def rss_bytes() -> int:
    """What this process takes of the machine's memory; 0 where the system does not say it simply."""
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - read at every scrape
            return int(statm.read().split()[1]) * 4096
    return 0
