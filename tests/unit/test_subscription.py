"""One subscription on a clock that the test holds: when it tells, what it tells, and where it says that it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firstcause.api.errors import BadCursor
from firstcause.api.position import Position
from firstcause.api.subscription import FRAME_BYTES, FRAME_EVENTS, IDLE_S, TAKE_BYTES, Subscription
from firstcause.api.wire import AnyFrame, Batch, Digest, Gap, Live, Pos, Subscribed, decode_frame
from firstcause.correlator.event import Channel

from .streams import WISHES, Wish, World

ALL, MEDIUM, HTTP, _, URGENT_JS, NOTHING = WISHES


def reader(
    world: World,
    *channels: Channel,
    throttle_ms: int = 1000,
    wish: Wish = ALL,
    cursor: str = "",
    sub: int = 1,
) -> Subscription:
    wanted = channels or ("errors",)
    start = world.log.start_of(wanted, cursor)
    return Subscription(world.log, sub, wanted, wish.filter, throttle_ms, start, world.now_s)


def begun(world: World, *channels: Channel, **how: Any) -> Subscription:
    subscription = reader(world, *channels, **how)
    subscription.take(world.now_s)
    return subscription


def frames(subscription: Subscription, world: World) -> list[AnyFrame]:
    return [decode_frame(frame) for frame in subscription.take(world.now_s)]


def told(subscription: Subscription, world: World) -> list[tuple[Any, ...]]:
    """A frame in short: its name, and of ranges where they are and how much they tell."""
    short: list[tuple[Any, ...]] = []
    for frame in frames(subscription, world):
        match frame:
            case Batch():
                short.append(("batch", frame.prev, frame.upto, frame.count))
            case Digest():
                short.append(("digest", frame.prev, frame.upto, frame.count, len(frame.events)))
            case Gap():
                short.append(("gap", frame.prev, frame.upto, frame.lost))
            case Pos():
                short.append(("pos", *frame.positions.values()))
            case Subscribed():
                short.append(("subscribed", frame.reason, frame.recovered, *frame.positions.values()))
            case _:
                short.append((frame.__struct_config__.tag,))
    return short


# How it begins


def test_without_a_cursor_it_begins_with_what_happens_next():
    world = World()
    world.publish("errors", ["high"])
    subscription = reader(world)
    assert told(subscription, world) == [("subscribed", "fresh", True, 1), ("live",)]
    world.publish("errors", ["high"])
    assert told(subscription, world) == [("batch", 1, 2, 1)]


def test_start_is_the_oldest_that_memory_holds_and_live_comes_after_it():
    world = World(ring_events=3)
    world.publish("errors", ["info"] * 5)
    assert told(reader(world, cursor="start"), world) == [
        ("subscribed", "start", False, 2),
        ("batch", 2, 5, 3),
        ("live",),
    ]


def test_a_cursor_goes_on_where_it_ends():
    world = World()
    world.publish("errors", ["info"] * 2)
    cursor = begun(world).cursor
    world.publish("errors", ["info"])
    assert told(reader(world, cursor=cursor), world) == [
        ("subscribed", "complete", True, 2),
        ("batch", 2, 3, 1),
        ("live",),
    ]


def test_what_was_evicted_meanwhile_is_a_gap():
    world = World(ring_events=3)
    cursor = begun(world).cursor
    world.publish("errors", ["info"] * 5)
    assert told(reader(world, cursor=cursor), world) == [
        ("subscribed", "evicted", False, 0),
        ("gap", 0, 2, 2),
        ("batch", 2, 5, 3),
        ("live",),
    ]


def test_what_is_evicted_before_the_first_take_is_not_recovered():
    world = World(ring_events=3)
    cursor = begun(world).cursor
    world.publish("errors", ["info"])
    subscription = reader(world, cursor=cursor)
    world.publish("errors", ["info"] * 5)
    assert told(subscription, world)[:2] == [("subscribed", "evicted", False, 0), ("gap", 0, 3, 3)]


def test_a_channel_that_the_cursor_does_not_name_begins_with_what_happens_next():
    world = World(ring_events=2)
    world.publish("runs", ["info"] * 5)
    world.publish("errors", ["info"])
    cursor = begun(world, "errors").cursor
    world.publish("errors", ["info"])
    assert told(reader(world, "errors", "runs", cursor=cursor), world) == [
        ("subscribed", "complete", True, 1, 5),
        ("batch", 1, 2, 1),
        ("live",),
    ]


def test_a_channel_of_the_cursor_may_be_left_out():
    world = World()
    cursor = begun(world, "errors", "runs").cursor
    world.publish("errors", ["info"])
    world.publish("runs", ["info"])
    assert told(reader(world, "runs", cursor=cursor), world) == [
        ("subscribed", "complete", True, 0),
        ("batch", 0, 1, 1),
        ("live",),
    ]


def test_a_channel_that_is_named_twice_is_one():
    world = World()
    subscription = begun(world, "errors", "runs", "errors")
    assert subscription.channels == ("errors", "runs")
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("batch", 0, 1, 1)]


@pytest.mark.parametrize("seq", [4, 2**53 - 1, 10**15])
def test_a_cursor_beyond_the_log_is_brought_back(seq):
    world = World()
    world.publish("errors", ["info"] * 3)
    forged = str(Position(world.log.epoch, {"errors": seq}))
    subscription = reader(world, cursor=forged)
    assert told(subscription, world) == [("subscribed", "epoch_changed", False, 3), ("live",)]
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("batch", 3, 4, 1)]


def test_the_cursor_of_another_project_is_none_of_this_one():
    world = World()
    world.publish("errors", ["info"] * 2)
    other = world.hub.project("other")
    assert other.epoch != world.log.epoch
    cursor = str(Position(other.epoch, {"errors": 1}))
    assert told(reader(world, cursor=cursor), world) == [
        ("subscribed", "epoch_changed", False, 0),
        ("batch", 0, 2, 2),
        ("live",),
    ]


def test_a_cursor_of_no_known_epoch_begins_at_the_beginning_of_this_log():
    world = World(ring_events=2)
    world.publish("errors", ["info"] * 3)
    assert told(reader(world, "errors", "runs", cursor="0123.e900"), world) == [
        ("subscribed", "epoch_changed", False, 0, 0),
        ("gap", 0, 1, 1),
        ("batch", 1, 3, 2),
        ("live",),
    ]


def test_nothing_is_recovered_from_another_log_even_from_its_beginning():
    world = World()
    mark = world.log.epoch.removeprefix(world.hub.epoch)
    for epoch in ("0123", f"0123{mark}"):
        again = reader(world, cursor=f"{epoch}.e0")
        assert told(again, world) == [("subscribed", "epoch_changed", False, 0), ("live",)]


def test_what_is_no_cursor_is_refused():
    with pytest.raises(BadCursor):
        reader(World(), cursor="yesterday")


def test_a_restart_with_a_whole_journal_is_not_noticed():
    world = World(ring_events=3)
    subscription = begun(world)
    world.publish("errors", ["info"] * 2)
    subscription.take(world.now_s)
    world.publish("errors", ["info"])
    world.restart()
    again = reader(world, cursor=subscription.cursor)
    assert told(again, world) == [("subscribed", "complete", True, 2), ("batch", 2, 3, 1), ("live",)]
    assert again.cursor != subscription.cursor


def test_a_restart_that_lost_what_was_told_begins_where_the_journal_ended():
    world = World()
    subscription = begun(world)
    world.publish("errors", ["info"] * 5)
    subscription.take(world.now_s)
    world.restart({"errors": 2})
    world.publish("errors", ["high"] * 4)
    assert told(reader(world, cursor=subscription.cursor), world) == [
        ("subscribed", "epoch_changed", False, 3),
        ("batch", 3, 7, 4),
        ("live",),
    ]


# When it tells


def test_the_first_news_goes_at_once_and_what_follows_waits():
    world = World()
    subscription = begun(world)
    world.now_s += 100
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("batch", 0, 1, 1)]
    world.now_s += 0.4
    world.publish("errors", ["info"] * 2)
    assert told(subscription, world) == []
    assert subscription.due_s(world.now_s) == pytest.approx(world.now_s + 0.6)
    world.now_s = subscription.due_s(world.now_s)
    assert told(subscription, world) == [("batch", 1, 3, 2)]


def test_channels_do_not_wait_for_one_another():
    world = World()
    subscription = begun(world, "errors", "runs")
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("batch", 0, 1, 1)]
    world.publish("runs", ["info"])
    assert told(subscription, world) == [("batch", 0, 1, 1)]


def test_what_does_not_match_starts_no_interval():
    world = World()
    subscription = begun(world, wish=MEDIUM)
    world.publish("errors", ["info"])
    assert told(subscription, world) == []
    world.publish("errors", ["medium"])
    assert told(subscription, world) == [("batch", 0, 2, 1)]


def test_urgent_news_go_early_as_long_as_there_are_tokens():
    world = World()
    subscription = begun(world)
    told_at = []
    for _ in range(12):
        world.publish("errors", ["critical"])
        told_at.append(bool(told(subscription, world)))
    assert told_at == [True] * 6 + [False] * 6
    world.now_s += 0.5
    assert told(subscription, world) == [("batch", 6, 12, 6)]


def test_urgent_news_without_a_token_wait_for_the_next_one_not_for_the_interval():
    world = World()
    subscription = begun(world, throttle_ms=3_600_000)
    for _ in range(7):
        world.publish("errors", ["high"])
        subscription.take(world.now_s)
    assert subscription.lag == 1
    assert subscription.due_s(world.now_s) == pytest.approx(world.now_s + 0.5)
    world.now_s = subscription.due_s(world.now_s)
    assert told(subscription, world) == [("batch", 6, 7, 1)]


def test_urgent_news_take_what_waits_along():
    world = World()
    subscription = begun(world)
    world.publish("errors", ["info"])
    subscription.take(world.now_s)
    world.publish("errors", ["low", "high", "info"])
    assert told(subscription, world) == [("batch", 1, 4, 3)]


def test_urgent_news_that_do_not_match_take_no_token():
    world = World()
    subscription = begun(world, wish=URGENT_JS)
    world.publish("errors", ["high"], kind="js_error")
    subscription.take(world.now_s)
    for _ in range(20):
        world.publish("errors", ["high"], kind="http_500")
        assert told(subscription, world) == []
    world.publish("errors", ["high"], kind="js_error")
    assert told(subscription, world) == [("batch", 1, 22, 1)]


def test_what_was_told_before_is_not_urgent_again():
    world = World()
    subscription = begun(world, wish=HTTP)
    world.publish("errors", ["high"], kind="http_500")
    subscription.take(world.now_s)
    world.publish("errors", ["high"], kind="js_error")
    world.publish("errors", ["low"], kind="http_500")
    assert told(subscription, world) == []


def test_at_throttle_0_everything_goes_at_once_in_frames_of_bounded_size():
    world = World(ring_events=5000, ring_bytes=1 << 30)
    world.publish("errors", ["info"] * 4000)
    subscription = reader(world, cursor="start", throttle_ms=0)
    got: list[AnyFrame] = []
    while some := subscription.take(world.now_s):
        assert sum(map(len, some)) < TAKE_BYTES + 2 * FRAME_BYTES
        assert all(len(frame) < FRAME_BYTES + 500 for frame in some)
        got += map(decode_frame, some)
    batches = [frame for frame in got if isinstance(frame, Batch)]
    assert isinstance(got[0], Subscribed)
    assert isinstance(got[-1], Live)
    assert len(batches) == len(got) - 2
    assert sum(batch.count for batch in batches) == 4000
    assert all(batch.count == len(batch.events) <= FRAME_EVENTS for batch in batches)


def test_an_event_larger_than_a_frame_is_told_alone():
    world = World()
    subscription = begun(world, throttle_ms=0)
    world.publish("errors", ["info"])
    world.publish("errors", ["info"], summary="x" * 2 * FRAME_BYTES)
    world.publish("errors", ["info"] * 30)
    assert told(subscription, world) == [("batch", 0, 1, 1), ("batch", 1, 2, 1), ("batch", 2, 32, 30)]


def test_a_busy_channel_does_not_starve_another():
    world = World(ring_events=5000, ring_bytes=1 << 30)
    subscription = begun(world, "errors", "runs", throttle_ms=0)
    world.publish("errors", ["info"] * 3000)
    world.publish("runs", ["info"])
    first = [decode_frame(frame) for frame in subscription.take(world.now_s)]
    assert {frame.channel for frame in first if isinstance(frame, Batch)} == {"errors", "runs"}
    assert subscription.lag > 0
    assert subscription.due_s(world.now_s) == world.now_s


def test_live_waits_for_a_backlog_of_several_takes():
    world = World(ring_events=5000, ring_bytes=1 << 30)
    world.publish("errors", ["info"] * 3000)
    subscription = reader(world, cursor="start", throttle_ms=0)
    takes = []
    while some := told(subscription, world):
        assert subscription.due_s(world.now_s) == world.now_s or some[-1] == ("live",)
        takes.append(some)
    assert len(takes) > 2
    assert [frame for take in takes for frame in take].index(("live",)) == sum(map(len, takes)) - 1


# What it tells


def test_what_does_not_fit_is_counted_and_the_worst_are_told_in_order():
    world = World(inline_events=3)
    subscription = begun(world)
    world.publish("errors", ["info", "high"], kind="a", correlation_id="c1")
    subscription.take(world.now_s)
    world.publish("errors", ["critical", "low"], kind="a", correlation_id="c1")
    world.publish("errors", ["low", "high"], kind="b")
    (frame,) = frames(subscription, world)
    assert isinstance(frame, Digest)
    assert (frame.prev, frame.upto, frame.count, frame.omitted) == (2, 6, 4, 1)
    assert frame.by_kind == {"a": 2, "b": 2}
    assert frame.by_severity == {"critical": 1, "low": 2, "high": 1}
    assert frame.by_chain == {"c1": 2}
    assert (frame.fetch.after, frame.fetch.upto) == (2, 6)
    assert [json.loads(bytes(line))["seq"] for line in frame.events] == [3, 5, 6]


def test_rare_kinds_are_counted_together_even_when_one_has_that_name():
    world = World(inline_events=1)
    subscription = begun(world)
    world.publish("errors", ["info"])
    subscription.take(world.now_s)
    world.publish("errors", ["info"] * 3, kind="other")
    for number in range(60):
        world.publish("errors", ["info"], kind=f"k{number}")
    world.now_s += 1
    (frame,) = frames(subscription, world)
    assert isinstance(frame, Digest)
    assert len(frame.by_kind) == 40
    assert frame.by_kind["other"] == 3 + 21
    assert sum(frame.by_kind.values()) == frame.count == 63


@pytest.mark.parametrize("throttle_ms", [0, 1000])
def test_while_memory_is_short_everything_is_only_counted(throttle_ms):
    world = World()
    subscription = begun(world, throttle_ms=throttle_ms)
    world.hub.digest_only = True
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("digest", 0, 1, 1, 0)]
    world.hub.digest_only = False
    world.now_s += 1
    world.publish("errors", ["info"])
    assert told(subscription, world) == [("batch", 1, 2, 1)]


def test_a_gap_counts_what_was_not_looked_at_only():
    world = World(ring_events=4)
    subscription = begun(world, wish=MEDIUM)
    world.publish("errors", ["info"] * 3)
    assert told(subscription, world) == []
    world.publish("errors", ["info"] * 4)
    world.publish("errors", ["medium"])
    assert told(subscription, world) == [("gap", 0, 4, 1), ("batch", 4, 8, 1)]


def test_what_was_looked_at_and_evicted_is_no_gap():
    world = World(ring_events=2)
    subscription = begun(world, wish=MEDIUM)
    for _ in range(10):
        world.publish("errors", ["info"])
        assert told(subscription, world) == []
    world.publish("errors", ["medium"])
    assert told(subscription, world) == [("batch", 0, 11, 1)]


def test_a_gap_says_when_memory_was_short():
    world = World()
    subscription = begun(world)
    world.publish("errors", ["info"] * 3)
    world.log.rings["errors"].trim(0, 0, cause="pressure")
    (frame,) = frames(subscription, world)
    assert isinstance(frame, Gap)
    assert (frame.prev, frame.upto, frame.lost, frame.reason) == (0, 3, 3, "pressure")
    assert Position.parse(frame.cursor).seqs == {"errors": 3}


# Quiet times


def test_where_it_is_is_told_when_nothing_else_is():
    world = World()
    subscription = begun(world, wish=NOTHING)
    world.publish("errors", ["info"] * 3)
    assert told(subscription, world) == []
    assert subscription.due_s(world.now_s) == world.now_s + IDLE_S
    world.now_s += IDLE_S
    assert told(subscription, world) == [("pos", 3)]
    assert Position.parse(subscription.cursor).seqs == {"errors": 3}
    world.now_s += IDLE_S
    assert told(subscription, world) == [("pos", 3)]


def test_a_quiet_channel_does_not_stay_behind_while_another_is_loud():
    """Its place would be evicted one day, and resuming would find a gap where nothing is missing."""
    world = World()
    subscription = begun(world, "errors", "runs", wish=HTTP)
    short = []
    for _ in range(40):
        world.now_s += 1
        world.publish("runs", ["info"], kind="js_error")
        world.publish("errors", ["info"], kind="http_404")
        short += told(subscription, world)
    assert [frame for frame in short if frame[0] == "pos"] == [("pos", 15, 15), ("pos", 30, 30)]


# What can be changed


def test_what_is_muted_is_told_when_it_is_unmuted():
    world = World()
    subscription = begun(world, "errors", "runs")
    assert subscription.mute(["errors", "output"], muted=True) == ["errors"]
    world.publish("errors", ["critical"])
    world.publish("runs", ["info"])
    assert told(subscription, world) == [("batch", 0, 1, 1)]
    assert subscription.lag == 0
    assert subscription.mute([], muted=False) == []
    assert told(subscription, world) == [("batch", 0, 1, 1)]


def test_muting_before_the_first_take():
    world = World()
    world.publish("errors", ["info"])
    subscription = reader(world, cursor="start")
    assert subscription.mute([], muted=True) == ["errors"]
    assert told(subscription, world) == [("subscribed", "start", False, 0), ("live",)]
    subscription.mute([], muted=False)
    assert told(subscription, world) == [("batch", 0, 1, 1)]


def test_what_is_evicted_while_it_is_muted_is_a_gap():
    world = World(ring_events=2)
    subscription = begun(world)
    subscription.mute([], muted=True)
    world.publish("errors", ["info"] * 5)
    world.now_s += IDLE_S
    assert told(subscription, world) == [("pos", 0)]
    subscription.mute([], muted=False)
    assert told(subscription, world) == [("gap", 0, 3, 3), ("batch", 3, 5, 2)]


def test_all_muted_is_only_told_where_it_is():
    world = World()
    subscription = begun(world)
    subscription.mute([], muted=True)
    world.publish("errors", ["critical"])
    assert subscription.quiet_until_s == float("inf")
    assert subscription.due_s(world.now_s) == world.now_s + IDLE_S


def test_a_new_filter_judges_what_waits_but_not_what_was_passed_over():
    world = World()
    subscription = begun(world, wish=MEDIUM)
    world.publish("errors", ["medium", "info"])
    assert told(subscription, world) == [("batch", 0, 2, 1)]
    world.publish("errors", ["info"])
    world.now_s += 1
    assert told(subscription, world) == []
    world.publish("errors", ["info"])
    subscription.update(ALL.filter, 1000, world.now_s)
    assert Position.parse(subscription.cursor).seqs == {"errors": 3}
    assert told(subscription, world) == [("pos", 3), ("batch", 3, 4, 1)]


def test_a_new_filter_finds_what_is_urgent_by_it():
    world = World()
    subscription = begun(world, wish=HTTP)
    world.publish("errors", ["high"], kind="http_500")
    subscription.take(world.now_s)
    world.publish("errors", ["high"], kind="js_error")
    assert told(subscription, world) == []
    subscription.update(ALL.filter, 1000, world.now_s)
    assert told(subscription, world) == [("batch", 1, 2, 1)]


def test_another_throttle_counts_from_the_last_notification():
    world = World()
    subscription = begun(world, throttle_ms=10_000)
    world.publish("errors", ["info"])
    subscription.take(world.now_s)
    world.publish("errors", ["info"])
    world.now_s += 1
    assert told(subscription, world) == []
    subscription.update(ALL.filter, 3000, world.now_s)
    assert subscription.due_s(world.now_s) == world.now_s + 2
    subscription.update(ALL.filter, 0, world.now_s)
    assert told(subscription, world) == [("batch", 1, 2, 1)]
    subscription.update(ALL.filter, 5000, world.now_s)
    world.publish("errors", ["info"])
    assert subscription.due_s(world.now_s) == world.now_s + 5


# What readers share


def test_readers_at_the_same_place_get_the_same_bytes():
    world = World()
    first, second = begun(world), begun(world)
    world.publish("errors", ["info"])
    (one,), (other,) = first.take(world.now_s), second.take(world.now_s)
    assert one is other


@pytest.mark.parametrize("events", [1, 30])
def test_readers_that_differ_do_not(events):
    world = World()
    readers = [
        begun(world),
        begun(world, wish=MEDIUM),
        begun(world, sub=2),
        begun(world, "errors", "runs"),
    ]
    world.publish("errors", ["info", "medium"])
    late = begun(world)
    world.publish("errors", ["info", "medium"] * events)
    counts = []
    for one in (*readers, late):
        (frame,) = frames(one, world)
        assert isinstance(frame, Batch | Digest)
        assert (frame.sub, frame.cursor) == (one.sub, one.cursor)
        counts.append((frame.prev, frame.upto, frame.count))
    last = 2 + 2 * events
    assert counts == [
        (0, last, last),
        (0, last, last // 2),
        (0, last, last),
        (0, last, last),
        (2, last, last - 2),
    ]


def test_a_frame_is_made_anew_when_memory_has_become_short():
    world = World()
    first, second = begun(world), begun(world)
    world.publish("errors", ["info"] * 30)
    (full,) = frames(first, world)
    world.hub.digest_only = True
    (bare,) = frames(second, world)
    assert isinstance(full, Digest)
    assert isinstance(bare, Digest)
    assert (len(full.events), len(bare.events)) == (20, 0)
    assert (full.count, bare.count) == (30, 30)


def test_replays_do_not_fill_the_memory_with_frames():
    world = World()
    world.publish("errors", ["info"] * 1000)
    for seq in range(200):
        cursor = str(Position(world.log.epoch, {"errors": seq}))
        reader(world, cursor=cursor, throttle_ms=0).take(world.now_s)
    assert len(world.log.frames) <= 64
    assert sum(map(len, world.log.frames.values())) < 64 * 2 * FRAME_BYTES
