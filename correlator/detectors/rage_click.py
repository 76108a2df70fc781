"""Somebody clicks again and again at one place: nothing comes of it, or only errors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import takewhile
from math import hypot

from pydantic import Field

from ...observer.domains.page_script import ClickQuiet, UserAction
from ...observer.signal import Signal
from ..findings.finding import Finding, said
from ..kept import Kept
from . import detector
from .clicks import FOLLOWING, Followed
from .detector import Detector, Found, Scenes, Told, counted
from .failures import NOT_LOADED, UNCAUGHT
from .windows import Growth, PageKey, page_of

KEPT_PAGES = 300
KEPT_CLICKS = 100
BARE = frozenset({"body", "html"})


class Options(detector.Options):
    clicks: int = Field(default=3, ge=2, description="So many clicks …")
    within_s: float = Field(default=1.0, gt=0, description="… within so many seconds …")
    radius_px: float = Field(default=100.0, ge=0, description="… within so many pixels of the first.")


class Click:
    """One that the user made, and what came of it so far."""

    __slots__ = ("event_id", "failed", "quiet", "signal", "wall_ms", "x", "y")

    def __init__(self, told: Told, detail: UserAction) -> None:
        self.event_id = told.event_id
        self.signal = told.signal
        self.wall_ms = told.signal.wall_ms
        self.x, self.y = detail.x, detail.y
        self.quiet = False
        self.failed = False


class RageClick(Detector[Options]):
    """Clicks alone say little: who selects a paragraph, presses + five times or plays a game clicks as fast, and sees each work.

    So each of the clicks must have led to nothing within a second, or an error must have come within a second of it.
    """

    id = "rage_click"
    channel = "anomalies"
    severity = "low"
    about = "Somebody clicks again and again at one place, in vain."
    trigger = "`clicks` in `within_s` within `radius_px`, each followed by nothing for a second, or with errors among them."
    source = "Datadog; that the clicks must be in vain is an own proposal"
    options_type = Options
    needs = (ClickQuiet, *FOLLOWING)
    hears = ("user_action", *NOT_LOADED, *UNCAUGHT)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._followed = Followed()
        self._clicks: Kept[PageKey, deque[Click]] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        if not isinstance(signal.detail, ClickQuiet):
            self._followed.note(signal)
            return ()
        if self._followed.is_followed(signal) or signal.element in BARE:
            return ()
        clicks = self._clicks.get(page_of(signal), deque[Click]())
        for click in clicks:
            click.quiet = click.quiet or click.wall_ms == signal.wall_ms
        return self._rage(clicks, signal.wall_ms)

    def hear(self, told: Told) -> Iterable[Found]:
        detail = told.signal.detail
        page = page_of(told.signal)
        clicks = self._clicks.get(page)
        if not isinstance(detail, UserAction):
            if clicks:
                yield from self._fails(clicks, told)
            return
        if detail.type == "click" and (detail.x or detail.y):  # no place: the keyboard's
            if clicks is None:
                clicks = self._clicks[page] = deque(maxlen=KEPT_CLICKS)
            clicks.append(Click(told, detail))

    def _fails(self, clicks: deque[Click], told: Told) -> Iterable[Found]:
        """An error may be that of any click of the last second: an answer takes its time."""
        within_ms = self.options.within_s * 1000
        before = [one for one in clicks if 0 <= told.signal.wall_ms - one.wall_ms <= within_ms]
        for click in before:
            click.failed = True
        return self._rage(clicks, before[0].wall_ms) if before else ()

    def _rage(self, clicks: deque[Click], from_ms: float) -> Iterable[Found]:
        """What is known of one click may complete the burst of a later one: a busy page tells of the last one first."""
        for latest in [one for one in clicks if one.wall_ms >= from_ms]:
            burst = self._burst(clicks, latest)
            if not self._is_rage(burst[-self.options.clicks :]):
                continue
            episode = f"{self.id} {burst[0].event_id}"
            if self._growth.is_due(episode, len(burst)):
                yield Found(self._finding(burst), latest.signal, counted(burst[0].event_id), episode)

    def _is_rage(self, tried: list[Click]) -> bool:
        took_ms = tried[-1].wall_ms - tried[0].wall_ms
        return (
            len(tried) == self.options.clicks
            and took_ms <= self.options.within_s * 1000
            and all(one.quiet or one.failed for one in tried)
        )

    def _burst(self, clicks: deque[Click], latest: Click) -> list[Click]:
        """The clicks at the same place that came one soon after the other, up to this one."""
        burst = [latest]
        before = takewhile(lambda click: click is not latest, clicks)  # two may have the same time
        for click in reversed(list(before)):
            soon = burst[-1].wall_ms - click.wall_ms <= self.options.within_s * 1000
            if not soon or hypot(click.x - latest.x, click.y - latest.y) > self.options.radius_px:
                break
            burst.append(click)
        return burst[::-1]

    def _finding(self, burst: list[Click]) -> Finding:
        first, latest = burst[0], burst[-1]
        element = said(latest.signal.element, 160)
        failed = sum(one.failed for one in burst)
        came = "errors came of them" if failed else "nothing came of them"
        took_s = (latest.wall_ms - first.wall_ms) / 1000
        return self.finding(
            "low",
            f"{len(burst)} clicks on {element or 'the page'} in {took_s:.1f} s: {came}",
            count=len(burst),
            template=f"{self.id} {element}",
            element=element,
            within_ms=round(took_s * 1000),
            failed=failed,
        )
