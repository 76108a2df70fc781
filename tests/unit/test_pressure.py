"""Memory pressure: what goes at which level, that it is told exactly, and that it eases."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.filters import compiled
from firstcause.api.hub import Project
from firstcause.api.pressure import EASED_BY, Level, Pressure, rss_bytes
from firstcause.api.subscription import Subscription
from firstcause.api.wire import Patterns
from firstcause.correlator.event import Channel

from .serving import client_of, ids_of, serving, streaming, told
from .streams import World


class Pressed:
    """A log without a server, and what was told about its memory."""

    def __init__(self, **options: Any) -> None:
        self.world = World(ring_events=1000)
        self.told: list[tuple[Level, str, str]] = []
        self.now_s = 1_000_000.0
        self.pressure = Pressure(
            self.world.hub,
            1,
            tell=lambda *told: self.told.append(told),
            now_s=lambda: self.now_s,
            **options,
        )

    @property
    def hub(self) -> Any:
        return self.world.hub

    def publish(self, count: int, channel: Channel = "errors", project: str = "default") -> None:
        self.world.truth.clear()
        for _ in range(count):
            ring = self.hub.project(project).rings[channel]
            self.world.truth[channel] = [None] * ring.given  # type: ignore[list-item]
            self.world.publish(channel, ["low"], project=project)

    def at(self, percent: float) -> None:
        """Have what is kept be so much of the budget, and look."""
        self.pressure.budget_bytes = int(self.hub.size_bytes * 100 / percent)
        self.pressure.look()

    def kept(self, channel: Channel = "errors", project: str = "default") -> int:
        return len(self.hub.project(project).rings[channel])

    @property
    def levels(self) -> list[int]:
        return [level for level, _, _ in self.told]


@pytest.fixture
def pressed() -> Pressed:
    return Pressed()


def reader(project: Project, *channels: Channel) -> Subscription:
    start: Any = ("fresh", {channel: project.rings[channel].last for channel in channels})
    return Subscription(project, 0, channels, compiled(Patterns(), Patterns(), "info"), 0, start, 1000.0)


def test_below_the_first_level_nothing_happens(pressed: Pressed) -> None:
    pressed.publish(800)
    pressed.at(69)
    assert (pressed.pressure.level, pressed.told, pressed.kept()) == (0, [], 800)


def test_at_70_the_older_half_goes(pressed: Pressed) -> None:
    pressed.publish(800)
    pressed.publish(300, "performance")
    pressed.at(72)
    assert (pressed.kept(), pressed.kept("performance")) == (500, 300)
    ((level, severity, text),) = pressed.told
    assert (level, severity) == (70, "low")
    assert text.startswith("Kept events take 72 % of ")
    assert not pressed.hub.digest_only


def test_at_90_output_and_activity_go_and_digests_are_told(pressed: Pressed) -> None:
    pressed.publish(100)
    pressed.publish(40, "output")
    pressed.publish(60, "activity")
    client = reader(pressed.hub.project("default"), "errors", "output")
    client.take(1000.0)
    pressed.publish(2)
    pressed.publish(3, "output")
    pressed.at(92)
    assert (pressed.kept(), pressed.kept("output"), pressed.kept("activity")) == (102, 0, 0)
    assert pressed.levels == [70, 90]
    frames = [json.loads(frame) for frame in client.take(1001.0)]
    assert [frame["op"] for frame in frames] == ["digest", "gap"]
    assert (frames[0]["count"], frames[0]["omitted"], frames[0]["events"]) == (2, 2, [])
    assert (frames[1]["channel"], frames[1]["lost"], frames[1]["reason"]) == ("output", 3, "pressure")


def test_at_95_the_largest_project_goes(pressed: Pressed) -> None:
    pressed.publish(100, project="shop")
    pressed.publish(300, project="bank")
    client = reader(pressed.hub.project("bank"), "errors")
    client.take(1000.0)
    pressed.publish(5, project="bank")
    pressed.at(97)
    assert (pressed.kept(project="shop"), pressed.kept(project="bank")) == (100, 0)
    assert [(level, severity) for level, severity, _ in pressed.told] == [
        (70, "low"),
        (90, "medium"),
        (95, "high"),
    ]
    (gap,) = [json.loads(frame) for frame in client.take(1001.0)]
    assert (gap["prev"], gap["upto"], gap["lost"], gap["reason"]) == (300, 305, 5, "pressure")


def test_a_step_that_brings_enough_is_the_last_one(pressed: Pressed) -> None:
    pressed.publish(1000)
    pressed.at(97)
    assert (pressed.levels, pressed.kept()) == ([70], 500)
    pressed.pressure.look()
    assert pressed.levels == [70, 0]


def test_it_eases_later_than_it_begins(pressed: Pressed) -> None:
    pressed.publish(300)
    pressed.at(91)
    assert (pressed.levels, pressed.hub.digest_only) == ([70, 90], True)
    pressed.at(90 - EASED_BY)
    assert (pressed.levels, pressed.hub.digest_only) == ([70, 90], True)
    pressed.at(79)
    assert (pressed.levels, pressed.hub.digest_only) == ([70, 90, 70], False)
    pressed.at(60)
    assert pressed.levels == [70, 90, 70]
    pressed.at(59)
    assert pressed.levels == [70, 90, 70, 0]
    assert pressed.told[-1][1:] == ("info", pressed.told[-1][2])
    assert pressed.told[-1][2].endswith("there is room again")
    assert pressed.pressure.steps == {0: 1, 70: 2, 90: 1, 95: 0}


def test_while_it_eases_nobody_is_cleared(pressed: Pressed) -> None:
    pressed.publish(20, project="shop")
    pressed.publish(30, project="bank")
    pressed.at(96)
    assert pressed.kept(project="bank") == 0
    pressed.publish(10, project="bank")
    pressed.at(93)
    assert (pressed.pressure.level, pressed.kept(project="shop"), pressed.kept(project="bank")) == (
        95,
        20,
        10,
    )
    pressed.at(95)
    assert (pressed.pressure.level, pressed.kept(project="shop")) == (95, 0)


def test_pressure_that_stays_is_acted_on_again_and_told_once(pressed: Pressed) -> None:
    pressed.publish(300)
    pressed.at(91)
    pressed.publish(10, "output")
    pressed.at(91)
    assert (pressed.levels, pressed.kept("output")) == ([70, 90], 0)


def test_retention_by_time_lets_go_only_what_is_too_old() -> None:
    pressed = Pressed(max_age_ms=60_000)
    pressed.publish(200)
    ring = pressed.hub.project("default").rings["errors"]
    oldest_s = ring.oldest.stored_ms / 1000
    pressed.now_s = oldest_s + 59
    pressed.at(75)
    assert (pressed.levels, pressed.kept()) == ([70], 200)
    pressed.now_s = oldest_s + 10_000
    pressed.at(75)
    assert (pressed.levels, pressed.kept()) == ([70], 0)


def test_without_retention_nothing_goes_before_it_must() -> None:
    pressed = Pressed(trims=False)
    pressed.publish(800)
    pressed.at(75)
    assert (pressed.levels, pressed.kept()) == ([70], 800)
    assert pressed.told[0][2].endswith("none is let go yet, because retention is none")
    pressed.at(96)
    assert (pressed.levels, pressed.kept()) == ([70, 90, 95], 0)


def test_memory_on_demand_goes_by_retention_too(pressed: Pressed) -> None:
    pressed.publish(800)
    before, after = pressed.pressure.optimize()
    assert after["kept_bytes"] < before["kept_bytes"]
    assert pressed.kept() == 500
    keeps_all = Pressed(trims=False)
    keeps_all.publish(800)
    before, after = keeps_all.pressure.optimize()
    assert after["kept_bytes"] == before["kept_bytes"]
    assert rss_bytes() >= 0


async def test_a_server_under_pressure_tells_it_and_loses_nothing_unsaid(tmp_path: Path) -> None:
    settings = {"memory_budget_mb": 1, "ring_mb": 8, "journal": "sqlite"}
    async with (
        serving(tmp_path, **settings) as server,
        client_of(server) as client,
        streaming(server) as stream,
    ):
        await stream.subscribe(1, channels=["errors", "output", "anomalies"])
        ids: list[str] = []
        for _ in range(30):
            ids += await told(server, 40, context={"padding": "x" * 700})
            await told(server, 5, channel="output")
        assert server.service.pressure.steps[70]
        await stream.ask("ping")
        kinds = {event["kind"] for frame in stream.frames for event in frame.get("events", ())}
        assert "memory_pressure" in kinds
        ranges = [frame for frame in stream.frames if frame.get("channel") == "errors"]
        for before, after in itertools.pairwise(ranges):
            assert before["upto"] == after["prev"]
        accounted = sum(frame.get("count", 0) + frame.get("lost", 0) for frame in ranges)
        assert (ranges[0]["prev"], ranges[-1]["upto"], accounted) == (0, len(ids), len(ids))
        # Whatever memory let go, the journal has.
        seen: list[str] = []
        after, more = 0, True
        while more:
            page = (await client.get(f"/v1/channels/errors/events?after={after}")).json()
            seen += ids_of([page])
            after, more = page["upto"], page.get("more", False)
        assert seen == ids


async def test_digests_instead_of_events_while_memory_is_short(tmp_path: Path) -> None:
    async with serving(tmp_path, retention="none", ring_mb=8) as server, client_of(server) as client:
        pressure = server.service.pressure
        await told(server, 400, context={"padding": "x" * 700})
        pressure.budget_bytes = int(server.service.hub.size_bytes / 0.93)
        await told(server)
        answer = await client.get("/readyz")
        assert (answer.status_code, pressure.level) == (503, 90)
        assert "of their memory" in answer.json()["problems"][0]
        async with streaming(server) as stream:
            await stream.subscribe(1)
            ids = await told(server)
            digest = await stream.frame("digest")
            assert (digest["count"], digest["events"]) == (1, [])
            assert ids_of([await stream.ask("fetch", sub=1, channel="errors", **digest["fetch"])]) == ids
            await client.patch("/v1/config", json={"memory_budget_mb": 64})
            await told(server)
            await stream.frame("digest")
            ids = await told(server)
            assert ids_of([await stream.frame("batch", channel="errors")]) == ids
        assert (await client.get("/readyz")).status_code == 200
