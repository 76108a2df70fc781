"""Page: navigations with their reasons, dialogs, downloads and lifecycle."""

from __future__ import annotations

import time
from typing import Any

from ..cdp.session import Session
from ..domain import FRAMES, Domain, Listener, Params
from ..options import CaptureOptions
from ..signal import Detail
from .network import shorten_url
from .runtime import MAX_VALUE_CHARS, shorten


class NavigationRequested(Detail, frozen=True, tag="navigation_requested"):
    url: str
    reason: str
    disposition: str = ""


class Navigated(Detail, frozen=True, tag="navigation"):
    url: str
    main_frame: bool = True
    restored: bool = False
    unreachable_url: str = ""


class NavigatedWithin(Detail, frozen=True, tag="navigation_within"):
    url: str
    via: str = ""


class DialogOpened(Detail, frozen=True, tag="dialog_opened"):
    type: str
    message: str
    url: str = ""


class DialogClosed(Detail, frozen=True, tag="dialog_closed"):
    accepted: bool
    open_ms: float = 0.0


class DownloadStarted(Detail, frozen=True, tag="download"):
    url: str
    filename: str = ""


class DownloadEnded(Detail, frozen=True, tag="download_ended"):
    state: str
    received_bytes: float = 0


class Lifecycle(Detail, frozen=True, tag="lifecycle"):
    name: str


class NavigationRequestedParams(Params):
    frame_id: str
    reason: str
    url: str
    disposition: str = ""


class Frame(Params):
    id: str
    url: str
    loader_id: str = ""
    parent_id: str = ""
    unreachable_url: str = ""


class FrameNavigated(Params):
    frame: Frame
    type: str = ""


class WithinDocument(Params):
    frame_id: str
    url: str
    navigation_type: str = ""


class DialogOpening(Params):
    url: str
    message: str
    type: str


class DialogClosing(Params):
    result: bool


class DownloadWillBegin(Params):
    frame_id: str
    guid: str
    url: str
    suggested_filename: str = ""


class DownloadProgress(Params):
    guid: str
    state: str
    received_bytes: float = 0


class LifecycleEvent(Params):
    frame_id: str
    loader_id: str
    name: str


LIFECYCLE_TOLD = frozenset({"DOMContentLoaded", "load"})


class PageDomain(Domain):
    roles = FRAMES
    details = (
        NavigationRequested,
        Navigated,
        NavigatedWithin,
        DialogOpened,
        DialogClosed,
        DownloadStarted,
        DownloadEnded,
        Lifecycle,
    )

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._dialog_opened_s: dict[str, float] = {}

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Page.frameRequestedNavigation", NavigationRequestedParams, self._requested),
            Listener("Page.frameNavigated", FrameNavigated, self._navigated),
            Listener("Page.navigatedWithinDocument", WithinDocument, self._within),
            Listener("Page.javascriptDialogOpening", DialogOpening, self._dialog_opened),
            Listener("Page.javascriptDialogClosed", DialogClosing, self._dialog_closed),
            Listener("Page.downloadWillBegin", DownloadWillBegin, self._download),
            Listener("Page.downloadProgress", DownloadProgress, self._download_progress),
            Listener("Page.lifecycleEvent", LifecycleEvent, self._lifecycle),
        ]

    def enable(self, session: Session) -> None:
        session.post("Page.enable")
        session.post("Page.setLifecycleEventsEnabled", enabled=True)

    def undo(self, session: Session) -> None:
        session.post("Page.setLifecycleEventsEnabled", enabled=False)
        session.post("Page.disable")

    def forget(self, session: Session) -> None:
        self._dialog_opened_s.pop(session.id, None)

    def _requested(self, session: Session, params: NavigationRequestedParams) -> None:
        session.emit(
            NavigationRequested(shorten_url(params.url), params.reason, params.disposition),
            frame=params.frame_id,
        )

    def _navigated(self, session: Session, params: FrameNavigated) -> None:
        frame = params.frame
        session.emit(
            Navigated(
                url=shorten_url(frame.url),
                main_frame=not frame.parent_id and session.info.type != "iframe",
                restored=params.type == "BackForwardCacheRestore",
                unreachable_url=shorten_url(frame.unreachable_url),
            ),
            frame=frame.id,
            loader_id=frame.loader_id,
        )

    def _within(self, session: Session, params: WithinDocument) -> None:
        session.emit(NavigatedWithin(shorten_url(params.url), params.navigation_type), frame=params.frame_id)

    def _dialog_opened(self, session: Session, params: DialogOpening) -> None:
        self._dialog_opened_s[session.id] = time.monotonic()
        session.dialog_open = True
        session.emit(
            DialogOpened(params.type, shorten(params.message, MAX_VALUE_CHARS), shorten_url(params.url))
        )

    def _dialog_closed(self, session: Session, params: DialogClosing) -> None:
        opened_s = self._dialog_opened_s.pop(session.id, None)
        session.dialog_open = False
        open_ms = (time.monotonic() - opened_s) * 1000 if opened_s is not None else 0.0
        session.emit(DialogClosed(params.result, round(open_ms, 1)))

    def _download(self, session: Session, params: DownloadWillBegin) -> None:
        session.emit(
            DownloadStarted(shorten_url(params.url), params.suggested_filename),
            frame=params.frame_id,
            request_id=params.guid,
        )

    def _download_progress(self, session: Session, params: DownloadProgress) -> None:
        if params.state != "inProgress":
            session.emit(DownloadEnded(params.state, params.received_bytes), request_id=params.guid)

    def _lifecycle(self, session: Session, params: LifecycleEvent) -> None:
        if params.name in LIFECYCLE_TOLD:
            session.emit(Lifecycle(params.name), frame=params.frame_id, loader_id=params.loader_id)
