"""Main threads that are busy nearly all the time."""

from __future__ import annotations

from firstcause.correlator.detectors.cpu_pegged import CpuPegged
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.performance import Metrics
from firstcause.observer.domains.watchdog import PageHang

from ..flows import Story
from .long_frames import frame, kinds, script


def story(**thresholds: float) -> Story:
    told = Story(Engine("shop", detectors=(CpuPegged,), thresholds={"cpu_pegged": thresholds})).load()
    return told.signal(Metrics())


def busy(on: Story, *shares: float, every_s: float = 2.0, **fields: str) -> Story:
    """Samples between which the main thread worked for these parts of the time."""
    for share in shares:
        last = next(signal.detail for signal in reversed(on.signals) if isinstance(signal.detail, Metrics))
        on.now_s = (
            next(s for s in reversed(on.signals) if isinstance(s.detail, Metrics)).monotonic_s + every_s
        )
        task_s = last.task_s + share * every_s
        on.signal(Metrics(task_s=task_s), monotonic_s=on.now_s, **fields)
    return on


def test_70_percent_of_6_seconds_are_told() -> None:
    told = busy(story(), 0.701, 0.8)
    assert kinds(told) == []
    event = busy(told, 0.901).end().event("busy for")
    assert (event.kind, event.channel, event.severity) == ("cpu_pegged", "performance", "medium")
    assert event.summary == "The main thread was busy for 80% of 6.0 s"
    assert event.context == {"busy_share": 0.8, "lasted_ms": 6000}


def test_less_or_shorter_is_not() -> None:
    assert kinds(busy(story(), 0.9, 0.69, 0.9, 0.9).end()) == []
    assert kinds(busy(story(), 0.9, 0.9, 0.9, every_s=1.99).end()) == []
    assert kinds(busy(story(share=0.9), 0.89, 0.89, 0.89, 0.89).end()) == []
    assert kinds(busy(story(for_s=20), *[0.99] * 9).end()) == []


def test_it_is_told_once_until_it_was_over() -> None:
    told = busy(story(), *[0.9] * 10)
    assert kinds(told) == ["cpu_pegged"]
    assert kinds(busy(told, 0.1, 0.8, 0.8, 0.8, every_s=2.1).end()) == ["cpu_pegged"] * 2


def test_the_script_that_long_frames_blame_most_is_named() -> None:
    told = busy(story(), 0.9)
    for _ in range(3):
        told.signal(frame(200, script("improveRoute", 120), script("draw", 60)))
    told.signal(frame(200, script("draw", 150)))
    event = busy(told, 0.9, 0.9).end().event("busy for")
    assert event.summary.endswith("most of all with improveRoute (shop.js, BUTTON#sort.onclick)")
    assert event.context["script"] == "improveRoute (shop.js, BUTTON#sort.onclick)"
    assert event.context["script_ms"] == 360


def test_one_long_task_is_no_busy_time() -> None:
    # While it lasts nothing is counted, and then all of it at once.
    assert kinds(busy(story(), 0.0, 0.0, 3.0, 0.1).end()) == []


def test_a_page_that_hangs_is_told_by_the_watchdog() -> None:
    told = busy(story(), 0.9, 0.9).signal(PageHang(1000, "script"))
    assert "cpu_pegged" not in kinds(busy(told, 0.9, 0.9).end())


def test_another_process_counts_from_the_beginning() -> None:
    told = busy(story(), 0.9, 0.9).signal(Metrics())
    assert kinds(busy(told, 0.9, 0.9).end()) == []


def test_pages_are_kept_apart() -> None:
    told = busy(story(), 0.9, 0.9)
    busy(told, 0.9, session="S2", page="p2")
    assert kinds(told.end()) == []
