"""MCP on standard input and output, of a server in this process."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from mcp.server.stdio import stdio_server

from ..service import Service
from ..transports.ending import ended_by
from .lines import Answer, lines_of
from .server import new_server

MAX_LINE_BYTES: Final = 16 << 20
READ_S: Final = 120.0
"""Longer than any answer takes: a stream of notices says something every quarter of a minute."""


async def serve_stdio(service: Service, stop: asyncio.Event) -> None:
    """Until the client closes our input, or `stop`."""
    server = new_server(service)
    async with standard_streams() as (read, write):
        await ended_by(server.run(read, write, server.create_initialization_options()), stop.wait())


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[tuple[Any, Any]]:
    """As the package has them, but that they end when we do. It reads input in a thread, which a signal can't call back: it would keep the
    process alive until the client says one more thing. A file is left to it, for that ends by itself.
    """
    mode = os.fstat(0).st_mode
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        async with stdio_server() as (read, write):
            yield read, write
            await write.aclose()
        return
    reader = asyncio.StreamReader(MAX_LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(0), "rb", 0)
    )
    try:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        lines = lines_of(reader, MAX_LINE_BYTES, answer)
        async with stdio_server(cast("Any", lines)) as (read, write):
            answer.set_result(write.send)
            try:
                yield read, write
            finally:
                transport.close()  # nothing more comes then
                reader.feed_eof()
                await write.aclose()
    finally:
        transport.close()
