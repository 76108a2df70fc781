"""A request that nothing answers is told after ten seconds and again after thirty; any end, or its page's, ends the waiting."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.request_stalled import RequestStalled
from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.network import RequestFinished, RequestRedirected, RequestSent
from firstcause.observer.domains.page import Navigated
from firstcause.observer.observer import BrowserLost, Gap

from ..flows import SITE
from .traffic import Traffic

PATH = "/api/report"


def waiting(story: Traffic, type: str = "Fetch") -> str:  # noqa: A002
    return story.send(PATH, type=type)


def test_after_ten_seconds_it_is_told_and_after_thirty_it_is_severe() -> None:
    story = Traffic(RequestStalled)
    story.act("#report")
    waiting(story)
    assert story.pass_by(9.99).found == []
    story.pass_by(0.01)
    [stalled] = story.found
    assert (stalled.channel, stalled.severity) == ("network_errors", "medium")
    assert stalled.summary == "GET /api/report has had no answer for 10 s"
    assert stalled.context == {
        "method": "GET",
        "url": PATH,
        "waited_ms": 10_000,
        "at": "app.js:10:5 load",
    }
    assert story.pass_by(19.9).found == [stalled]
    severe = story.pass_by(0.101).found[1]
    assert (severe.severity, severe.summary) == ("high", "GET /api/report has had no answer for 30 s")
    assert severe.context["repeats"] == stalled.id
    assert story.pass_by(1_000).found == [stalled, severe]


def test_it_comes_of_what_made_the_request() -> None:
    story = Traffic(RequestStalled)
    story.act("#report")
    waiting(story)
    story.acted().pass_by(10)
    assert story.link("no answer", "#report") is not None


def test_the_engine_knows_when_it_is_due() -> None:
    story = Traffic(RequestStalled)
    assert story.engine.next_due_s is None
    first = waiting(story)
    first_s = story.sent_s
    second = waiting(story.wait(3))
    assert story.engine.next_due_s == first_s + 10
    story.respond(first, PATH, 200, 3).pass_by(7)
    assert story.engine.next_due_s == story.sent_s + 10
    story.respond(second, PATH, 200, 7)
    assert story.engine.next_due_s is None


@pytest.mark.parametrize("end", ["answer", "failure", "finish", "navigation", "closing", "loss", "gap"])
def test_any_end_ends_the_waiting(end: str) -> None:
    story = Traffic(RequestStalled)
    request_id = waiting(story)
    story.pass_by(9)
    match end:
        case "answer":
            story.respond(request_id, PATH, 500, 9)
        case "failure":
            story.end_of(request_id, PATH, "net::ERR_ABORTED", 9, canceled=True)
        case "finish":
            story.signal(RequestFinished("GET", SITE + PATH, "Fetch"), request_id=request_id)
        case "navigation":
            story.navigate("L2")
        case "closing":
            story.signal(TargetClosed("page"))
        case "loss":
            story.signal(BrowserLost("ws://b1"), session="")
        case _:
            story.signal(Gap(0, 1, "same", ("network",)), session="")
    assert story.pass_by(100).found == []
    assert story.engine.next_due_s is None


def test_a_redirect_is_an_answer_and_the_next_is_waited_for_anew() -> None:
    story = Traffic(RequestStalled)
    request_id = waiting(story)
    story.pass_by(9)
    story.signal(RequestRedirected("GET", SITE + PATH, SITE + "/moved", 302), request_id=request_id)
    story.signal(RequestSent("GET", SITE + "/moved", "Fetch"), request_id=request_id)
    assert story.pass_by(9.9).found == []
    assert [one.context["url"] for one in story.pass_by(0.1).found] == ["/moved"]


@pytest.mark.parametrize("type", ["EventSource", "WebSocket", "Ping", "Preflight", "Prefetch"])
def test_some_may_take_their_time(type: str) -> None:  # noqa: A002
    story = Traffic(RequestStalled)
    waiting(story, type)
    assert story.pass_by(100).found == []


def test_the_request_for_the_next_document_outlives_the_navigation() -> None:
    story = Traffic(RequestStalled)
    story.loader = "L2"
    waiting(story, "Script")
    story.navigate("L2")
    assert len(story.pass_by(10).found) == 1


def test_a_frame_that_navigates_takes_only_its_own() -> None:
    story = Traffic(RequestStalled)
    in_frame = RequestSent("GET", SITE + "/in-frame", "Fetch")
    story.signal(in_frame, request_id="F1", frame="f1", loader_id="LF")
    waiting(story)
    story.signal(Navigated(SITE + "/frame", main_frame=False), frame="f1", loader_id="LF2")
    assert [one.context["url"] for one in story.pass_by(10).found] == [PATH]


def test_many_of_one_template_are_one_story() -> None:
    story = Traffic(RequestStalled)
    for number in range(12):
        story.send(f"/api/items/{number}")
    story.pass_by(11)
    assert [one.count for one in story.found] == [1, 10]
    assert story.found[1].summary == "GET /api/items/9 has had no answer for 10 s, nor have 9 more like it"
    assert story.found[1].context["repeats"] == story.found[0].id


def test_what_answered_late_before_may_take_that_long_again() -> None:
    story = Traffic(RequestStalled)
    long_poll = waiting(story)
    story.pass_by(25)
    story.respond(long_poll, PATH, 200, 25)
    told = len(story.found)
    for _ in range(3):
        long_poll = waiting(story)
        story.pass_by(25)
        story.respond(long_poll, PATH, 200, 25)
    assert (told, len(story.found)) == (1, 1)
    waiting(story)
    assert [one.severity for one in story.pass_by(37).found[1:]] == []
    assert [one.severity for one in story.pass_by(1).found[1:]] == ["high"]


def test_pages_and_browsers_are_kept_apart() -> None:
    one = Traffic(RequestStalled)
    other = Traffic(RequestStalled, engine=one.engine, page="p2")
    waiting(one)
    waiting(other)
    one.navigate("L2")
    assert len(one.pass_by(100).found) == 2
    assert {event.page for event in one.found} == {"p2"}


def test_the_end_of_the_observation_is_no_stall() -> None:
    story = Traffic(RequestStalled)
    waiting(story)
    assert story.end().found == []


def test_how_long_can_be_chosen() -> None:
    story = Traffic(RequestStalled, after_s=0.5, high_after_s=1)
    waiting(story)
    assert [one.severity for one in story.pass_by(0.5).found] == ["medium"]
    assert [one.severity for one in story.pass_by(0.5).found] == ["medium", "high"]
