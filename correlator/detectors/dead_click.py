"""A click on what looks as if it did something, and nothing came of it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.page import Navigated
from ...observer.domains.page_script import ClickQuiet, UserAction
from ...observer.domains.runtime import ExceptionThrown
from ...observer.signal import Signal
from ..findings.finding import Finding, said
from ..kept import Kept
from . import detector
from .clicks import FOLLOWING, Followed
from .detector import Detector, Found, Scenes, Told, began
from .windows import KEPT_KEYS, Growth, PageKey, page_of


class Options(detector.Options):
    after_ms: float = Field(
        default=1_000, ge=1_000, description="So long nothing must have followed; looked at after 1 and 7 s."
    )
    confirmed_ms: float = Field(default=7_000, ge=1_000, description="From then on it is medium, before low.")


class Clicks:
    """The dead clicks on one element of one document."""

    __slots__ = ("confirmed", "count", "first_ms", "last_ms")

    def __init__(self, first_ms: float) -> None:
        self.first_ms = first_ms
        self.last_ms = 0.0
        self.count = 0
        self.confirmed = False

    def add(self, wall_ms: float) -> None:
        """Each is told of twice."""
        if wall_ms > self.last_ms:
            self.count += 1
            self.last_ms = wall_ms


class DeadClick(Detector[Options]):
    """An exception that follows is told by itself, with the click as its cause."""

    id = "dead_click"
    channel = "anomalies"
    severity = "low or medium"
    about = "Nothing follows a click on something that looks clickable."
    trigger = (
        "Nothing for `after_ms` after a click on a button, a link or something with a pointer: no change of the document, "
        "scrolling, selecting, playing, request, navigation, dialog, download or exception; medium from `confirmed_ms` on."
    )
    source = "Sentry: 7 s; the early one is an own proposal"
    options_type = Options
    needs = (ClickQuiet, ExceptionThrown, *FOLLOWING)
    hears = ("user_action",)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._followed = Followed()
        self._told: Kept[tuple[PageKey, float], str] = Kept(KEPT_KEYS)
        self._dead: Kept[tuple[PageKey, str, str], Clicks] = Kept(KEPT_KEYS)
        self._documents: Kept[PageKey, str] = Kept(KEPT_KEYS)
        self._growth = Growth()

    def hear(self, told: Told) -> Iterable[Found]:
        detail = told.signal.detail
        if isinstance(detail, UserAction) and detail.type == "click":
            self._told[page_of(told.signal), told.signal.wall_ms] = told.event_id
        return ()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, ClickQuiet):
            return self._quiet(signal, detail)
        self._followed.note(signal)
        if isinstance(detail, Navigated) and detail.main_frame:
            self._documents[page_of(signal)] = signal.loader_id
        return ()

    def _quiet(self, signal: Signal, detail: ClickQuiet) -> Iterable[Found]:
        if (
            not detail.clickable
            or detail.after_ms < self.options.after_ms
            or self._followed.is_followed(signal)
        ):
            return
        page = page_of(signal)
        key = page, self._documents.get(page, ""), signal.element
        clicks = self._dead.get(key)
        if clicks is None:
            clicks = self._dead[key] = Clicks(signal.wall_ms)
        clicks.add(signal.wall_ms)
        episode = f"{self.id} {page} {clicks.first_ms} {signal.element}"
        confirms = detail.after_ms >= self.options.confirmed_ms and not clicks.confirmed
        clicks.confirmed = clicks.confirmed or confirms
        if self._growth.is_due(episode, clicks.count) or confirms:
            click_id = self._told.get((page, signal.wall_ms), "")
            yield Found(
                self._finding(signal, detail, clicks), signal, began(click_id) if click_id else None, episode
            )

    def _finding(self, signal: Signal, detail: ClickQuiet, clicks: Clicks) -> Finding:
        element = said(signal.element, 160)
        times = f"{clicks.count} clicks" if clicks.count > 1 else "a click"
        return self.finding(
            "medium" if clicks.confirmed else "low",
            f"Nothing followed {times} on {element or 'the page'} within {detail.after_ms / 1000:g} s",
            count=clicks.count,
            template=f"{self.id} {element}",
            element=element,
            after_ms=detail.after_ms,
        )
