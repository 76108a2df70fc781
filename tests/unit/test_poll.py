"""Long-poll: news at once or as soon as there are any, and a cursor from one answer to the next that misses and repeats nothing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from firstcause.api.server import Server

from .serving import client_of, ids_of, limited, serving, told, until


async def polled(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await client.get("/v1/events", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def ops(answer: dict[str, Any]) -> list[str]:
    return [frame["op"] for frame in answer["frames"]]


async def test_without_a_cursor_it_says_at_once_where_to_begin(server: Server) -> None:
    await told(server)
    async with client_of(server) as client:
        answer = await polled(client)
        assert ops(answer) == ["subscribed", "live"]
        assert answer["cursor"] == answer["frames"][0]["cursor"]
        ids = await told(server)
        assert ids_of((await polled(client, cursor=answer["cursor"]))["frames"]) == ids


async def test_start_gives_what_is_kept(server: Server) -> None:
    ids = await told(server, 3)
    async with client_of(server) as client:
        answer = await polled(client, cursor="start")
        assert ids_of(answer["frames"]) == ids
        assert answer["frames"][0]["reason"] == "start"


async def test_it_waits_for_news_and_brings_them(server: Server) -> None:
    async with client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        waiting = asyncio.create_task(polled(client, cursor=cursor))
        await until(lambda: server.service.connected)
        ids = await told(server)
        answer = await waiting
        assert ids_of(answer["frames"]) == ids
        assert answer["cursor"] == answer["frames"][-1]["cursor"]
    assert not server.service.connected


async def test_what_never_matched_is_no_gap_later(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10) as server, client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        for _ in range(3):
            await told(server, 8, severity="low")
            answer = await polled(client, cursor=cursor, min_severity="high", wait=0)
            assert ops(answer) == ["subscribed", "live", "pos"]
            assert answer["frames"][0]["recovered"]
            cursor = answer["cursor"]
        ids = await told(server, severity="high")
        answer = await polled(client, cursor=cursor, min_severity="high")
        assert ops(answer) == ["subscribed", "batch", "live"]
        assert ids_of(answer["frames"]) == ids


async def test_what_does_not_match_is_no_news(server: Server) -> None:
    async with client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        waiting = asyncio.create_task(polled(client, cursor=cursor, min_severity="high"))
        await until(lambda: server.service.connected)
        await told(server, severity="low")
        assert not waiting.done()
        ids = await told(server, severity="high")
        assert ids_of((await waiting)["frames"]) == ids


async def test_after_the_wait_it_returns_with_nothing(server: Server) -> None:
    async with client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        for wait in (0, 0.05):
            answer = await polled(client, cursor=cursor, wait=wait)
            assert ops(answer) == ["subscribed", "live"]
            assert answer["cursor"] == cursor


async def test_a_place_is_no_news_either(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstcause.api.subscription.IDLE_S", 0.01)
    async with client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        began_s = asyncio.get_running_loop().time()
        answer = await polled(client, cursor=cursor, wait=0.1)
        assert asyncio.get_running_loop().time() - began_s >= 0.1
        assert ops(answer)[:3] == ["subscribed", "live", "pos"]
        assert set(ops(answer)[3:]) <= {"pos"}


async def test_the_cursors_of_many_polls_chain_all_that_happened(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with serving(tmp_path, journal="sqlite", ring_events=10_000) as server, client_of(server) as client:
        truth: list[str] = []
        seen: list[str] = []
        ends: dict[str, int] = {}
        cursor = (await polled(client))["cursor"]

        async def tell() -> None:
            for _ in range(60):
                channel = chance.choice(["errors", "performance", "anomalies"])
                truth.extend(await told(server, chance.choice([1, 1, 2, 15]), channel=channel))
                await asyncio.sleep(0)

        telling = asyncio.create_task(tell())
        while not telling.done() or len(seen) < len(truth):
            answer = await polled(client, cursor=cursor)
            assert answer["frames"][0]["recovered"]
            for frame in answer["frames"]:
                if frame["op"] == "batch":
                    assert ends.get(frame["channel"], 0) == frame["prev"]
                    ends[frame["channel"]] = frame["upto"]
            seen += ids_of(answer["frames"])
            cursor = answer["cursor"]
        await telling
    assert sorted(seen) == truth
    assert len(set(seen)) == len(seen)


async def test_a_digest_is_fetched_from_the_channel(server: Server) -> None:
    async with client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        ids = await told(server, 50)
        answer = await polled(client, cursor=cursor, throttle_ms=1000)
        (digest,) = [frame for frame in answer["frames"] if frame["op"] == "digest"]
        assert (digest["count"], len(digest["events"])) == (50, 20)
        got = await client.get("/v1/channels/errors/events", params=digest["fetch"])
        assert ids_of([got.json()]) == ids


async def test_an_old_cursor_is_told_what_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10) as server, client_of(server) as client:
        await told(server, 5)
        cursor = (await polled(client))["cursor"]
        ids = await told(server, 30)
        answer = await polled(client, cursor=cursor)
        assert answer["frames"][0]["reason"] == "evicted"
        (gap,) = [frame for frame in answer["frames"] if frame["op"] == "gap"]
        assert (gap["prev"], gap["upto"], gap["lost"]) == (5, 25, 20)
        assert ids_of(answer["frames"]) == ids[-10:]


async def test_who_hangs_up_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=1) as server, client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        waiting = asyncio.create_task(polled(client, cursor=cursor, wait=50))
        await until(lambda: server.service.connected)
        refused = await client.get("/v1/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        waiting.cancel()
        await until(lambda: not server.service.connected)
        await polled(client)


async def test_an_ending_server_answers_who_waits(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, client_of(server) as client:
        cursor = (await polled(client))["cursor"]
        waiting = asyncio.create_task(polled(client, cursor=cursor, wait=50))
        await until(lambda: server.service.connected)
        await server.__aexit__()
        assert (await waiting)["cursor"] == cursor


@pytest.mark.parametrize("wait", ["-1", "51", "x", "nan", "inf"])
async def test_a_wait_has_its_bounds(server: Server, wait: str) -> None:
    async with client_of(server) as client:
        answer = await client.get("/v1/events", params={"wait": wait, "cursor": "start"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")


async def test_only_who_may_read_polls(server: Server) -> None:
    async with client_of(server, limited(server, "publish")) as client:
        assert (await client.get("/v1/events")).json()["code"] == "scope_missing"
    async with client_of(server, limited(server, "read", projects=("shop",))) as client:
        assert (await client.get("/v1/events")).json()["code"] == "project_refused"
        await polled(client, project="shop")
        assert (await client.get("/v1/events?cursor=x&project=shop")).json()["code"] == "bad_cursor"
