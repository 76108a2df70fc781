"""The engine as a whole: what is held back and when it is told, ids and times, several browsers, and a memory with bounds."""

from __future__ import annotations

import pickle

import pytest
from uuid6 import UUID

from firstcause.correlator.engine import HOLD_S, Engine, iso_ms
from firstcause.observer.cdp.targets import TargetClosed, TargetOpened
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import RequestFailed, RequestSent, ResponseExtra, ResponseReceived
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionRevoked, ExceptionThrown
from firstcause.observer.signal import Signal

from .signals import WALL_MS, engine, only, signal, told

REJECTED = ExceptionThrown(
    "Error: no stock", rejection=True, exception_id=7, url="http://shop.test/cart.js", line=3, column=9
)
HANDLED = ExceptionRevoked(7)
ERROR = ConsoleCalled("error", "no stock")


def test_a_rejection_is_held_back_and_then_told_by_its_own_time() -> None:
    teller = engine()
    assert teller.feed(signal(REJECTED)) == []
    assert teller.next_due_s == 100 + HOLD_S
    assert teller.advance(100 + HOLD_S - 0.001) == []
    [event] = teller.advance(100 + HOLD_S)
    assert (event.kind, event.severity) == ("unhandled_rejection", "high")
    assert event.timestamp == iso_ms(WALL_MS)
    assert teller.next_due_s is None


def test_a_rejection_is_told_before_what_comes_after_its_time() -> None:
    events = told(signal(REJECTED), signal(ERROR, HOLD_S - 0.1), signal(ERROR, HOLD_S + 0.1))
    assert [event.kind for event in events] == ["console_error", "unhandled_rejection", "console_error"]
    assert [event.seq for event in events] == [1, 2, 3]


def test_a_rejection_that_is_handled_in_time_was_none() -> None:
    assert told(signal(REJECTED), signal(HANDLED, HOLD_S - 0.001)) == []


def test_a_rejection_that_is_handled_later_is_taken_back_by_name() -> None:
    rejected, handled = told(signal(REJECTED), signal(HANDLED, HOLD_S + 0.2))
    assert (handled.kind, handled.channel, handled.severity) == ("rejection_handled", "activity", "info")
    assert handled.context == {"event": rejected.id}


def test_a_rejection_is_taken_back_once() -> None:
    assert len(told(signal(REJECTED), signal(HANDLED, 1), signal(HANDLED, 2))) == 2


@pytest.mark.parametrize(
    "other",
    [signal(HANDLED, 0.1, session="S2"), signal(ExceptionRevoked(8), 0.1)],
    ids=["session", "exception"],
)
def test_only_the_rejection_itself_is_taken_back(other: Signal) -> None:
    assert only(signal(REJECTED), other).kind == "unhandled_rejection"


def test_of_several_rejections_the_handled_one_goes() -> None:
    more = [ExceptionThrown(f"Error: {n}", rejection=True, exception_id=n) for n in (6, 8)]
    events = told(signal(more[0]), signal(REJECTED, 0.01), signal(more[1], 0.02), signal(HANDLED, 0.03))
    assert [event.summary for event in events] == [
        "Unhandled rejection: Error: 6",
        "Unhandled rejection: Error: 8",
    ]


def test_nothing_is_left_when_all_is_over() -> None:
    teller = engine()
    teller.feed(signal(REJECTED))
    assert [event.kind for event in teller.finish()] == ["unhandled_rejection"]
    assert teller.finish() == []


def test_what_is_evidence_only_is_not_told() -> None:
    assert told(signal(RequestSent("GET", "http://shop.test/", "Fetch"), request_id="R1")) == []


def test_ids_are_new_and_in_order() -> None:
    teller = Engine()
    words = "abcdefghijklmnopqrstuvwxyz"
    events = [event for word in words for event in teller.feed(signal(ConsoleCalled("error", word)))]
    ids = [event.id for event in events]
    assert all(UUID(each).version == 7 for each in ids)
    assert ids == sorted(set(ids))
    assert [event.seq for event in events] == list(range(1, len(words) + 1))


def test_each_channel_counts_for_itself() -> None:
    missing = LogEntry("network", "error", "…status of 404 (Not Found)", "http://shop.test/a")
    events = told(signal(ERROR), signal(missing, 1.0), signal(ERROR, 2.0))
    assert [(event.channel, event.seq) for event in events] == [
        ("errors", 1),
        ("network_errors", 1),
        ("errors", 2),
    ]


def test_browsers_are_sessions_of_one_project() -> None:
    events = told(signal(ERROR), signal(ERROR, browser="b2"), signal(ERROR))
    one, two, again = [event.session for event in events]
    assert one == again != two
    assert {event.project for event in events} == {"shop"}


def test_addresses_are_shown_as_the_page_would_say_them() -> None:
    def shown(page: str, *before: Signal) -> str:
        failed = ResponseReceived("GET", "http://shop.test/api/cart", "Fetch", 500)
        return str(told(*before, signal(failed, request_id="R1", page=page))[-1].context["url"])

    visited = signal(Navigated("http://shop.test/"))
    assert shown("p1") == "http://shop.test/api/cart"
    assert shown("p1", visited) == "/api/cart"
    assert shown("p2", visited) == "http://shop.test/api/cart"
    assert shown("p1", visited, signal(Navigated("http://other.test/"))) == "http://shop.test/api/cart"
    assert shown("p1", visited, signal(Navigated("http://ads.test/", main_frame=False))) == "/api/cart"
    assert shown("p1", visited, signal(TargetClosed("page"))) == "http://shop.test/api/cart"
    found = signal(TargetOpened("page", "http://shop.test/basket"))
    assert shown("p1", found) == "/api/cart"
    assert shown("p1", visited, found, signal(Navigated("http://other.test/"))) == "http://shop.test/api/cart"


def test_the_status_from_the_wire_explains_a_failure_that_hides_it() -> None:
    event = only(
        signal(ResponseExtra(503), request_id="R1"),
        signal(
            RequestFailed(
                "GET", "http://api.test/x", "Fetch", "net::ERR_FAILED", cors_error="MissingAllowOriginHeader"
            ),
            request_id="R1",
        ),
    )
    assert event.context["status"] == 503


@pytest.mark.parametrize(
    ("wall_ms", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_764_000_000_123.0, "2025-11-24T16:00:00.123Z"),
        (1_764_000_000_999.9, "2025-11-24T16:00:00.999Z"),
        (1_764_000_001_000.2, "2025-11-24T16:00:01.000Z"),
    ],
)
def test_times_are_iso_with_milliseconds(wall_ms: float, text: str) -> None:
    assert iso_ms(wall_ms) == text


def test_the_same_signals_make_the_same_events() -> None:
    story = [
        signal(Navigated("http://shop.test/")),
        signal(REJECTED, 0.1),
        signal(ERROR, 0.2),
        signal(ResponseReceived("GET", "http://shop.test/a", "Fetch", 404), 0.3, request_id="R1"),
        signal(
            LogEntry("network", "error", "…status of 404 (Not Found)", "http://shop.test/a"),
            0.4,
            request_id="R1",
        ),
        signal(HANDLED, 1.0),
    ]
    assert told(*story) == told(*story)


def held(teller: Engine) -> int:
    """Everything in an engine's memory, in bytes; ids and seconds are all that it holds beside texts."""
    return len(pickle.dumps(vars(teller), protocol=5))


def one_id() -> str:
    return "id"


def test_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 300
    for name in (
        "causes.KEPT_WAITING",
        "chains.KEPT_EVENTS",
        "contexts.KEPT_CONTEXTS",
        "engine.KEPT_ABORTS",
        "engine.KEPT_EPISODES",
        "engine.KEPT_REJECTIONS",
        "engine.KEPT_SESSIONS",
        "teller.KEPT_STATUSES",
        "flow.KEPT_PAGES",
        "flow.KEPT_REQUESTS",
        "flow.KEPT_THREADS",
        "fold.KEPT_ADDRESSES",
        "fold.KEPT_KEYS",
        "storms.KEPT_STORMS",
    ):
        monkeypatch.setattr(f"firstcause.correlator.{name}", bound)
    teller = Engine("shop", one_id, detectors=())

    def live(since: int, until: int) -> None:
        for n in range(since, until):
            at_s, page = n * 0.01, f"p{n}"
            url = f"http://shop.test/{n:06}"
            teller.feed(signal(TargetOpened("page"), at_s, page=page))
            teller.feed(signal(Navigated(url), at_s, page=page))
            teller.feed(signal(ResponseExtra(500), at_s, request_id=f"R{n:06}"))
            teller.feed(
                signal(ResponseReceived("GET", url, "Fetch", 500), at_s, request_id=f"R{n:06}", page=page)
            )
            rejected = ExceptionThrown("Error: x", rejection=True, exception_id=n)
            teller.feed(signal(rejected, at_s, page=page))
            teller.feed(signal(TargetClosed("page"), at_s, page=page))

    live(0, 2 * bound)
    full = held(teller)
    live(2 * bound, 8 * bound)
    assert held(teller) <= full * 1.02
