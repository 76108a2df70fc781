"""Lines of standard input, of any length: one that is too long is answered with an error, and the next one is read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, ErrorData, JSONRPCError

ENDS_BYTES: Final = 1_024
# Clients put a request's id before or behind all else; one that is found in between may be somebody else's.
ID_FIRST: Final = re.compile(
    rb'\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15}|"[^"\\]{1,200}")\s*,'
)
ID_LAST: Final = re.compile(
    rb'.*,\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15}|"[^"\\]{1,200}")\s*\}\s*', re.DOTALL
)

Answer = Callable[[SessionMessage], Awaitable[None]]


async def lines_of(
    reader: asyncio.StreamReader, limit_bytes: int, answer: asyncio.Future[Answer]
) -> AsyncGenerator[str]:
    """`reader` must be made with the same limit."""
    while True:
        try:
            line = await reader.readuntil()
        except asyncio.IncompleteReadError as error:
            line = error.partial
        except asyncio.LimitOverrunError as error:
            refusal = too_long(*await _ends_of_line(reader, error.consumed), limit_bytes)
            await (await answer)(SessionMessage(refusal))
            continue
        if not line:
            return
        yield line.decode(errors="replace")


async def _ends_of_line(reader: asyncio.StreamReader, size_bytes: int) -> tuple[bytes, bytes]:
    """The beginning and the end of a line that is not kept."""
    first = last = b""
    while True:
        part = await reader.readexactly(size_bytes)
        first, last = first or part[:ENDS_BYTES], (last + part)[-ENDS_BYTES:]
        try:
            part = await reader.readuntil()
        except asyncio.IncompleteReadError as error:
            part = error.partial
        except asyncio.LimitOverrunError as error:
            size_bytes = error.consumed
            continue
        return first, (last + part)[-ENDS_BYTES:]


def too_long(first: bytes, last: bytes, limit_bytes: int) -> JSONRPCError:
    """Tells the request that it was, where that is certain."""
    found = ID_FIRST.match(first) or ID_LAST.fullmatch(last)
    name = found[1].decode(errors="replace") if found else ""
    return JSONRPCError(
        jsonrpc="2.0",
        id=int(name) if name.isdigit() else name.strip('"') or None,
        error=ErrorData(
            code=INVALID_REQUEST,
            message=f"A message may have {limit_bytes >> 20} MB; this one has more and was not read. Send a shorter one.",
        ),
    )
