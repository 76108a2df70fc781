"""Clients of /mcp by the official package, in either era of the protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, TextContent

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
PATIENCE_S = 60.0


class Served(Protocol):
    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...


@asynccontextmanager
async def agent_of(
    server: Served, era: Era, name: str = "agent", token: str | None = None, **options: Any
) -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {server.token if token is None else token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S, trust_env=False) as http,
        Client(
            streamable_http_client(f"{server.url}/mcp", http_client=http),
            mode=era,
            client_info=Implementation(name=name, version="1"),
            **options,
        ) as client,
    ):
        yield client


async def asked(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """What a tool answers."""
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def text_of(client: Client, tool: str, /, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
