"""An answer later than two seconds is told, beside the request itself."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.slow_response import SlowResponse

from .traffic import Traffic, of_kind


def test_it_is_told_beside_the_request() -> None:
    story = Traffic(SlowResponse).request("/api/report?year=2026", 200, took_s=2.5)
    [slow], [request] = story.found, of_kind(story.events, "request")
    assert (slow.channel, slow.severity) == ("network_errors", "medium")
    assert slow.summary == "GET /api/report?year=2026 took 2.5 s to answer 200"
    assert slow.context == {
        "method": "GET",
        "url": "/api/report?year=2026",
        "status": 200,
        "elapsed_ms": 2_500,
        "at": "app.js:10:5 load",
    }
    assert request.context["elapsed_ms"] == 2_500


@pytest.mark.parametrize(("took_s", "many"), [(2.0, 0), (2.001, 1)])
def test_two_seconds_are_fine(took_s: float, many: int) -> None:
    assert len(Traffic(SlowResponse).request("/api/report", 200, took_s).found) == many


def test_how_slow_can_be_chosen() -> None:
    assert len(Traffic(SlowResponse, after_ms=100).request("/api/report", 200, took_s=0.2).found) == 1


@pytest.mark.parametrize(("status", "more"), [(500, {}), (404, {}), (200, {"type": "EventSource"})], ids=str)
def test_failures_and_streams_are_not_slow(status: int, more: dict[str, str]) -> None:
    assert Traffic(SlowResponse).request("/api/report", status, took_s=3, **more).found == []


def test_a_slow_answer_whose_body_breaks_off_is_told_for_both() -> None:
    story = Traffic(SlowResponse).request("/api/report", 200, took_s=3)
    story.end_of("Rp11", "/api/report", "net::ERR_CONNECTION_RESET", 4)
    assert [event.kind for event in story.events if event.channel == "network_errors"] == [
        "slow_response",
        "request_failed",
    ]


def test_a_slow_file_says_what_it_is() -> None:
    [slow] = Traffic(SlowResponse).request("/app.css", 200, took_s=3, type="Stylesheet").found
    assert slow.context["resource"] == "stylesheet"


def test_what_always_takes_long_is_counted_in_the_end() -> None:
    story = Traffic(SlowResponse)
    for _ in range(40):
        story.request("/api/poll", 200, took_s=3)
    assert len(story.found) < 20
