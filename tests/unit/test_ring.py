"""A ring keeps the newest, knows what is gone, and books the memory that it takes."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.ring import Entry, Ring, entry_of, entry_of_line

from .streams import entry, event


def ring_of(*sizes: int, floor: int = 0) -> Ring:
    ring = Ring(floor)
    for index, size in enumerate(sizes):
        ring.append(entry(floor + index + 1, summary="s" * size))
    return ring


def seqs(entries: list[Entry]) -> list[int]:
    return [one.seq for one in entries]


def test_an_entry_is_the_event_at_its_place():
    told = event(
        severity="high",
        page="p1",
        context={"url": "http://shop.test/cart", "selector": "#buy"},
        correlation_id="c1",
    )
    made = entry_of(told, 7, 99)
    assert made.line.decode() == told.model_copy(update={"seq": 7}).line()
    assert (made.seq, made.kind, made.severity, made.page, made.session) == (
        7,
        "js_error",
        "high",
        "p1",
        "s1",
    )
    assert (made.chain, made.text, made.url, made.selector) == (
        "c1",
        "cart is undefined",
        "http://shop.test/cart",
        "#buy",
    )
    assert made.stored_ms == 99


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    summary=st.text(st.characters(exclude_categories=["Cs"])),
    seq=st.integers(0, 20),
    context=st.dictionaries(
        st.sampled_from(["url", "selector", "element", "more"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.lists(st.integers(), max_size=2),
        ),
    ),
)
def test_an_entry_comes_back_from_its_line(name, summary, seq, context):
    told = event(id=name, seq=seq, summary=summary, context=context, page="p1")
    made = entry_of(told, 12, 5)
    assert made.line.decode() == told.model_copy(update={"seq": 12}).line()
    assert entry_of_line(made.line, 5) == made


def test_an_id_can_not_pass_for_the_seq():
    made = entry_of(event(id='"seq":0,', summary='"seq":0,'), 3, 0)
    assert entry_of_line(made.line, 0).seq == 3
    assert made.text == '"seq":0,'


def test_a_url_that_is_null_is_none():
    assert entry(context={"url": None, "selector": None, "element": "button"}).url == ""
    assert entry(context={"url": None, "selector": None, "element": "button"}).selector == "button"


def test_the_newest_are_kept():
    ring = ring_of(*[1] * 10)
    assert ring.trim(4, 1e9) == 6
    assert (ring.floor, ring.last, len(ring)) == (6, 10, 4)
    assert seqs(ring.after(0)) == [7, 8, 9, 10]
    assert ring.oldest is not None
    assert ring.oldest.seq == 7


@pytest.mark.parametrize(
    ("after", "upto", "there"),
    [
        (0, None, [7, 8, 9]),
        (6, None, [7, 8, 9]),
        (7, None, [8, 9]),
        (9, None, []),
        (50, None, []),
        (0, 8, [7, 8]),
        (7, 8, [8]),
        (8, 8, []),
        (9, 7, []),
        (0, 3, []),
        (0, 50, [7, 8, 9]),
        (50, 60, []),
    ],
)
def test_a_range_is_what_is_still_here(after, upto, there):
    ring = ring_of(*[1] * 9)
    ring.trim(3, 1e9)
    assert seqs(ring.after(after, upto)) == there


def test_bytes_are_bounded_by_letting_the_oldest_go():
    ring = ring_of(10, 10, 5000, 10)
    size = ring.size_bytes
    assert ring.trim(100, size - 1) == 1
    assert ring.trim(100, 3000) == 2
    assert seqs(ring.after(0)) == [4]
    assert ring.size_bytes == ring.after(0)[0].size_bytes


def test_an_event_that_is_larger_than_all_room_is_gone_but_counted():
    ring = ring_of(9000)
    assert ring.trim(10, 5000) == 1
    assert (ring.floor, ring.last, len(ring), ring.size_bytes) == (1, 1, 0, 0)
    assert ring.oldest is None


def test_the_cause_is_that_of_the_last_trim_that_let_something_go():
    ring = ring_of(1, 1, 1)
    assert ring.cause == "evicted"
    ring.trim(2, 1e9, cause="pressure")
    assert ring.cause == "pressure"
    ring.trim(2, 1e9)
    assert ring.cause == "pressure"
    ring.trim(1, 1e9)
    assert ring.cause == "evicted"


def test_the_last_urgent_one_is_known():
    ring = Ring(4)
    for severity in ("info", "high", "critical", "medium"):
        ring.append(entry(ring.last + 1, severity=severity))
    assert ring.urgent == 7


def test_a_ring_goes_on_where_a_journal_ended():
    ring = Ring(100)
    assert (ring.floor, ring.last, ring.given) == (100, 100, 100)
    ring.append(entry(101))
    assert ring.given == 101


def test_a_hole_is_refused():
    with pytest.raises(AssertionError):
        Ring(3).append(entry(5))


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 50), st.integers(0, 60_000)), max_size=12),
    st.integers(0, 1000),
)
def test_what_is_here_is_always_the_newest_without_holes(rounds, floor):
    ring = Ring(floor)
    for appended, max_events, max_bytes in rounds:
        for _ in range(appended):
            ring.append(entry(ring.last + 1, summary="s" * (ring.last % 7 * 100)))
        ring.trim(max_events, max_bytes)
        here = ring.after(0)
        assert seqs(here) == list(range(ring.floor + 1, ring.last + 1))
        assert ring.size_bytes == sum(one.size_bytes for one in here) <= max_bytes
        assert len(ring) == len(here) <= max_events


def test_what_is_evicted_is_let_go_at_once():
    """It used to stay until there was enough for the list to be compacted: a trim for lack of memory freed none."""
    ring = ring_of(*[1] * 40)
    oldest = ring.oldest
    references = sys.getrefcount(oldest)
    ring.trim(39, 1e9)
    assert sys.getrefcount(oldest) == references - 1


def test_the_places_of_what_is_gone_do_not_pile_up():
    ring = Ring()
    for seq in range(1, 5001):
        ring.append(entry(seq))
        ring.trim(50, 1e9)
    assert len(ring._entries) < 60


def test_memory_is_booked_with_the_texts():
    small, large = entry(summary="s"), entry(summary="s" * 1000)
    assert large.size_bytes - small.size_bytes == 2 * 999
