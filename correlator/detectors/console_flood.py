"""A message that is logged over and over: it hides all others, and costs time by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from pydantic import Field

from ...observer.domains.runtime import ConsoleCalled
from ...observer.signal import Signal
from ..findings.finding import Scene, context, places, said
from ..kept import Kept
from ..templates import template_of
from .detector import Detector, Found, Options
from .windows import Growth, PageKey, page_of

KEPT_TEMPLATES = 2_000
TEMPLATE_CHARS = 200
# What these say is where a group or a measurement ends.
SILENT = frozenset({"endGroup", "clear", "profile", "profileEnd"})

Key = tuple[PageKey, str, str]


class FloodOptions(Options):
    per_second: int = Field(
        default=50, ge=2, le=10_000, description="From so many messages of one template in a second on."
    )
    per_10_s: int = Field(
        default=200, ge=2, le=10_000, description="From so many messages of one template in 10 s on."
    )


class Flood:
    """When the messages of one template came of late, and how many since the flood began."""

    __slots__ = ("began_ms", "count", "times_ms")

    def __init__(self, kept: int, began_ms: float) -> None:
        self.times_ms: deque[float] = deque(maxlen=kept)
        self.began_ms = began_ms
        self.count = 0


class ConsoleFlood(Detector[FloodOptions]):
    id = "console_flood"
    channel = "anomalies"
    severity = "medium"
    about = "One message is logged over and over, told once with how often it came."
    trigger = "`per_second` messages of one template in 1 s, or `per_10_s` in 10 s, whatever their level"
    source = "Our own numbers"
    options_type = FloodOptions
    needs = (ConsoleCalled,)

    def __init__(self, options: FloodOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._floods: Kept[Key, Flood] = Kept(KEPT_TEMPLATES)
        self._growth = Growth(KEPT_TEMPLATES)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, ConsoleCalled) or signal.replayed or detail.level in SILENT:
            return ()
        key = page_of(signal), detail.level, template_of(detail.text[:TEMPLATE_CHARS])
        flood = self._counted(key, signal.wall_ms)
        times_ms = flood.times_ms
        is_flood = is_within(times_ms, self.options.per_second, 1_000) or is_within(
            times_ms, self.options.per_10_s, 10_000
        )
        return [self._found(signal, detail, key, flood)] if is_flood and self._is_due(key, flood) else ()

    def _counted(self, key: Key, now_ms: float) -> Flood:
        flood = self._floods.get(key)
        if flood is None or now_ms - flood.times_ms[-1] > 10_000:
            kept = max(self.options.per_second, self.options.per_10_s)
            flood = self._floods[key] = Flood(kept, now_ms)
        flood.times_ms.append(now_ms)
        flood.count += 1
        return flood

    def _is_due(self, key: Key, flood: Flood) -> bool:
        return self._growth.is_due(episode_of(key, flood), flood.count)

    def _found(self, signal: Signal, detail: ConsoleCalled, key: Key, flood: Flood) -> Found:
        scene = self.scene(signal)
        lasted_s = max(0.0, signal.wall_ms - flood.began_ms) / 1000
        finding = self.finding(
            "medium",
            f"console.{detail.level} was called {flood.count} times in {lasted_s:.1f} s with: {said(detail.text, 120)}",
            count=flood.count,
            key=episode_of(key, flood),
            template=f"{detail.level} {said(key[2], 120)}",
            level=detail.level,
            lasted_s=round(lasted_s, 1),
        )
        finding.context |= context(**places(signal.stack, scene))
        return Found(finding, signal, episode=episode_of(key, flood))


def is_within(times_ms: deque[float], count: int, within_ms: float) -> bool:
    """Whether the last so many came within the time."""
    return len(times_ms) >= count and times_ms[-1] - times_ms[-count] <= within_ms


def episode_of(key: Key, flood: Flood) -> str:
    return f"console_flood {key} {flood.began_ms}"
