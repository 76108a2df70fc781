"""Work that keeps the main thread from answering, with the script to blame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page_script import LongFrame
from ...observer.domains.performance import Metrics
from ...observer.signal import Signal
from ..findings.finding import Scene
from ..kept import Kept
from ..long_frames import blamed, forced_ms, longest, source_places
from . import detector
from .detector import Detector, Found

KEPT_BROWSERS = 100
# A collection that we asked for, and what follows on it, takes no longer.
COLLECTION_MS = 1_000.0
# What Chrome takes off each task before it counts as blocking.
TASK_MS = 50.0


class Options(detector.Options):
    busy_ms: float = Field(
        default=200, ge=50, description="One task, or the scripts of one frame, took this long."
    )
    blocking_ms: float = Field(
        default=150, ge=1, description="A frame whose tasks took so much longer than 50 ms each."
    )
    forced_share: float = Field(
        default=0.5, gt=0, le=1, description="A frame of which this part is forced layout is layout_thrash."
    )


class LongTask(Detector[Options]):
    id = "long_task"
    channel = "performance"
    severity = "medium"
    about = "A frame in which the page could not answer, with the script that ran longest"
    trigger = "the work of a frame takes `busy_ms`, or it blocks for `blocking_ms`, and less than `forced_share` of it is forced layout"
    source = "200 ms: DevTools; the others: our own proposals"
    options_type = Options
    needs = (LongFrame, Metrics)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._collected_ms: Kept[str, float] = Kept(KEPT_BROWSERS)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        if isinstance(detail, LongFrame):
            if self._is_long(detail) and not self._is_ours(signal, detail):
                yield self._found(signal, detail)
        elif isinstance(detail, Metrics) and detail.before_gc:
            self._collected_ms[signal.browser] = signal.wall_ms

    def _is_long(self, frame: LongFrame) -> bool:
        is_long = work_ms(frame) >= self.options.busy_ms or frame.blocking_ms >= self.options.blocking_ms
        return is_long and forced_ms(frame.scripts) < self.options.forced_share * frame.duration_ms

    def _is_ours(self, signal: Signal, frame: LongFrame) -> bool:
        """Whether the page may have waited for the observer, which had its memory collected."""
        began_ms = self._collected_ms.get(signal.browser)
        if began_ms is None or frame.scripts:
            return False
        return began_ms - frame.duration_ms <= signal.wall_ms <= began_ms + COLLECTION_MS

    def _found(self, signal: Signal, frame: LongFrame) -> Found:
        scene = self.scene(signal)
        script = longest(frame.scripts)
        by, spot = blamed(script, scene), source_places(script, scene)
        summary = f"The main thread was busy for {frame.duration_ms:.0f} ms"
        finding = self.finding(
            "medium",
            f"{summary}, by {by}" if by else summary,
            template=by,
            duration_ms=frame.duration_ms,
            blocking_ms=frame.blocking_ms,
            forced_layout_ms=forced_ms(frame.scripts),
            script=by,
            at=spot.at,
            generated=spot.generated,
        )
        return Found(finding, signal)


def work_ms(frame: LongFrame) -> float:
    """How long the main thread worked at least: a frame's duration also counts the time that it waited to be drawn."""
    longest_ms = frame.blocking_ms + TASK_MS if frame.blocking_ms else 0.0
    return max(longest_ms, sum(script.duration_ms for script in frame.scripts))
