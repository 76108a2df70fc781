"""What is not there, asked for again: three addresses of one template, or five times, within half a minute."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.correlator.detectors.repeated_404 import Repeated404

from ..flows import STEP_S
from .traffic import Traffic, of_kind


def missing(story: Traffic, *paths: str, every_s: float = 0.1, **more: Any) -> Traffic:
    for path in paths:
        story.request(path, 404, **more)
        story.wait(every_s - 0.03 - STEP_S)
    return story


def test_the_third_address_of_one_template_tells() -> None:
    story = missing(Traffic(Repeated404), "/tiles/1.png", "/tiles/2.png")
    assert story.found == []
    missing(story, "/tiles/3.png")
    [found], first = story.found, of_kind(story.events, "http_error")[0]
    assert (found.channel, found.severity, found.count) == ("anomalies", "medium", 3)
    assert found.summary == "GET /tiles/{int}.png answered 404 3 times in 200 ms, for 3 addresses"
    assert found.context == {
        "method": "GET",
        "url": "/tiles/{int}.png",
        "addresses": 3,
        "example": "/tiles/1.png",
        "window_ms": 200,
    }
    assert found.cause is not None
    assert (found.cause.id, found.cause.via) == (first.id, "counted")


@pytest.mark.parametrize(("times", "many"), [(4, 0), (5, 1)])
def test_one_address_tells_at_the_fifth_time(times: int, many: int) -> None:
    found = missing(Traffic(Repeated404), *["/api/avatar"] * times).found
    assert [one.summary for one in found] == ["GET /api/avatar answered 404 5 times in 400 ms"] * many


@pytest.mark.parametrize(("every_s", "many"), [(7.5, 1), (7.51, 0)])
def test_they_come_within_half_a_minute(every_s: float, many: int) -> None:
    story = missing(Traffic(Repeated404), *["/api/avatar"] * 5, every_s=every_s)
    assert len(story.found) == many


def test_files_count_as_well() -> None:
    story = missing(Traffic(Repeated404), "/p/1.jpg", "/p/2.jpg", "/p/3.jpg", type="Image")
    assert len(story.found) == 1


def test_other_templates_methods_and_failures_are_others() -> None:
    story = missing(Traffic(Repeated404), "/a/1", "/b/2", "/c/3", "/a/4")
    missing(story, "/a/5", method="HEAD")
    for number in range(9):
        story.request(f"/gone/{number}", 410).fail("/a/6").request("/a/7", 200)
    assert story.found == []


def test_pages_are_kept_apart() -> None:
    one = missing(Traffic(Repeated404), "/a/1", "/a/2")
    other = missing(Traffic(Repeated404, engine=one.engine, page="p2"), "/a/3", "/a/4")
    assert one.found + other.found == []


def test_it_is_told_again_when_it_is_ten_times_as_large() -> None:
    story = missing(Traffic(Repeated404, requests=2), *["/api/avatar"] * 25)
    assert [one.count for one in story.found] == [2, 20]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_after_a_quiet_time_it_is_a_new_one() -> None:
    story = missing(Traffic(Repeated404), "/a/1", "/a/2", "/a/3").wait(31)
    missing(story, "/a/1", "/a/2", "/a/3")
    assert ["repeats" in one.context for one in story.found] == [False, False]


def test_how_many_can_be_chosen() -> None:
    assert len(missing(Traffic(Repeated404, addresses=2), "/a/1", "/a/2").found) == 1
    assert missing(Traffic(Repeated404, addresses=4), "/a/1", "/a/2", "/a/3").found == []
