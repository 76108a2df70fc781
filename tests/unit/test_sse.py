"""Server-sent events: what a browser's EventSource gets, resumes with, and is refused before a stream begins."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any

from firstcause.api.server import Server

from .serving import client_of, feeding, ids_of, limited, serving, told, until


async def test_a_stream_is_frames_with_their_cursors_as_ids(server: Server) -> None:
    async with client_of(server) as client, feeding(client, channels="errors,performance") as feed:
        headers = feed.response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["cache-control"] == "no-store, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert "set-cookie" not in headers
        subscribed = await feed.event()
        assert feed.retry_ms == 1000
        assert (subscribed.json()["op"], subscribed.json()["reason"]) == ("subscribed", "fresh")
        assert list(subscribed.json()["positions"]) == ["errors", "performance"]
        assert (await feed.event()).json()["op"] == "live"
        for channel in ("errors", "performance", "errors"):
            (told_id,) = await told(server, channel=channel)
            batch = await feed.event()
            assert ids_of([batch.json()]) == [told_id]
            assert batch.id == batch.json()["cursor"]
            assert batch.event == "message"


async def test_a_browser_resumes_with_the_id_it_saw_last(server: Server) -> None:
    seen: list[str] = []
    ids: list[str] = []
    last = ""
    async with client_of(server) as client:
        begun = (await client.get("/v1/events")).json()["cursor"]
        for _ in range(4):
            headers = {"Last-Event-ID": last} if last else {}
            # The address still has the cursor that it began with.
            async with feeding(client, headers, cursor=begun) as feed:
                assert (await feed.until("subscribed")).json()["recovered"]
                ids += await told(server, 2)
                while len(seen) < len(ids):
                    event = await feed.event()
                    seen += ids_of([event.json()])
                    last = event.id
            ids += await told(server, 2)
    assert seen == ids[:-2]


async def test_filters_and_projects_of_the_address(server: Server) -> None:
    params: dict[str, Any] = {
        "project": "shop",
        "channels": "errors",
        "include": ["kind:slow_*", "kind:js_error"],
        "exclude": "text:quiet",
        "min_severity": "medium",
        "cursor": "start",
    }
    wanted = await told(server, project="shop")
    await told(server, project="shop", severity="low")
    await told(server, project="shop", summary="a quiet one")
    await told(server, project="shop", kind="other")
    await told(server)
    wanted += await told(server, project="shop", kind="slow_page")
    async with client_of(server) as client, feeding(client, **params) as feed:
        batch = await feed.until("batch")
        assert ids_of([batch.json()]) == wanted


async def test_a_heartbeat_while_there_is_nothing_to_tell(server: Server) -> None:
    server.service.heartbeat_s = 0.01
    async with client_of(server) as client, client.stream("GET", "/v1/stream") as response:
        text = ""
        async for chunk in response.aiter_text():
            text += chunk
            if text.count(": still here\n\n") == 3:
                break
    assert text.startswith(": firstcause\nretry: 1000\n\nid: ")


REFUSED = (
    ("channels=nope", 422, "bad_field"),
    ("channels=,", 422, "bad_field"),
    ("cursor=x", 422, "bad_cursor"),
    ("include=kind", 422, "bad_field"),
    ("include=colour:red", 422, "bad_field"),
    ("include=kind:/(/", 422, "bad_filter"),
    ("exclude=severity:loud", 422, "bad_field"),
    ("min_severity=loud", 422, "bad_field"),
    ("throttle_ms=-1", 422, "bad_field"),
    ("throttle_ms=x", 422, "bad_field"),
    ("project=../x", 422, "bad_field"),
    ("project=bank", 403, "project_refused"),
)


async def test_what_is_wrong_is_answered_before_a_stream_begins(server: Server) -> None:
    async with client_of(server, limited(server, "read", projects=("default", "nope"))) as client:
        for query, status, code in REFUSED:
            answer = await client.get(f"/v1/stream?{query}")
            assert (answer.status_code, answer.json()["code"]) == (status, code), query
            assert answer.json()["hint"]
            assert answer.headers["content-type"] == "application/json"
    assert not server.service.connected
    assert not server.service.connections._open


async def test_a_bad_last_event_id_is_answered_too(server: Server) -> None:
    async with client_of(server) as client:
        answer = await client.get("/v1/stream", headers={"Last-Event-ID": "nonsense"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


async def test_a_client_that_hangs_up_frees_its_place(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=1) as server, client_of(server) as client:
        async with feeding(client) as feed:
            await feed.until("live")
            refused = await client.get("/v1/stream")
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        await until(lambda: not server.service.connected)
        async with feeding(client) as feed:
            await feed.until("live")


async def test_who_may_not_read_gets_no_stream(server: Server) -> None:
    async with client_of(server, "") as client:
        answer = await client.get("/v1/stream")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        answer = await client.get(f"/v1/stream?token={server.token}")
        assert "ticket" in answer.json()["hint"]
    async with client_of(server, limited(server, "publish")) as client:
        assert (await client.get("/v1/stream")).json()["code"] == "scope_missing"


async def test_an_event_source_comes_back_with_a_cookie_because_its_ticket_is_used_up(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server:
        async with client_of(server) as client:
            ticket = (await client.post("/v1/tickets")).json()["ticket"]
        async with client_of(server, "") as browser:
            async with feeding(browser, ticket=ticket) as feed:
                await feed.until("live")
                cookie = feed.response.headers["set-cookie"]
                assert cookie.startswith(f"firstcause_{server.service.port}=fc_")
                assert cookie.endswith("; Max-Age=43200; HttpOnly; SameSite=Strict; Path=/")
                ids = await told(server, 2)
                last = (await feed.until("batch")).id
            async with feeding(browser, {"Last-Event-ID": last}, ticket=ticket) as feed:
                assert (await feed.until("subscribed")).json()["recovered"]
            # It may read, and nothing else.
            answer = await browser.patch("/v1/config", json={"throttle_ms": 5})
            assert answer.json()["code"] == "scope_missing"
            browser.cookies.clear()
            answer = await browser.get("/v1/stream", params={"ticket": ticket})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        kept, port = cookie.partition(";")[0], server.service.port
    async with serving(tmp_path, journal="sqlite", port=port) as again, client_of(again, "") as browser:
        ids = await told(again, 2)
        async with feeding(browser, {"Last-Event-ID": last, "Cookie": kept}, ticket=ticket) as feed:
            assert (await feed.until("subscribed")).json()["recovered"]
            assert ids_of([(await feed.until("batch")).json()]) == ids


async def test_what_a_ticket_brings_ends_with_the_token_that_asked_for_it(server: Server) -> None:
    token, keyring = limited(server, "read", valid_s=60), server.service.keyring
    async with client_of(server, token) as client:
        ticket = (await client.post("/v1/tickets")).json()["ticket"]
    async with client_of(server, "") as browser, feeding(browser, ticket=ticket) as feed:
        age = re.search(r"Max-Age=(\d+)", feed.response.headers["set-cookie"])
        assert age
        assert int(age[1]) <= 60
        (cookie,) = browser.cookies.jar
        assert keyring.grant_of(cookie.value or "").until_s <= keyring.grant_of(token).until_s


async def test_an_ending_server_ends_its_streams(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, client_of(server) as client, feeding(client) as feed:
        await feed.until("live")
        (told_id,) = await told(server)
        rest = asyncio.create_task(feed.rest())
        await server.__aexit__()
        assert ids_of([event.json() for event in await rest]) == [told_id]


async def test_a_reader_that_stalls_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await told(server, 1500, context={"padding": "x" * 1000})
        await told(server, 1500, context={"padding": "x" * 1000}, channel="performance")
        await told(server, 1500, context={"padding": "x" * 1000}, channel="anomalies")
        server.service.settings = server.service.settings.model_copy(update={"stall_s": 0.05})
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", server.service.port))
        raw.setblocking(False)
        with raw:
            request = f"GET /v1/stream?cursor=start HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.token}\r\n\r\n"
            raw.sendall(request.encode())
            await until(lambda: server.service.connected)
            await until(lambda: not server.service.connected)


async def test_only_get_is_a_stream(server: Server) -> None:
    async with client_of(server) as client:
        answer = await client.head("/v1/stream")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
        answer = await client.post("/v1/stream")
        assert answer.status_code == 405
        assert json.loads(answer.content)["code"] == "bad_request"
