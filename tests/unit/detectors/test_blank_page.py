"""A page that shows nothing."""

from __future__ import annotations

from firstcause.correlator.detectors.blank_page import BlankPage
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.page import Navigated, NavigatedWithin
from firstcause.observer.domains.page_script import BodyEmptied, BodyEmpty

from ..flows import SITE, Story

GONE = BodyEmptied(124, 2)
REPLACED = BodyEmptied(124, 9, shows=True)
EMPTY = BodyEmpty(3000, elements=1, scripts=2)


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(BlankPage,), thresholds={"blank_page": thresholds})).load("/cart")


def emptied(story: Story, detail: BodyEmptied = GONE, after_s: float = 0.0) -> Story:
    """It is told a second after it happened."""
    story.wait(after_s)
    wall_ms = story.signals[-1].wall_ms + after_s * 1000
    return story.wait(1.25).signal(detail, wall_ms=wall_ms)


def blank(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "blank_page"]


def test_an_exception_that_takes_the_page_with_it() -> None:
    story = emptied(page().throw("TypeError: x is undefined"), after_s=1.9)
    [told] = blank(story)
    assert told.summary == (
        "The page lost 122 of its 124 elements at once and it shows nothing any more, after: Uncaught TypeError: x is undefined"
    )
    assert (told.severity, told.channel) == ("critical", "anomalies")
    assert told.context == {"url": "/cart", "before": 124, "left": 2}
    [thrown] = [event for event in story.events if event.kind == "uncaught_exception"]
    assert told.cause is not None
    assert (told.cause.id, told.cause.via, told.cause.confidence) == (thrown.id, "comes-after", 0.75)


def test_a_failure_long_before_has_nothing_to_do_with_it() -> None:
    assert blank(emptied(page().throw("TypeError: x"), after_s=2.4)) == []


def test_a_page_that_is_emptied_without_a_failure_is_meant_to_be() -> None:
    assert blank(emptied(page())) == []


def test_a_request_that_fails_is_a_likely_cause_only() -> None:
    story = page()
    request, _ = story.ask("/api/cart")
    [told] = blank(emptied(story.answer(request, "/api/cart", 500)))
    assert told.cause is not None
    assert told.cause.confidence == 0.6


def test_something_else_is_shown_right_after_an_exception() -> None:
    [told] = blank(emptied(page().throw("TypeError: x"), REPLACED, after_s=0.4))
    assert "115 of its 124 elements at once and something else is shown" in told.summary
    assert blank(emptied(page().throw("TypeError: x"), REPLACED, after_s=0.9)) == []
    assert blank(emptied(page().log("no stock"), REPLACED)) == []


def test_another_view_takes_the_place_of_the_one_before() -> None:
    story = page().throw("TypeError: x").signal(NavigatedWithin(SITE + "/orders"))
    assert blank(emptied(story, REPLACED)) == []


def test_an_empty_page_is_critical_when_something_failed() -> None:
    [told] = blank(page().throw("TypeError: x").wait(3).signal(EMPTY))
    assert told.summary == "The page shows nothing 3 s after it was loaded, after: Uncaught TypeError: x"
    assert (told.severity, told.context["after_ms"]) == ("critical", 3000)


def test_an_empty_page_without_a_failure_is_medium_and_can_be_left_out() -> None:
    [told] = blank(page().wait(3).signal(EMPTY))
    assert (told.severity, told.cause) == ("medium", None)
    assert blank(page(unexplained=False).wait(3).signal(EMPTY)) == []


def test_a_page_without_anything_in_it_is_meant_to_be_empty() -> None:
    assert blank(page().wait(3).signal(BodyEmpty(3000, elements=0, scripts=2))) == []
    assert blank(page().wait(3).signal(BodyEmpty(3000, elements=5))) == []


def test_the_document_that_failed_is_the_surest_cause() -> None:
    story = page().throw("TypeError: of the page before")
    story.answer("L2", "/orders", 500, kind="Document").signal(Navigated(SITE + "/orders"), loader_id="L2")
    [told] = blank(story.throw("TypeError: x").wait(3).signal(EMPTY))
    [document] = [event for event in story.events if event.kind == "http_error"]
    assert told.cause is not None
    assert (told.cause.id, told.cause.confidence) == (document.id, 0.9)


def test_what_failed_on_the_page_before_is_forgotten() -> None:
    story = page().throw("TypeError: x").signal(Navigated(SITE + "/orders"), loader_id="L2")
    [told] = blank(story.wait(3).signal(EMPTY))
    assert told.severity == "medium"


def test_what_failed_on_another_page_does_not_count() -> None:
    story = page()
    Story(story.engine, page="p2").load().throw("TypeError: x")
    [told] = blank(story.wait(3).signal(EMPTY))
    assert told.severity == "medium"
