"""Requests that come slowly, endlessly, in pieces or all at once, byte by byte over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from firstcause.api.protocols import MAX_HEAD_BYTES
from firstcause.api.server import Server

from .serving import PATIENCE_S, client_of, ids_of, streaming, told, until

REQUEST_S = "firstcause.api.protocols.REQUEST_S"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.service.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def request(
    server: Server, line: str = "GET /v1/stats HTTP/1.1", body: bytes = b"", **headers: object
) -> bytes:
    given = {"Host": "127.0.0.1", "Authorization": f"Bearer {server.token}", **headers}
    if body:
        given["Content-Length"] = len(body)
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{line}\r\n{head}\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split()[1])
        length = next(
            (
                line.split(b":")[1]
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            b"0",
        )
        return status, await reader.readexactly(int(length))


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came before the end."""
    came = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while some := await reader.read(65536):
                came += some
    except ConnectionError:
        pass
    return came


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "half a body"],
)
async def test_a_request_that_does_not_arrive_is_not_waited_for(
    server: Server, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REQUEST_S, 0.05)
    async with connected(server) as (reader, writer):
        writer.write(part)
        assert not (await ended(reader)).startswith(b"HTTP/1.1 2")


async def test_a_second_request_has_to_arrive_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(server) as (reader, writer):
        writer.write(request(server))
        assert (await answer(reader))[0] == 200
        monkeypatch.setattr(REQUEST_S, 0.05)
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert await ended(reader) == b""


async def test_answers_may_take_longer_than_requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    marked_s = 9876.5
    monkeypatch.setattr(REQUEST_S, marked_s)
    deadlines: list[asyncio.TimerHandle] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def noted(delay: float, *rest: Any, **named: Any) -> asyncio.TimerHandle:
        handle = call_later(delay, *rest, **named)
        if delay == marked_s:
            deadlines.append(handle)
        return handle

    monkeypatch.setattr(loop, "call_later", noted)
    async with client_of(server) as client, streaming(server) as stream:
        cursor = (await client.get("/v1/events")).json()["cursor"]
        waiting = asyncio.create_task(client.get("/v1/events", params={"cursor": cursor}))
        await until(lambda: len(server.service.connected) == 2)
        assert deadlines
        assert all(deadline.cancelled() for deadline in deadlines)
        ids = await told(server)
        assert ids_of((await waiting).json()["frames"]) == ids
        assert (await stream.ask("ping"))["op"] == "pong"


@pytest.mark.parametrize("pieces", [1, 10])
async def test_a_head_that_is_too_long_is_refused(server: Server, pieces: int) -> None:
    async with connected(server) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for number in range(pieces):
            writer.write(f"X-{number}: {'x' * (MAX_HEAD_BYTES // pieces + 100)}\r\n".encode())
        assert b" 400 " in await ended(reader)


async def test_a_body_may_come_with_its_head(server: Server) -> None:
    body = b'{"channel":"runs","kind":"step","summary":"x"' + b" " * 2 * MAX_HEAD_BYTES + b"}"
    async with connected(server) as (reader, writer):
        for _ in range(3):
            writer.write(request(server, "POST /v1/events HTTP/1.1", body))
            assert (await answer(reader))[0] == 201


async def test_a_request_in_single_bytes(server: Server) -> None:
    body = b'{"channel":"runs","kind":"step","summary":"x"}'
    async with connected(server) as (reader, writer):
        for byte in request(server, "POST /v1/events HTTP/1.1", body):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await answer(reader))[0] == 201


async def test_requests_that_do_not_wait_for_answers_are_answered_in_order(server: Server) -> None:
    async with connected(server) as (reader, writer):
        writer.write(request(server) + request(server, "GET /nothing HTTP/1.1") + request(server))
        assert [(await answer(reader))[0] for _ in range(3)] == [200, 404, 200]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=["TLS", "no HTTP", "a length below nothing", "a length of 5000 digits", "half a handshake"],
)
async def test_what_is_no_request_is_refused(server: Server, nonsense: bytes) -> None:
    async with connected(server) as (reader, writer):
        writer.write(nonsense)
        assert b"HTTP/1.1 4" in await ended(reader)
    async with client_of(server) as client:
        assert (await client.get("/healthz")).status_code == 200
