"""A flood of equal failures is one event whose count grows; what differs in anything that matters is told by itself."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.correlator.storms import QUIET_S, TOLD_EACH
from firstcause.observer.domains.inspector import TargetCrashed
from firstcause.observer.domains.network import RequestSent, ResponseReceived
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionThrown
from firstcause.observer.signal import Signal

from . import signals
from .flows import Story, at
from .signals import failures, signal

ERROR = ConsoleCalled("error", "no stock")


def engine() -> Engine:
    """Without detectors: they have something to say about floods as well."""
    numbers = itertools.count(1)
    return Engine("shop", lambda: f"id{next(numbers)}", detectors=())


def told(*those: Signal) -> list[Event]:
    return signals.told(*those, by=engine())


def counts(events: list[Event]) -> list[int]:
    return [event.count for event in failures(events)]


def flood(many: int, every_s: float = 0.001) -> list[Event]:
    return told(*(signal(ERROR, number * every_s) for number in range(many)))


@pytest.mark.parametrize(
    ("many", "told_counts"),
    [
        (1, [1]),
        (2, [1, 2]),
        (9, [1, 9]),
        (10, [1, 10]),
        (11, [1, 10, 11]),
        (100, [1, 10, 100]),
        (10_000, [1, 10, 100, 1_000, 10_000]),
    ],
)
def test_it_is_told_at_powers_of_ten_and_at_its_end(many: int, told_counts: list[int]) -> None:
    assert counts(flood(many)) == told_counts


def test_each_telling_refers_to_the_first_and_says_how_often_and_how_long() -> None:
    first, grown = flood(10, every_s=0.5)
    assert grown.context == {**first.context, "repeats": first.id}
    assert grown.summary == "no stock (10 times in 4.5 s)"
    assert (grown.kind, grown.correlation_id, grown.fingerprint) == (
        first.kind,
        first.correlation_id,
        first.fingerprint,
    )
    assert grown.id != first.id


def test_its_end_is_told_when_nothing_came_for_a_while() -> None:
    teller = engine()
    for number in range(3):
        teller.feed(signal(ERROR, number * 1.0))
    assert teller.next_due_s is not None
    assert teller.advance(102 + QUIET_S - 0.001) == []
    [end] = teller.advance(102 + QUIET_S)
    assert end.count == 3
    assert teller.next_due_s is None


def test_after_a_quiet_time_it_is_a_new_one() -> None:
    events = told(signal(ERROR), signal(ERROR, QUIET_S), signal(ERROR, 2 * QUIET_S - 0.01))
    assert counts(events) == [1, 1, 2]


@pytest.mark.parametrize(
    "other",
    [
        {"page": "p2"},
        {"browser": "b2"},
        {"stack": (at("elsewhere", 3),)},
    ],
)
def test_another_page_or_place_is_another_failure(other: dict[str, Any]) -> None:
    assert counts(told(signal(ERROR), signal(ERROR, **other))) == [1, 1]


def test_another_cause_makes_another_failure() -> None:
    story = Story(engine()).load()
    for _ in range(3):
        story.log("no stock", story.act("#buy"), at("buy", 3)).acted().wait(1.0)
    assert counts([event for event in story.events if event.kind == "console_error"]) == [1, 1, 1]


def test_of_one_template_ten_are_told_and_the_others_counted() -> None:
    events = told(*(signal(ConsoleCalled("error", f"item {n} is gone"), n * 0.01) for n in range(250)))
    assert [event.count for event in events[:TOLD_EACH]] == [1] * TOLD_EACH
    assert sum(event.count for event in events[: TOLD_EACH - 1]) + events[-1].count == 250
    assert events[-1].summary == "item 9 is gone and 240 like it in 2.4 s"


def test_every_failure_of_a_storm_of_requests_is_counted() -> None:
    many = 10_000
    url = "http://shop.test/a"
    events = told(
        *(
            signal(ResponseReceived("GET", url, "Fetch", 500), n * 1e-4, request_id=f"R{n}")
            for n in range(many)
        )
    )
    assert counts(events)[-1] == many
    assert len(events) < 10


def test_a_crash_is_always_told() -> None:
    crash = TargetCrashed("http://shop.test/")
    assert counts(told(signal(crash), signal(crash, 1.0))) == [1, 1]


def test_a_flood_pushes_nothing_else_out() -> None:
    quiet = signal(ExceptionThrown("TypeError: x is undefined"))
    events = told(quiet, *(signal(ERROR, 0.1 + number * 1e-4) for number in range(20_000)))
    assert len(events) < 20
    assert events[0].kind == "uncaught_exception"


def test_what_a_page_logs_is_counted_too_but_its_requests_are_not() -> None:
    logs = told(*(signal(ConsoleCalled("log", "tick"), number * 0.01) for number in range(1_000)))
    assert [event.count for event in logs] == [1, 10, 100, 1_000]
    url = "http://shop.test/api/ping"
    polls = told(
        *(
            signal(detail, n * 0.01, request_id=f"R{n}")
            for n in range(100)
            for detail in (RequestSent("GET", url, "Fetch"), ResponseReceived("GET", url, "Fetch", 200))
        )
    )
    assert len(polls) == 100


def test_what_comes_of_a_counted_failure_comes_of_the_event_that_counts_it() -> None:
    story = Story(engine()).load()
    click = story.act("#buy")
    for _ in range(3):
        request_id, asked = story.ask("/api/stock", click)
        story.answer(request_id, "/api/stock", 500).wait(0.5)
    story.log("no stock", asked)
    link = story.link("no stock", "GET /api/stock answered 500 after 20 ms")
    assert link is not None
    assert link[0] == "task"
