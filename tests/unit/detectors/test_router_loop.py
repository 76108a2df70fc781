"""A router that goes round in circles."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.router_loop import RouterLoop
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.page import NavigatedWithin

from ..flows import SITE, Story

THROTTLED = LogEntry(
    "javascript",
    "warning",
    "Throttling navigation to prevent the browser from hanging. See https://crbug.com/1038223.",
)


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(RouterLoop,), thresholds={"router_loop": thresholds})).load()


def go(story: Story, times: int, *paths: str, every_s: float = 0.1, **fields: str) -> Story:
    for number in range(times):
        story.wait(every_s).signal(NavigatedWithin(SITE + paths[number % len(paths)], "historyApi"), **fields)
    return story


def loops(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "router_loop"]


def test_eight_changes_between_two_addresses_are_a_loop() -> None:
    story = page()
    assert loops(go(story, 7, "/login", "/home")) == []
    [loop] = loops(go(story, 1, "/home"))
    assert loop.summary == "The page changed its address 8 times in 0.7 s by itself, between /login and /home"
    assert (loop.severity, loop.channel, loop.count) == ("high", "anomalies", 8)
    assert loop.context == {"addresses": ["/login", "/home"], "within_ms": 715}
    first = next(event for event in story.events if event.kind == "navigation_within")
    assert loop.cause is not None
    assert (loop.cause.id, loop.cause.via) == (first.id, "counted")


def test_changes_that_take_longer_are_none() -> None:
    assert loops(go(page(), 40, "/login", "/home", every_s=0.45)) == []
    assert len(loops(go(page(), 8, "/login", "/home", every_s=0.41))) == 1


def test_what_the_user_does_begins_the_count_anew() -> None:
    story = go(page(), 7, "/login", "/home")
    story.act("#menu")
    assert loops(go(story, 7, "/home", "/login")) == []


def test_ever_new_addresses_are_scrolling_or_typing() -> None:
    assert loops(go(page(), 12, *(f"/search?q={'shoes for the summer'[:n]}" for n in range(1, 13)))) == []
    assert loops(go(page(), 12, "/#a", "/#b", "/#c", "/#d")) == []


def test_the_same_address_again_is_a_loop_only_as_a_flood() -> None:
    story = go(page(), 199, "/list", every_s=0.01)
    assert loops(story) == []
    [loop] = loops(go(story, 1, "/list"))
    assert "200 times" in loop.summary
    assert "each time to /list" in loop.summary


def test_a_loop_that_goes_on_is_told_at_each_power_of_ten() -> None:
    first, tenth = loops(go(page(), 90, "/login", "/home", every_s=0.02))
    assert (first.count, tenth.count) == (8, 80)
    assert tenth.context["repeats"] == first.id


def test_when_chrome_throttles_it_is_a_loop() -> None:
    [loop] = loops(page().signal(THROTTLED))
    assert loop.summary == "The page changes its address so often that Chrome throttles it"


def test_a_loop_that_is_told_is_not_told_again_when_chrome_throttles_it() -> None:
    assert len(loops(go(page(), 8, "/login", "/home").signal(THROTTLED))) == 1


def test_other_lines_and_replayed_ones_say_nothing() -> None:
    story = page().signal(THROTTLED, replayed=True).signal(LogEntry("other", "warning", "Slow network"))
    assert loops(story) == []


def test_two_pages_are_kept_apart() -> None:
    story = page()
    for number in range(14):
        go(
            story,
            1,
            "/login" if number % 4 < 2 else "/home",
            page=f"p{number % 2 + 1}",
            session=f"S{number % 2}",
        )
    assert loops(story) == []


@pytest.mark.parametrize(("changes", "told"), [(3, 1), (4, 0)])
def test_how_many_are_too_many_can_be_said(changes: int, told: int) -> None:
    assert len(loops(go(page(changes=changes), 3, "/a", "/b"))) == told
