"""Layout that scripts force within one frame."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.layout_thrash import LayoutThrash
from firstcause.correlator.engine import Engine

from ..flows import Story
from .long_frames import frame, kinds, script


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(LayoutThrash,), thresholds={"layout_thrash": thresholds})).load()


@pytest.mark.parametrize(("forced_ms", "severity"), [(30, "medium"), (99.9, "medium"), (100, "high")])
def test_forced_layout_is_told_from_30_ms_on(forced_ms: float, severity: str) -> None:
    told = story().signal(frame(120, script("align", 110, forced_ms))).end()
    assert told.event("forced layout").severity == severity
    assert told.event("forced layout").context == {
        "duration_ms": 120,
        "forced_layout_ms": forced_ms,
        "script": "align (shop.js, BUTTON#sort.onclick)",
    }


def test_less_is_not_told() -> None:
    assert kinds(story().signal(frame(120, script("align", 110, 29.9))).end()) == []
    assert kinds(story(forced_ms=200).signal(frame(300, script("align", 290, 199))).end()) == []


def test_the_scripts_of_a_frame_are_summed_and_the_worst_is_named() -> None:
    told = story().signal(frame(160, script("open", 60, 20), script("align", 60, 25))).end()
    assert told.event("forced").summary == (
        "45 ms of forced layout in one frame of 160 ms, by align (shop.js, BUTTON#sort.onclick)"
    )


def test_a_frame_of_a_click_comes_of_the_click() -> None:
    told = story()
    told.act("#sort")
    told.signal(frame(160, script("align", 150, 60)), wall_ms=told.act_wall_ms - 1).end()
    assert told.link("forced layout", "click on #sort") == ("input", 0.75)


def test_two_pages_do_not_add_up() -> None:
    first = story()
    second = Story(first.engine, page="p2")
    first.signal(frame(90, script("align", 80, 20)))
    second.signal(frame(90, script("align", 80, 20))).end()
    assert kinds(first) + kinds(second) == []
