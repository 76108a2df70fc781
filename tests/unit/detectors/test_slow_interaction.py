"""Input whose effect shows late."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.slow_interaction import SlowInteraction
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page_script import Interaction

from ..flows import Story
from .long_frames import frame, kinds, script


def story(**thresholds: float) -> Story:
    return Story(
        Engine("shop", detectors=(SlowInteraction,), thresholds={"slow_interaction": thresholds})
    ).load()


@pytest.mark.parametrize(("duration_ms", "severity"), [(201, "medium"), (500, "medium"), (501, "high")])
def test_more_than_200_ms_are_told_with_their_parts(duration_ms: float, severity: str) -> None:
    told = story().signal(Interaction("click", 5, duration_ms, 30, 120), element="#buy").end()
    event = told.event("click on #buy")
    assert (event.severity, event.channel) == (severity, "performance")
    assert event.summary == f"click on #buy took {duration_ms} ms to show an effect"
    assert event.context == {
        "element": "#buy",
        "duration_ms": duration_ms,
        "input_delay_ms": 30,
        "processing_ms": 120,
        "presentation_ms": duration_ms - 150,
    }


def test_200_ms_are_not() -> None:
    assert kinds(story().signal(Interaction("click", 5, 200)).end()) == []
    assert kinds(story(over_ms=400).signal(Interaction("click", 5, 400)).end()) == []


def test_the_longest_script_of_the_frame_that_it_fell_into_is_named() -> None:
    told = story()
    began_ms = told.signals[-1].wall_ms
    told.signal(frame(300, script("before", 290)), wall_ms=began_ms - 301)
    told.signal(frame(300, script("open", 20), script("match", 240)), wall_ms=began_ms - 10)
    told.signal(frame(300, script("after", 290)), wall_ms=began_ms + 400)
    told.signal(Interaction("click", 5, 304, 2, 262), element="#go", wall_ms=began_ms).end()
    by = "match (shop.js, BUTTON#sort.onclick)"
    assert told.event("#go").summary == f"click on #go took 304 ms to show an effect, busy with {by}"
    assert told.event("#go").context["script"] == by
    assert len(told.event("#go").line()) < 700


def test_frames_of_other_documents_are_not_blamed() -> None:
    told = story()
    began_ms = told.signals[-1].wall_ms
    told.signal(frame(300, script("match", 240)), wall_ms=began_ms, frame="another")
    told.signal(frame(300, script("match", 240)), wall_ms=began_ms, session="S2", page="p2")
    told.signal(Interaction("click", 5, 304), wall_ms=began_ms).end()
    assert "script" not in told.event("click").context


def test_press_release_and_click_are_told_once() -> None:
    told = story()
    for name in ("pointerdown", "pointerup", "click"):
        told.signal(Interaction(name, 5, 300), element="#buy")
    assert kinds(told.end()) == ["slow_interaction"]
    assert kinds(told.signal(Interaction("click", 6, 300)).end()) == ["slow_interaction"] * 2


def test_its_cause_is_the_users_action() -> None:
    told = story()
    told.act("#sort")
    told.signal(Interaction("pointerup", 7, 320), element="#sort", wall_ms=told.act_wall_ms).end()
    assert told.link("to show an effect", "click on #sort") == ("input", 0.9)
