"""A client's pump: wakes when something is due, writes where there is room, keeps the order of answers and frames."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import pytest

from firstcause.api.errors import DuplicateSubscription, TooMany, UnknownSubscription
from firstcause.api.hub import Hub
from firstcause.api.pump import Pump
from firstcause.api.subscription import IDLE_S
from firstcause.api.wire import (
    Batch,
    Live,
    Pong,
    Pos,
    Subscribe,
    Subscribed,
    Unsubscribed,
    decode_frame,
    encode,
)

from .streams import StandIn, event, hub_on, run


class Wall:
    """A sink that keeps what comes, and has room or not; `had` waits for so many frames of a kind."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.times_s: list[float] = []
        self.is_full = False
        self.broken = False
        self._emptied = asyncio.Event()
        self._changed = asyncio.Event()

    def write(self, frames: Sequence[bytes]) -> bool:
        if self.broken:
            raise ConnectionResetError
        for frame in frames:
            self.frames.append(decode_frame(frame))
            self.times_s.append(asyncio.get_running_loop().time())
        self._changed.set()
        return not self.is_full

    async def room(self) -> None:
        await self._emptied.wait()

    def empty(self) -> None:
        self.is_full = False
        self._emptied.set()
        self._emptied = asyncio.Event()

    async def had(self, kind: type[Any], count: int = 1) -> list[Any]:
        while len(found := [one for one in self.frames if isinstance(one, kind)]) < count:
            self._changed.clear()
            await self._changed.wait()
        return found


class Stage:
    """A running hub, one pump on it and its sink."""

    def __init__(self, **limits: int) -> None:
        self.hub: Hub = hub_on(StandIn(), asyncio.get_running_loop().time, **limits)
        self.pump = Pump(self.hub, max_subscriptions=3)
        self.wall = Wall()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.hub.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.pump.close()
        await self.hub.stop()

    def pumping(self) -> asyncio.Task[None]:
        self._task = asyncio.create_task(self.pump.run(self.wall))
        return self._task

    async def publish(self, *severities: Any, **fields: Any) -> None:
        for severity in severities:
            self.hub.publish(event(severity=severity, **fields))
        await self.hub.kept()


def test_a_subscription_begins_without_news():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(id=3))
            assert isinstance((await stage.wall.had(Live))[0], Live)
            assert isinstance(stage.wall.frames[0], Subscribed)
            assert stage.wall.frames[0].sub == 3

    run(story)


def test_news_come_at_once_and_then_once_an_interval():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(channels=["errors"], throttle_ms=1000))
            await stage.wall.had(Live)
            began_s = stage.hub.clock()
            for _ in range(40):
                await stage.publish("info")
                await asyncio.sleep(0.1)
            batches = await stage.wall.had(Batch, 4)
            times_s = [
                at - began_s
                for at, one in zip(stage.wall.times_s, stage.wall.frames, strict=True)
                if isinstance(one, Batch)
            ]
            assert [round(at) for at in times_s[:4]] == [0, 1, 2, 3]
            assert all(later - at >= 1 for at, later in pairwise(times_s))
            assert [one.prev for one in batches[1:]] == [one.upto for one in batches[:-1]]

    run(story)


def test_what_waits_for_its_interval_comes_though_another_channel_is_quiet():
    """The quiet channel makes every news worth a look; the loud one's must then be waited for all the same."""

    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(channels=["errors", "runs"], throttle_ms=1000))
            await stage.wall.had(Live)
            await stage.publish("info")
            await stage.publish("info")
            began_s = stage.hub.clock()
            batches = await stage.wall.had(Batch, 2)
            assert [(one.prev, one.upto) for one in batches] == [(0, 1), (1, 2)]
            assert stage.hub.clock() - began_s <= 1

    run(story)


def test_urgent_news_without_a_token_come_with_the_next_one():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(throttle_ms=3_600_000))
            await stage.wall.had(Live)
            began_s = stage.hub.clock()
            for _ in range(7):
                await stage.publish("critical")
            batches = await stage.wall.had(Batch, 7)
            assert batches[-1].upto == 7
            assert stage.hub.clock() - began_s < 1

    run(story)


def test_a_long_backlog_comes_to_its_end_without_news():
    async def story():
        async with Stage(ring_events=5000, ring_bytes=1 << 30) as stage:
            stage.pumping()
            await stage.publish(*["info"] * 4000)
            stage.pump.subscribe(Subscribe(throttle_ms=0, cursor="start"))
            await stage.wall.had(Live)
            batches = await stage.wall.had(Batch)
            assert sum(one.count for one in batches) == 4000
            await stage.publish(*["info"] * 3000)
            while sum(one.count for one in await stage.wall.had(Batch)) < 7000:
                await stage.wall.had(Batch, len(await stage.wall.had(Batch)) + 1)

    run(story)


def test_where_it_is_is_told_in_quiet_times():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe())
            await stage.wall.had(Live)
            began_s = stage.hub.clock()
            await stage.wall.had(Pos, 3)
            assert 3 * IDLE_S <= stage.hub.clock() - began_s < 3 * IDLE_S + 1

    run(story)


def test_a_client_that_does_not_read_gets_what_came_meanwhile_in_one():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(throttle_ms=0))
            await stage.wall.had(Live)
            stage.wall.is_full = True
            await stage.publish("info")
            await stage.wall.had(Batch)
            for _ in range(50):
                await stage.publish("critical")
            assert len(await stage.wall.had(Batch)) == 1
            stage.wall.empty()
            batches = await stage.wall.had(Batch, 2)
            assert [(one.prev, one.upto) for one in batches] == [(0, 1), (1, 51)]

    run(story)


def test_a_client_that_reads_again_gets_what_comes_later():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(throttle_ms=0))
            await stage.wall.had(Live)
            stage.wall.is_full = True
            await stage.publish("info")
            await stage.wall.had(Batch)
            await asyncio.sleep(1)
            stage.wall.empty()
            await asyncio.sleep(1)
            await stage.publish("info")
            assert [one.upto for one in await stage.wall.had(Batch, 2)] == [1, 2]

    run(story)


def test_one_channel_s_news_come_when_its_interval_is_over():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            stage.pump.subscribe(Subscribe(channels=["errors"], throttle_ms=1000))
            await stage.wall.had(Live)
            await stage.publish("info")
            began_s = stage.hub.clock()
            await stage.publish("info")
            await stage.wall.had(Batch, 2)
            assert stage.hub.clock() - began_s <= 1

    run(story)


def test_a_sink_that_breaks_ends_its_own_pump_only():
    async def story():
        async with Stage() as stage:
            other = Pump(stage.hub)
            other.subscribe(Subscribe(throttle_ms=0))
            other.take()
            pumping = stage.pumping()
            stage.pump.subscribe(Subscribe(throttle_ms=0))
            await stage.wall.had(Live)
            stage.wall.broken = True
            await stage.publish("high")
            await stage.publish("high")
            assert len(other.take()) == 1
            stage.pump.wake()
            await stage.publish("high")
            stage.pump.say(b"{}")
            with pytest.raises(ConnectionResetError):
                await pumping
            other.close()

    run(story)


def test_answers_come_in_order_and_before_what_they_bring_about():
    async def story():
        async with Stage() as stage:
            pump = stage.pump
            pump.subscribe(Subscribe(id=1, throttle_ms=0))
            pump.take()
            await stage.publish("info")
            pump.say(encode(Pong(id=1)))
            pump.say(encode(Pong(id=2)))
            frames = [decode_frame(frame) for frame in pump.take()]
            assert frames[:2] == [Pong(id=1), Pong(id=2)]
            assert isinstance(frames[2], Batch)
            assert pump.take() == []

    run(story)


def test_an_answer_wakes_a_pump_that_waits():
    async def story():
        async with Stage() as stage:
            stage.pumping()
            await asyncio.sleep(1)
            stage.pump.say(encode(Pong(id=1)))
            assert await stage.wall.had(Pong) == [Pong(id=1)]

    run(story)


def test_subscriptions_of_different_projects_on_one_pump():
    async def story():
        async with Stage() as stage:
            for sub, project in ((1, "shop"), (2, "blog")):
                stage.pump.subscribe(Subscribe(id=sub, project=project, throttle_ms=0))
            stage.pump.take()
            stage.hub.publish(event(project="shop", id="s1"))
            stage.hub.publish(event(project="blog", id="b1"))
            stage.hub.publish(event(project="blog", id="b2"))
            stage.hub.publish(event(project="other"))
            await stage.hub.kept()
            frames = [decode_frame(frame) for frame in stage.pump.take()]
            assert [(one.sub, one.count) for one in frames if isinstance(one, Batch)] == [(1, 1), (2, 2)]
            stage.pump.unsubscribe(1)
            stage.hub.publish(event(project="shop"))
            stage.hub.publish(event(project="blog"))
            await stage.hub.kept()
            frames = [decode_frame(frame) for frame in stage.pump.take()]
            assert [(one.sub, one.count) for one in frames if isinstance(one, Batch)] == [(2, 1)]

    run(story)


def test_the_same_id_can_be_used_again():
    async def story():
        async with Stage() as stage:
            pump = stage.pump
            first = pump.subscribe(Subscribe(id=1, throttle_ms=0))
            pump.take()
            await stage.publish("info")
            assert pump.unsubscribe(1) is first
            pump.say(encode(Unsubscribed(sub=1, id=0, cursor=first.cursor)))
            second = pump.subscribe(Subscribe(id=1, throttle_ms=0, cursor=first.cursor))
            assert pump.subscription(1) is second
            names = [decode_frame(frame).__struct_config__.tag for frame in pump.take()]
            assert names == ["unsubscribed", "subscribed", "batch", "live"]
            await stage.publish("info")
            assert len(pump.take()) == 1

    run(story)


def test_what_can_not_be_subscribed():
    async def story():
        async with Stage() as stage:
            pump = stage.pump
            for sub in range(3):
                pump.subscribe(Subscribe(id=sub))
            with pytest.raises(DuplicateSubscription):
                pump.subscribe(Subscribe(id=1))
            with pytest.raises(TooMany):
                pump.subscribe(Subscribe(id=7))
            with pytest.raises(UnknownSubscription) as refused:
                pump.unsubscribe(9)
            assert "0, 1, 2" in refused.value.hint
            pump.unsubscribe(1)
            pump.subscribe(Subscribe(id=7))
            assert [one.sub for one in pump.subscriptions] == [0, 2, 7]

    run(story)


def test_a_closed_pump_is_no_reader_any_more():
    async def story():
        async with Stage() as stage:
            stage.pump.subscribe(Subscribe(id=1))
            stage.pump.subscribe(Subscribe(id=2, project="shop"))
            stage.pump.close()
            stage.pump.close()
            assert stage.pump.subscriptions == ()
            assert not any(project.readers for project in stage.hub.projects.values())
            await stage.publish("critical")

    run(story)
