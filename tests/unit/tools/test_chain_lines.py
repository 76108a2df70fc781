"""A line a chain: words and counts that stay true whatever events say."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.ring import Entry, entry_of
from firstcause.api.tools.chain_lines import chain_items
from firstcause.correlator.event import SEVERITIES, Cause, Event

from .agents import happened

texts = st.text(max_size=300)
places = st.none() | st.text(max_size=40) | st.integers() | st.lists(st.integers(), max_size=2)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Events that name causes and chains as publishers may: also later ones, themselves, and none that there are."""
    count = draw(st.integers(1, 25))
    ids = [f"{number:03}" for number in range(count)]
    names = st.none() | st.sampled_from([*ids, "gone"])
    return [
        happened(
            draw(st.sampled_from(["js_error", "http_error", "chain_merged"])),
            draw(st.sampled_from(SEVERITIES)),
            id=own,
            summary=draw(texts) or "x",
            correlation_id=draw(names),
            cause=None,
            context={"at": draw(places), "repeats": draw(names), "from": draw(names), "into": draw(names)},
        ).model_copy(
            update={"cause": Cause(id=cause, via="task", confidence=0.9) if (cause := draw(names)) else None}
        )
        for own in ids
    ]


def entries(events: list[Event]) -> list[Entry]:
    return [entry_of(event, number, 0) for number, event in enumerate(events, 1)]


@given(stories(), st.integers(200, 11_000))
def test_every_event_is_counted_in_one_line(events: list[Event], max_tokens: int) -> None:
    kept = entries(events)
    items = chain_items(kept, kept, max_tokens)
    told: Counter[str] = Counter()
    for item in items:
        told.update(item.events)
    assert told == Counter(event.severity for event in events)


@given(stories(), st.integers(200, 11_000))
def test_a_line_is_one_line_and_short(events: list[Event], max_tokens: int) -> None:
    kept = entries(events)
    for item in chain_items(kept[len(kept) // 2 :], kept, max_tokens):
        if item.line:
            assert len(item.line.splitlines()) == 1
            assert len(item.line.encode()) < 1_400


@given(stories())
def test_the_worst_come_first(events: list[Event]) -> None:
    kept = entries(events)
    worst = [min(map(SEVERITIES.index, item.events)) for item in chain_items(kept, kept, 1_000)]
    assert worst == sorted(worst)
