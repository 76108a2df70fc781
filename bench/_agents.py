"""Scripted agents of bench/agent.py: ours, playwright-mcp and chrome-devtools-mcp, each reading the least that its tools allow.

All of them look at a tab that somebody else uses. Each begins with what it needs to see that tab, and then reads until it holds the
true cause of what went wrong, from what is likely to tell it in the fewest bytes to what is likely to tell most.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _rig import ROOT
from _truth import Account
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent

sys.path.insert(0, str(ROOT))

from tests.npm_packages import npm_packages

NPM = Path(__file__).parent / "npm"
PATIENCE_S = 10.0
WAIT_S = 5.0
WATCH_S = 50.0  # the most that wait_for_events waits
POLL_S = 5.0


class Agent(ABC):
    """One client of one MCP server, which reads about one tab of a browser after the other."""

    name: str
    patience_s = 20.0  # for one answer; some never come, like that of a request whose body no page has read

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ask(self, account: Account, tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
        """An answer, counted."""
        async with asyncio.timeout(self.patience_s):
            result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        texts = [one.text for one in result.content if isinstance(one, TextContent)]
        text = account.read(texts, result.structured_content, failed=result.is_error is True)
        return text, result.structured_content or {}

    async def before_any_call(self) -> dict[str, int]:
        """What a model has read before it has asked anything."""
        tools = (await self.client.list_tools()).tools
        told = [tool.model_dump_json(by_alias=True, exclude_none=True) for tool in tools]
        instructions = self.client.instructions or ""
        return {
            "tools": len(tools),
            "tools_bytes": sum(len(one.encode()) for one in told),
            "instructions_bytes": len(instructions.encode()),
        }

    @abstractmethod
    async def attend(self, account: Account, ws_url: str, tab_url: str) -> None:
        """See the tab that has this address."""

    @abstractmethod
    async def find(self, account: Account) -> None:
        """Read until the account holds the cause, or there is nothing more to read."""

    @abstractmethod
    async def watch(self, account: Account, length_s: float) -> None:
        """Look out for failures in a page that has none."""

    @abstractmethod
    async def leave(self) -> None:
        """Let go of the tab; what is read for that does not count."""


class Ours(Agent):
    name = "firstcause"
    patience_s = 60.0  # waiting is what it is asked for
    _browser = ""

    async def attend(self, account: Account, ws_url: str, tab_url: str) -> None:
        _, answer = await self.ask(account, "observe", attach=ws_url)
        self._browser = answer["pages"][0]["browser"]

    async def find(self, account: Account) -> None:
        explained: set[str] = set()
        ends_s = time.monotonic() + PATIENCE_S
        while not account.holds and time.monotonic() < ends_s:
            _, answer = await self.ask(account, "wait_for_events", timeout_s=WAIT_S)
            for chain in answer.get("chains", ()):
                if account.holds:
                    break
                if chain["id"] not in explained and chain["severity"] != "info":
                    explained.add(chain["id"])
                    await self.ask(account, "explain", id=chain["id"])

    async def watch(self, account: Account, length_s: float) -> None:
        ends_s = time.monotonic() + length_s
        while (left_s := ends_s - time.monotonic()) > 0:
            await self.ask(account, "wait_for_events", timeout_s=min(left_s, WATCH_S))

    async def leave(self) -> None:
        await self.ask(Account(()), "observe", detach=self._browser)
        while (await self.ask(Account(()), "wait_for_events", timeout_s=0))[1]["events"]:
            pass


class Polling(Agent):
    """Nobody tells it anything: it reads the two lists that failures are in, every so often."""

    @abstractmethod
    async def poll(self, account: Account) -> None: ...

    async def leave(self) -> None:
        """The next tab is attended to instead."""

    async def watch(self, account: Account, length_s: float) -> None:
        for _ in range(int(length_s / POLL_S)):
            await asyncio.sleep(POLL_S)
            await self.poll(account)


class PlaywrightMcp(Polling):
    name = "playwright-mcp"

    async def poll(self, account: Account) -> None:
        await self.ask(account, "browser_console_messages", level="error", all=True)
        await self.ask(account, "browser_network_requests")

    async def attend(self, account: Account, ws_url: str, tab_url: str) -> None:
        text, _ = await self.ask(account, "browser_tabs", action="list")
        line = next(line for line in text.splitlines() if tab_url in line)
        index = int(re.findall(r"\d+", line)[0])
        await self.ask(account, "browser_tabs", action="select", index=index)

    async def find(self, account: Account) -> None:
        await self.ask(account, "browser_console_messages", level="error", all=True)
        if account.holds:
            return
        requests, _ = await self.ask(account, "browser_network_requests")
        for index in failed_requests(requests):
            if account.holds:
                return
            await self.ask(account, "browser_network_request", index=index)
        if not account.holds:
            await self.ask(account, "browser_console_messages", level="info", all=True)
        if not account.holds:
            await self.ask(account, "browser_network_requests", static=True)


class DevtoolsMcp(Polling):
    name = "chrome-devtools-mcp"
    _page = 0

    async def poll(self, account: Account) -> None:
        page = {"pageId": self._page}
        await self.ask(account, "list_console_messages", types=["error", "issue"], **page)
        await self.ask(account, "list_network_requests", resourceTypes=["xhr", "fetch"], **page)

    async def attend(self, account: Account, ws_url: str, tab_url: str) -> None:
        text, _ = await self.ask(account, "list_pages")
        line = next(line for line in text.splitlines() if tab_url in line)
        self._page = int(re.findall(r"\d+", line)[0])
        await self.ask(account, "select_page", pageId=self._page)

    async def find(self, account: Account) -> None:
        page = {"pageId": self._page}
        kept = {**page, "includePreservedMessages": True}
        messages, _ = await self.ask(account, "list_console_messages", types=["error", "issue"], **kept)
        if account.holds:
            return
        requests, _ = await self.ask(account, "list_network_requests", resourceTypes=["xhr", "fetch"], **page)
        if account.holds:
            return
        loaded = ["document", "script", "stylesheet"]
        await self.ask(account, "list_network_requests", resourceTypes=loaded, **page)
        if account.holds:
            return
        for number in numbers_of(messages, "msgid"):
            if account.holds:
                return
            await self.ask(account, "get_console_message", msgid=number, **page)
        for number in numbers_of(requests, "reqid"):
            if account.holds:
                return
            await self.ask(account, "get_network_request", reqid=number, **page)
        if not account.holds:
            await self.ask(account, "list_console_messages", **kept)
        if not account.holds:
            await self.ask(account, "list_network_requests", includePreservedRequests=True, **page)


def failed_requests(listed: str) -> Iterator[int]:
    """The numbers of those that were answered with a failure, or not at all."""
    for line in listed.splitlines():
        if (found := re.match(r"\s*(\d+)\. ", line)) and not re.search(r"=> \[[123]\d\d\]", line):
            yield int(found[1])


def numbers_of(listed: str, name: str) -> list[int]:
    return [int(number) for number in re.findall(rf"\b{name}=(\d+)", listed)]


# --- their servers -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def client_of(command: str, arguments: Sequence[str], env: dict[str, str]) -> AsyncGenerator[Client]:
    given = StdioServerParameters(command=command, args=list(arguments), env={**os.environ, **env})
    with Path(os.devnull).open("w") as quiet:  # noqa: ASYNC230
        async with Client(stdio_client(given, quiet)) as client:
            yield client


@asynccontextmanager
async def ours() -> AsyncGenerator[Ours]:
    with TemporaryDirectory(prefix="fc-bench-", ignore_cleanup_errors=True) as state:
        arguments = ["-m", "firstcause", "mcp", "--port", "0"]
        async with client_of(sys.executable, arguments, {"FIRSTCAUSE_STATE_DIR": state}) as client:
            yield Ours(client)


@asynccontextmanager
async def playwright_mcp(modules: Path, ws_url: str) -> AsyncGenerator[PlaywrightMcp]:
    with TemporaryDirectory(prefix="fc-bench-", ignore_cleanup_errors=True) as scratch:
        arguments = ["--cdp-endpoint", ws_url, "--codegen", "none", "--output-dir", scratch]
        async with client_of("node", [str(modules / "@playwright/mcp/cli.js"), *arguments], {}) as client:
            yield PlaywrightMcp(client)


@asynccontextmanager
async def devtools_mcp(modules: Path, ws_url: str) -> AsyncGenerator[DevtoolsMcp]:
    program = modules / "chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js"
    arguments = ["--wsEndpoint", ws_url, "--no-usage-statistics", "--no-performance-crux"]
    async with client_of("node", [str(program), *arguments], {}) as client:
        yield DevtoolsMcp(client)


PEERS = {PlaywrightMcp.name: playwright_mcp, DevtoolsMcp.name: devtools_mcp}


def installed_peers() -> Path:
    folder = npm_packages(NPM)
    if folder is None:
        sys.exit("--peers needs npm, Node 20.19 or newer, and a registry that npm reaches.")
    return folder / "node_modules"
