"""The hub on a loop: kept before it is told, in order, in groups; projects, limits, ranges, and how it ends and goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from firstcause.api.errors import BadCursor, BadFilter, ShuttingDown, TooMany
from firstcause.api.hub import GROUP_EVENTS, Hub
from firstcause.api.journal.base import ChannelKey, Record
from firstcause.api.journal.keeper import Keeper
from firstcause.api.journal.memory import MemoryJournal
from firstcause.api.journal.retention import Retention
from firstcause.api.journal.sqlite import SqliteJournal
from firstcause.api.position import Position
from firstcause.api.wire import Batch, Patterns, Subscribe, Subscribed, decode_frame

from .streams import StandIn, World, at_once, event, hub_on, run


class Reader:
    """Counts how often it is woken."""

    def __init__(self) -> None:
        self.nudges: list[bool] = []

    def nudge(self, now_s: float, *, urgent: bool) -> None:
        self.nudges.append(urgent)


class Slow(StandIn):
    """Keeps nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def append(self, records: Sequence[Record]) -> None:
        await self.let.wait()
        self.keep(records)


async def started(keeper: Any = None, **limits: int) -> Hub:
    hub = hub_on(keeper or StandIn(), asyncio.get_running_loop().time, **limits)
    await hub.start()
    return hub


async def publish(hub: Hub, count: int = 1, **fields: Any) -> None:
    for _ in range(count):
        hub.publish(event(**fields))
    await hub.kept()


def lines(entries: Sequence[Any]) -> list[int]:
    return [json.loads(one.line)["seq"] for one in entries]


def test_an_event_gets_its_place_at_once_and_is_told_when_it_is_kept():
    async def story():
        keeper = Slow()
        hub = await started(keeper)
        reader = Reader()
        subscription = hub.subscribe(Subscribe(throttle_ms=0), reader)
        subscription.take(0)
        assert [hub.publish(event()) for _ in range(2)] == [1, 2]
        assert hub.publish(event(channel="network_errors")) == 1
        waiting = asyncio.create_task(hub.kept())
        await asyncio.sleep(1)
        assert not waiting.done()
        assert (reader.nudges, subscription.take(0)) == ([], [])
        keeper.let.set()
        await waiting
        assert len(reader.nudges) == 1
        assert [decode_frame(frame).count for frame in subscription.take(0)] == [2, 1]  # type: ignore[union-attr]
        await hub.stop()

    run(story)


def test_kept_returns_at_once_when_nothing_waits():
    async def story():
        hub = await started()
        await hub.kept()
        await publish(hub)
        await hub.kept()
        await hub.stop()

    run(story)


def test_those_who_wait_for_different_events_are_each_told_in_time():
    async def story():
        keeper = Slow()
        hub = await started(keeper)
        hub.publish(event())
        first = asyncio.create_task(hub.kept())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        hub.publish(event())
        second = asyncio.create_task(hub.kept())
        keeper.let.set()
        await asyncio.wait({first, second})
        assert keeper.appended == [1, 1]
        await hub.stop()

    run(story)


def test_what_comes_together_is_kept_together():
    async def story():
        keeper = StandIn()
        hub = await started(keeper)
        reader = Reader()
        hub.subscribe(Subscribe(), reader)
        await publish(hub, 20)
        assert (keeper.appended, len(reader.nudges)) == ([20], 1)
        await publish(hub, GROUP_EVENTS + 1)
        assert keeper.appended == [20, GROUP_EVENTS, 1]
        await hub.stop()

    run(story)


def test_events_of_one_tick_go_to_their_projects_and_wake_their_readers_only():
    async def story():
        hub = await started()
        readers = {name: Reader() for name in ("shop", "blog", "idle")}
        for name, reader in readers.items():
            hub.subscribe(Subscribe(project=name), reader)
        hub.publish(event(project="shop"))
        hub.publish(event(project="blog", severity="critical"))
        hub.publish(event(project="blog"))
        hub.publish(event(project="shop"))
        await hub.kept()
        assert {name: reader.nudges for name, reader in readers.items()} == {
            "shop": [False],
            "blog": [True],
            "idle": [],
        }
        assert [hub.project(name).rings["errors"].last for name in readers] == [2, 2, 0]
        assert hub.events["errors", "js_error"] == 4
        await hub.stop()

    run(story)


def test_a_reader_with_two_subscriptions_is_woken_once_and_stays_until_the_last_ends():
    async def story():
        hub = await started()
        reader = Reader()
        first = hub.subscribe(Subscribe(), reader)
        second = hub.subscribe(Subscribe(), reader)
        await publish(hub)
        assert len(reader.nudges) == 1
        hub.unsubscribe(first, reader)
        await publish(hub)
        assert len(reader.nudges) == 2
        hub.unsubscribe(second, reader)
        await publish(hub)
        assert len(reader.nudges) == 2
        await hub.stop()

    run(story)


def test_a_reader_that_fails_and_a_look_at_memory_that_fails_stop_nothing(caplog):
    class Broken:
        def nudge(self, now_s: float, *, urgent: bool) -> None:
            raise ValueError("broken")

    def look() -> None:
        raise ValueError("no memory")

    async def story():
        hub = await started()
        reader = Reader()
        hub.subscribe(Subscribe(), Broken())
        hub.subscribe(Subscribe(), reader)
        hub.after_group = look
        await publish(hub)
        await publish(hub)
        assert len(reader.nudges) == 2
        await hub.stop()

    run(story)
    assert {str(record.exc_info[1]) for record in caplog.records if record.exc_info} == {
        "broken",
        "no memory",
    }


def test_what_was_published_before_the_end_is_kept_and_told():
    async def story():
        keeper = StandIn()
        hub = await started(keeper)
        reader = Reader()
        hub.subscribe(Subscribe(), reader)
        for _ in range(GROUP_EVENTS * 2):
            hub.publish(event())
        kept = asyncio.create_task(hub.kept())
        await hub.stop()
        await kept
        assert sum(keeper.appended) == GROUP_EVENTS * 2
        assert (len(reader.nudges), keeper.closed) == (2, 1)

    run(story)


def test_nothing_is_published_while_it_ends():
    async def story():
        keeper = Slow()
        hub = await started(keeper)
        hub.publish(event())
        ending = asyncio.create_task(hub.stop())
        await asyncio.sleep(1)
        with pytest.raises(ShuttingDown):
            hub.publish(event())
        keeper.let.set()
        await ending
        with pytest.raises(ShuttingDown):
            hub.publish(event())
        assert keeper.appended == [1]

    run(story)


def test_an_idle_hub_ends():
    async def story():
        await (await started()).stop()

    run(story)


def test_there_is_a_most_of_projects_and_unused_ones_make_room():
    async def story():
        hub = await started(max_projects=3)
        reader = Reader()
        await publish(hub, project="kept")
        subscription = hub.subscribe(Subscribe(project="read"), reader)
        hub.project("unused")
        hub.project("new")
        assert set(hub.projects) == {"kept", "read", "new"}
        hub.publish(event(project="new"))
        with pytest.raises(TooMany) as refused:
            hub.publish(event(project="more"))
        assert "max_projects" in refused.value.hint
        with pytest.raises(TooMany):
            hub.subscribe(Subscribe(project="more"), reader)
        hub.unsubscribe(subscription, reader)
        hub.publish(event(project="more"))
        await hub.kept()
        assert set(hub.projects) == {"kept", "new", "more"}
        await hub.stop()

    run(story)


def test_a_refused_subscription_leaves_no_reader():
    async def story():
        hub = await started()
        for spec, error in (
            (Subscribe(include=Patterns(url=["/(/"])), BadFilter),
            (Subscribe(cursor="x"), BadCursor),
        ):
            with pytest.raises(error):
                hub.subscribe(spec, Reader())
        assert not any(project.readers for project in hub.projects.values())
        await hub.stop()

    run(story)


def test_limits_give_the_throttle_where_a_subscription_names_none():
    async def story():
        hub = await started(throttle_ms=250)
        assert hub.subscribe(Subscribe(), Reader()).throttle_ms == 250
        assert hub.subscribe(Subscribe(throttle_ms=0), Reader()).throttle_ms == 0
        await hub.stop()

    run(story)


def test_a_project_s_memory_is_that_of_its_rings():
    async def story():
        hub = await started(ring_events=5)
        await publish(hub, 9)
        await publish(hub, 2, project="blog")
        here = hub.project("default").rings["errors"].after(0)
        assert hub.project("default").size_bytes == sum(one.size_bytes for one in here)
        assert hub.size_bytes == sum(project.size_bytes for project in hub.projects.values())
        await hub.stop()

    run(story)


# Ranges


async def ranged(hub: Hub, after: int, upto: int, limit: int = 100) -> tuple[list[int], int]:
    entries, complete_after = await hub.fetch("default", "errors", after, upto, limit)
    return lines(entries), complete_after


def test_a_range_comes_from_memory_and_from_the_journal():
    async def story():
        keeper = StandIn()
        hub = await started(keeper, ring_events=3)
        await publish(hub, 10)
        assert await ranged(hub, 7, 10) == ([8, 9, 10], 7)
        assert await ranged(hub, 8, 9) == ([9], 8)
        assert await ranged(hub, 2, 5) == ([3, 4, 5], 2)
        assert await ranged(hub, 2, 10, limit=2) == ([3, 4], 2)
        assert await ranged(hub, 5, 10) == ([6, 7], 5)
        assert await ranged(hub, 7, 10, limit=2) == ([8, 9], 7)
        keeper.forget(ChannelKey("default", "errors"), 4)
        assert await ranged(hub, 0, 10) == ([5, 6, 7], 4)
        assert await ranged(hub, 0, 3) == ([], 3)
        keeper.forget(ChannelKey("default", "errors"), 6)
        assert await ranged(hub, 0, 10) == ([8, 9, 10], 7)
        await hub.stop()

    run(story)


@pytest.mark.parametrize(("after", "upto"), [(10, 20), (5, 5), (6, 3), (50, 2**53 - 1), (10, 10)])
def test_a_range_of_nothing(after, upto):
    async def story():
        hub = await started()
        await publish(hub, 10)
        assert await ranged(hub, after, upto) == ([], after)
        await hub.stop()

    run(story)


def test_a_range_while_the_ring_moves_on():
    class Moving(StandIn):
        hub: Hub

        async def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
            if upto == 2:
                await publish(self.hub, 2)
                self.forget(key, 2)
            return await super().read(key, after, upto, limit)

    async def story():
        keeper = Moving()
        keeper.hub = hub = await started(keeper, ring_events=3)
        await publish(hub, 5)
        assert await ranged(hub, 0, 5) == ([3, 4], 2)
        await hub.stop()

    run(story)


# Journals


def test_held_is_what_a_journal_misses():
    async def story():
        hub = await started(ring_events=3)
        await publish(hub, 5)
        await publish(hub, 1, channel="runs", type="run")
        errors, runs = ChannelKey("default", "errors"), ChannelKey("default", "runs")
        records, floors = hub.held({errors: 3, runs: 1})
        assert ([record.seq for record in records], floors) == ([4, 5], {})
        records, floors = hub.held({errors: 1, runs: 1})
        assert ([record.seq for record in records], floors) == ([3, 4, 5], {errors: 2})
        records, floors = hub.held({})
        assert [(record.channel, record.seq) for record in records] == [
            ("errors", 3),
            ("errors", 4),
            ("errors", 5),
            ("runs", 1),
        ]
        assert floors == {errors: 2}
        assert hub.held({errors: 5, runs: 1}) == ([], {})
        await hub.stop()

    run(story)


def test_a_restart_goes_on_where_the_journal_ended():
    async def story():
        keeper = StandIn()
        hub = await started(keeper, ring_events=3)
        await publish(hub, 5)
        cursor = str(Position(hub.project("default").epoch, {"errors": 4}))
        await hub.stop()
        again = await started(keeper, ring_events=3)
        assert again.epoch != hub.epoch
        ring = again.project("default").rings["errors"]
        assert (ring.floor, ring.last, lines(ring.after(0))) == (2, 5, [3, 4, 5])
        assert again.publish(event()) == 6
        await again.kept()
        subscription = again.subscribe(Subscribe(cursor=cursor, channels=["errors"]), Reader())
        begun, batch, _ = [decode_frame(frame) for frame in subscription.take(again.clock())]
        assert isinstance(begun, Subscribed)
        assert isinstance(batch, Batch)
        assert (begun.recovered, batch.prev, batch.upto) == (True, 4, 6)
        await again.stop()

    run(story)


def test_a_channel_whose_events_are_all_gone_goes_on_counting():
    async def story():
        keeper = StandIn()
        hub = await started(keeper)
        await publish(hub, 5)
        await hub.stop()
        keeper.forget(ChannelKey("default", "errors"), 5)
        again = await started(keeper)
        assert again.publish(event()) == 6
        await again.stop()

    run(story)


def test_a_journal_that_claims_more_than_it_has_hides_nothing():
    async def story():
        keeper = StandIn()
        hub = await started(keeper)
        await publish(hub, 5)
        cursor = str(Position(hub.project("default").epoch, {"errors": 5}))
        await hub.stop()
        del keeper.kept[ChannelKey("default", "errors")][3:]
        again = hub_on(keeper, asyncio.get_running_loop().time)
        again.take_up(keeper.begin(10))
        again.ends = {hub.epoch: {ChannelKey("default", "errors"): 5}}
        project = again.project("default")
        assert project.start_of(["errors"], cursor) == ("epoch_changed", {"errors": 3})

    run(story)


def test_what_readers_shared_goes_with_the_next_news():
    async def story():
        hub = await started()
        subscription = hub.subscribe(Subscribe(throttle_ms=0), Reader())
        project = hub.project("default")
        for _ in range(3):
            await publish(hub)
            assert project.frames == {}
            subscription.take(hub.clock())
            assert len(project.frames) == 1
        await hub.stop()

    run(story)


async def test_memory_alone_begins_anew_every_time():
    for _ in range(2):
        hub = Hub(Keeper(MemoryJournal(), lambda _: None, lambda _: ([], {})))
        await hub.start()
        assert hub.publish(event()) == 1
        await hub.kept()
        assert await hub.fetch("default", "errors", 0, 1, 10) != ([], 0)
        await hub.stop()


async def test_sqlite_keeps_a_log_over_a_restart(tmp_path):
    def hub() -> Hub:
        journal = SqliteJournal(tmp_path / "journal.db", Retention())
        made = hub_on(None, asyncio.get_running_loop().time, ring_events=4)
        made.keeper = Keeper(journal, lambda _: None, made.held)
        return made

    first = hub()
    await first.start()
    await publish(first, 10)
    position = Position(first.project("default").epoch, {"errors": 7})
    await first.stop()

    second = hub()
    await second.start()
    assert second.publish(event()) == 11
    await second.kept()
    assert await ranged(second, 0, 11, limit=3) == ([1, 2, 3], 0)
    assert await ranged(second, 7, 11) == ([8, 9, 10, 11], 7)
    found = second.subscribe(Subscribe(channels=["errors"], cursor=str(position)), Reader())
    begun, batch, _ = [decode_frame(frame) for frame in found.take(second.clock())]
    assert isinstance(begun, Subscribed)
    assert isinstance(batch, Batch)
    assert (begun.recovered, batch.prev, batch.upto, batch.count) == (True, 7, 11, 4)
    await second.stop()


def test_a_hub_can_be_asked_before_it_runs():
    hub = hub_on(StandIn(), lambda: 0.0)
    assert at_once(hub.fetch("default", "errors", 0, 5, 10)) == ([], 0)


def test_kinds_beyond_measure_are_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstcause.api.hub.COUNTED_KINDS", 2)
    world = World()
    for kind in ("a", "b", "c", "d", "a"):
        world.publish("errors", ["low"], kind=kind)
    assert world.hub.events == {("errors", "a"): 2, ("errors", "b"): 1, ("errors", "other"): 2}
