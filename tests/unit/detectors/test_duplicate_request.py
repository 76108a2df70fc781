"""Sent twice is told, with what it may do; a page that has a reason to ask again is left alone."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.duplicate_request import DuplicateRequest
from firstcause.observer.domains.page import NavigatedWithin

from ..flows import SITE, at
from .loading import Loading

PATH = "/api/orders"


def twice(
    story: Loading, method: str = "POST", *, apart_ms: float = 40, path: str = PATH, body: str = "8f1c"
) -> tuple[str, str]:
    """Both are on their way when the time ends."""
    sent = body if method != "GET" else ""
    story.at_ms(0)
    first = story.begin(path, method, body=sent)
    story.at_ms(apart_ms)
    return first, story.begin(path, method, body=sent)


def test_a_change_sent_twice_at_once_is_told_with_its_severity() -> None:
    story = Loading(DuplicateRequest)
    twice(story)
    assert story.found == []
    [found] = story.pass_by(0.11).found
    assert (found.channel, found.severity, found.count) == ("anomalies", "medium", 2)
    assert found.summary == (
        "POST /api/orders was sent twice with the same body, 40 ms apart, before an answer: it may be done twice"
    )
    assert found.context == {
        "method": "POST",
        "url": PATH,
        "in_flight": True,
        "at": "app.js:10:5 load",
    }


def test_what_only_asks_is_low_and_told_once_the_second_answer_came_over_the_wire() -> None:
    story = Loading(DuplicateRequest)
    first, second = twice(story, "GET")
    story.pass_by(0.5)
    assert story.found == []
    [found] = story.answered(first).answered(second).found
    assert found.severity == "low"
    assert found.summary.endswith("one answer would do")


@pytest.mark.parametrize("path", ["/graphql", "/api/search", "/v1/products/_search", "/rpc"])
def test_a_post_that_most_likely_asks_is_low(path: str) -> None:
    story = Loading(DuplicateRequest)
    _, second = twice(story, path=path)
    assert [found.severity for found in story.answered(second).pass_by(0.2).found] == ["low"]


@pytest.mark.parametrize("source", ["disk-cache", "cache", "service-worker", "prefetch-cache"])
def test_an_answer_from_a_cache_costs_nothing(source: str) -> None:
    story = Loading(DuplicateRequest)
    first, second = twice(story, "GET")
    assert story.answered(first).answered(second, source=source).pass_by(5).found == []


def test_another_part_of_the_same_is_no_duplicate() -> None:
    story = Loading(DuplicateRequest)
    first, second = twice(story, "GET")
    assert story.answered(first, 206).answered(second, 206).pass_by(5).found == []


@pytest.mark.parametrize(("apart_ms", "many"), [(999.9, 1), (1000.1, 0)])
def test_after_the_answer_the_second_comes_within_a_second(apart_ms: float, many: int) -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    story.answered(story.begin(PATH, "POST", body="8f1c")).at_ms(apart_ms)
    story.begin(PATH, "POST", body="8f1c")
    assert len(story.pass_by(2).found) == many


def test_while_the_first_is_on_its_way_the_time_does_not_matter() -> None:
    story = Loading(DuplicateRequest)
    twice(story, apart_ms=20_000)
    assert len(story.pass_by(0.2).found) == 1


def test_another_method_address_body_or_document_is_another_request() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    story.begin(PATH, "POST", body="8f1c")
    story.begin(PATH, "PUT", body="8f1c")
    story.begin(PATH, "POST", body="77aa")
    story.begin(f"{PATH}/2", "POST", body="8f1c")
    story.navigate("L2").begin(PATH, "POST", body="8f1c")
    assert story.pass_by(2).found == []


def test_bodies_that_are_not_known_are_not_taken_for_the_same() -> None:
    story = Loading(DuplicateRequest)
    twice(story, body="unseen")
    assert story.pass_by(2).found == []


@pytest.mark.parametrize(
    "type_", ["Document", "Script", "Image", "Prefetch", "Preflight", "Ping", "EventSource"]
)
def test_only_what_scripts_ask_for_counts(type_: str) -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    for _ in range(3):
        story.answered(story.begin(PATH, type=type_))
    assert story.pass_by(5).found == []


def test_options_and_what_a_framework_loads_ahead_do_not_count() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    for _ in range(2):
        story.answered(story.begin(PATH, "OPTIONS"))
        story.answered(story.begin("/products?_rsc=1x2y"))
    assert story.pass_by(5).found == []


def test_a_first_one_that_is_given_up_leaves_one() -> None:
    story = Loading(DuplicateRequest)
    first, second = twice(story, "GET")
    assert story.given_up(first).answered(second).pass_by(5).found == []


def test_a_failure_is_asked_again() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    story.answered(story.begin(PATH, "POST", body="8f1c"), 503).at_ms(300)
    story.answered(story.begin(PATH, "POST", body="8f1c"))
    assert story.pass_by(5).found == []


def test_what_changed_meanwhile_is_asked_for_again() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    first = story.begin(PATH)
    story.begin(PATH, "POST", body="8f1c")
    second = story.begin(PATH)
    assert story.answered(first).answered(second).pass_by(5).found == []


def test_what_the_user_asks_for_again_after_the_answer_is_meant() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    story.answered(story.begin("/api/cart", "POST", body="8f1c"))
    story.act("#add")
    story.begin("/api/cart", "POST", body="8f1c")
    assert story.pass_by(5).found == []


def test_a_double_click_before_the_answer_is_told() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    story.begin(PATH, "POST", body="8f1c")
    story.act("#order")
    story.begin(PATH, "POST", body="8f1c")
    assert len(story.pass_by(0.2).found) == 1


@pytest.mark.parametrize(("via", "many"), [("fragment", 0), ("other", 0), ("historyApi", 1)])
def test_back_and_forward_show_again_what_was_shown(via: str, many: int) -> None:
    story = Loading(DuplicateRequest)
    twice(story)
    story.signal(NavigatedWithin(f"{SITE}/?bed=roses", via))
    assert len(story.pass_by(0.2).found) == many


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_polling_is_no_duplicate(method: str) -> None:
    story = Loading(DuplicateRequest)
    for number in range(20):
        story.at_ms(number * 700 + number % 3 * 40)
        story.answered(story.begin("/api/status", method))
    assert story.pass_by(0.5).found == []


def test_a_redirected_request_stays_one() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    request_id = story.begin("/old", "POST", body="8f1c")
    story.requests -= 1
    assert story.begin("/old", "POST", body="8f1c") == request_id
    assert story.pass_by(5).found == []


def test_pages_are_kept_apart() -> None:
    one = Loading(DuplicateRequest).at_ms(0)
    other = Loading(DuplicateRequest, engine=one.engine, page="p2").at_ms(0)
    for story in (one, other):
        story.begin(PATH, "POST", body="8f1c")
        story.pass_by(0.3)
    assert one.found + other.found == []


def test_more_of_them_are_told_as_growth() -> None:
    story = Loading(DuplicateRequest).at_ms(0)
    for _ in range(25):
        story.begin(PATH, "POST", body="8f1c")
        story.pass_by(0.12)
    assert [found.count for found in story.found] == [2, 20]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_the_cause_is_what_led_to_the_second_request() -> None:
    story = Loading(DuplicateRequest)
    story.marked = True
    story.load().wait(1)
    click = story.act("#order")
    for _ in range(2):
        story.ask(PATH, click, at("place", 3))
    first, second = "Rp11", "Rp12"
    story.answer(first, PATH, 200).answer(second, PATH, 200).pass_by(0.2)
    assert story.link("was sent twice", "click on #order") is not None


def test_the_time_can_be_chosen() -> None:
    story = Loading(DuplicateRequest, within_s=0.2).at_ms(0)
    story.answered(story.begin(PATH, "POST", body="8f1c")).at_ms(250)
    story.begin(PATH, "POST", body="8f1c")
    assert story.pass_by(5).found == []
