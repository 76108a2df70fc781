"""Input whose effect the user had to wait for, in the three parts of that time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page_script import FrameScript, Interaction, LongFrame
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from ..long_frames import blamed, longest, source_places
from . import detector
from .detector import Detector, Found

KEPT_SESSIONS = 1_000
KEPT_FRAMES = 10


class Options(detector.Options):
    over_ms: float = Field(default=200, ge=40, description="From input to effect it took longer than this.")
    high_ms: float = Field(default=500, ge=40, description="Above this it is severe.")


class SlowInteraction(Detector[Options]):
    id = "slow_interaction"
    channel = "performance"
    severity = "medium or high"
    about = "Clicks, taps and keys whose effect shows late, with the script that ran longest meanwhile"
    trigger = "the next paint comes more than `over_ms` after an input; high above `high_ms`"
    source = "web-vitals (INP)"
    options_type = Options
    needs = (Interaction, LongFrame)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._frames: Kept[tuple[str, str, str], deque[Signal]] = Kept(KEPT_SESSIONS)

    def see(self, signal: Signal) -> Iterator[Found]:
        key = signal.browser, signal.session, signal.frame
        if isinstance(signal.detail, LongFrame):
            if key not in self._frames:
                self._frames[key] = deque(maxlen=KEPT_FRAMES)
            self._frames[key].append(signal)
        elif isinstance(signal.detail, Interaction) and signal.detail.duration_ms > self.options.over_ms:
            yield self._found(signal, signal.detail, self._frames.get(key))

    def _found(self, signal: Signal, input_: Interaction, frames: deque[Signal] | None) -> Found:
        scene = self.scene(signal)
        ended_ms = signal.wall_ms + input_.duration_ms
        script = longest(
            [one for frame in frames or () for one in scripts_within(frame, signal.wall_ms, ended_ms)]
        )
        by, spot = blamed(script, scene), source_places(script, scene)
        element = said(signal.element, 160)
        on = f" on {element}" if element else ""
        finding = self.finding(
            "high" if input_.duration_ms > self.options.high_ms else "medium",
            f"{input_.name}{on} took {input_.duration_ms:.0f} ms to show an effect"
            + (f", busy with {by}" if by else ""),
            # Press, release and click are one interaction.
            key=f"{signal.browser} {signal.session} interaction {input_.interaction}",
            element=element,
            duration_ms=input_.duration_ms,
            input_delay_ms=input_.input_delay_ms,
            processing_ms=input_.processing_ms,
            presentation_ms=presentation_ms(input_),
            script=by,
            at=spot.at,
            generated=spot.generated,
        )
        return Found(finding, signal)


def presentation_ms(input_: Interaction) -> float:
    """From the end of the handlers to the paint; Chrome rounds the whole to 8 ms."""
    return round(max(0.0, input_.duration_ms - input_.input_delay_ms - input_.processing_ms), 1)


def scripts_within(frame: Signal, began_ms: float, ended_ms: float) -> tuple[FrameScript, ...]:
    """The scripts of a long frame that the time between falls into."""
    detail = frame.detail
    assert isinstance(detail, LongFrame)
    overlaps = frame.wall_ms < ended_ms and began_ms < frame.wall_ms + detail.duration_ms
    return detail.scripts if overlaps else ()
