"""A spike is told of a page that was known for a while, with the new failure that it comes of; a page that always fails has none."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.correlator.detectors.error_spike import ErrorSpike

from ..flows import at
from .traffic import Traffic, of_kind

WORDS = "abcdefghijklmnopqrstuvwxyz"


def known(seconds: float = 30, **options: Any) -> Traffic:
    return Traffic(ErrorSpike, **options).wait(seconds)


def fail(story: Traffic, many: int, text: str = "no stock", every_s: float = 0.1) -> Traffic:
    for number in range(many):
        story.log(f"{text} {WORDS[number % 26]}{WORDS[number // 26 % 26]}")
        story.wait(every_s)
    return story


def test_the_tenth_failure_tells_and_names_the_first_that_is_new() -> None:
    story = known()
    fail(story, 9)
    assert story.found == []
    story.throw("TypeError: cart is undefined", None, at("show", 4))
    [spike], first = story.found, of_kind(story.events, "console_error")[0]
    assert (spike.channel, spike.severity, spike.count) == ("anomalies", "high", 10)
    assert spike.summary == "10 failures in 10 s, 0 in the 50 s before; new: no stock aa"
    assert spike.context == {"failures": 10, "new": "no stock aa"}
    assert spike.cause is not None
    assert (spike.cause.id, spike.cause.via) == (first.id, "counted")


@pytest.mark.parametrize(("seconds", "many"), [(18.5, 0), (21, 1)])
def test_the_page_is_known_for_twenty_seconds(seconds: float, many: int) -> None:
    story = known(seconds)
    fail(story, 10, every_s=0.01)
    assert len(story.found) == many


@pytest.mark.parametrize(("before", "many"), [(10, 0), (9, 1)])
def test_it_is_more_than_three_times_the_mean(before: int, many: int) -> None:
    story = known()
    fail(story, before, "old", every_s=2).wait(12)
    fail(story, 10)
    assert len(story.found) == many


def test_without_anything_new_it_is_no_spike() -> None:
    story = known()
    fail(story, 3).wait(70)
    for _ in range(10):
        fail(story, 2)
    assert story.found == []
    story.log("entirely new")
    assert [spike.context["new"] for spike in story.found] == ["entirely new"]


def test_what_repeats_itself_counts_each_time() -> None:
    story = known()
    for _ in range(12):
        story.log("no stock")
    assert len(story.found) == 1


def test_a_page_that_always_fails_has_no_spike() -> None:
    story = Traffic(ErrorSpike)
    fail(story, 26 * 8, every_s=0.5)
    assert story.found == []


def test_it_is_told_again_when_it_is_ten_times_as_large_and_anew_after_a_rest() -> None:
    story = known()
    fail(story, 120, every_s=0.01)
    fail(story.wait(120), 12, "other")
    assert [("repeats" in spike.context, spike.count) for spike in story.found] == [
        (False, 10),
        (True, 100),
        (False, 10),
    ]


def test_requests_and_sockets_count_but_what_went_well_does_not() -> None:
    story = known()
    for number in range(5):
        story.request(f"/api/{WORDS[number]}", 500).fail(f"/api/x{WORDS[number]}")
    assert len(story.found) == 1
    story = known()
    for number in range(20):
        story.request(f"/api/{WORDS[number]}", 200)
    assert story.found == []


def test_pages_are_kept_apart() -> None:
    one = known()
    other = Traffic(ErrorSpike, engine=one.engine, page="p2").wait(60)
    fail(one, 9)
    fail(other, 9)
    assert one.found + other.found == []


def test_the_thresholds_can_be_chosen() -> None:
    assert len(fail(known(failures=3), 3).found) == 1
    assert fail(known(times=7), 30).found == []
    assert len(fail(Traffic(ErrorSpike, known_s=0), 10).found) == 1
