"""A bridge from standard input and output to a server that runs already: tools exist once, where that is."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import httpx2
import msgspec
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types import INTERNAL_ERROR, PROTOCOL_VERSION_META_KEY, JSONRPCRequest

from ...correlator.engine import new_uuid7
from ..transports.ending import ended_by
from .callers import CLIENT_HEADER
from .stdio import standard_streams

READ_S: Final = 120.0
"""Longer than any answer takes: a stream of notices says something every quarter of a minute."""


class _Refusal(msgspec.Struct):
    message: str
    hint: str = ""


class Answering(httpx2.AsyncHTTPTransport):
    """A server that is gone or refuses is an answer to the client, where the package would end or say only that there was an error."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx2.TransportError as error:
            why = f"No firstcause answers at {request.url}: {error}. Start one with `firstcause serve`, or leave --url away."
            return _error(503, why)
        if response.status_code < 400:
            return response
        body = await response.aread()
        await response.aclose()
        try:
            refusal = msgspec.json.decode(body, type=_Refusal)
        except msgspec.DecodeError:
            return httpx2.Response(
                response.status_code, headers={"content-type": "application/json"}, content=body
            )
        return _error(response.status_code, f"{refusal.message} {refusal.hint}".strip())


def _error(status: int, text: str) -> httpx2.Response:
    error = {"code": INTERNAL_ERROR, "message": text}
    return httpx2.Response(status, json={"jsonrpc": "2.0", "id": None, "error": error})


async def bridge(url: str, token: str, stop: asyncio.Event) -> None:
    """Hand every message on, both ways, until the client closes our input, or `stop`."""
    headers = {CLIENT_HEADER: new_uuid7(), **({"Authorization": f"Bearer {token}"} if token else {})}
    timeout = httpx2.Timeout(30.0, read=READ_S)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, transport=Answering()) as client,
        streamable_http_client(url, http_client=client) as (from_server, to_server),
        standard_streams() as (from_client, to_client),
    ):
        await ended_by(_handed_on(from_client, to_server), _handed_on(from_server, to_client), stop.wait())


async def _handed_on(source: Any, sink: Any) -> None:
    async for message in source:
        if isinstance(message, SessionMessage):
            await sink.send(_with_headers(message))


def _with_headers(given: SessionMessage) -> SessionMessage:
    """The newer protocol repeats in headers what a message says; on standard input nobody has told them."""
    message = given.message
    if not isinstance(message, JSONRPCRequest):
        return given
    params: dict[str, Any] = message.params or {}
    meta = cast("dict[str, Any]", params.get("_meta") or {})
    version = meta.get(PROTOCOL_VERSION_META_KEY)
    if not isinstance(version, str):
        return given
    headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: message.method}
    name = params.get(NAME_BEARING_METHODS.get(message.method, ""))
    if isinstance(name, str):
        headers[MCP_NAME_HEADER] = encode_header_value(name)
    return SessionMessage(message, metadata=ClientMessageMetadata(headers=headers))
