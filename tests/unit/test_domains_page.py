"""Navigations, dialogs, downloads and lifecycle of a page."""

from __future__ import annotations

from typing import Any

from firstcause.observer.domains.page import (
    DialogClosed,
    DialogOpened,
    DownloadEnded,
    DownloadStarted,
    Lifecycle,
    Navigated,
    NavigatedWithin,
    NavigationRequested,
)

from .wire import Wire


def navigated(wire: Wire, kind: str = "Navigation", session: str = "S1", **frame: Any) -> None:
    frame = {"id": "F1", "loaderId": "L1", "url": "http://a/", "mimeType": "text/html", **frame}
    wire.event("Page.frameNavigated", {"frame": frame, "type": kind}, session)


async def test_a_navigation_with_its_reason(wire: Wire) -> None:
    request = {"frameId": "F1", "reason": "anchorClick", "url": "http://a/next", "disposition": "currentTab"}
    wire.event("Page.frameRequestedNavigation", request)
    navigated(wire, url="http://a/next")
    assert wire.details == [
        NavigationRequested("http://a/next", "anchorClick", "currentTab"),
        Navigated("http://a/next"),
    ]
    assert (wire.last().frame, wire.last().loader_id) == ("F1", "L1")


async def test_an_address_that_can_not_be_reached(wire: Wire) -> None:
    navigated(wire, url="chrome-error://chromewebdata/", unreachableUrl="http://gone/")
    assert wire.details == [Navigated("chrome-error://chromewebdata/", unreachable_url="http://gone/")]


async def test_frames_within_the_page_and_of_other_processes_are_not_the_main_frame(wire: Wire) -> None:
    navigated(wire, id="F2", parentId="F1")
    wire.attach("S2", "iframe", parent="S1")
    navigated(wire, session="S2", id="F3")
    assert [d.main_frame for d in wire.details] == [False, False]


async def test_back_from_the_cache(wire: Wire) -> None:
    navigated(wire, "BackForwardCacheRestore")
    assert wire.details == [Navigated("http://a/", restored=True)]


async def test_a_navigation_within_the_document(wire: Wire) -> None:
    wire.event(
        "Page.navigatedWithinDocument", {"frameId": "F1", "url": "http://a/#x", "navigationType": "fragment"}
    )
    assert wire.details == [NavigatedWithin("http://a/#x", "fragment")]


async def test_a_dialog_opens_and_closes(wire: Wire) -> None:
    session = wire.observer._tree.sessions["S1"]
    opening = {
        "url": "http://a/",
        "message": "m" * 500,
        "type": "confirm",
        "hasBrowserHandler": True,
        "frameId": "F1",
    }
    wire.event("Page.javascriptDialogOpening", opening)
    assert session.dialog_open
    wire.event("Page.javascriptDialogClosed", {"result": False, "userInput": "secret"})
    assert not session.dialog_open
    opened, closed = wire.details
    assert opened == DialogOpened("confirm", "m" * 299 + "…", "http://a/")
    assert isinstance(closed, DialogClosed)
    assert not closed.accepted
    assert closed.open_ms >= 0


async def test_a_dialog_that_was_open_before_us(wire: Wire) -> None:
    wire.event("Page.javascriptDialogClosed", {"result": True, "userInput": ""})
    assert wire.details == [DialogClosed(True, 0.0)]


async def test_a_download_is_told_at_its_start_and_at_its_end(wire: Wire) -> None:
    start = {"frameId": "F1", "guid": "g1", "url": "http://a/table", "suggestedFilename": "table.csv"}
    wire.event("Page.downloadWillBegin", start)
    for state, received in (("inProgress", 4), ("inProgress", 8), ("completed", 8)):
        wire.event(
            "Page.downloadProgress",
            {"guid": "g1", "totalBytes": 8, "receivedBytes": received, "state": state},
        )
    assert wire.details == [DownloadStarted("http://a/table", "table.csv"), DownloadEnded("completed", 8)]
    assert {s.request_id for s in wire.told()} == {"g1"}


async def test_only_two_steps_of_loading_are_told(wire: Wire) -> None:
    for name in ("init", "firstPaint", "DOMContentLoaded", "load", "networkIdle"):
        wire.event("Page.lifecycleEvent", {"frameId": "F1", "loaderId": "L1", "name": name, "timestamp": 1.0})
    assert wire.details == [Lifecycle("DOMContentLoaded"), Lifecycle("load")]
