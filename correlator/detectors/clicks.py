"""What follows a click beyond what its page shows: requests, navigations, dialogs, downloads, hangs, other pages."""

from __future__ import annotations

from ...observer.cdp.targets import TargetOpened
from ...observer.domains.network import RequestSent, SocketOpened
from ...observer.domains.page import (
    DialogOpened,
    DownloadStarted,
    Navigated,
    NavigatedWithin,
    NavigationRequested,
)
from ...observer.domains.watchdog import PageHang
from ...observer.signal import Detail, Signal
from ..kept import Kept
from .windows import KEPT_KEYS, PageKey, page_of

FOLLOWING: tuple[type[Detail], ...] = (
    DialogOpened,
    DownloadStarted,
    Navigated,
    NavigatedWithin,
    NavigationRequested,
    PageHang,
    RequestSent,
    SocketOpened,
    TargetOpened,
)
# What is done when the pointer goes down comes before its click.
PRESS_TAKES_MS = 200.0
BY_PARSER = frozenset({"parser", "preload"})


class Followed:
    """When each page last did something of that kind, whoever it was that made it do so."""

    def __init__(self) -> None:
        self._latest_ms: Kept[PageKey, float] = Kept(KEPT_KEYS)

    def note(self, signal: Signal) -> None:
        page, detail = page_of(signal), signal.detail
        if isinstance(detail, RequestSent):
            if detail.type == "Ping" or detail.initiator in BY_PARSER:
                return  # pages count clicks, dead ones too; and they go on loading
        elif isinstance(detail, Navigated):
            if detail.main_frame:
                self._latest_ms.pop(page, None)  # what came before was another document's
                return
        elif isinstance(detail, TargetOpened):
            if detail.type != "page" or not detail.opener:
                return
            page = signal.browser, detail.opener
        self._latest_ms[page] = signal.wall_ms

    def is_followed(self, click: Signal) -> bool:
        return self._latest_ms.get(page_of(click), 0.0) >= click.wall_ms - PRESS_TAKES_MS
