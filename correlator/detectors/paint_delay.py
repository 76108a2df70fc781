"""Frames that were ready and shown late, or that took long to lay out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page_script import FirstPaint, LongFrame
from ...observer.signal import Signal
from ..findings.finding import Scene
from ..kept import Kept
from ..long_frames import blamed, longest, source_places
from . import detector
from .detector import Detector, Found

KEPT_DOCUMENTS = 1_000

DocumentKey = tuple[str, str, str]


class Options(detector.Options):
    present_ms: float = Field(
        default=300, ge=1, description="A painted frame is shown later than this: the compositor is busy."
    )
    style_ms: float = Field(default=100, ge=1, description="Style and layout of one frame take this long.")


class PaintDelay(Detector[Options]):
    id = "paint_delay"
    channel = "performance"
    severity = "medium"
    about = "Frames for which the browser, not a script, takes long: styles, layout, paint, presentation"
    trigger = "after the first paint a long frame is shown more than `present_ms` after its paint, or its style and layout take `style_ms`"
    source = "our own: on a machine with too much to do, healthy pages stay below; DevTools marks 40 ms of style and layout"
    options_type = Options
    needs = (LongFrame, FirstPaint)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._first_paints_ms: Kept[DocumentKey, float] = Kept(KEPT_DOCUMENTS)

    def see(self, signal: Signal) -> Iterator[Found]:
        key = signal.browser, signal.session, signal.frame
        if isinstance(signal.detail, FirstPaint):
            self._first_paints_ms[key] = signal.wall_ms
        elif isinstance(signal.detail, LongFrame):
            # A page's first frame loads its fonts; that it comes late is slow_fcp.
            first_ms = self._first_paints_ms.get(key)
            if first_ms is not None and signal.wall_ms >= first_ms:
                yield from self._look(signal, signal.detail)

    def _look(self, signal: Signal, frame: LongFrame) -> Iterator[Found]:
        if frame.style_ms >= self.options.style_ms:
            said = f"Style and layout took {frame.style_ms:.0f} ms of a frame of {frame.duration_ms:.0f} ms"
        elif frame.presentation_ms > self.options.present_ms:
            said = f"A frame was shown {frame.presentation_ms:.0f} ms after it was painted"
        else:
            return
        script, scene = longest(frame.scripts), self.scene(signal)
        by, spot = blamed(script, scene), source_places(script, scene)
        finding = self.finding(
            "medium",
            f"{said}, after {by}" if by else said,
            template=by,
            duration_ms=frame.duration_ms,
            style_ms=frame.style_ms,
            presentation_ms=frame.presentation_ms,
            script=by,
            at=spot.at,
            generated=spot.generated,
        )
        yield Found(finding, signal)
