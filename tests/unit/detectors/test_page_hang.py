"""A page that does not answer: how long is how bad, and what keeps it busy."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.page_hang import PageHanging
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.watchdog import PageHang

from ..flows import SITE, Story
from ..signals import AT, signal, told

URL = "http://shop.test/api/cart"


def severities(*durations_ms: float, **thresholds: float) -> list[str]:
    teller = Engine("shop", detectors=(PageHanging,), thresholds={"page_hang": thresholds})
    hangs = [signal(PageHang(duration_ms, "script", URL)) for duration_ms in durations_ms]
    return [event.severity for event in told(*hangs, by=teller) if event.kind == "page_hang"]


def test_the_longer_it_lasts_the_worse_it_is() -> None:
    assert severities(999) == []
    assert severities(1000, 4999) == ["medium", "medium"]
    assert severities(5000, 14_999) == ["high", "high"]
    assert severities(15_000) == ["critical"]


def test_how_long_is_bad_can_be_said() -> None:
    assert severities(1000, 2999, 3000, medium_ms=3000) == ["medium"]
    assert severities(1000, high_ms=1000) == ["high"]


@pytest.mark.parametrize(
    ("busy_with", "says"),
    [
        ("native", "busy in one long native call"),
        ("layout", "busy in a script"),
        ("script", "busy in a script"),
    ],
)
def test_without_a_stack_it_says_what_is_known(busy_with: str, says: str) -> None:
    [event] = told(signal(PageHang(5000, busy_with, URL)))  # type: ignore[arg-type]
    assert event.summary == f"The page has not answered for 5.0 s, {says}"


def test_the_function_that_keeps_the_page_busy_is_named() -> None:
    [event] = told(signal(PageHang(1234, "script", URL), stack=(*AT, *AT, *AT)))
    assert event.summary == "The page has not answered for 1.2 s, busy in cart.js:88:12 saveCart"
    assert event.context == {
        "url": URL,
        "at": "cart.js:88:12 saveCart",
        "called_from": ["app.js:7:3 onClick", "cart.js:88:12 saveCart", "app.js:7:3 onClick"],
        "busy_with": "script",
        "duration_ms": 1234,
    }


def test_the_click_that_is_being_handled_caused_it() -> None:
    story = Story().load()
    story.act("#sort")
    story.signal(PageHang(1000, "script", SITE), stack=AT)
    assert story.link("has not answered", "click on #sort") == ("input", 0.9)
