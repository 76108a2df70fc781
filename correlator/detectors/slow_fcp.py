"""Pages that stay empty for long."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from ...observer.domains.page_script import FirstPaint
from ...observer.signal import Signal
from ..page_loads import graded, is_of_page, seconds
from . import detector
from .detector import Detector, Found


class Options(detector.Options):
    over_ms: float = Field(default=1800, gt=0, description="Text or an image is first shown later than this.")
    high_ms: float = Field(default=3000, gt=0, description="Above this it is severe.")


class SlowFcp(Detector[Options]):
    id = "slow_fcp"
    channel = "performance"
    severity = "medium or high"
    about = "Pages that show nothing for long"
    trigger = "the first text or image is painted more than `over_ms` after the navigation began; high above `high_ms`"
    source = "web-vitals"
    options_type = Options
    needs = (FirstPaint,)

    def see(self, signal: Signal) -> Iterator[Found]:
        paint = signal.detail
        assert isinstance(paint, FirstPaint)
        if paint.after_ms <= self.options.over_ms or not is_of_page(signal):
            return
        finding = self.finding(
            graded(paint.after_ms, self.options.high_ms),
            f"The page showed nothing for {seconds(paint.after_ms)}",
            url=(scene := self.scene(signal)).url(scene.page_url),
            fcp_ms=paint.after_ms,
        )
        yield Found(finding, signal)
