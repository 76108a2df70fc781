"""Listeners that views leave behind."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.listener_leak import ListenerLeak, route_of
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page import Navigated, NavigatedWithin
from firstcause.observer.domains.performance import Metrics

from ..flows import SITE, Story
from .long_frames import kinds


def story(**thresholds: float) -> Story:
    told = Story(Engine("shop", detectors=(ListenerLeak,), thresholds={"listener_leak": thresholds})).load()
    go(told, "/orders", "/")
    return left(told, 100)


def go(on: Story, *paths: str) -> Story:
    for path in paths:
        on.signal(NavigatedWithin(SITE + path))
    return on


def left(on: Story, listeners: int, **fields: str) -> Story:
    return on.wait(30).signal(Metrics(1e7, listeners=listeners, after_gc=True), **fields)


def leaking(on: Story, *counts: int) -> Story:
    for number, listeners in enumerate(counts):
        left(go(on, "/" if number % 2 else "/orders"), listeners)
    return on


def test_more_with_each_of_five_navigations_is_told() -> None:
    told = leaking(story(), 102, 104, 106, 108)
    assert kinds(told) == []
    event = leaking(told, 110).end().event("listeners")
    assert (event.kind, event.channel, event.severity) == ("listener_leak", "anomalies", "medium")
    assert event.summary == (
        "10 event listeners were left behind by 5 navigations within the page: 100 became 110"
    )
    assert event.context == {"url": "/", "listeners": 110, "before": 100, "times": 5}


@pytest.mark.parametrize(
    "counts",
    [
        (102, 104, 106, 108, 109),  # not a tenth
        (105, 110, 110, 115, 120),  # not each time
        (105, 110, 104, 115, 120),
    ],
)
def test_what_is_less_or_stops_is_not(counts: tuple[int, ...]) -> None:
    assert kinds(leaking(story(), *counts).end()) == []


def test_several_navigations_between_two_collections_count() -> None:
    told = left(go(story(), "/orders", "/", "/orders"), 106)
    assert kinds(left(go(told, "/", "/orders"), 112).end()) == ["listener_leak"]
    assert kinds(left(go(story(), *["/orders", "/"] * 3), 130).end()) == []


def test_views_that_are_new_may_add_listeners() -> None:
    told = story()
    for number, path in enumerate(("/cart", "/help", "/about", "/terms", "/press", "/jobs"), 1):
        left(go(told, path), 100 + number * 5)
    assert kinds(told.end()) == []


def test_the_same_view_of_another_thing_is_not_new() -> None:
    told = left(go(story(), "/orders/1"), 100)
    for number in range(2, 7):
        left(go(told, f"/orders/{number}"), 100 + number * 5)
    assert kinds(told.end()) == ["listener_leak"]
    assert route_of(f"{SITE}/#/orders/7?page=2") == route_of(f"{SITE}/#/orders/8?page=1")
    assert route_of(f"{SITE}/#/orders") != route_of(f"{SITE}/#/cart")


def test_what_comes_and_goes_without_a_navigation_is_not_theirs() -> None:
    told = left(leaking(story(), 102, 104, 106), 140)
    assert kinds(leaking(told, 142, 144)) == []
    told = left(leaking(story(), 104, 108, 112), 140)
    event = leaking(told, 144, 148).end().event("listeners")
    assert (event.context["before"], event.context["listeners"]) == (128, 148)
    told = left(left(leaking(story(), 104, 108, 112), 120), 112)
    assert leaking(told, 116, 120).end().event("listeners").context["before"] == 100


def test_samples_without_a_collection_count_for_nothing() -> None:
    told = story()
    for listeners in (110, 120, 130, 140, 150, 160):
        go(told, "/orders").signal(Metrics(1e7, listeners=listeners))
    assert kinds(told.end()) == []


def test_another_document_and_another_page_begin_anew() -> None:
    told = leaking(story(), 104, 108, 112, 116).signal(Navigated(f"{SITE}/orders"), loader_id="L2")
    assert kinds(left(go(told, "/"), 120).end()) == []
    told = leaking(story(), 104, 108, 112, 116)
    left(told, 130, session="S2", page="p2")
    assert kinds(told.end()) == []


def test_thresholds_can_be_chosen() -> None:
    assert kinds(leaking(story(navigations=2), 106, 112).end()) == ["listener_leak"]
    assert kinds(leaking(story(grown=0.5), 110, 120, 130, 140, 149).end()) == []
