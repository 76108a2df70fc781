"""Work that keeps a page from answering."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.layout_thrash import LayoutThrash
from firstcause.correlator.detectors.long_task import LongTask
from firstcause.correlator.engine import Engine
from firstcause.correlator.sourcemaps import parse
from firstcause.observer.domains.page_script import LongFrame
from firstcause.observer.domains.performance import Metrics

from ..flows import SITE, Story
from ..source_map_text import Mapping, text_of
from .long_frames import frame, kinds, script


def story(**thresholds: float) -> Story:
    engine = Engine("shop", detectors=(LayoutThrash, LongTask), thresholds={"long_task": thresholds})
    return Story(engine).load()


@pytest.mark.parametrize(
    "long",
    [
        frame(210, script("rank", 200)),
        frame(210, script("rank", 100), script("sort", 100)),
        frame(260, blocking_ms=150),
        frame(400, script("rank", 30), blocking_ms=150),
    ],
    ids=str,
)
def test_what_kept_the_page_busy_is_told(long: LongFrame) -> None:
    assert kinds(story().signal(long).end()) == ["long_task"]


@pytest.mark.parametrize(
    "short",
    [
        frame(300, script("rank", 199.9)),
        frame(300, blocking_ms=149.9),
        frame(900),  # it waited to be drawn
    ],
    ids=str,
)
def test_what_is_shorter_or_waited_is_not(short: LongFrame) -> None:
    assert kinds(story().signal(short).end()) == []


def test_thresholds_can_be_chosen() -> None:
    assert kinds(story(busy_ms=100).signal(frame(110, script("rank", 100))).end()) == ["long_task"]
    assert kinds(story(blocking_ms=400, busy_ms=900).signal(frame(400, blocking_ms=399)).end()) == []


def test_the_longest_script_is_named() -> None:
    by_timer = script("fillShelves", 280, invoker="TimerHandler:setTimeout")
    told = story().signal(frame(310, script("open", 20), by_timer, blocking_ms=260)).end()
    event = told.event("busy")
    assert event.summary == (
        "The main thread was busy for 310 ms, by fillShelves (shop.js, TimerHandler:setTimeout)"
    )
    assert event.context == {
        "duration_ms": 310,
        "blocking_ms": 260,
        "script": "fillShelves (shop.js, TimerHandler:setTimeout)",
    }
    assert len(event.line()) < 650
    told = story().signal(frame(310, blocking_ms=250)).end()
    assert told.event("busy").summary == "The main thread was busy for 310 ms"
    bare = script("f", 300, url="", invoker="")
    assert story().signal(frame(310, bare)).end().event("busy").summary.endswith(", by f")


def test_a_frame_that_is_mostly_forced_layout_is_told_as_that() -> None:
    assert kinds(story().signal(frame(300, script("align", 290, 150))).end()) == ["layout_thrash"]
    both = story().signal(frame(300, script("align", 290, 149))).end()
    assert kinds(both) == ["layout_thrash", "long_task"]


def test_a_frame_of_a_click_comes_of_the_click() -> None:
    told = story()
    told.act("#sort")
    told.signal(frame(400, script("rank", 390)), wall_ms=told.act_wall_ms - 1).end()
    assert told.link("busy", "click on #sort") == ("input", 0.75)


def test_a_pause_that_the_observer_made_is_none_of_the_page() -> None:
    told = story().signal(Metrics(before_gc=True))
    began_ms = told.signals[-1].wall_ms
    told.signal(frame(300, blocking_ms=250), wall_ms=began_ms - 300)
    told.signal(frame(300, blocking_ms=250), wall_ms=began_ms + 1000)
    assert kinds(told) == []
    told.signal(frame(300, script("rank", 290)), wall_ms=began_ms + 10)
    told.signal(frame(301, blocking_ms=251), wall_ms=began_ms - 302)
    told.signal(frame(302, blocking_ms=252), wall_ms=began_ms + 1001).end()
    assert kinds(told) == ["long_task"] * 3


def test_another_browsers_collection_excuses_nothing() -> None:
    told = story().signal(Metrics(before_gc=True), browser="b2", session="other")
    assert kinds(told.signal(frame(300, blocking_ms=250)).end()) == ["long_task"]


@pytest.mark.parametrize(("second_line", "at"), [((), "src/shop.ts:3:1 rank"), (((1, 0, 0, 4, 0),), None)])
def test_a_bundle_of_one_line_is_told_by_its_sources(
    second_line: tuple[Mapping, ...], at: str | None
) -> None:
    told = story()
    text = text_of(["src/shop.ts"], (0, 0, 0, 0, 0), (0, 40, 0, 2, 0), *second_line)
    told.engine.source_maps.add(f"{SITE}/js/shop.js?v=1", parse(text, f"{SITE}/"))
    told.signal(frame(310, script("rank", 300))).end()
    assert told.event("busy").context.get("at") == at
