"""A message that comes again and again is told once, with how often; other messages, other pages and old ones count apart."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.console_flood import ConsoleFlood
from firstcause.observer.domains.runtime import ConsoleCalled

from ..flows import at
from .loading import Loading


def log(
    story: Loading,
    times: int,
    *,
    every_ms: float = 1.0,
    text: str = "drawing row {}",
    level: str = "log",
    began_ms: float = 0,
    replayed: bool = False,
) -> Loading:
    for number in range(times):
        story.at_ms(began_ms + number * every_ms)
        detail = ConsoleCalled(level, text.format(number))
        story.signal(detail, stack=(at("drawRow", 7),), replayed=replayed)
    return story


def test_the_fiftieth_in_a_second_tells_whatever_its_level() -> None:
    assert log(Loading(ConsoleFlood), 49).found == []
    for level in ("log", "debug", "info", "warning", "error"):
        [found] = log(Loading(ConsoleFlood), 60, level=level, every_ms=10).found
        assert (found.channel, found.severity, found.count) == ("anomalies", "medium", 50)
        assert found.summary == f"console.{level} was called 50 times in 0.5 s with: drawing row 49"
        assert found.context == {"level": level, "lasted_s": 0.5, "at": "app.js:7:5 drawRow"}


@pytest.mark.parametrize(("every_ms", "many"), [(20.4, 1), (20.5, 0)])
def test_fifty_come_within_a_second(every_ms: float, many: int) -> None:
    assert len(log(Loading(ConsoleFlood), 60, every_ms=every_ms).found) == many


@pytest.mark.parametrize(("every_ms", "many"), [(50.2, 1), (50.3, 0)])
def test_or_two_hundred_within_ten(every_ms: float, many: int) -> None:
    assert len(log(Loading(ConsoleFlood), 220, every_ms=every_ms).found) == many


def test_other_messages_and_levels_count_apart() -> None:
    story = log(Loading(ConsoleFlood), 40)
    log(story, 40, text="drew row {}", began_ms=41)
    log(story, 40, level="debug", began_ms=82)
    assert story.found == []


def test_the_ends_of_groups_say_nothing() -> None:
    assert log(Loading(ConsoleFlood), 99, level="endGroup", text="console.groupEnd").found == []


def test_old_messages_do_not_count() -> None:
    assert log(Loading(ConsoleFlood), 99, replayed=True).found == []


def test_pages_are_kept_apart() -> None:
    one = log(Loading(ConsoleFlood), 40)
    other = log(Loading(ConsoleFlood, engine=one.engine, page="p2"), 40)
    assert one.found + other.found == []


def test_it_is_told_again_when_it_is_ten_times_as_much() -> None:
    story = log(Loading(ConsoleFlood), 5_100)
    assert [found.count for found in story.found] == [50, 500, 5_000]
    assert [found.context["repeats"] for found in story.found[1:]] == [story.found[0].id] * 2


def test_after_a_quiet_time_it_is_a_new_one() -> None:
    story = log(log(Loading(ConsoleFlood), 50), 50, began_ms=12_000)
    assert ["repeats" in found.context for found in story.found] == [False, False]


def test_what_is_logged_of_an_error_has_its_cause() -> None:
    story = Loading(ConsoleFlood, per_second=3)
    story.marked = True
    story.load()
    request, asked = story.ask("/api/stock")
    story.answer(request, "/api/stock", 500)
    for _ in range(3):
        story.log("No stock for 7", asked)
    assert story.link("was called 3 times", "GET /api/stock answered 500") is not None


def test_how_many_can_be_chosen() -> None:
    assert len(log(Loading(ConsoleFlood, per_second=5), 5).found) == 1
