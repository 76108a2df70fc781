"""A page that does not answer: a loop, a huge piece of work, a long native call."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.watchdog import PageHang
from ...observer.signal import Signal
from ..event import Severity
from ..findings.finding import place, places
from . import detector
from .detector import Detector, Found

CALLERS = slice(1, 4)


class Options(detector.Options):
    medium_ms: float = Field(default=1_000, ge=1_000, description="Not answering for so long is medium.")
    high_ms: float = Field(default=5_000, ge=1_000, description="For so long it is high.")
    critical_ms: float = Field(default=15_000, ge=1_000, description="For so long it is critical.")


class PageHanging(Detector[Options]):
    id = "page_hang"
    channel = "anomalies"
    severity = "medium, high or critical"
    about = "A page that does not answer, and the function that keeps it busy."
    trigger = "No answer for `medium_ms`, `high_ms`, `critical_ms`; looked at after 1, 5 and 15 s. An open dialog is no hang."
    source = "own proposal"
    options_type = Options
    needs = (PageHang,)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        assert isinstance(detail, PageHang)
        severity = self._severity(detail.duration_ms)
        if severity is None:
            return
        scene = self.scene(signal)
        where = places(signal.stack, scene)
        at = str(where["at"])
        finding = self.finding(
            severity,
            f"The page has not answered for {detail.duration_ms / 1000:.1f} s, {why(detail, at)}",
            template=at,
            url=scene.url(detail.url),
            at=at,
            generated=where.get("generated"),
            called_from=[place(frame) for frame in signal.stack[CALLERS]],
            busy_with=detail.busy_with,
            duration_ms=detail.duration_ms,
        )
        yield Found(finding, signal)

    def _severity(self, duration_ms: float) -> Severity | None:
        options = self.options
        levels: tuple[tuple[float, Severity], ...] = (
            (options.critical_ms, "critical"),
            (options.high_ms, "high"),
            (options.medium_ms, "medium"),
        )
        return next((level for from_ms, level in levels if duration_ms >= from_ms), None)


def why(detail: PageHang, at: str) -> str:
    if at:
        return f"busy in {at}"
    return "busy in one long native call" if detail.busy_with == "native" else "busy in a script"
