"""Standard input line by line: what is too long is refused by the id of its request, and what follows is read."""

from __future__ import annotations

import asyncio
import json

import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError

from firstcause.api.mcp.lines import lines_of

LIMIT_BYTES = 1 << 20
LONG = "x" * (3 * LIMIT_BYTES)


async def read(*lines: bytes) -> tuple[list[str], list[JSONRPCError]]:
    """What is read of these lines, which come in pieces, and what is answered meanwhile."""
    refused: list[JSONRPCError] = []

    async def refuse(message: SessionMessage) -> None:
        assert isinstance(message.message, JSONRPCError)
        refused.append(message.message)

    answer = asyncio.get_running_loop().create_future()
    answer.set_result(refuse)
    reader = asyncio.StreamReader(LIMIT_BYTES)

    async def write() -> None:
        given = b"".join(lines)
        for at in range(0, len(given), 300_000):
            reader.feed_data(given[at : at + 300_000])
            await asyncio.sleep(0)
        reader.feed_eof()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        found = [line async for line in lines_of(reader, LIMIT_BYTES, answer)]
    return found, refused


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"jsonrpc": "2.0", "id": 7, "method": "x", "params": {"text": LONG}}, 7),
        ({"method": "x", "params": {"text": LONG, "id": 3}, "jsonrpc": "2.0", "id": "a-7"}, "a-7"),
        ({"method": "x", "params": {"id": 3, "text": LONG}}, None),
    ],
    ids=["id first", "id last", "none"],
)
async def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(
    message: dict[str, object], name: object
) -> None:
    found, (refusal,) = await read(b"one\n", json.dumps(message).encode(), b"\ntwo\n", b"three")
    assert found == ["one\n", "two\n", "three"]
    assert refusal.id == name
    assert "may have 1 MB" in refusal.error.message


async def test_a_long_line_that_never_ends_is_refused_when_input_does() -> None:
    found, (refusal,) = await read(b'{"jsonrpc":"2.0","id":1,"method":"x",' + LONG.encode())
    assert (found, refusal.id) == ([], 1)


async def test_what_is_just_not_too_long_is_read() -> None:
    line = b"x" * LIMIT_BYTES + b"\n"
    found, refused = await read(line)
    assert [len(one) for one in found] == [LIMIT_BYTES + 1]
    assert refused == []
