"""When a page is looked at by axe unasked: only while it rests, by what Chrome says and by what the page itself says."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from firstcause.observer.axe import GRAVE_RULES
from firstcause.observer.domains import accessibility
from firstcause.observer.domains.accessibility import (
    CHECK_EVERY_S,
    NEWS_S,
    REST_S,
    AccessibilityChecked,
    AccessibilityDomain,
    Rest,
    Violation,
    is_open_page,
)
from firstcause.observer.options import CaptureOptions

from .wire import Wire, observing

FOUND = {"rule": "label", "impact": "critical", "count": 4, "nodes": ["#a", "#b", "#c"], "help": "Label it"}
NOTHING: list[Any] = []


class Page:
    """Answers what the page's world is asked: whether it is due, whether a look is welcome, what the looks find."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.due = True
        self.welcome = True
        self.found: list[Any] = [[FOUND]]
        self.asked: list[str] = []
        wire.answers["Page.createIsolatedWorld"] = {"executionContextId": 7}
        wire.silent.add(("Runtime.evaluate", "S1"))
        wire.on_command = self._take

    def count(self, text: str) -> int:
        return sum(text in asked for asked in self.asked)

    def _take(self, command: dict[str, Any]) -> None:
        if command["method"] != "Runtime.evaluate":
            return
        expression = command["params"]["expression"]
        self.asked.append(expression)
        reply = {"result": {"value": self._answer(expression)}}
        self.wire.raw(json.dumps({"id": command["id"], "result": reply, "sessionId": "S1"}).encode())

    def _answer(self, expression: str) -> Any:
        if "fc.axe.rules" in expression:  # with the whole of axe before it
            return [*GRAVE_RULES, "color-contrast"]
        if "isDue" in expression:
            return self.due
        if "isWelcome" in expression:
            return self.welcome
        if "axe.look(" in expression:
            return self.found.pop(0) if self.found else NOTHING
        return None


@asynccontextmanager
async def looking() -> AsyncIterator[Page]:
    """A page that rests as far as Chrome says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accessibility, "LOOK_EVERY_S", 0.001)
        patch.setattr(accessibility, "REST_S", 0.0)
        async with observing(CaptureOptions(a11y=True)) as wire:
            page = Page(wire)
            wire.attach()
            frame = {"id": "T-S1", "url": "http://a/", "loaderId": "L1"}
            wire.event("Page.frameNavigated", {"frame": frame, "type": "Navigation"})
            yield page


async def rounds(page: Page, count: int = 3) -> None:
    """As many more questions whether a look is due."""
    before = page.count("isDue")
    await page.wire.until(lambda: page.count("isDue") >= before + count)


async def test_what_is_found_is_told_with_its_document() -> None:
    async with looking() as page:
        signal = await page.wire.signal("a11y_violation")
        assert signal.detail == Violation("label", "critical", 4, ("#a", "#b", "#c"), "Label it")
        assert (signal.frame, signal.loader_id, signal.element) == ("T-S1", "L1", "#a")
        checked = (await page.wire.signal("a11y_checked")).detail
        assert isinstance(checked, AccessibilityChecked)
        assert (checked.rules, checked.broken) == (len(GRAVE_RULES), 1)
        await page.wire.until(lambda: page.count("looked()") == 1)


async def test_unless_it_is_asked_for_nothing_is_listened_to_and_nobody_is_asked() -> None:
    domain = AccessibilityDomain(CaptureOptions())
    assert domain.listen() == []
    await domain.run(list)  # ends at once


async def test_the_page_itself_says_whether_it_rests() -> None:
    async with looking() as page:
        page.due = False
        await rounds(page)
        assert page.count("axe") == 0
        page.due = True
        await page.wire.signal("a11y_checked")


async def test_a_page_that_is_used_meanwhile_is_left_alone_and_looked_at_later() -> None:
    async with looking() as page:
        page.welcome = False
        await rounds(page)
        assert page.count("axe.look(") == 0
        page.welcome, page.found = True, [[FOUND], None]
        await page.wire.signal("a11y_violation")
        await page.wire.until(lambda: not page.found)
        assert not [signal for signal in page.wire.signals if signal.kind == "a11y_checked"]


async def test_a_page_that_can_not_answer_now_is_not_asked() -> None:
    async with looking() as page:
        page.wire.attach("frame", "iframe", parent="S1")
        await page.wire.signal("a11y_checked")
        page_session, frame = (page.wire.observer._tree.sessions[name] for name in ("S1", "frame"))
        assert (is_open_page(page_session), is_open_page(frame)) == (True, False)
        for hindrance in ("crashed", "dialog_open", "occupied"):
            setattr(page_session, hindrance, 1)
            assert not is_open_page(page_session)
            setattr(page_session, hindrance, 0)


def rest(**known: Any) -> bool:
    """Whether a page that was loaded 5 s ago, and was quiet since, is due, with `known` in place of that."""
    now_s = time.monotonic()
    one = Rest()
    one.loaded_s = one.heard_s = now_s - 5
    for name, value in known.items():
        setattr(one, name, value(now_s) if callable(value) else value)
    return one.is_due(now_s)


def test_what_chrome_says_of_rest() -> None:
    assert rest()
    assert not rest(loading=True)
    assert not rest(loaded_s=lambda now_s: now_s - REST_S + 0.1)
    assert not rest(heard_s=lambda now_s: now_s - REST_S + 0.1)
    assert not rest(checked_s=lambda now_s: now_s - CHECK_EVERY_S + 0.1)
    assert rest(checked_s=lambda now_s: now_s - CHECK_EVERY_S)
    assert not rest(unanswered=lambda now_s: {"1": now_s - NEWS_S + 0.1})


def test_a_page_that_waits_for_news_rests() -> None:
    assert rest(unanswered=lambda now_s: {"1": now_s - NEWS_S})
    assert rest(heard_s=lambda now_s: now_s, loaded_s=lambda now_s: now_s - NEWS_S)


async def test_loads_and_requests_are_followed_for_their_page() -> None:
    async with looking() as page:
        page.due = False
        domain = next(
            one for one in page.wire.observer._domains if isinstance(one, accessibility.AccessibilityDomain)
        )
        known = domain._rests["p1"]
        page.wire.event("Page.frameStartedLoading", {"frameId": "child"})
        assert not known.loading
        page.wire.event("Page.frameStartedLoading", {"frameId": "T-S1"})
        assert known.loading
        page.wire.event("Page.frameStoppedLoading", {"frameId": "T-S1"})
        assert not known.loading
        page.wire.event("Network.requestWillBeSent", {"requestId": "1"})
        page.wire.event("Network.requestWillBeSent", {"requestId": "2"})
        page.wire.event("Network.responseReceived", {"requestId": "1"})
        assert list(known.unanswered) == ["2"]
        page.wire.event("Network.loadingFailed", {"requestId": "2"})
        assert not known.unanswered
        frame = {"id": "T-S1", "url": "http://a/b", "loaderId": "L2"}
        page.wire.event("Page.frameNavigated", {"frame": frame, "type": "Navigation"})
        assert domain._rests["p1"].loader_id == "L2"
        page.wire.detach()
        assert "p1" not in domain._rests
