"""A click that nothing follows."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.dead_click import DeadClick
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.cdp.targets import TargetOpened
from firstcause.observer.domains.network import RequestSent
from firstcause.observer.domains.page import (
    DialogOpened,
    DownloadStarted,
    Navigated,
    NavigatedWithin,
    NavigationRequested,
)
from firstcause.observer.domains.page_script import ClickQuiet
from firstcause.observer.domains.runtime import ExceptionThrown
from firstcause.observer.domains.watchdog import PageHang
from firstcause.observer.signal import Detail

from ..flows import SITE, Story

REQUEST = RequestSent("POST", SITE + "/api/cart", "Fetch", "script")


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(DeadClick,), thresholds={"dead_click": thresholds})).load().wait(1)


def quiet(story: Story, after_ms: float = 1000, *, clickable: bool = True, element: str = "#buy") -> Story:
    """What the page tells of the latest click."""
    waited_s = max(0.0, story.act_wall_ms + after_ms - story.signals[-1].wall_ms) / 1000
    story.wait(waited_s)
    return story.signal(ClickQuiet(after_ms, clickable), element=element, wall_ms=story.act_wall_ms)


def dead(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "dead_click"]


def test_it_is_low_after_a_second_and_medium_after_seven() -> None:
    story = page()
    story.act("#buy")
    first, confirmed = dead(quiet(quiet(story), 7000))
    assert first.summary == "Nothing followed a click on #buy within 1 s"
    assert (first.severity, first.channel, first.context) == (
        "low",
        "anomalies",
        {"element": "#buy", "after_ms": 1000},
    )
    assert confirmed.summary == "Nothing followed a click on #buy within 7 s"
    assert (confirmed.severity, confirmed.context["repeats"]) == ("medium", first.id)


def test_the_click_is_how_it_began() -> None:
    story = page()
    story.act("#buy")
    [told] = dead(quiet(story))
    [clicked] = [event for event in story.events if event.kind == "user_action"]
    assert told.cause is not None
    assert (told.cause.id, told.cause.via, told.cause.confidence) == (clicked.id, "began", 1.0)
    assert told.correlation_id == clicked.id


def test_what_does_not_look_clickable_may_do_nothing() -> None:
    story = page()
    story.act("#buy")
    assert dead(quiet(story, clickable=False)) == []


@pytest.mark.parametrize(
    "following",
    [
        REQUEST,
        NavigationRequested(SITE + "/next", "scriptInitiated"),
        NavigatedWithin(SITE + "/next"),
        DialogOpened("alert", "Sold out"),
        PageHang(1000, "script"),
        DownloadStarted(SITE + "/list.csv"),
        ExceptionThrown("TypeError: x"),
    ],
    ids=lambda detail: detail.kind,
)
def test_what_follows_elsewhere_counts(following: Detail) -> None:
    story = page()
    story.act("#buy")
    story.signal(following)
    assert dead(quiet(story)) == []


def test_a_page_that_it_opened_counts() -> None:
    story = page()
    story.act("#buy")
    story.signal(TargetOpened("page", SITE, "p1"), page="p2", session="S2")
    assert dead(quiet(story)) == []


def test_the_counting_of_clicks_does_not() -> None:
    story = page()
    story.act("#buy")
    story.signal(RequestSent("POST", SITE + "/count", "Ping", "script"))
    assert len(dead(quiet(story))) == 1


def test_what_was_before_the_press_or_on_another_page_does_not() -> None:
    story = page().signal(REQUEST).wait(0.21)
    story.act("#buy")
    story.signal(REQUEST, page="p2", session="S2")
    assert len(dead(quiet(story))) == 1


def test_a_page_that_has_just_come_and_goes_on_loading_does_not() -> None:
    story = page().signal(REQUEST).signal(Navigated(SITE + "/next"), loader_id="L2")
    story.act("#buy")
    story.signal(RequestSent("GET", SITE + "/a.png", "Image", "parser"))
    assert len(dead(quiet(story))) == 1


def test_what_the_press_brought_counts() -> None:
    story = page().signal(REQUEST).wait(0.15)
    story.act("#buy")
    assert dead(quiet(story)) == []


def test_what_follows_late_leaves_it_unconfirmed() -> None:
    story = page()
    story.act("#buy")
    quiet(story).signal(REQUEST)
    assert [event.severity for event in dead(quiet(story, 7000))] == ["low"]


def test_it_may_be_told_only_when_it_is_confirmed() -> None:
    story = page(after_ms=7000)
    story.act("#buy")
    assert dead(quiet(story)) == []
    assert [event.severity for event in dead(quiet(story, 7000))] == ["medium"]


def test_more_clicks_on_the_same_element_are_counted() -> None:
    story = page()
    for _ in range(10):
        story.act("#buy")
        quiet(story)
    first, tenth = dead(story)
    assert (first.count, tenth.count, tenth.context["repeats"]) == (1, 10, first.id)
    assert tenth.summary == "Nothing followed 10 clicks on #buy within 1 s"


def test_the_same_on_another_document_is_told_again() -> None:
    story = page()
    for loader_id in ("L1", "L2"):
        story.signal(Navigated(SITE), loader_id=loader_id).wait(1)
        story.act("#buy")
        quiet(story)
    assert [event.count for event in dead(story)] == [1, 1]
