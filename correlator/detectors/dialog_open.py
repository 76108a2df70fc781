"""A dialog of the browser's that stands open: the page waits for it, and whatever drives the page waits with it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from pydantic import Field

from ...observer.cdp.targets import TargetClosed
from ...observer.domains.page import DialogClosed, DialogOpened
from ...observer.signal import Signal
from ..findings.finding import said
from ..kept import Kept
from . import detector
from .detector import NEVER_S, Detector, Found, Scenes, Told, began
from .windows import KEPT_KEYS


class Options(detector.Options):
    open_ms: float = Field(default=2_000, ge=0, description="How long a dialog may be open.")


class DialogOpen(Detector[Options]):
    id = "dialog_open"
    channel = "anomalies"
    severity = "medium"
    about = "An alert, confirm, prompt or beforeunload dialog stands open and holds the page up."
    trigger = "Open for `open_ms`."
    source = "own proposal"
    options_type = Options
    needs = (DialogClosed, TargetClosed)
    hears = ("dialog",)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._open: Kept[tuple[str, str], Told] = Kept(KEPT_KEYS)

    def hear(self, told: Told) -> Iterable[Found]:
        self._open[told.signal.browser, told.signal.session] = told
        self._look_ahead()
        return ()

    def see(self, signal: Signal) -> Iterable[Found]:
        if self._open.pop((signal.browser, signal.session), None) is not None:
            self._look_ahead()
        return ()

    def advance(self, now_s: float) -> Iterable[Found]:
        due = [key for key, told in self._open.items() if self._due_s(told) <= now_s]
        found = [self._found(self._open.pop(key)) for key in due]
        self._look_ahead()
        return found

    def _due_s(self, told: Told) -> float:
        return told.signal.monotonic_s + self.options.open_ms / 1000

    def _look_ahead(self) -> None:
        self.due_s = min((self._due_s(told) for told in self._open.values()), default=NEVER_S)

    def _found(self, told: Told) -> Found:
        opened, open_ms = told.signal, self.options.open_ms
        detail = opened.detail
        assert isinstance(detail, DialogOpened)
        message = said(detail.message, 120)
        finding = self.finding(
            "medium",
            f"{detail.type}() has been open for {open_ms / 1000:g} s and holds the page up: {message}",
            template=f"{self.id} {detail.type} {message}",
            dialog=detail.type,
            message=message,
            url=self.scene(opened).url(detail.url),
            open_ms=open_ms,
        )
        later = msgspec.structs.replace(
            opened, monotonic_s=self._due_s(told), wall_ms=opened.wall_ms + open_ms
        )
        return Found(finding, later, because=began(told.event_id))
