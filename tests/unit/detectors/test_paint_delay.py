"""Frames for which the browser takes long."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.paint_delay import PaintDelay
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page_script import FirstPaint, LongFrame

from ..flows import Story
from .long_frames import frame, kinds, script


def story(**thresholds: float) -> Story:
    engine = Engine("shop", detectors=(PaintDelay,), thresholds={"paint_delay": thresholds})
    return Story(engine).load().signal(FirstPaint(80))


@pytest.mark.parametrize(
    ("late", "says"),
    [
        (frame(250, style_ms=200), "Style and layout took 200 ms of a frame of 250 ms"),
        (frame(150, presentation_ms=300.1), "A frame was shown up to 300 ms after the paint"),
    ],
)
def test_a_frame_that_is_laid_out_or_shown_late_is_told(late: LongFrame, says: str) -> None:
    event = story(frames=1).signal(late).end().event("frame")
    assert (event.kind, event.severity, event.summary) == ("paint_delay", "medium", says)


def test_of_frames_that_are_shown_late_it_takes_several_within_a_time() -> None:
    late = frame(150, presentation_ms=400)
    twice = story().signal(late).signal(late)
    assert kinds(twice) == []
    assert "3 frames were shown up to 500 ms after the paint" in [
        event.summary for event in twice.signal(frame(150, presentation_ms=500)).events
    ]
    assert kinds(story().signal(late).signal(late).wait(10.1).signal(late).end()) == []


@pytest.mark.parametrize("quick", [frame(900, style_ms=199.9), frame(900, presentation_ms=300)])
def test_less_is_not(quick: LongFrame) -> None:
    assert kinds(story().signal(quick).end()) == []
    assert kinds(story(style_ms=2000, present_ms=2000).signal(frame(900, style_ms=800)).end()) == []


def test_the_script_of_the_frame_is_named() -> None:
    told = story().signal(frame(250, script("showAll", 30), style_ms=210)).end()
    by = "showAll (shop.js, BUTTON#sort.onclick)"
    assert told.event("frame").summary == f"Style and layout took 210 ms of a frame of 250 ms, after {by}"
    assert told.event("frame").context == {"duration_ms": 250, "style_ms": 210, "script": by}


def test_the_first_frame_of_a_document_is_not_told() -> None:
    told = story()
    painted_ms = told.signals[-1].wall_ms
    told.signal(frame(300, style_ms=200), wall_ms=painted_ms - 1)
    told.signal(frame(300, style_ms=200), frame="another frame")
    told.signal(frame(300, style_ms=200), page="p2", session="S2")
    assert kinds(told) == []
    assert kinds(told.signal(frame(300, style_ms=200), wall_ms=painted_ms).end()) == ["paint_delay"]
