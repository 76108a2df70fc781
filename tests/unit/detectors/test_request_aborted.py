"""A cancelled request that nobody wants any more is activity; one that timed out or was given up stays a failure."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.request_aborted import RequestAborted
from firstcause.correlator.event import Event
from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.network import RequestFailed
from firstcause.observer.domains.page import Navigated, NavigatedWithin

from ..flows import SITE, STEP_S
from .traffic import Traffic

ABORTED = "net::ERR_ABORTED"


def cancel(story: Traffic, request_id: str, path: str, **more: str) -> Traffic:
    took_s = story.now_s + STEP_S - story.sent_at_s[request_id]
    return story.end_of(request_id, path, ABORTED, took_s, canceled=True, **more)


def said(story: Traffic) -> list[tuple[str, str]]:
    return [(event.severity, event.summary) for event in story.end().found]


def only(story: Traffic) -> Event:
    [aborted] = story.end().found
    return aborted


@pytest.mark.parametrize("newer_first", [True, False])
def test_a_search_while_typing_is_superseded(newer_first: bool) -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/search?q=te")
    story.wait(0.3 - STEP_S)
    if newer_first:
        story.send("/api/search?q=tea")
        cancel(story, old, "/api/search?q=te")
    else:
        cancel(story, old, "/api/search?q=te").send("/api/search?q=tea")
    aborted = only(story)
    assert (aborted.channel, aborted.type, aborted.severity) == ("activity", "activity", "info")
    assert aborted.summary == "GET /api/search?q=te was cancelled for a newer request, /api/search?q=tea"
    assert aborted.context == {
        "method": "GET",
        "url": "/api/search?q=te",
        "error": ABORTED,
        "elapsed_ms": pytest.approx(302 if newer_first else 300, abs=0.2),
        "why": "superseded",
        "newer": "/api/search?q=tea",
    }


@pytest.mark.parametrize(("pause_s", "severity"), [(0.99, "info"), (1.01, "low")])
def test_the_newer_request_comes_within_a_second(pause_s: float, severity: str) -> None:
    story = Traffic(RequestAborted)
    cancel(story, story.send("/api/search?q=te"), "/api/search?q=te")
    story.wait(pause_s - STEP_S).send("/api/search?q=tea")
    assert only(story).severity == severity


def test_an_older_request_supersedes_nothing() -> None:
    story = Traffic(RequestAborted)
    story.send("/api/search?q=t")
    cancel(story, story.send("/api/search?q=te"), "/api/search?q=te")
    assert said(story) == [("low", "GET /api/search?q=te was aborted")]


@pytest.mark.parametrize("wait_s", [0.1, 0.6])
def test_requests_side_by_side_that_are_cancelled_together_supersede_nothing(wait_s: float) -> None:
    story = Traffic(RequestAborted)
    sent = [story.send(f"/api/items/{number}") for number in (1, 2, 3)]
    story.wait(wait_s)
    for number, request_id in enumerate(sent, start=1):
        cancel(story, request_id, f"/api/items/{number}")
    assert [event.severity for event in story.end().found] == ["low"] * 3


def test_what_is_typed_at_once_is_superseded_by_its_last_letter() -> None:
    story = Traffic(RequestAborted)
    sent: list[str] = []
    for number in range(1, 4):
        sent.append(story.send(f"/api/search?q={'tea'[:number]}"))
        if number > 1:
            cancel(story, sent[-2], f"/api/search?q={'tea'[: number - 1]}")
    assert [event.context["newer"] for event in story.end().found] == ["/api/search?q=tea"] * 2


def test_one_of_several_side_by_side_that_is_given_up_is_not_superseded() -> None:
    story = Traffic(RequestAborted)
    slow = story.send("/api/items/1")
    story.request("/api/items/2", 200).wait(0.6)
    assert only(cancel(story, slow, "/api/items/1")).severity == "low"


@pytest.mark.parametrize("other", [{"path": "/api/stock"}, {"method": "POST"}])
def test_another_template_or_method_supersedes_nothing(other: dict[str, str]) -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/search?q=te")
    story.send(**({"path": "/api/search?q=tea"} | other))
    assert only(cancel(story, old, "/api/search?q=te")).severity == "low"


def test_another_page_supersedes_nothing() -> None:
    story = Traffic(RequestAborted)
    other = Traffic(RequestAborted, engine=story.engine, page="p2")
    old = story.send("/api/search?q=te")
    other.now_s = story.now_s
    other.send("/api/search?q=tea")
    assert only(cancel(story, old, "/api/search?q=te")).severity == "low"


@pytest.mark.parametrize(("took_s", "severity"), [(0.9, "info"), (1.0, "low")])
def test_the_very_same_request_after_a_long_wait_is_a_retry_after_a_time_out(
    took_s: float, severity: str
) -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/quote")
    story.wait(took_s - STEP_S)
    cancel(story, old, "/api/quote").send("/api/quote")
    assert only(story).severity == severity


def test_the_navigation_of_its_page_cancels_it() -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/stock")
    cancel(story.wait(0.3 - STEP_S), old, "/api/stock").wait(0.2).navigate("L2")
    aborted = only(story)
    assert (aborted.channel, aborted.context["why"]) == ("activity", "navigation")
    assert aborted.summary == "GET /api/stock was cancelled when its page was left"


def test_another_view_of_the_same_document_cancels_what_the_old_one_asked_for() -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/folders/sent")
    story.wait(0.1).signal(NavigatedWithin(SITE + "/drafts", "historyApi"))
    cancel(story, old, "/api/folders/sent")
    assert only(story).context["why"] == "navigation"


@pytest.mark.parametrize(
    ("frame", "navigated", "why"),
    [("f1", "f1", "navigation"), ("f1", "f2", None)],
)
def test_a_frame_that_navigates_cancels_its_own(frame: str, navigated: str, why: str | None) -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/stock")
    story.wait(0.1)
    story.signal(Navigated(SITE + "/f", main_frame=False), frame=navigated, loader_id="L2")
    detail = RequestFailed("GET", SITE + "/api/stock", "Fetch", ABORTED, canceled=True, elapsed_ms=104)
    story.signal(detail, request_id=old, frame=frame, loader_id="LF")
    assert only(story).context.get("why") == why


def test_a_navigation_long_before_or_after_has_nothing_to_do_with_it() -> None:
    story = Traffic(RequestAborted)
    story.navigate("L2")
    old = story.send("/api/stock")
    cancel(story.wait(0.3 - STEP_S), old, "/api/stock").wait(1.1).navigate("L3")
    assert only(story).severity == "low"


def test_a_page_that_is_closed_was_left_too() -> None:
    story = Traffic(RequestAborted)
    cancel(story, story.send("/api/stock"), "/api/stock").signal(TargetClosed("page"))
    assert only(story).context["why"] == "navigation"


def test_a_document_that_another_replaces_was_left() -> None:
    story = Traffic(RequestAborted)
    story.loader = "L2"
    slow = story.send("/slow", type="Document")
    cancel(story.wait(0.1), slow, "/slow", type="Document")
    story.loader = "L3"
    story.send("/other", type="Document")
    assert only(story).context["why"] == "navigation"


def test_a_document_that_nothing_replaces_was_given_up() -> None:
    story = Traffic(RequestAborted)
    story.loader = "L2"
    slow = story.send("/slow", type="Document")
    assert only(cancel(story.wait(0.1), slow, "/slow", type="Document")).severity == "low"


def test_what_a_document_asks_for_as_it_begins_is_not_cancelled_by_that() -> None:
    story = Traffic(RequestAborted)
    story.loader = "L2"
    early = story.send("/api/stock")
    cancel(story.navigate("L2"), early, "/api/stock")
    assert only(story).severity == "low"


def test_other_failures_keep_their_names() -> None:
    story = Traffic(RequestAborted)
    old = story.send("/api/search?q=te")
    story.end_of(old, "/api/search?q=te", "net::ERR_FAILED", 0.1).send("/api/search?q=tea")
    assert [event.kind for event in story.end().events if event.channel == "network_errors"] == [
        "request_failed"
    ]


def test_it_is_held_back_for_a_second() -> None:
    story = Traffic(RequestAborted)
    cancel(story, story.send("/api/stock"), "/api/stock")
    assert story.pass_by(0.99).found == []
    assert [event.severity for event in story.pass_by(0.011).found] == ["low"]


def test_an_error_that_waits_for_it_or_follows_it_names_it() -> None:
    for error_first in (True, False):
        story = Traffic(RequestAborted)
        story.marked = True
        request_id, asked = story.ask("/api/stock")
        story.sent_at_s[request_id] = story.now_s
        if error_first:
            story.log("AbortError: stock", asked)
        cancel(story, request_id, "/api/stock")
        if not error_first:
            story.log("AbortError: stock", asked)
        story.end()
        assert [event.kind for event in story.events][-2:] == ["request_aborted", "console_error"]
        assert story.link("AbortError", "was aborted") is not None


def test_how_long_can_be_chosen() -> None:
    story = Traffic(RequestAborted, within_s=0.2)
    cancel(story, story.send("/api/search?q=te"), "/api/search?q=te")
    story.wait(0.3).send("/api/search?q=tea")
    assert only(story).severity == "low"
    story = Traffic(RequestAborted, patience_s=5)
    old = story.send("/api/quote")
    cancel(story.wait(3), old, "/api/quote").send("/api/quote")
    assert only(story).severity == "info"
