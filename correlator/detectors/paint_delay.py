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
from .windows import Windows

KEPT_DOCUMENTS = 1_000

DocumentKey = tuple[str, str, str]


class Options(detector.Options):
    present_ms: float = Field(
        default=300, ge=1, description="A painted frame is shown later than this: the compositor is busy."
    )
    frames: int = Field(
        default=3, ge=1, description="So many frames are shown late: a single one may be the machine's."
    )
    within_s: float = Field(default=10, gt=0, description="Within this time.")
    style_ms: float = Field(default=200, ge=1, description="Style and layout of one frame take this long.")


class PaintDelay(Detector[Options]):
    id = "paint_delay"
    channel = "performance"
    severity = "medium"
    about = "Frames for which the browser, not a script, takes long: styles, layout, paint, presentation"
    trigger = (
        "after the first paint `frames` long frames within `within_s` are shown more than `present_ms` after their paint, or the "
        "style and layout of one take `style_ms`"
    )
    source = "our own: on a machine with too much to do, healthy pages stay below; DevTools marks 40 ms of style and layout"
    options_type = Options
    needs = (LongFrame, FirstPaint)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._first_paints_ms: Kept[DocumentKey, float] = Kept(KEPT_DOCUMENTS)
        self._late: Windows[DocumentKey, float] = Windows(options.within_s)

    def see(self, signal: Signal) -> Iterator[Found]:
        key = signal.browser, signal.session, signal.frame
        if isinstance(signal.detail, FirstPaint):
            self._first_paints_ms[key] = signal.wall_ms
        elif isinstance(signal.detail, LongFrame):
            # A page's first frame loads its fonts; that it comes late is slow_fcp.
            first_ms = self._first_paints_ms.get(key)
            if first_ms is not None and signal.wall_ms >= first_ms:
                yield from self._look(key, signal, signal.detail)

    def _look(self, key: DocumentKey, signal: Signal, frame: LongFrame) -> Iterator[Found]:
        if frame.style_ms >= self.options.style_ms:
            said = f"Style and layout took {frame.style_ms:.0f} ms of a frame of {frame.duration_ms:.0f} ms"
        elif frame.presentation_ms > self.options.present_ms:
            late = self._late.add(key, signal.wall_ms / 1_000, frame.presentation_ms)
            if len(late) < self.options.frames:
                return
            worst_ms = max(late_ms for _, late_ms in late)
            said = f"{counted_frames(len(late))} shown up to {worst_ms:.0f} ms after the paint"
            self._late.forget(key)
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


def counted_frames(count: int) -> str:
    return "A frame was" if count == 1 else f"{count} frames were"
