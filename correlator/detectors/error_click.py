"""A click that an error came of."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.network import RequestFailed, RequestFinished, RequestSent, ResponseReceived
from ...observer.domains.page import NavigatedWithin
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..findings.finding import said
from ..kept import Kept
from . import detector
from .detector import Detector, Found, Scenes, Told, began
from .failures import LOGGED, NOT_LOADED, UNCAUGHT
from .windows import PageKey, page_of

KEPT_PAGES = 300
KEPT_REQUESTS = 200
ENDS = (RequestFailed, RequestFinished, ResponseReceived)


class Options(detector.Options):
    enabled: bool = Field(default=False, description="Whether it is on.")
    quiet_ms: float = Field(
        default=100, ge=0, description="A click's action is over when nothing happens for so long."
    )
    max_ms: float = Field(default=10_000, ge=100, description="It is over after that in any case.")


class Click:
    """The latest click, and until when something happened because of it, by the clock alone."""

    __slots__ = ("active_ms", "failed", "pending", "signal")

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.active_ms = signal.wall_ms
        self.pending: set[str] = set()
        self.failed = False


class ErrorClick(Detector[Options]):
    id = "error_click"
    channel = "errors"
    severity = "high"
    about = (
        "An error comes within the action of a click. Off by default: the chain of every error names the click that caused it, "
        "with proof, where this one goes by time."
    )
    trigger = "An error before the click's action is over: nothing for `quiet_ms` with no request under way, or `max_ms`."
    source = "Datadog"
    options_type = Options
    needs = (NavigatedWithin, RequestSent, *ENDS)
    hears = ("user_action", *LOGGED, *NOT_LOADED, *UNCAUGHT)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._clicks: Kept[PageKey, Click] = Kept(KEPT_PAGES)

    def see(self, signal: Signal) -> Iterable[Found]:
        click = self._clicks.get(page_of(signal))
        if click is None:
            return ()
        if isinstance(signal.detail, ENDS):
            if signal.request_id in click.pending:
                click.pending.discard(signal.request_id)
                click.active_ms = signal.wall_ms
        elif self._is_active(click, signal.wall_ms):
            click.active_ms = signal.wall_ms
            if isinstance(signal.detail, RequestSent) and len(click.pending) < KEPT_REQUESTS:
                click.pending.add(signal.request_id)
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        signal, detail = told.signal, told.signal.detail
        if isinstance(detail, UserAction):
            if detail.type == "click":
                self._clicks[page_of(signal)] = Click(signal)
            return
        click = self._clicks.get(page_of(signal))
        if click is None or click.failed or not self._is_active(click, signal.wall_ms):
            return
        click.failed = True
        element = said(click.signal.element, 120)
        finding = self.finding(
            "high",
            f"A click on {element or 'the page'} led to an error: {said(told.finding.summary, 100)}",
            template=f"{self.id} {element} {told.finding.template or told.finding.summary}",
            element=element,
            error=told.finding.kind,
            after_ms=round(signal.wall_ms - click.signal.wall_ms),
        )
        yield Found(finding, signal, began(told.event_id))

    def _is_active(self, click: Click, wall_ms: float) -> bool:
        if not 0 <= wall_ms - click.signal.wall_ms <= self.options.max_ms:
            return False
        return bool(click.pending) or wall_ms - click.active_ms <= self.options.quiet_ms
