"""A real server on loopback, and clients that say nothing but what goes over the wire."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.correlator.event import Event

from .streams import event

PATIENCE_S = 10.0
Frame = dict[str, Any]

_numbers = itertools.count(1)


class Served(Protocol):
    """Where a server is, and its master token."""

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...


def an_event(kind: str = "js_error", severity: Any = "medium", **fields: Any) -> Event:
    """One that nobody told before."""
    return event(kind, severity, **{"id": f"e{next(_numbers):06}", **fields})


@asynccontextmanager
async def serving(state_dir: Path, **settings: Any) -> AsyncGenerator[Server]:
    """A server that tells every event at once unless told otherwise."""
    given: dict[str, Any] = {"journal": "memory", "throttle_ms": 0, "publish_per_s": 100_000, **settings}
    async with Server(Settings(state_dir=state_dir, **given)) as server:
        yield server


async def told(server: Server, count: int = 1, **fields: Any) -> list[str]:
    """The ids of so many events, once they are kept and told."""
    events = [an_event(**fields) for _ in range(count)]
    for one in events:
        server.publish(one)
    await server.service.hub.kept()
    return [one.id for one in events]


async def until(condition: Callable[[], object]) -> None:
    """For what rings no bell, in a server of this loop."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0)


def client_of(server: Served, token: str | None = None, **options: Any) -> httpx.AsyncClient:
    """`token` is the master token if left out, and none if empty."""
    given = server.token if token is None else token
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    return httpx.AsyncClient(
        base_url=server.url, headers=headers, trust_env=False, verify=False, timeout=PATIENCE_S, **options
    )


def limited(server: Server, *scopes: str, projects: tuple[str, ...] = (), valid_s: float = 60) -> str:
    return server.service.keyring.issue(scopes, projects, valid_s)


class Stream:
    """A WebSocket client: every frame that came is in `frames`, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.cursor = ""
        self._ids = itertools.count(1)

    async def send(self, op: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"op": op, **fields}))

    async def next(self) -> Frame:
        async with asyncio.timeout(PATIENCE_S):
            frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        self.cursor = frame.get("cursor", self.cursor)
        return frame

    async def frame(self, op: str, **fields: Any) -> Frame:
        """The next such frame; those before it are only kept."""
        while True:
            frame = await self.next()
            if frame["op"] == op and fields.items() <= frame.items():
                return frame

    async def ask(self, op: str, **fields: Any) -> Frame:
        """The answer to a message, found by its id."""
        number = fields.pop("id", None) or next(self._ids)
        await self.send(op, id=number, **fields)
        while (answer := await self.next()).get("id") != number:
            pass
        return answer

    async def subscribe(self, sub: int = 0, **fields: Any) -> Frame:
        """What answers it; the frames up to `live` have come then."""
        await self.send("subscribe", id=sub, **fields)
        answer = await self.frame("subscribed", sub=sub)
        await self.frame("live", sub=sub)
        return answer

    async def closed(self) -> tuple[int, str]:
        """How the server ends it."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""

    def ids(self, sub: int | None = None) -> list[str]:
        return ids_of([frame for frame in self.frames if sub is None or frame.get("sub") == sub])


@asynccontextmanager
async def streaming(server: Served, token: str | None = None, **options: Any) -> AsyncGenerator[Stream]:
    given = server.token if token is None else token
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    query = options.pop("query", "")
    headers |= options.pop("headers", {})
    url = f"{server.url.replace('http', 'ws', 1)}/v1/stream{query}"
    async with connect(
        url, additional_headers=headers, proxy=None, max_size=None, compression=None, **options
    ) as socket:
        yield Stream(socket)


class Feed:
    """Server-sent events, one by one."""

    def __init__(self, source: EventSource) -> None:
        self.response = source.response
        self.retry_ms: int | None = None
        self._events = source.aiter_sse()

    async def event(self) -> ServerSentEvent:
        async with asyncio.timeout(PATIENCE_S):
            while not (event := await anext(self._events)).data:  # as a browser does
                self.retry_ms = event.retry
            return event

    async def until(self, op: str) -> ServerSentEvent:
        while (event := await self.event()).json()["op"] != op:
            pass
        return event

    async def rest(self) -> list[ServerSentEvent]:
        """All up to its end."""
        async with asyncio.timeout(PATIENCE_S):
            return [event async for event in self._events if event.data]


@asynccontextmanager
async def feeding(
    client: httpx.AsyncClient, headers: dict[str, str] | None = None, **params: Any
) -> AsyncGenerator[Feed]:
    async with aconnect_sse(client, "GET", "/v1/stream", params=params, headers=headers or {}) as source:
        yield Feed(source)


def ids_of(frames: list[Frame]) -> list[str]:
    return [one["id"] for frame in frames for one in frame.get("events", ())]
