"""Pages whose memory only grows: what is left after collections, or a heap far above what it used to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise

from pydantic import Field

from ...observer.domains.page import Navigated
from ...observer.domains.performance import Metrics
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene
from ..kept import Kept
from ..page_loads import is_of_target
from . import detector
from .detector import Detector, Found
from .windows import Growth

KEPT_TARGETS = 1_000
MB = 1_000_000

TargetKey = tuple[str, str]


class Options(detector.Options):
    samples: int = Field(
        default=5, ge=2, le=50, description="So many collections in a row left more each time."
    )
    slope_mb_per_min: float = Field(default=1.0, gt=0, description="It grew faster than this.")
    grown: float = Field(default=0.2, gt=0, description="It grew by more than this part of the first.")
    jump: float = Field(
        default=3.0, gt=1, description="The heap is so many times the mean of the samples before."
    )
    jump_samples: int = Field(default=3, ge=1, description="So many samples before are enough for a mean.")
    jump_mb: float = Field(default=50.0, ge=0, description="And it is at least so large.")


class Heap:
    """The heap of one document: what was left after its latest collections, and the mean of all its samples."""

    __slots__ = ("began_ms", "count", "left", "mean")

    def __init__(self, samples: int, began_ms: float) -> None:
        self.began_ms = began_ms
        self.left: deque[tuple[float, float]] = deque(maxlen=samples + 1)
        self.mean = 0.0
        self.count = 0

    def add(self, heap_bytes: float) -> None:
        self.count += 1
        self.mean += (heap_bytes - self.mean) / self.count


class MemoryGrowth(Detector[Options]):
    id = "memory_growth"
    channel = "anomalies"
    severity = "medium"
    about = "Pages that hold ever more memory"
    trigger = (
        "each of `samples` collections left more than the one before, by more than `grown` and `slope_mb_per_min` in all; "
        "or the heap is `jump` times the mean of at least `jump_samples` samples, and `jump_mb` large"
    )
    source = "growth after collections: our own proposal; 3 times the mean: OpenReplay; 50 MB: our own"
    options_type = Options
    needs = (Metrics, Navigated)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._heaps: Kept[TargetKey, Heap] = Kept(KEPT_TARGETS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterator[Found]:
        key, metrics = (signal.browser, signal.session), signal.detail
        if isinstance(metrics, Navigated):
            if is_of_target(signal):
                self._heaps.pop(key, None)
            return
        assert isinstance(metrics, Metrics)
        heap = self._heaps.get(key)
        if heap is None:
            heap = self._heaps[key] = Heap(self.options.samples, signal.wall_ms)
        if metrics.after_gc:
            heap.left.append((signal.monotonic_s, metrics.heap_bytes))
            yield from self._told(self._leak(heap), signal, f"{heap.began_ms} left")
        else:
            yield from self._told(self._jump(heap, metrics), signal, f"{heap.began_ms} jump")
            heap.add(metrics.heap_bytes)

    def _told(self, found: Finding | None, signal: Signal, what: str) -> Iterator[Found]:
        """Again when the heap is ten times as large."""
        if found is None:
            return
        episode = f"{self.id} {signal.browser} {signal.session} {what}"
        heap_mb = found.context["heap_mb"]
        assert isinstance(heap_mb, float)
        if self._growth.is_due(episode, max(1, int(heap_mb))):
            yield Found(found, signal, episode=episode)

    def _leak(self, heap: Heap) -> Finding | None:
        if len(heap.left) <= self.options.samples:
            return None
        (began_s, first), *_, (ended_s, last) = heap.left
        sizes = [size for _, size in heap.left]
        is_rising = all(before < after for before, after in pairwise(sizes))
        per_min = (last - first) / MB / max(ended_s - began_s, 0.001) * 60
        grown_enough = last > first * (1 + self.options.grown) and per_min > self.options.slope_mb_per_min
        if not (is_rising and grown_enough):
            return None
        return self._finding(
            f"{self.options.samples} collections in a row left more: {mb(first)} became {mb(last)} MB, {per_min:.1f} MB a minute",
            first,
            last,
            mb_per_min=round(per_min, 1),
        )

    def _jump(self, heap: Heap, metrics: Metrics) -> Finding | None:
        size = metrics.heap_bytes
        is_known = heap.count >= self.options.jump_samples
        if not is_known or size < self.options.jump_mb * MB or size < self.options.jump * heap.mean:
            return None
        times = size / max(heap.mean, 1.0)
        return self._finding(
            f"The heap is {mb(size)} MB, {times:.1f} times the {mb(heap.mean)} MB that it was on average",
            heap.mean,
            size,
        )

    def _finding(self, summary: str, before: float, now: float, mb_per_min: float = 0.0) -> Finding:
        return self.finding(
            "medium",
            summary,
            heap_mb=mb(now),
            before_mb=mb(before),
            grown_mb=mb(now - before),
            mb_per_min=mb_per_min,
        )


def mb(size_bytes: float) -> float:
    return round(size_bytes / MB, 1)
