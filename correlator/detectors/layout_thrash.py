"""Scripts that make the browser lay the page out again and again within one frame."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from ...observer.domains.page_script import LongFrame
from ...observer.signal import Signal
from ..long_frames import blamed, forced_ms, source_places
from . import detector
from .detector import Detector, Found


class Options(detector.Options):
    forced_ms: float = Field(
        default=30, ge=1, description="Layout that scripts force in one frame, from here on."
    )
    high_ms: float = Field(default=100, ge=1, description="From here on it is severe.")


class LayoutThrash(Detector[Options]):
    id = "layout_thrash"
    channel = "performance"
    severity = "medium or high"
    about = "Scripts that force layout, by reading what they have just changed"
    trigger = "all scripts of one long frame force layout for `forced_ms`; high from `high_ms`"
    source = "30 ms: DevTools; 100 ms: our own proposal"
    options_type = Options
    needs = (LongFrame,)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        assert isinstance(detail, LongFrame)
        forced = forced_ms(detail.scripts)
        if forced < self.options.forced_ms:
            return
        scene = self.scene(signal)
        worst = max(detail.scripts, key=lambda script: script.forced_layout_ms)
        by, spot = blamed(worst, scene), source_places(worst, scene)
        summary = f"{forced:.0f} ms of forced layout in one frame of {detail.duration_ms:.0f} ms"
        finding = self.finding(
            "high" if forced >= self.options.high_ms else "medium",
            f"{summary}, by {by}" if by else summary,
            template=by,
            duration_ms=detail.duration_ms,
            blocking_ms=detail.blocking_ms,
            forced_layout_ms=forced,
            script=by,
            at=spot.at,
            generated=spot.generated,
        )
        yield Found(finding, signal)
