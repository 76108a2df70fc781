"""MCP as others see it: the official conformance suite and the inspector's command line against a server that runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult

from firstcause.api.tools import TOOLS

from ..mcp_clients import Era, Served, agent_of
from ..npm_packages import npm_packages
from ..unit.serving import serving
from .mcp_checks import CONFORMANCE, HERE, INSPECTOR, SESSIONLESS, SESSIONS, Ran, offer, run
from .support import Chromium, Site, cdp_client

LISTS = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")


@pytest.fixture(scope="module")
def packages() -> Path | None:
    folder = npm_packages(HERE)
    return folder and folder / "node_modules"


FOUND = {
    SESSIONS: ["Total: 19 passed, 15 failed"],
    SESSIONLESS: ["server-stateless: 26 passed, 2 failed", "Total: 104 passed, 26 failed"],
}


@pytest.mark.parametrize("version", CONFORMANCE)
async def test_the_conformance_suite_finds_nothing_that_is_not_expected(
    version: str, packages: Path | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(monkeypatch)
    async with serving(tmp_path, auth="off") as server:
        if packages is None:
            await asked_by_the_package(server, "legacy" if version == SESSIONS else "auto")
            return
        ran = await run(
            packages / CONFORMANCE[version],
            *("server", "--url", f"{server.url}/mcp", "--suite", "all", "--spec-version", version),
            *("--expected-failures", str(HERE / f"expected_failures_{version}.yml")),
            *("--output-dir", str(tmp_path / "found")),
        )
    assert ran.code == 0, ran.out + ran.err
    assert re.findall(r"(?:server-stateless|Total): .*", ran.out) == FOUND[version]


async def asked_by_the_package(server: Served, era: Era) -> None:
    """The suite's own questions, as far as the official client can ask them: for machines that npm gives nothing to."""
    done: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        done.append(progress)

    async with agent_of(server, era) as agent:
        simple = await agent.call_tool("test_simple_text", {})
        assert simple.content[0].text.startswith("This is a simple text")  # type: ignore[union-attr]
        assert (await agent.call_tool("test_error_handling", {})).is_error  # type: ignore[union-attr]
        await agent.call_tool("test_tool_with_progress", {}, progress_callback=heard)
        assert done == [0, 50, 100]
        (content,) = (await agent.read_resource("test://template/123/data")).contents
        assert "123" in content.text  # type: ignore[union-attr]
        filled = await agent.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
        assert "arg1='one', arg2='two'" in filled.model_dump_json()


class Inspected:
    """What an inspector says of a server: the official one, or the official client where that is not to be had."""

    def __init__(self, server: Served, packages: Path | None) -> None:
        self._server = server
        self._packages = packages

    async def listed(self, what: str) -> dict[str, Any]:
        if self._packages is not None:
            strictly = ("--strict",) if what == "tools/list" else ()
            return json.loads((await self._inspect("--method", what, *strictly)).out)
        async with agent_of(self._server, "auto") as agent:
            lists: dict[str, Any] = {
                "tools/list": agent.list_tools,
                "resources/list": agent.list_resources,
                "resources/templates/list": agent.list_resource_templates,
                "prompts/list": agent.list_prompts,
            }
            return (await lists[what]()).model_dump(by_alias=True)

    async def called(self, tool: str, **arguments: Any) -> dict[str, Any]:
        if self._packages is None:
            async with agent_of(self._server, "auto") as agent:
                result = await agent.call_tool(tool, arguments)
                assert isinstance(result, CallToolResult)
                return result.model_dump(by_alias=True)
        given = [
            text
            for name, value in arguments.items()
            for text in ("--tool-arg", f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        ]
        return json.loads((await self._inspect("--method", "tools/call", "--tool-name", tool, *given)).out)

    async def _inspect(self, *arguments: str) -> Ran:
        assert self._packages is not None
        ran = await run(
            self._packages / INSPECTOR,
            *("--cli", f"{self._server.url}/mcp", "--transport", "http"),
            *("--header", f"Authorization: Bearer {self._server.token}"),
            *arguments,
        )
        assert ran.code == 0, ran.out + ran.err
        return ran


async def test_the_inspector_lists_and_calls_every_tool(
    packages: Path | None, chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    async with serving(tmp_path) as server, cdp_client(chromium.ws_url) as cdp:
        inspector = Inspected(server, packages)
        told = {what: await inspector.listed(what) for what in LISTS}
        assert [tool["name"] for tool in told["tools/list"]["tools"]] == [tool.name for tool in TOOLS]
        assert told["resources/list"]["resources"]
        assert told["resources/templates/list"]["resourceTemplates"]
        assert told["prompts/list"]["prompts"]

        called = {"observe": await inspector.called("observe", attach=chromium.ws_url)}
        tab = await cdp.open()
        await tab.goto(site.page("/", "setTimeout(() => missing())"))
        waited = await inspector.called("wait_for_events", cursor=cursor_of(called["observe"]), timeout_s=50)
        (chain,) = waited["structuredContent"]["chains"]
        called |= {
            "act": await inspector.called("act", action="press", value="Escape", page=chain["page"]),
            "wait_for_events": waited,
            "explain": await inspector.called("explain", id=chain["id"]),
            "read_output": await inspector.called("read_output", ref=f"page:{chain['page']}/dom"),
            "publish": await inspector.called("publish", kind="step", summary="looked at the page"),
            "configure": await inspector.called("configure", action="mute", channels=["performance"]),
        }
        assert sorted(called) == [tool.name for tool in TOOLS]
        assert not any(answer["isError"] for answer in called.values())
        assert "missing is not defined" in called["explain"]["content"][0]["text"]


def cursor_of(answer: dict[str, Any]) -> str:
    return answer["structuredContent"]["cursor"]
