"""Whatever else happens at the same time, a page's links are the same; and no signal counts twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.signal import Signal

from .flows import Story, at

Links = dict[str, tuple[str, str, float] | None]


def failed_save(story: Story) -> Story:
    request, flow = story.load().ask("/api/save", story.act("#save"), at("save", 10))
    story.acted().wait(0.05).answer(request, "/api/save", 500).log("Failed to save", flow)
    return story.throw("Error: HTTP 500", f"{flow}~t", at("save", 12), rejection=True, exception_id=1)


def twins(story: Story) -> Story:
    story.load()
    asked = [story.ask(f"/api/rows/{n}", story.act(f"#row{n}"), at("remove", 10)) for n in (1, 2)]
    for n in (2, 1):
        story.wait(0.02).answer(asked[n - 1][0], f"/api/rows/{n}", 500)
    for n in (1, 2):
        story.wait(0.1).log(f"row {n} stays", asked[n - 1][1], at("remove", 20))
    return story


def aborted(story: Story) -> Story:
    request, flow = story.load().ask("/api/slow", story.act("#slow"), at("load", 10))
    story.acted().wait(0.15).log("timed out", flow)
    return story.breaks(request, "/api/slow", "net::ERR_ABORTED", canceled=True)


def polling(story: Story) -> Story:
    story.load()
    for tick in (1, 2, 3):
        request, flow = story.ask(f"/poll/{tick}", f"{story.realm}:0~i1.{tick}", at("poll", 5))
        story.wait(0.01).answer(request, f"/poll/{tick}", 503).log(f"poll {tick} failed", flow).wait(0.1)
    return story


PLAYS: tuple[Callable[[Story], Story], ...] = (failed_save, twins, aborted, polling)


def played(play: Callable[[Story], Story], page: str, *, marked: bool) -> list[Signal]:
    return play(Story(page=page, marked=marked)).signals


def told(signals: list[Signal]) -> list[Event]:
    numbers = itertools.count(1)
    engine = Engine("shop", lambda: f"id{next(numbers)}")
    return [event for signal in signals for event in engine.feed(signal)] + engine.finish()


def links(events: list[Event], page: str) -> Links:
    by_id = {event.id: event for event in events}
    return {
        event.summary: event.cause
        and (by_id[event.cause.id].summary, event.cause.via, event.cause.confidence)
        for event in events
        if event.page == page
    }


def shifted(signal: Signal, by_s: float) -> Signal:
    return msgspec.structs.replace(
        signal, monotonic_s=signal.monotonic_s + by_s, wall_ms=signal.wall_ms + by_s * 1000
    )


@given(
    st.sampled_from(PLAYS),
    st.sampled_from(PLAYS),
    st.floats(-0.6, 0.6, allow_nan=False),
    st.booleans(),
    st.booleans(),
)
def test_two_pages_at_once_have_the_links_of_each_alone(
    one: Callable[[Story], Story], other: Callable[[Story], Story], by_s: float, marked: bool, same: bool
) -> None:
    first, second = played(one, "p1", marked=marked), played(other, "p2", marked=marked)
    second = [
        msgspec.structs.replace(shifted(signal, by_s), browser="b1" if same else "b2") for signal in second
    ]
    together = told(sorted([*first, *second], key=lambda signal: signal.monotonic_s))
    assert links(together, "p1") == links(told(first), "p1")
    assert links(together, "p2") == links(told(second), "p2")


@given(st.sampled_from(PLAYS), st.sampled_from(PLAYS), st.floats(0, 0.3, allow_nan=False))
def test_pages_share_no_chain(
    one: Callable[[Story], Story], other: Callable[[Story], Story], by_s: float
) -> None:
    second = [shifted(signal, by_s) for signal in played(other, "p2", marked=True)]
    events = told(sorted([*played(one, "p1", marked=True), *second], key=lambda signal: signal.monotonic_s))
    chains = [{event.correlation_id for event in events if event.page == page} for page in ("p1", "p2")]
    assert not chains[0] & chains[1]


@given(st.sampled_from(PLAYS), st.data())
def test_a_signal_that_comes_again_is_refused(play: Callable[[Story], Story], data: st.DataObject) -> None:
    signals = played(play, "p1", marked=True)
    engine = Engine("shop")
    once = [event for signal in signals for event in engine.feed(signal)]
    assert once
    again = data.draw(st.lists(st.sampled_from(signals), min_size=1))
    assert [event for signal in again for event in engine.feed(signal)] == []
    assert engine.repeats == len(again)


@given(st.sampled_from(PLAYS), st.booleans())
def test_the_same_signals_give_the_same_events(play: Callable[[Story], Story], marked: bool) -> None:
    signals = played(play, "p1", marked=marked)
    assert told(signals) == told(signals)


@given(st.sampled_from(PLAYS), st.booleans())
def test_a_chain_is_that_of_its_cause(play: Callable[[Story], Story], marked: bool) -> None:
    events = told(played(play, "p1", marked=marked))
    by_id = {event.id: event for event in events}
    for event in events:
        root = by_id[event.cause.id].correlation_id if event.cause else event.id
        assert event.correlation_id == root
