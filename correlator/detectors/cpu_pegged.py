"""Pages that keep the main thread busy for seconds without a pause that would be a hang."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page_script import LongFrame
from ...observer.domains.performance import Metrics
from ...observer.domains.watchdog import PageHang
from ...observer.signal import Signal
from ..findings.finding import Scene
from ..kept import Kept
from ..long_frames import blamed
from . import detector
from .detector import Detector, Found

KEPT_TARGETS = 1_000
KEPT_SCRIPTS = 50

TargetKey = tuple[str, str]


class Options(detector.Options):
    share: float = Field(
        default=0.7, gt=0, le=1, description="The main thread works for this part of the time."
    )
    for_s: float = Field(default=6.0, gt=0, description="It does so for this long, in every sample.")


class Load:
    """The work of one main thread: from the sample that began a busy time to the latest."""

    __slots__ = ("began", "is_told", "latest", "scripts")

    def __init__(self, sample: Signal) -> None:
        self.began = self.latest = sample
        self.is_told = False
        self.scripts: Counter[str] = Counter()

    @property
    def lasted_s(self) -> float:
        return self.latest.monotonic_s - self.began.monotonic_s

    @property
    def share(self) -> float:
        return share(self.began, self.latest)


class CpuPegged(Detector[Options]):
    id = "cpu_pegged"
    channel = "performance"
    severity = "medium"
    about = "A main thread that is busy nearly all the time, with the script that long frames blame most"
    trigger = "the main thread works for `share` of the time between all samples of `for_s`; a hang is told as page_hang"
    source = "OpenReplay"
    options_type = Options
    needs = (Metrics, LongFrame, PageHang)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._loads: Kept[TargetKey, Load] = Kept(KEPT_TARGETS)

    def see(self, signal: Signal) -> Iterator[Found]:
        key = signal.browser, signal.session
        load = self._loads.get(key)
        if isinstance(signal.detail, Metrics):
            if load is None or self._is_idle(load, signal):
                self._loads[key] = Load(signal)
                return
            load.latest = signal
            if load.lasted_s >= self.options.for_s and not load.is_told:
                load.is_told = True
                yield self._found(load)
        elif load is not None and isinstance(signal.detail, LongFrame):
            self._blame(load, signal, signal.detail)
        elif load is not None:
            # A page that hangs is told by the watchdog.
            self._loads.pop(key)

    def _is_idle(self, load: Load, signal: Signal) -> bool:
        """Counters that went back are another process's; one that stood still and then made up for it is one long task."""
        return share(load.latest, signal) < self.options.share

    def _blame(self, load: Load, signal: Signal, frame: LongFrame) -> None:
        scene = self.scene(signal)
        for script in frame.scripts:
            name = blamed(script, scene)
            if name in load.scripts or len(load.scripts) < KEPT_SCRIPTS:
                load.scripts[name] += round(script.duration_ms)

    def _found(self, load: Load) -> Found:
        busy, lasted_s = min(1.0, load.share), load.lasted_s
        by = max(load.scripts, key=lambda name: load.scripts[name], default="")
        finding = self.finding(
            "medium",
            f"The main thread was busy for {busy:.0%} of {lasted_s:.1f} s"
            + (f", most of all with {by}" if by else ""),
            template=by,
            busy_share=round(busy, 2),
            lasted_ms=round(lasted_s * 1000),
            script=by,
            script_ms=load.scripts[by],
        )
        return Found(finding, load.latest)


def share(before: Signal, after: Signal) -> float:
    """The part of the time between two samples that was work."""
    first, last = before.detail, after.detail
    assert isinstance(first, Metrics)
    assert isinstance(last, Metrics)
    return (last.busy_s - first.busy_s) / max(after.monotonic_s - before.monotonic_s, 0.001)
