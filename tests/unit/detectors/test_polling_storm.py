"""Polling is told when it is fast, steady and mostly in vain; loops over many things, bursts and slow polls are not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.polling_storm import PollingStorm

from ..flows import STEP_S
from .traffic import Traffic

PATH = "/api/status"


def poll(story: Traffic, times: int, every_s: float = 0.5, path: str = PATH, size: float = 100) -> Traffic:
    for _ in range(times):
        story.finish(path, size=size).wait(every_s - 0.03 - STEP_S)
    return story


def test_the_tenth_steady_poll_tells() -> None:
    story = poll(Traffic(PollingStorm), 9)
    assert story.found == []
    poll(story, 1)
    [found] = story.found
    assert (found.channel, found.severity, found.count) == ("anomalies", "medium", 10)
    assert (
        found.summary
        == "GET /api/status is polled every 500 ms, 10 times so far; 10 of 10 answers are of one size"
    )
    assert found.context == {
        "method": "GET",
        "url": PATH,
        "gap_ms": 500,
        "same_size": 10,
        "size_bytes": 100,
    }


@pytest.mark.parametrize(("every_s", "many"), [(0.999, 1), (1.001, 0)])
def test_a_second_apart_at_most(every_s: float, many: int) -> None:
    assert len(poll(Traffic(PollingStorm), 10, every_s).found) == many


@pytest.mark.parametrize(("pauses_s", "many"), [((0.4, 0.6), 1), ((0.35, 0.65), 0)])
def test_at_a_steady_beat(pauses_s: tuple[float, float], many: int) -> None:
    story = Traffic(PollingStorm)
    for number in range(10):
        poll(story, 1, pauses_s[number % 2])
    assert len(story.found) == many


@pytest.mark.parametrize(("others", "many"), [(2, 1), (3, 0)])
def test_mostly_with_answers_of_one_size(others: int, many: int) -> None:
    story = Traffic(PollingStorm)
    for number in range(10):
        poll(story, 1, size=200 + number if number < others else 100)
    assert len(story.found) == many


def test_a_loop_over_many_things_is_no_polling() -> None:
    story = Traffic(PollingStorm)
    for number in range(30):
        poll(story, 1, 0.1, path=f"/api/items/{number}")
    assert story.found == []


def test_the_query_does_not_matter() -> None:
    story = Traffic(PollingStorm)
    for number in range(10):
        poll(story, 1, path=f"{PATH}?_={number}")
    assert [found.context["url"] for found in story.found] == [f"{PATH}?_="]


def test_a_burst_is_no_polling() -> None:
    story = Traffic(PollingStorm)
    for _ in range(20):
        story.finish(PATH, took_s=0.2)
        story.now_s -= 0.19
    assert story.found == []


def test_polls_that_overlap_because_the_server_is_slow_count() -> None:
    story = Traffic(PollingStorm)
    for _ in range(10):
        story.finish(PATH, took_s=0.3)
        story.now_s -= 0.2
    assert len(story.found) == 1


@pytest.mark.parametrize(
    ("takes_s", "pause_s", "many"), [(0.24, 0.05, 1), (0.26, 0.05, 0), (0.4, 0.38, 0), (0.4, 0.42, 1)]
)
def test_long_polls_that_wait_for_their_answers_are_none(takes_s: float, pause_s: float, many: int) -> None:
    story = Traffic(PollingStorm)
    for _ in range(10):
        story.finish(PATH, took_s=takes_s).wait(pause_s)
    assert len(story.found) == many


def test_a_loop_without_a_pause_counts() -> None:
    assert len(poll(Traffic(PollingStorm), 10, every_s=0.033).found) == 1


def test_files_and_failures_do_not_count() -> None:
    story = Traffic(PollingStorm)
    for _ in range(20):
        story.finish("/dot.gif", type="Image").wait(0.4).request(PATH, 503)
    assert story.found == []


def test_another_document_and_another_page_count_for_themselves() -> None:
    one = poll(Traffic(PollingStorm), 9)
    poll(one.navigate("L2"), 1)
    other = poll(Traffic(PollingStorm, engine=one.engine, page="p2"), 9)
    assert one.found + other.found == []


def test_it_is_told_again_when_it_is_ten_times_as_much() -> None:
    story = poll(Traffic(PollingStorm), 120, every_s=0.1)
    assert [found.count for found in story.found] == [10, 100]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_after_a_quiet_minute_it_is_a_new_one() -> None:
    story = poll(poll(Traffic(PollingStorm), 10).wait(61), 10)
    assert ["repeats" in found.context for found in story.found] == [False, False]


def test_how_many_and_how_fast_can_be_chosen() -> None:
    assert len(poll(Traffic(PollingStorm, requests=4), 4).found) == 1
    assert poll(Traffic(PollingStorm, gap_s=0.2), 20).found == []
