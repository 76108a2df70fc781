"""Pages whose server takes long to send the first byte."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from ...observer.domains.page_script import LoadTiming
from ...observer.signal import Signal
from ..page_loads import graded, is_of_page, seconds
from . import detector
from .detector import Detector, Found


class Options(detector.Options):
    over_ms: float = Field(default=800, gt=0, description="The first byte comes later than this.")
    high_ms: float = Field(default=1800, gt=0, description="Above this it is severe.")


class SlowTtfb(Detector[Options]):
    id = "slow_ttfb"
    channel = "performance"
    severity = "medium or high"
    about = "Pages whose first byte comes late: the server, redirects or the network before it"
    trigger = "the first byte comes more than `over_ms` after the navigation began; high above `high_ms`"
    source = "web-vitals"
    options_type = Options
    needs = (LoadTiming,)

    def see(self, signal: Signal) -> Iterator[Found]:
        timing = signal.detail
        assert isinstance(timing, LoadTiming)
        if timing.ttfb_ms <= self.options.over_ms or not is_of_page(signal):
            return
        finding = self.finding(
            graded(timing.ttfb_ms, self.options.high_ms),
            f"The first byte of the page came after {seconds(timing.ttfb_ms)}",
            url=(scene := self.scene(signal)).url(scene.page_url),
            ttfb_ms=timing.ttfb_ms,
            load_ms=timing.load_ms,
            status=timing.status,
        )
        yield Found(finding, signal)
