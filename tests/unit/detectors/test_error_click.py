"""A click that an error came of, by time; off by default."""

from __future__ import annotations

from firstcause.correlator.detectors.error_click import ErrorClick
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.page import NavigatedWithin

from ..flows import SITE, Story


def page(*, enabled: bool = True, **thresholds: float) -> Story:
    chosen = {"error_click": {"enabled": enabled, **thresholds}}
    return Story(Engine("shop", detectors=(ErrorClick,), thresholds=chosen)).load()


def errors(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "error_click"]


def test_it_is_off_by_default() -> None:
    story = Story(Engine("shop", detectors=(ErrorClick,))).load()
    story.act("#buy")
    assert errors(story.throw("TypeError: x")) == []


def test_an_error_right_after_a_click() -> None:
    story = page()
    story.act("#buy")
    [told] = errors(story.throw("TypeError: x is undefined"))
    assert told.summary == "A click on #buy led to an error: Uncaught TypeError: x is undefined"
    assert (told.severity, told.channel, told.type) == ("high", "errors", "error")
    assert (told.context["element"], told.context["error"]) == ("#buy", "uncaught_exception")
    [thrown] = [event for event in story.events if event.kind == "uncaught_exception"]
    assert told.cause is not None
    assert (told.cause.id, told.cause.via) == (thrown.id, "began")


def test_its_action_is_over_when_nothing_happens() -> None:
    story = page()
    story.act("#buy")
    assert errors(story.wait(0.11).throw("TypeError: x")) == []


def test_a_request_keeps_it_going_until_it_ends() -> None:
    story = page()
    story.act("#buy")
    request, _ = story.ask("/api/cart")
    story.wait(3).answer(request, "/api/cart", 200).wait(0.05)
    assert len(errors(story.throw("TypeError: x"))) == 1


def test_after_its_end_it_is_over() -> None:
    story = page()
    story.act("#buy")
    request, _ = story.ask("/api/cart")
    story.answer(request, "/api/cart", 200).wait(0.11)
    assert errors(story.throw("TypeError: x")) == []


def test_the_address_that_changes_keeps_it_going_for_a_moment() -> None:
    story = page()
    story.act("#buy")
    story.wait(0.08).signal(NavigatedWithin(SITE + "/cart")).wait(0.08)
    assert len(errors(story.throw("TypeError: x"))) == 1


def test_it_never_lasts_longer_than_allowed() -> None:
    story = page()
    story.act("#buy")
    story.ask("/api/cart")
    assert errors(story.wait(10.1).throw("TypeError: x")) == []


def test_it_is_told_once_a_click_and_of_clicks_only() -> None:
    story = page()
    story.act("#buy")
    story.throw("TypeError: x").throw("TypeError: y")
    story.act("#name", "input")
    assert len(errors(story.throw("TypeError: z"))) == 1


def test_an_error_of_another_page_is_not_its_own() -> None:
    story = page()
    story.act("#buy")
    other = Story(story.engine, page="p2").load().wait(0.05)
    other.throw("TypeError: x")
    assert errors(other) == []
