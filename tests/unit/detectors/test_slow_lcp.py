"""Pages whose largest element is shown late, told once it is known that none larger follows."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.slow_lcp import SlowLcp
from firstcause.correlator.engine import Engine
from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.page_script import LargestPaint, LoadTiming

from ..flows import SITE, Story
from .long_frames import kinds


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(SlowLcp,), thresholds={"slow_lcp": thresholds})).load("/shop")


def paint(on: Story, after_ms: float, element: str = "#hero", url: str = "", **fields: str) -> Story:
    return on.signal(LargestPaint(9000, url, after_ms), element=element, **fields)


@pytest.mark.parametrize(("after_ms", "severity"), [(2500.1, "medium"), (4000, "medium"), (4000.1, "high")])
def test_a_late_one_is_told_with_its_element(after_ms: float, severity: str) -> None:
    told = paint(story(), after_ms, url=f"{SITE}/hero.jpg?v=2").signal(LoadTiming(120))
    told.act("#menu")
    event = told.event("largest")
    assert (event.kind, event.severity) == ("slow_lcp", severity)
    assert event.summary == f"The largest element, #hero, was shown after {after_ms / 1000:.1f} s"
    assert event.context == {
        "url": "/hero.jpg?v=2",
        "element": "#hero",
        "lcp_ms": after_ms,
        "ttfb_ms": 120,
    }


def test_one_in_time_is_not_nor_one_that_nobody_looked_at() -> None:
    assert kinds(paint(story(), 2500).end()) == []
    assert kinds(paint(story(), 0).end()) == []
    assert kinds(paint(story(over_ms=6000), 5900).end()) == []


def test_the_last_before_the_page_settled_counts() -> None:
    told = paint(story(), 2600, "#small").signal(LoadTiming(100))
    paint(told.wait(2.0), 4600, "#hero")
    due_s = told.signals[-1].monotonic_s + 3.0
    told.events += told.engine.advance(due_s - 0.01)
    assert kinds(told) == []
    told.events += told.engine.advance(due_s)
    assert told.event("largest").context["element"] == "#hero"
    assert kinds(told.end()) == ["slow_lcp"]


def test_before_the_page_has_loaded_it_waits() -> None:
    told = paint(story(), 2600)
    told.events += told.engine.advance(told.now_s + 60)
    assert kinds(told) == []


def test_it_is_final_when_the_user_does_something() -> None:
    told = paint(story(), 2600)
    told.act("#menu")
    assert kinds(told) == ["slow_lcp"]
    assert told.event("largest").timestamp < told.event("click on").timestamp
    assert kinds(told.signal(LoadTiming(100)).end()) == ["slow_lcp"]


def test_it_is_final_when_the_page_is_left_hidden_or_closed() -> None:
    left = paint(story(), 2600).signal(Navigated(f"{SITE}/next"), loader_id="L2")
    assert left.event("largest").context["url"] == "/shop"
    assert kinds(paint(paint(story(), 2600), 0)) == ["slow_lcp"]
    assert kinds(paint(story(), 2600).signal(TargetClosed("page"))) == ["slow_lcp"]


def test_frames_in_a_page_are_not_the_page() -> None:
    told = paint(story(), 9000, frame="F2").signal(Navigated(f"{SITE}/ad", main_frame=False), frame="F2")
    assert kinds(told.end()) == []


def test_pages_are_kept_apart() -> None:
    first = paint(story(), 2600)
    second = Story(first.engine, page="p2").load()
    second.act("#menu")
    assert kinds(first) + kinds(second) == []
