"""A router that goes round in circles: it changes the address again and again, with nobody at the page doing anything."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.log import LogEntry
from ...observer.domains.page import NavigatedWithin
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..kept import Kept
from . import detector
from .detector import Detector, Found, Scenes, Told, counted
from .windows import Growth, PageKey, Windows, page_of

KEPT_PAGES = 300
THROTTLED = "Throttling navigation to prevent the browser from hanging"
MAX_ADDRESSES = 3


class Options(detector.Options):
    changes: int = Field(default=8, ge=3, description="So many changes of the address without input …")
    within_s: float = Field(default=3.0, gt=0, description="… within so many seconds …")
    addresses: int = Field(default=3, ge=1, description="… among at most so many addresses.")
    flood: int = Field(
        default=200, ge=10, description="So many, of whatever addresses, are a loop in any case …"
    )
    flood_within_s: float = Field(default=10.0, gt=0, description="… within so many seconds.")


class RouterLoop(Detector[Options]):
    """Scrolling and typing also change the address without an action of their own being told, but go on to ever new ones."""

    id = "router_loop"
    channel = "anomalies"
    severity = "high"
    about = "A single-page app changes its address again and again by itself."
    trigger = (
        "`changes` of the address in `within_s` among at most `addresses` addresses without input between, `flood` in "
        "`flood_within_s`, or Chrome throttles the page's navigations."
    )
    source = "Chromium's own limit of 200 in 10 s; the early one is an own proposal"
    options_type = Options
    needs = (LogEntry, UserAction)
    hears = ("navigation_within",)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._changes: Windows[PageKey, Told] = Windows(options.within_s, KEPT_PAGES)
        self._all: Windows[PageKey, Told] = Windows(options.flood_within_s, KEPT_PAGES)
        self._loops: Kept[PageKey, Loop] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        page, detail = page_of(signal), signal.detail
        if isinstance(detail, UserAction):
            self._changes.forget(page)
            return
        assert isinstance(detail, LogEntry)
        loop = self._loops.get(page)
        if THROTTLED not in detail.text or signal.replayed or (loop and self._goes_on(loop, signal)):
            return
        loop = self._loops[page] = Loop([])
        yield self._found(loop, signal)

    def hear(self, told: Told) -> Iterable[Found]:
        page, now_s = page_of(told.signal), told.signal.monotonic_s
        loop = self._loops.get(page)
        if loop is not None and self._goes_on(loop, told.signal):
            loop.add(told)
        else:
            began = self._began(page, now_s, told)
            if began is None:
                return
            loop = self._loops[page] = Loop(began)
        if self._growth.is_due(loop.episode, loop.count):
            yield self._found(loop, told.signal)

    def _goes_on(self, loop: Loop, signal: Signal) -> bool:
        return signal.monotonic_s - loop.last_s <= self.options.within_s

    def _began(self, page: PageKey, now_s: float, told: Told) -> list[Told] | None:
        """The changes that make up a loop, if they do by now."""
        every = self._all.add(page, now_s, told)
        if len(every) < 2 or address(every[-2][1]) != address(told):
            changes = [one for _, one in self._changes.add(page, now_s, told)]
            few = len({address(one) for one in changes}) <= self.options.addresses
            if len(changes) >= self.options.changes and few:
                return changes
        return [one for _, one in every] if len(every) >= self.options.flood else None

    def _found(self, loop: Loop, signal: Signal) -> Found:
        scene = self.scene(signal)
        shown = [scene.url(url) for url in loop.addresses]
        if loop.count:
            among = f", between {' and '.join(shown)}" if len(shown) > 1 else f", each time to {shown[0]}"
            summary = (
                f"The page changed its address {loop.count} times in {loop.lasted_s:.1f} s by itself{among}"
            )
        else:
            summary = "The page changes its address so often that Chrome throttles it"
        finding = self.finding(
            "high",
            summary,
            count=max(1, loop.count),
            template=f"{self.id} {' '.join(shown)}",
            addresses=list(shown),
            within_ms=round(loop.lasted_s * 1000),
        )
        first = loop.first
        return Found(finding, signal, counted(first.event_id) if first else None, loop.episode)


class Loop:
    """One that was found, from its first change on."""

    def __init__(self, changes: list[Told]) -> None:
        self.first = changes[0] if changes else None
        self.last_s = changes[-1].signal.monotonic_s if changes else 0.0
        self.count = len(changes)
        self.addresses = list(dict.fromkeys(address(told) for told in changes))[:MAX_ADDRESSES]
        self.episode = f"router_loop {self.first.event_id}" if self.first else ""

    @property
    def lasted_s(self) -> float:
        return self.last_s - self.first.signal.monotonic_s if self.first else 0.0

    def add(self, told: Told) -> None:
        self.count += 1
        self.last_s = told.signal.monotonic_s


def address(told: Told) -> str:
    detail = told.signal.detail
    return detail.url if isinstance(detail, NavigatedWithin) else ""
