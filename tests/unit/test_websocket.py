"""The stream over a WebSocket: every message and its answer, what refusals leave standing, and every way in which it ends."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.server import Server
from firstcause.api.wire import CHANNELS, DIAGNOSTICS, FRAMES, OPS

from .serving import Stream, client_of, feeding, ids_of, limited, serving, streaming, told, until


async def settled(stream: Stream) -> None:
    """All that the server had to say until now has come: it answers in order."""
    await stream.ask("ping")


async def test_every_message_has_its_answer_and_every_frame_comes(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, streaming(server) as stream:
        subscribed = await stream.subscribe(7)
        assert (subscribed["reason"], subscribed["recovered"], subscribed["project"]) == (
            "fresh",
            True,
            "default",
        )
        assert tuple(subscribed["positions"]) == DIAGNOSTICS
        assert subscribed["throttle_ms"] == 0
        assert await stream.ask("ping") == {"op": "pong", "id": 1}

        said = {"channel": "errors", "kind": "mine", "summary": "oh no", "severity": "high"}
        published = await stream.ask("publish", event=said)
        batch = next(frame for frame in stream.frames if frame["op"] == "batch")
        (event,) = batch["events"]
        assert (published["event"], published["channel"], published["seq"]) == (event["id"], "errors", 1)
        assert (batch["sub"], batch["prev"], batch["upto"], batch["count"]) == (7, 0, 1, 1)
        assert said.items() <= event.items()

        muted = await stream.ask("mute", sub=7, channels=["errors"])
        assert muted["channels"] == ["errors"]
        await told(server, 2)
        assert (await stream.ask("unmute", sub=7))["channels"] == []
        assert (await stream.frame("batch"))["count"] == 2

        updated = await stream.ask("update", sub=7, throttle_ms=3_600_000, min_severity="low")
        assert updated["throttle_ms"] == 3_600_000
        await told(server, 30, channel="performance")
        digest = await stream.frame("digest")
        assert (digest["count"], digest["omitted"], len(digest["events"])) == (30, 10, 20)
        fetched = await stream.ask("fetch", sub=7, channel="performance", **digest["fetch"])
        assert (fetched["count"], fetched.get("lost", 0)) == (30, 0)

        await stream.ask("update", sub=7, throttle_ms=0, min_severity="critical")
        await told(server, 1, severity="low")
        await stream.ask("update", sub=7, min_severity="info")
        await stream.frame("pos")

        gone = await stream.ask("unsubscribe", sub=7)
        assert gone["cursor"] == stream.cursor
        await stream.send("nonsense")
        await stream.frame("error")
        await told(server, 2500)
        again = await stream.subscribe(7, cursor=gone["cursor"])
        assert (again["recovered"], again["reason"]) == (False, "evicted")
        gap = next(frame for frame in stream.frames if frame["op"] == "gap")
        assert gap["lost"] == 500
    assert {frame["op"] for frame in stream.frames} == {str(one.__struct_config__.tag) for one in FRAMES}
    assert len(OPS) == 8


async def test_several_subscriptions_and_projects_share_a_connection(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.subscribe(1, project="shop", channels=["errors"])
        await stream.subscribe(2, project="bank", channels=["errors", "activity"])
        await stream.subscribe(3, project="shop", include={"kind": ["slow_*"]}, channels=list(CHANNELS))
        shop = await told(server, 2, project="shop")
        slow = await told(server, 1, project="shop", kind="slow_page", channel="performance")
        bank = await told(server, 1, project="bank", channel="activity")
        await told(server, 1, project="other")
        await settled(stream)
    assert (stream.ids(1), stream.ids(2), stream.ids(3)) == (shop, bank, slow)


REFUSED = (
    ("nope", "bad_json", "one object"),
    ('{"op":"ping"', "bad_json", ""),
    ("[1]", "bad_field", "one object"),
    ('{"op":"pin"}', "unknown_op", "'ping'"),
    ("{}", "unknown_op", "subscribe"),
    ('{"op":"subscribe","channels":["nope"]}', "bad_field", "network_errors"),
    ('{"op":"subscribe","min_severity":"loud"}', "bad_field", "critical"),
    ('{"op":"subscribe","channel":["errors"]}', "bad_field", "'channels'"),
    ('{"op":"subscribe","cursor":"x"}', "bad_cursor", ""),
    ('{"op":"subscribe","include":{"kind":["/(?=a)b/"]}}', "bad_filter", ""),
    ('{"op":"subscribe","project":"../etc"}', "bad_field", ""),
    ('{"op":"subscribe","id":-1}', "bad_field", ""),
    ('{"op":"subscribe","throttle_ms":3600001}', "bad_field", ""),
    ('{"op":"mute","sub":9}', "unknown_subscription", ""),
    ('{"op":"unsubscribe","sub":9}', "unknown_subscription", ""),
    ('{"op":"update","sub":9}', "unknown_subscription", ""),
    ('{"op":"fetch","sub":9,"channel":"errors","after":0,"upto":1}', "unknown_subscription", ""),
    ('{"op":"publish","event":{"channel":"errors","kind":"Bad Kind","summary":"s"}}', "bad_field", ""),
    ('{"op":"publish","event":{"channel":"errors","kind":"x","summary":"s","timestamp":"soon"}}', "bad_field", ""),
    ('{"op":"publish","event":{"channel":"errors","kind":"x","summary":"s","timestamp":"0001-01-01T00:00:00+23:59"}}', "bad_field", ""),
    ('{"op":"publish","event":{"channel":"errors","kind":"x","summary":"s","context":{"a":"' + "b" * 3000 + '"}}}', "too_large", ""),
    ('{"op":"publish","event":{"channel":"errors","kind":"x","summary":"s","context":{"a":' + "[" * 400 + "]" * 400 + "}}}", "bad_field", "fewer levels"),
    ('{"op":"publish","event":' + "[" * 5000, "bad_json", ""),
)  # fmt: skip


async def test_a_message_that_is_refused_says_why_and_ends_nothing(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.subscribe(4)
        for message, code, hint in REFUSED:
            await stream.socket.send(message)
            refused = await stream.next()
            assert (refused["op"], refused.get("code")) == ("error", code), (message[:200], refused)
            assert refused["message"]
            assert hint in refused["hint"], message
        ids = await told(server)
        await settled(stream)
        assert stream.ids() == ids


async def test_a_refusal_names_the_message_and_a_subscription_has_one_place(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.subscribe(4)
        assert (await stream.ask("subscribe", id=4))["code"] == "duplicate_subscription"
        assert (await stream.ask("mute", sub=5, id=77))["code"] == "unknown_subscription"
        await stream.socket.send(b'{"op":"ping","id":3}')
        assert await stream.next() == {"op": "pong", "id": 3}
        await stream.ask("unsubscribe", sub=4)
        await stream.subscribe(4)


async def test_messages_that_do_not_wait_for_answers_are_answered_in_order(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.send("subscribe", id=1)
        await stream.send("ping", id=2)
        await stream.send("unsubscribe", sub=1, id=3)
        await stream.send("subscribe", id=1)
        await stream.send("ping", id=4)
        while (await stream.next()).get("id") != 4:
            pass
    assert [frame["op"] for frame in stream.frames] == [
        "subscribed",
        "live",
        "pong",
        "unsubscribed",
        "subscribed",
        "live",
        "pong",
    ]


async def test_there_are_only_so_many_subscriptions(tmp_path: Path) -> None:
    async with serving(tmp_path, max_subscriptions=2) as server, streaming(server) as stream:
        await stream.subscribe(1)
        await stream.subscribe(2)
        assert (await stream.ask("subscribe", id=3))["code"] == "too_many"
        await stream.ask("unsubscribe", sub=1)
        await stream.subscribe(3)


async def test_scopes_and_projects_of_a_token_hold_for_every_message(server: Server) -> None:
    token = limited(server, "read", projects=("shop",))
    async with streaming(server, token) as stream:
        assert (await stream.ask("subscribe", id=1))["code"] == "project_refused"
        assert (await stream.ask("subscribe", id=1, project="bank"))["code"] == "project_refused"
        await stream.subscribe(1, project="shop")
        event = {"channel": "errors", "kind": "x", "summary": "s"}
        assert (await stream.ask("publish", project="shop", event=event))["code"] == "scope_missing"
    async with streaming(server, limited(server, "read", "publish", projects=("shop",))) as stream:
        assert (await stream.ask("publish", event=event))["code"] == "project_refused"
        assert (await stream.ask("publish", project="shop", event=event))["op"] == "published"


async def fetch_all(stream: Stream, channel: str, after: int, upto: int) -> tuple[list[str], int]:
    """Ids of the range, page by page, and how many are lost."""
    ids: list[str] = []
    lost = 0
    while True:
        page = await stream.ask("fetch", sub=1, channel=channel, after=after, upto=upto)
        ids += ids_of([page])
        lost += page.get("lost", 0)
        assert page["after"] == after
        if not page.get("more"):
            return ids, lost
        assert page["upto"] > after
        after = page["upto"]


async def test_what_a_digest_omits_is_fetched_beyond_memory_from_the_journal(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite", ring_events=50) as server, streaming(server) as stream:
        await stream.subscribe(1, throttle_ms=3_600_000, min_severity="medium")
        ids = await told(server, 40)
        digest = await stream.frame("digest")
        assert (digest["prev"], digest["upto"], digest["count"]) == (0, 40, 40)
        for _ in range(2):
            ids += await told(server, 200, context={"padding": "x" * 1200})
            await told(server, 50, severity="low")
        assert len(server.service.hub.projects["default"].rings["errors"]) == 50
        assert await fetch_all(stream, "errors", 0, 40) == (ids[:40], 0)
        assert await fetch_all(stream, "errors", 0, 10_000) == (ids, 0)
        assert await fetch_all(stream, "errors", 530, 540) == ([], 0)
        assert await fetch_all(stream, "errors", 9000, 10_000) == ([], 0)
        assert await fetch_all(stream, "errors", 30, 20) == ([], 0)


async def test_without_a_journal_a_fetch_says_how_many_are_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10) as server, streaming(server) as stream:
        await stream.subscribe(1)
        ids = await told(server, 25)
        assert await fetch_all(stream, "errors", 5, 25) == (ids[15:], 10)


async def test_published_is_said_only_when_the_event_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, kept = threading.Event(), threading.Event(), threading.Event()
    async with serving(tmp_path, journal="sqlite") as server, streaming(server) as stream:
        journal: Any = server.service.hub.keeper._journal
        append = journal.append

        def late(*arguments: Any) -> None:
            asked.set()
            go_on.wait(10)
            append(*arguments)
            kept.set()

        monkeypatch.setattr(journal, "append", late)
        await stream.subscribe(0)
        await stream.send("publish", id=1, event={"channel": "errors", "kind": "x", "summary": "s"})
        assert await asyncio.to_thread(asked.wait, 10)
        async with streaming(server) as other:
            await other.ask("ping")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await stream.socket.recv()
        go_on.set()
        frames = [await stream.next(), await stream.next()]
        assert kept.is_set()
        assert {frame["op"] for frame in frames} == {"published", "batch"}


async def test_muting_holds_back_and_loses_nothing(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.subscribe(1, channels=["errors", "performance"])
        assert (await stream.ask("mute", sub=1, channels=["errors", "output"]))["channels"] == ["errors"]
        held = await told(server, 3)
        free = await told(server, 1, channel="performance")
        await settled(stream)
        assert stream.ids() == free
        assert (await stream.ask("mute", sub=1))["channels"] == ["errors", "performance"]
        held += await told(server, 1, channel="performance")
        assert (await stream.ask("unmute", sub=1, channels=["errors"]))["channels"] == ["performance"]
        await stream.frame("batch", channel="errors")
        await stream.ask("unmute", sub=1)
        await stream.frame("batch", channel="performance")
        assert stream.ids() == free + held


async def test_an_update_changes_what_is_given_and_leaves_the_rest(server: Server) -> None:
    async with streaming(server) as stream:
        await stream.subscribe(1, include={"kind": ["js_error"]}, min_severity="medium")
        await stream.ask("update", sub=1, exclude={"text": ["quiet"]})
        await told(server, 1, summary="a quiet one")
        await told(server, 1, kind="other")
        await told(server, 1, severity="low")
        wanted = await told(server, 1)
        await stream.frame("batch")
        refused = await stream.ask("update", sub=1, include={"kind": ["/(/"]})
        assert refused["code"] == "bad_filter"
        await told(server, 1, kind="other")
        await stream.ask("update", sub=1, include={})
        wanted += await told(server, 1, kind="other")
        await settled(stream)
        assert stream.ids() == wanted


async def test_a_cursor_resumes_on_another_connection_without_loss_or_double(server: Server) -> None:
    ids: list[str] = []
    seen: list[str] = []
    cursor = ""
    for _ in range(5):
        async with streaming(server) as stream:
            subscribed = await stream.subscribe(1, channels=["errors", "performance"], cursor=cursor)
            assert subscribed["recovered"]
            ids += await told(server, 3)
            ids += await told(server, 2, channel="performance")
            while len(seen) + len(stream.ids()) < len(ids):
                await stream.next()
            seen += stream.ids()
            cursor = stream.cursor
        ids += await told(server, 2)
    assert sorted(seen) == ids[: len(seen)]
    assert len(seen) == 33


@pytest.mark.parametrize("token", ["", "wrong", "fc_e30.x"])
async def test_without_a_good_token_it_says_so_and_closes(server: Server, token: str) -> None:
    async with streaming(server, token) as stream:
        assert await stream.closed() == (4401, "unauthorized")
    (error,) = stream.frames
    assert error["code"] == "unauthorized"
    assert error["hint"]


async def test_a_token_in_the_address_is_refused_with_the_way_to_do_it(server: Server) -> None:
    async with streaming(server, "", query=f"?token={server.token}") as stream:
        assert await stream.closed() == (4401, "unauthorized")
    assert "ticket" in stream.frames[0]["hint"]


async def test_a_stream_ends_with_its_token(server: Server) -> None:
    short = limited(server, "read", valid_s=4)
    async with (
        streaming(server, short) as stream,
        client_of(server, short) as client,
        feeding(client) as feed,
    ):
        assert (await stream.ask("ping"))["op"] == "pong"
        assert await stream.closed() == (4401, "unauthorized")
        assert stream.frames[-1]["code"] == "unauthorized"
        await feed.rest()


async def test_a_token_without_read_is_forbidden(server: Server) -> None:
    async with streaming(server, limited(server, "publish")) as stream:
        assert await stream.closed() == (4403, "forbidden")
    assert stream.frames[0]["code"] == "scope_missing"


async def test_a_token_has_only_so_many_connections(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=1) as server:
        async with streaming(server) as first:
            await first.ask("ping")
            async with streaming(server) as second:
                assert await second.closed() == (4429, "too_many")
            assert second.frames[0]["code"] == "too_many"
            async with streaming(server, limited(server, "read")) as other:
                await other.ask("ping")
        await until(lambda: not server.service.connected)
        async with streaming(server) as third:
            await third.ask("ping")


async def test_the_ways_in_that_a_browser_has(server: Server) -> None:
    async with streaming(
        server, "", subprotocols=["firstcause", f"firstcause.token.{server.token}"]
    ) as stream:
        await stream.subscribe(1)
        assert stream.socket.subprotocol == "firstcause"
    async with client_of(server) as client:
        ticket = (await client.post("/v1/tickets")).json()["ticket"]
    async with streaming(server, "", query=f"?ticket={ticket}", subprotocols=["firstcause"]) as stream:
        await stream.subscribe(1)
        assert (await stream.ask("publish", event={"channel": "runs", "kind": "x", "summary": "s"}))[
            "code"
        ] == "scope_missing"
    async with streaming(server, "", query=f"?ticket={ticket}") as stream:
        assert await stream.closed() == (4401, "unauthorized")


async def test_pages_of_other_origins_get_no_connection(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_origins=("http://dev.example",)) as server:
        for headers, code in (
            ({"Origin": "http://evil.example"}, "origin_refused"),
            ({"Origin": "null"}, "origin_refused"),
        ):
            async with streaming(server, headers=headers) as stream:
                assert await stream.closed() == (4403, "forbidden")
                assert [(frame["op"], frame["code"]) for frame in stream.frames] == [("error", code)]
        for origin in ("http://dev.example", server.url):
            async with streaming(server, headers={"Origin": origin}) as stream:
                await stream.ask("ping")


async def test_a_message_that_is_too_large_ends_it(tmp_path: Path) -> None:
    async with serving(tmp_path, max_body_kb=80) as server, streaming(server) as stream:
        await stream.socket.send(f'{{"op":"ping","id":1{" " * 75_000}}}')
        assert (await stream.next())["op"] == "pong"
        await stream.socket.send("x" * 81 * 1024)
        code, _ = await stream.closed()
        assert code == 1009
        await until(lambda: not server.service.connected)


async def test_an_ending_server_says_that_it_comes_back(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server, streaming(server) as stream:
        await stream.subscribe(1)
        ids = await told(server, 3)
        ending = asyncio.create_task(stream.closed())
        await server.__aexit__()
        assert await ending == (1012, "restarting")
        assert stream.ids() == ids
        cursor = stream.cursor
        with pytest.raises(ConnectionRefusedError):
            async with streaming(server):
                pass
    async with serving(tmp_path, journal="sqlite") as again, streaming(again) as stream:
        ids = await told(again, 2)
        subscribed = await stream.subscribe(1, cursor=cursor)
        assert (subscribed["recovered"], subscribed["reason"]) == (True, "complete")
        assert stream.ids() == ids


def narrow(server: Server) -> socket.socket:
    """A connection that takes little before it is read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.service.port))
    raw.setblocking(False)
    return raw


def impatient(server: Server, stall_s: float) -> None:
    """Shorter than a setting may be."""
    server.service.settings = server.service.settings.model_copy(update={"stall_s": stall_s})


async def test_a_reader_that_stalls_is_cut_off_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firstcause.api.protocols.CLOSE_S", 60)
    async with serving(tmp_path, ring_events=2000) as server:
        ids = await told(server, 1000, context={"padding": "x" * 1000})
        impatient(server, 0.1)
        async with streaming(server, sock=narrow(server), max_queue=1) as stream:
            for sub in range(30):
                await stream.send("subscribe", id=sub, cursor="start")
            await until(lambda: not server.service.connected)
            for number in range(50):  # what is said too late costs nothing of what is still to be read
                await stream.send("ping", id=number)
            assert await stream.closed() == (4408, "stalled")
        impatient(server, 30)
        first = [frame for frame in stream.frames if frame.get("sub") == 0]
        async with streaming(server) as again:
            subscribed = await again.subscribe(0, cursor=first[-1]["cursor"])
            assert subscribed["recovered"]
            assert stream.ids(0) + again.ids(0) == ids


async def test_a_reader_that_stalls_for_good_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstcause.api.protocols.CLOSE_S", 0.05)
    async with serving(tmp_path) as server:
        await told(server, 1000, context={"padding": "x" * 1000})
        impatient(server, 0.05)
        async with streaming(server, sock=narrow(server), max_queue=1) as stream:
            for sub in range(30):
                await stream.send("subscribe", id=sub, cursor="start")
            await until(lambda: not server._server.server_state.connections)  # type: ignore[union-attr]
            assert (await stream.closed())[0] == 1006


async def test_a_client_that_asks_and_never_reads_piles_up_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await told(server, 100, context={"padding": "x" * 1000})
        async with streaming(server, sock=narrow(server), max_queue=1) as stream:
            await stream.subscribe(1)
            (connected,) = server.service.connected
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        await stream.send("fetch", sub=1, channel="errors", after=0, upto=100)
            assert sum(map(len, connected.pump._answers)) < 1_000_000
            stream.socket.transport.abort()
        await until(lambda: not server.service.connected)
