"""The tools over /mcp, in both eras of the protocol, by the official client."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import LoggingMessageNotification, ResourceUpdatedNotification

from firstcause.api.mcp import extra
from firstcause.api.mcp.notices import Session
from firstcause.api.mcp.prompts import PROMPTS
from firstcause.api.mcp.push import Notice
from firstcause.api.mcp.resources import CHAINS, EVENTS, LISTED, RUNS
from firstcause.api.server import Server
from firstcause.api.tools import TOOLS
from firstcause.api.tools.clients import Clients

from ..mcp_clients import ERAS, Era, agent_of, asked, text_of
from .serving import client_of, limited, serving, until
from .tools.agents import a_failure, happened, told

MAX_LIST_BYTES = 6_000
FIRST_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "0"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}
both_eras = pytest.mark.parametrize("era", ERAS)


@both_eras
async def test_what_is_listed_is_short_and_complete(server: Server, era: Era) -> None:
    async with agent_of(server, era) as agent:
        tools = await agent.list_tools()
        assert [tool.name for tool in tools.tools] == [tool.name for tool in TOOLS]
        assert len(tools.model_dump_json(by_alias=True, exclude_none=True)) <= MAX_LIST_BYTES
        assert [one.uri for one in (await agent.list_resources()).resources] == [*LISTED]
        assert len((await agent.list_resource_templates()).resource_templates) == 2
        assert [one.name for one in (await agent.list_prompts()).prompts] == [one.name for one in PROMPTS]
        assert agent.protocol_version == ("2026-07-28" if era == "auto" else "2025-11-25")


@both_eras
async def test_what_happens_ends_the_waiting(server: Server, era: Era) -> None:
    async with agent_of(server, era) as agent:
        cursor = (await asked(agent, "wait_for_events", timeout_s=0))["cursor"]
        waiting = asyncio.create_task(asked(agent, "wait_for_events", cursor=cursor, timeout_s=50))
        await until(lambda: server.service.connections._open)
        await told(server, a_failure())
        answer = await waiting
        assert [chain["kinds"] for chain in answer["chains"]] == [{"http_error": 1}]
        assert "http_error (high) on p1" in await text_of(agent, "explain", id=answer["chains"][0]["id"])


@both_eras
async def test_a_refusal_says_how_the_next_call_works(server: Server, era: Era) -> None:
    async with agent_of(server, era) as agent:
        result = await agent.call_tool("observe", {"wat": "events"})
        assert result.is_error
        assert "Did you mean what?" in await text_of(agent, "observe", wat="events")
        with pytest.raises(MCPError, match="There are: firstcause://events") as refused:
            await agent.read_resource("firstcause://nothing")
        assert refused.value.error.data == {"uri": "firstcause://nothing"}
        with pytest.raises(MCPError, match="There are: debug_page"):
            await agent.get_prompt("nothing")


@both_eras
async def test_resources_are_read_as_tools_are(server: Server, era: Era) -> None:
    failed = a_failure()
    async with agent_of(server, era) as agent:
        await told(server, failed)
        for uri in (EVENTS, CHAINS, f"{EVENTS}/network_errors", f"{CHAINS}/{failed.id}"):
            (content,) = (await agent.read_resource(uri)).contents
            assert "POST /api/cart answered 500" in content.text  # type: ignore[union-attr]
        (content,) = (await agent.read_resource(RUNS)).contents
        assert "answered 500" not in content.text  # type: ignore[union-attr]


@both_eras
async def test_a_prompt_is_filled_in(server: Server, era: Era) -> None:
    async with agent_of(server, era) as agent:
        (message,) = (await agent.get_prompt("debug_page", {"url": "http://localhost:3000"})).messages
        assert 'observe {"open":"http://localhost:3000"}' in message.content.text  # type: ignore[union-attr]


@both_eras
async def test_two_clients_have_their_own_mutes(server: Server, era: Era) -> None:
    async with agent_of(server, era, "one") as one, agent_of(server, era, "two") as two:
        cursors = [(await asked(agent, "wait_for_events", timeout_s=0))["cursor"] for agent in (one, two)]
        assert (await asked(one, "configure", action="mute", channels=["errors"]))["muted"] == ["errors"]
        await told(server, happened(), a_failure())
        answers = [
            await asked(agent, "wait_for_events", timeout_s=0, cursor=cursor)
            for agent, cursor in zip((one, two), cursors, strict=True)
        ]
        assert [answer["events"] for answer in answers] == [1, 2]
        await asked(one, "configure", action="unmute")
        assert (await asked(one, "wait_for_events", timeout_s=0, cursor=answers[0]["cursor"]))["events"] == 1


@both_eras
async def test_who_stops_waiting_leaves_nothing_behind(server: Server, era: Era) -> None:
    log = server.service.hub.project("default")
    async with agent_of(server, era) as agent:
        await asked(agent, "wait_for_events", timeout_s=0)
        readers = len(log.readers)
        waiting = asyncio.create_task(asked(agent, "wait_for_events", timeout_s=50))
        await until(lambda: len(log.readers) > readers)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: len(log.readers) == readers and not server.service.connections._open)
    await until(lambda: not log.readers)


@both_eras
async def test_a_server_that_ends_answers_who_waits(tmp_path: Path, era: Era) -> None:
    async with serving(tmp_path) as server, agent_of(server, era) as agent:
        await asked(agent, "wait_for_events", timeout_s=0)
        waiting = asyncio.create_task(asked(agent, "wait_for_events", timeout_s=50))
        await until(lambda: server.service.connections._open)
        server.service.ending.set()
        assert "call again with this cursor" in (await waiting)["ending"]
    assert all(job.done() for job in server.service.jobs)


async def test_a_session_is_told_without_asking(server: Server) -> None:
    heard: list[Any] = []
    heard_it = asyncio.Event()

    async def hear(message: Any) -> None:
        heard.append(message)
        heard_it.set()

    async with agent_of(server, "legacy", message_handler=hear) as agent:
        with pytest.warns(match="resources/subscribe"):
            await agent.subscribe_resource(EVENTS)
        while not any(isinstance(one, LoggingMessageNotification) for one in heard):
            # The stream of a session opens beside its first calls, and what comes before it is not for it.
            await told(server, a_failure())
            heard_it.clear()
            await asyncio.wait({asyncio.ensure_future(heard_it.wait())}, timeout=0.2)
        updated = next(one for one in heard if isinstance(one, ResourceUpdatedNotification))
        assert updated.params.uri == EVENTS
        logged = next(one for one in heard if isinstance(one, LoggingMessageNotification))
        assert "POST /api/cart answered 500" in str(logged.params.data)
        assert logged.params.level == "error"


async def test_who_listens_is_told_which_resource_has_changed(server: Server) -> None:
    async with (
        agent_of(server, "auto") as agent,
        agent.listen(resource_subscriptions=[CHAINS, RUNS]) as listening,
    ):
        await told(server, a_failure())
        assert (await anext(aiter(listening))).uri == CHAINS  # type: ignore[union-attr]
        await asked(agent, "publish", kind="step", summary="click Buy")
        assert (await anext(aiter(listening))).uri == RUNS  # type: ignore[union-attr]
    await until(lambda: not server.service.hub.project("default").readers)


async def test_a_storm_is_told_in_few_notices(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, throttle_ms=1_000) as server,
        agent_of(server, "auto") as agent,
        agent.listen(resource_subscriptions=[EVENTS]) as listening,
    ):
        before = server.service.hub.tallies["notifications"]
        await told(server, *[happened() for _ in range(2_000)])
        await anext(aiter(listening))
        assert server.service.hub.tallies["notifications"] - before <= 2


async def test_claude_code_is_told_by_its_channel(server: Server) -> None:
    sent: list[dict[str, Any]] = []

    class Recorder:
        async def send_notification(self, notification: Any) -> None:
            sent.append(notification.model_dump(by_alias=True, mode="json", exclude_none=True))

    client = Clients(server.service.hub).get("one", "default")
    session = Session(Recorder(), client, takes_channel=True)  # type: ignore[arg-type]
    await session.tell(Notice(2, ("errors",), "high", "cart is undefined"))
    assert sent[-1] == {
        "method": "notifications/claude/channel",
        "params": {
            "content": "2 new events, high: cart is undefined. wait_for_events tells more.",
            "meta": {"severity": "high", "channels": "errors"},
        },
    }
    sent.clear()
    await session.tell(Notice(1, ("runs",), "info", "a step"))
    assert sent == []


async def test_a_token_is_needed_and_a_session_belongs_to_it(server: Server) -> None:
    async with client_of(server, token="") as stranger:
        assert (await stranger.post("/mcp", json=FIRST_CALL, headers=ACCEPT)).status_code == 401
    async with client_of(server) as own, client_of(server, limited(server, "read")) as other:
        begun = await own.post("/mcp", json=FIRST_CALL, headers=ACCEPT)
        assert begun.status_code == 200
        session = {**ACCEPT, "Mcp-Session-Id": begun.headers["mcp-session-id"]}
        asking = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert (await own.post("/mcp", json=asking, headers=session)).status_code == 200
        assert (await other.post("/mcp", json=asking, headers=session)).status_code == 404
        assert (await own.delete("/mcp", headers=session)).status_code == 200
        assert (await own.post("/mcp", json=asking, headers=session)).status_code == 404


@both_eras
async def test_a_token_may_do_no_more_than_it_says(server: Server, era: Era) -> None:
    async with agent_of(server, era, token=limited(server, "read", projects=("shop",))) as agent:
        await told(server, happened(), happened(project="shop"))
        answer = await asked(agent, "observe", what="events")
        assert len(answer["latest"]) == 1
        assert "scope_missing" in await text_of(agent, "observe", open="http://localhost:1")
        assert "scope_missing" in await text_of(
            agent, "configure", action="buffers", buffers={"ring_events": 50}
        )


@both_eras
async def test_clients_are_counted_while_they_wait_or_are_told(server: Server, era: Era) -> None:
    async with client_of(server) as client, agent_of(server, era) as agent:

        async def counted() -> int:
            stats = (await client.get("/v1/stats")).json()
            figures = (await client.get("/metrics")).text
            assert (
                f'firstcause_subscribers{{transport="mcp"}} {float(stats["subscribers"]["mcp"])}' in figures
            )
            return stats["subscribers"]["mcp"]

        await asked(agent, "wait_for_events", timeout_s=0)
        assert await counted() == (1 if era == "legacy" else 0)
        waiting = asyncio.create_task(asked(agent, "wait_for_events", timeout_s=50))
        await until(lambda: server.service.connections._open)
        assert await counted() == 1
        await told(server, a_failure())
        await waiting
    await until(lambda: not server.service.agents)


async def test_blanks_around_a_header_are_no_part_of_it(server: Server) -> None:
    meta = {
        "protocolVersion": "2026-07-28",
        "clientInfo": {"name": "raw", "version": "0"},
        "clientCapabilities": {},
    }
    params = {
        "name": "observe",
        "arguments": {},
        "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()},
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    headers = {
        **ACCEPT,
        "Host": f"127.0.0.1:{server.service.port}",
        "Authorization": f"Bearer {server.token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "  observe\t ",
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", server.service.port)
    lines = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200"), answer


async def test_other_hosts_and_origins_are_refused(server: Server) -> None:
    async with client_of(server) as client:
        for headers in ({"Origin": "https://evil.test"}, {"Host": "evil.test"}):
            answer: httpx.Response = await client.post("/mcp", json=FIRST_CALL, headers={**ACCEPT, **headers})
            assert answer.status_code == 403


async def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extra, "PACKAGE", "no_such_package")
    async with serving(tmp_path) as server, client_of(server) as client:
        answer = await client.post("/mcp", json=FIRST_CALL, headers=ACCEPT)
        assert answer.status_code == 501
        assert answer.json()["code"] == "mcp_missing"
        assert answer.json()["hint"] == 'Install it: pip install "firstcause[mcp]"'
