"""Memory that only grows: what is left after collections, and heaps far above their mean."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.memory_growth import MemoryGrowth
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.performance import Metrics

from ..flows import SITE, Story
from .long_frames import kinds

MB = 1_000_000


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(MemoryGrowth,), thresholds={"memory_growth": thresholds})).load()


def left(on: Story, *sizes_mb: float, every_s: float = 30.0, **fields: str) -> Story:
    """What there was after collections."""
    for size in sizes_mb:
        on.wait(every_s).signal(Metrics(size * MB, after_gc=True), **fields)
    return on


def samples(on: Story, *sizes_mb: float) -> Story:
    for size in sizes_mb:
        on.wait(5.0).signal(Metrics(size * MB))
    return on


def test_five_collections_that_left_more_each_time_are_told() -> None:
    told = left(story(), 10, 11, 12, 13, 14)
    assert kinds(told) == []
    event = left(told, 15).end().event("collections")
    assert (event.kind, event.channel, event.severity) == ("memory_growth", "anomalies", "medium")
    assert event.summary == "5 collections in a row left more: 10.0 became 15.0 MB, 2.0 MB a minute"
    assert event.context == {"heap_mb": 15.0, "before_mb": 10.0, "grown_mb": 5.0, "mb_per_min": 2.0}


@pytest.mark.parametrize(
    "sizes_mb",
    [
        (10, 11, 12, 12, 13, 15),  # not each time
        (20, 20.8, 21.6, 22.4, 23.2, 24),  # a fifth, not more
        (2, 2.4, 2.8, 3.2, 3.8, 4.5),  # 1 MB a minute, not more
    ],
)
def test_what_stops_or_is_slow_or_small_is_not(sizes_mb: tuple[float, ...]) -> None:
    assert kinds(left(story(), *sizes_mb).end()) == []


def test_what_the_collection_had_not_seen_counts_for_nothing() -> None:
    told = story()
    for size in (10, 11, 12, 13, 14, 15, 16):
        samples(told, size)
    assert kinds(told.end()) == []


def test_another_document_begins_anew_and_a_frame_in_the_page_does_not() -> None:
    told = left(story(), 10, 11, 12).signal(Navigated(f"{SITE}/next"), loader_id="L2")
    assert kinds(left(told, 13, 14, 15)) == []
    told = left(story(), 10, 11, 12).signal(Navigated(f"{SITE}/ad", main_frame=False), frame="F2")
    assert kinds(left(told, 13, 14, 15).end()) == ["memory_growth"]


def test_pages_are_kept_apart() -> None:
    told = left(story(), 10, 11, 12, 13, 14)
    left(told, 15, session="S2", page="p2")
    assert kinds(told.end()) == []


def test_it_is_told_again_when_it_is_ten_times_as_large() -> None:
    told = left(story(), 4, 5, 6, 7, 8, 9, 12, 15, 89.9).end()
    assert kinds(told) == ["memory_growth"]
    first, again = [event for event in left(told, 90).events if event.kind == "memory_growth"]
    assert (again.context["heap_mb"], again.context["repeats"]) == (90.0, first.id)


def test_a_heap_three_times_its_mean_is_told() -> None:
    event = samples(story(), 20, 20, 20, 60).end().event("on average")
    assert event.summary == "The heap is 60.0 MB, 3.0 times the 20.0 MB that it was on average"
    assert event.context == {"heap_mb": 60.0, "before_mb": 20.0, "grown_mb": 40.0}


@pytest.mark.parametrize(
    "sizes_mb",
    [
        (20, 20, 60),  # too few before
        (20, 20, 20, 59.9),
        (10, 10, 10, 49.9),  # too small to matter
    ],
)
def test_less_is_not_told(sizes_mb: tuple[float, ...]) -> None:
    assert kinds(samples(story(), *sizes_mb).end()) == []


def test_thresholds_can_be_chosen() -> None:
    assert kinds(left(story(samples=2), 10, 12, 14).end()) == ["memory_growth"]
    assert kinds(left(story(slope_mb_per_min=9), 10, 11, 12, 13, 14, 15).end()) == []
    assert kinds(samples(story(jump=2, jump_mb=1, jump_samples=1), 2, 4).end()) == ["memory_growth"]
