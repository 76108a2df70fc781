"""A storm of retries is told at its fifth failure; failures side by side, of other things, or by the user's hand are none."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.retry_storm import RetryStorm, growth_of
from firstcause.observer.domains.log import LogEntry

from ..flows import SITE, STEP_S
from .traffic import Traffic, of_kind

PATH = "/api/stock"
ABORTED = "net::ERR_ABORTED"


def retry(story: Traffic, *pauses_s: float, path: str = PATH) -> Traffic:
    story.request(path, 503)
    for pause_s in pauses_s:
        story.wait(pause_s - STEP_S).request(path, 503)
    return story


def test_the_fifth_failure_in_a_row_is_a_storm_that_comes_of_the_first() -> None:
    story = retry(Traffic(RetryStorm), 0.15, 0.15, 0.15)
    assert story.found == []
    story.wait(0.15 - STEP_S).request(PATH, 503)
    [storm], first = story.found, of_kind(story.events, "http_error")[0]
    assert (storm.channel, storm.severity, storm.count) == ("anomalies", "high", 5)
    assert (
        storm.summary == "GET /api/stock failed 5 times in 750 ms, at most 150 ms apart, without backing off"
    )
    assert storm.context == {
        "method": "GET",
        "url": PATH,
        "window_ms": 750,
        "gaps_ms": [150, 150, 150, 150],
        "backoff": "no",
        "status": 503,
    }
    assert storm.cause is not None
    assert (storm.cause.id, storm.cause.via, storm.cause.confidence) == (first.id, "counted", 1.0)
    assert storm.correlation_id == first.correlation_id


def test_pauses_that_grow_are_a_backoff() -> None:
    [storm] = retry(Traffic(RetryStorm), 0.1, 0.2, 0.4, 0.8).found
    assert (storm.severity, storm.context["backoff"]) == ("medium", "yes")
    assert storm.summary.endswith(" 800 ms apart, backing off")


@pytest.mark.parametrize(
    ("pauses_ms", "backs_off"),
    [
        ([150, 150, 150, 150], False),
        ([100, 119, 141, 168], False),
        ([100, 121, 147, 178], True),
        ([40, 80, 120, 160], True),
        ([150, 150, 150, 400], False),  # the machine was busy once
        ([0, 5, 20, 45], False),  # too short to tell
        ([800], False),
    ],
)
def test_growth_is_what_a_pause_usually_grows_by(pauses_ms: list[float], backs_off: bool) -> None:
    assert (growth_of(pauses_ms) >= 1.2) is backs_off


@pytest.mark.parametrize(("pause_s", "many"), [(2.469, 1), (2.471, 0)])
def test_the_failures_come_within_ten_seconds(pause_s: float, many: int) -> None:
    assert len(retry(Traffic(RetryStorm), *[pause_s] * 4).found) == many


def test_how_many_and_within_which_time_can_be_chosen() -> None:
    assert len(retry(Traffic(RetryStorm, failures=3), 0.1, 0.1).found) == 1
    assert retry(Traffic(RetryStorm, within_s=0.5), *[0.1] * 4).found == []
    [storm] = retry(Traffic(RetryStorm, growth=3), 0.1, 0.2, 0.4, 0.8).found
    assert storm.severity == "high"


def test_it_is_told_again_when_it_is_ten_times_as_large() -> None:
    story = retry(Traffic(RetryStorm), *[0.05] * 59)
    assert [storm.count for storm in story.found] == [5, 50]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_after_a_quiet_time_it_is_a_new_one() -> None:
    story = retry(Traffic(RetryStorm), *[0.05] * 4).wait(11)
    retry(story, *[0.05] * 4)
    assert [("repeats" in storm.context, storm.count) for storm in story.found] == [(False, 5), (False, 5)]


def test_the_query_does_not_matter_but_the_path_does() -> None:
    story = Traffic(RetryStorm)
    for attempt in range(5):
        story.request(f"{PATH}?attempt={attempt}", 503)
    assert [storm.context["url"] for storm in story.found] == [f"{PATH}?attempt="]
    story = Traffic(RetryStorm)
    for number in range(9):
        story.request(f"/api/items/{number}", 503)
    assert story.found == []


def test_the_method_matters() -> None:
    story = Traffic(RetryStorm)
    for method in ("GET", "POST") * 4:
        story.request(PATH, 503, method=method)
    assert story.found == []


def test_failures_side_by_side_are_no_retries() -> None:
    story = Traffic(RetryStorm)
    asked = [story.send(PATH) for _ in range(6)]
    story.wait(0.1)
    for request_id in asked:
        story.respond(request_id, PATH, 503, 0.11)
    assert story.found == []


def test_what_the_user_asks_for_again_is_no_retry() -> None:
    story = Traffic(RetryStorm)
    for _ in range(6):
        story.act("#save")
        story.request(PATH, 422)
        story.wait(0.3)
    assert story.found == []


def test_a_storm_after_the_users_attempt_counts_from_that() -> None:
    story = Traffic(RetryStorm)
    story.act("#save")
    retry(story, *[0.05] * 4)
    assert [storm.count for storm in story.found] == [5]


def test_who_types_meanwhile_is_not_asking() -> None:
    story = Traffic(RetryStorm)
    for _ in range(5):
        story.act("#note", "input")
        story.request(PATH, 503)
    assert len(story.found) == 1


def test_another_document_asks_anew() -> None:
    story = Traffic(RetryStorm)
    for number in range(6):
        story.navigate(f"L{number}").request(PATH, 503)
    assert story.found == []


def test_failures_without_an_answer_and_time_outs_count() -> None:
    story = Traffic(RetryStorm)
    for error, canceled in [("net::ERR_EMPTY_RESPONSE", False), (ABORTED, True)] * 3:
        story.fail(PATH, error, canceled=canceled)
    assert [storm.count for storm in story.found] == [5]


def test_a_failure_that_is_reported_twice_counts_once() -> None:
    story = Traffic(RetryStorm)
    for number in range(1, 5):
        story.request(PATH, 503)
        text = "Failed to load resource: the server responded with a status of 503 ()"
        story.signal(LogEntry("network", "error", text, SITE + PATH), request_id=f"Rp1{number}")
    assert story.found == []


def test_what_only_the_log_tells_counts_too() -> None:
    story = Traffic(RetryStorm)
    for _ in range(5):
        story.wait(0.3)
        text = (
            f"Access to fetch at '{SITE}{PATH}' from origin 'http://a.test' has been blocked by CORS policy"
        )
        story.signal(LogEntry("javascript", "error", text))
    assert [storm.summary.split(" in ")[0] for storm in story.found] == [f"{PATH} failed 5 times"]


def test_pages_are_kept_apart() -> None:
    one = Traffic(RetryStorm)
    other = Traffic(RetryStorm, engine=one.engine, page="p2")
    for story in (one, other) * 4:
        other.now_s = one.now_s = max(one.now_s, other.now_s)
        story.request(PATH, 503)
    assert one.found + other.found == []
