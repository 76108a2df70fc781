"""Answers that got slower for good are told once; noise, a few outliers, fast answers and too few of them are not."""

from __future__ import annotations

import random

import pytest

from firstcause.correlator.detectors.latency_regression import LatencyRegression

from .traffic import Traffic, of_kind

FEW = 12


def answers(story: Traffic, *took_ms: float, path: str = "/api/orders/7", **more: str) -> Traffic:
    for one in took_ms:
        story.request(path, 200, one / 1_000, **more)
    return story


def test_a_step_up_is_told_once_with_before_and_after() -> None:
    story = answers(Traffic(LatencyRegression), *[300] * 30)
    answers(story, *[600] * 20)
    [slower] = story.found
    assert (slower.channel, slower.severity) == ("anomalies", "medium")
    assert slower.summary == (
        "GET /api/orders/{int} takes 600 ms now, 300 ms before (medians of the last 10 answers and of the 29 before them)"
    )
    assert slower.context == {
        "method": "GET",
        "url": "/api/orders/{int}",
        "now_ms": 600,
        "before_ms": 300,
        "rise": 0.17,
        "answers": 39,
    }
    assert slower.cause == of_kind(story.events, "request")[38].cause


@pytest.mark.parametrize(("known", "many"), [(18, 0), (19, 1)])
def test_more_than_eighteen_answers_are_known(known: int, many: int) -> None:
    assert len(answers(Traffic(LatencyRegression), *[300] * (known - 9), *[900] * 9).found) == many


@pytest.mark.parametrize(("factor", "many"), [(1.8, 0), (1.9, 1)])
def test_the_late_mean_rises_by_fifteen_percent(factor: float, many: int) -> None:
    """The mean of late leads the long one by at most so much of a step."""
    assert len(answers(Traffic(LatencyRegression), *[400] * 40, *[400 * factor] * 30).found) == many


@pytest.mark.parametrize(("before_ms", "many"), [(90, 0), (200, 1)])
def test_what_is_fast_may_get_slower(before_ms: float, many: int) -> None:
    assert len(answers(Traffic(LatencyRegression), *[before_ms] * 30, *[before_ms * 2] * FEW).found) == many


def test_outliers_are_no_trend() -> None:
    story = Traffic(LatencyRegression)
    for _ in range(12):
        answers(story, *[300] * 9, 6_000)
    answers(story, 9_000, 9_000, 9_000)
    assert story.found == []


def test_noise_is_no_trend() -> None:
    told = 0
    for seed in range(10):
        numbers = random.Random(seed)
        noisy = [numbers.lognormvariate(5.7, 0.4) for _ in range(200)]
        told += len(answers(Traffic(LatencyRegression), *noisy).found)
    assert told == 0


def test_a_cold_start_is_no_base() -> None:
    assert answers(Traffic(LatencyRegression), 2_000, 1_500, 900, *[300] * 60).found == []


def test_after_it_settled_the_next_step_is_told() -> None:
    story = answers(Traffic(LatencyRegression), *[300] * 30, *[600] * 80, *[1_200] * 20)
    assert [slower.context["before_ms"] for slower in story.found] == [300, 600]


def test_files_failures_and_what_comes_from_a_cache_do_not_count() -> None:
    story = answers(Traffic(LatencyRegression), *[300] * 30)
    for _ in range(30):
        story.request("/api/orders/7", 500, 0.9)
        answers(story, 900, source="disk-cache")
        answers(story, 900, type="Image")
        answers(story, 900, path="/api/others/7")
        answers(story, 900, method="POST")
    assert story.found == []


def test_a_server_is_known_over_all_pages_of_a_browser() -> None:
    one = answers(Traffic(LatencyRegression), *[300] * 30)
    other = answers(Traffic(LatencyRegression, engine=one.engine, page="p2"), *[600] * FEW)
    assert len(one.found + other.found) == 1


def test_the_thresholds_can_be_chosen() -> None:
    steps = [*[300] * 30, *[600] * FEW]
    assert answers(Traffic(LatencyRegression, rise=0.4), *steps).found == []
    assert answers(Traffic(LatencyRegression, least_ms=1_000), *steps).found == []
    assert answers(Traffic(LatencyRegression, answers=100), *steps).found == []
    assert len(answers(Traffic(LatencyRegression, answers=12), *[300] * 4, *[900] * 9).found) == 1
