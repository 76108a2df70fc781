"""An AI agent on a live page: the official client on standard input and on HTTP, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from firstcause.api.server import Server
from firstcause.api.tools.budget import tokens_of

from ..mcp_clients import ERAS, Era, agent_of, asked, text_of
from ..unit.serving import serving, until
from .support import PATIENCE_S, Answer, Chromium, Site, Tab, cdp_client

MCP = (sys.executable, "-m", "firstcause", "mcp")
WAIT_S = 50
BUDGET = 1_100
BROKEN = """
globalThis.buy = async () => {
    const answer = await fetch('/api/cart', {method: 'POST'});
    (await answer.json()).items.length;
};
"""


class Way(NamedTuple):
    transport: Literal["stdio", "http", "bridge"]
    era: Era


WAYS = [Way(transport, era) for transport in ("stdio", "http", "bridge") for era in ERAS]
every_way = pytest.mark.parametrize("way", WAYS, ids="-".join)


@asynccontextmanager
async def reached(way: Way, state: Path) -> AsyncGenerator[Client]:
    if way.transport == "stdio":
        async with over_stdio(way.era, state) as agent:
            yield agent
        return
    async with serving(state, throttle_ms=1_000) as server:
        if way.transport == "http":
            async with agent_of(server, way.era) as agent:
                yield agent
        else:
            async with over_stdio(way.era, state, "--url", server.url) as agent:
                yield agent


@asynccontextmanager
async def over_stdio(era: Era, state: Path, *options: str) -> AsyncGenerator[Client]:
    given = StdioServerParameters(
        command=MCP[0], args=[*MCP[1:], *options], env={**os.environ, "FIRSTCAUSE_STATE_DIR": str(state)}
    )
    async with Client(given, mode=era) as client:
        yield client


@asynccontextmanager
async def page_at(chromium: Chromium, url: str) -> AsyncGenerator[Tab]:
    async with cdp_client(chromium.ws_url) as cdp:
        tab = await cdp.open()
        await tab.goto(url)
        yield tab


async def watching(agent: Client, chromium: Chromium) -> str:
    """Observed from now on; the cursor of what comes."""
    await asked(agent, "observe", attach=chromium.ws_url)
    return (await asked(agent, "wait_for_events", timeout_s=0))["cursor"]


async def heard(agent: Client, cursor: str, kind: str) -> tuple[dict[str, Any], str]:
    """The first chain with this kind in it, and the cursor behind it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await asked(agent, "wait_for_events", cursor=cursor, timeout_s=WAIT_S)
            cursor = answer["cursor"]
            for chain in answer["chains"]:
                if kind in chain["kinds"]:
                    return chain, cursor


@every_way
async def test_a_page_that_breaks_answers_who_waits(
    way: Way, chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    site.routes["/api/cart"] = Answer("{}", "application/json", status="500 Internal Server Error")
    async with reached(way, tmp_path) as agent, page_at(chromium, site.page("/", BROKEN)) as tab:
        cursor = await watching(agent, chromium)
        waiting = asyncio.create_task(heard(agent, cursor, "unhandled_rejection"))
        await tab.start("buy()")
        chain, cursor = await waiting
        assert "/api/cart answered 500" in chain["first"]
        told = await text_of(agent, "explain", id=chain["id"])
        assert "goes back to http_error" in told
        assert tokens_of(told) < BUDGET
        assert (await asked(agent, "wait_for_events", cursor=cursor, timeout_s=0))["recovered"] is True


async def test_an_agent_opens_a_page_by_itself(site: Site, tmp_path: Path) -> None:
    async with reached(Way("http", "auto"), tmp_path) as agent:
        answer = await asked(agent, "observe", open=site.page("/", "setTimeout(() => missing())"))
        assert answer["pages"][0]["url"] == site.url("/")
        chain, _ = await heard(agent, "", "uncaught_exception")
        assert "missing is not defined" in chain["first"]
        browser = answer["pages"][0]["browser"]
        assert (await asked(agent, "observe", detach=browser))["pages"] == []


async def test_two_agents_have_their_own_mutes(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as server,
        agent_of(server, "auto", "one") as one,
        agent_of(server, "legacy") as two,
        page_at(chromium, site.page("/")) as tab,
    ):
        cursor_of_one = await watching(one, chromium)
        cursor_of_two = (await asked(two, "wait_for_events", timeout_s=0))["cursor"]
        await asked(one, "configure", action="mute", channels=["errors"])
        await tab.start("setTimeout(() => missing())")
        await heard(two, cursor_of_two, "uncaught_exception")
        assert (await asked(one, "wait_for_events", cursor=cursor_of_one, timeout_s=0))["events"] == 0
        await asked(one, "configure", action="unmute")
        await heard(one, cursor_of_one, "uncaught_exception")


async def test_a_storm_is_told_in_short_true_answers(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    async with reached(Way("http", "auto"), tmp_path) as agent, page_at(chromium, site.page("/")) as tab:
        cursor = await watching(agent, chromium)
        await tab.start(
            "for (let i = 0; i < 10000; i++) setTimeout(() => {throw new Error('boom ' + i.toString(36) + i)});"
            "setTimeout(() => setTimeout(() => thatWasAll()))"
        )
        seen = 0
        async with asyncio.timeout(3 * PATIENCE_S):
            while True:
                result = await agent.call_tool("wait_for_events", {"cursor": cursor, "timeout_s": WAIT_S})
                answer: dict[str, Any] = result.structured_content or {}  # type: ignore[union-attr]
                assert tokens_of(result.content[0].text) < BUDGET  # type: ignore[union-attr]
                left = answer.get("left_out", {"events": 0})["events"]
                assert sum(chain["events"] for chain in answer["chains"]) + left == answer["events"]
                seen += answer["events"] + answer.get("lost", 0)
                cursor = answer["cursor"]
                ended = await asked(agent, "observe", what="events", include={"text": ["thatWasAll"]})
                if ended["matching"] and not answer["more"] and not ended["pending"]:
                    break
        told = (await asked(agent, "observe", what="stats"))["told"]
        assert seen == sum(told[channel] for channel in told if channel != "activity")


async def test_a_line_of_fifty_megabytes_is_a_short_answer(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    async with reached(Way("http", "auto"), tmp_path) as agent, page_at(chromium, site.page("/")) as tab:
        cursor = await watching(agent, chromium)
        await tab.start("console.error('x'.repeat(50 << 20)); setTimeout(() => after())")
        chain, _ = await heard(agent, cursor, "console_error")
        assert chain["first"].startswith("xxx")
        told = await agent.call_tool("observe", {"what": "event", "id": chain["id"], "max_tokens": 11_000})
        assert tokens_of(told.content[0].text) < BUDGET  # type: ignore[union-attr]
        chain, _ = await heard(agent, cursor, "uncaught_exception")
        assert "after is not defined" in chain["first"]


async def test_a_page_that_hangs_blocks_no_answer(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    async with reached(Way("http", "auto"), tmp_path) as agent, page_at(chromium, site.page("/")) as tab:
        cursor = await watching(agent, chromium)
        await tab.start("const end = Date.now() + 4000; while (Date.now() < end);")
        chain, _ = await heard(agent, cursor, "page_hang")
        assert (await asked(agent, "observe", what="page", page=chain["page"]))["chains"]


async def test_a_browser_that_dies_is_told(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    async with reached(Way("http", "auto"), tmp_path) as agent, page_at(chromium, site.page("/")):
        cursor = await watching(agent, chromium)
        waiting = asyncio.create_task(asked(agent, "wait_for_events", cursor=cursor, timeout_s=WAIT_S))
        await chromium.kill()
        answer = await waiting
        assert answer["chains"]
        (page, *_) = (await asked(agent, "observe"))["pages"]
        assert page["connected"] is False


@pytest.mark.parametrize("era", ERAS)
async def test_who_disconnects_while_waiting_leaves_nothing_behind(era: Era, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        readers = server.service.hub.project("default").readers
        async with agent_of(server, era) as agent:
            await asked(agent, "wait_for_events", timeout_s=0)
            waiting = asyncio.create_task(asked(agent, "wait_for_events", timeout_s=WAIT_S))
            await until(lambda: waits(server))
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: not readers and not waits(server))


@pytest.mark.parametrize("era", ERAS)
async def test_a_bridge_says_when_its_server_is_gone(era: Era, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = serving(tmp_path)
        url = (await server.__aenter__()).url
        agent = await stack.enter_async_context(over_stdio(era, tmp_path, "--url", url))
        await asked(agent, "wait_for_events", timeout_s=0)
        await server.__aexit__(None, None, None)
        with pytest.raises(MCPError, match="No firstcause answers at http"):
            await asked(agent, "wait_for_events", timeout_s=0)


def waits(server: Server) -> bool:
    return bool(server.service.connections._open)


@pytest.mark.parametrize("how", ["input closed", "signal"])
async def test_the_command_ends_with_its_client(how: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *MCP,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "FIRSTCAUSE_STATE_DIR": str(tmp_path)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(3 * PATIENCE_S):
        assert b"MCP on standard input" in await process.stderr.readline()
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        await process.stdin.drain()
        assert b'"id":1' in await process.stdout.readline()
        if how == "signal":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert await process.stdout.read() == b""
        assert await process.wait() == 0
        await process.stderr.read()
        process.stdin.close()
        await process.stdin.wait_closed()
