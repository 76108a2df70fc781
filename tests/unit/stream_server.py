"""A server of the stream that breaks in every way a test asks for: a hub and a pump behind a bare WebSocket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from firstcause.api.fetching import fetched
from firstcause.api.filters import compiled
from firstcause.api.hub import Hub, Limits
from firstcause.api.journal.keeper import Keeper
from firstcause.api.journal.memory import MemoryJournal
from firstcause.api.publishing import event_of
from firstcause.api.pump import Pump
from firstcause.api.wire import (
    AnyFrame,
    AnyOp,
    Close,
    Error,
    Fetch,
    Mute,
    Muted,
    Publish,
    Published,
    Subscribe,
    Unmute,
    Update,
    Updated,
    decode_frame,
    decode_op,
    encode,
    refusal,
    request_id,
)
from firstcause.correlator.event import Event
from firstcause.observer.errors import FirstcauseError

Fault = Callable[[AnyFrame], Iterable[AnyFrame]]


class Dropped(Exception):
    """Raised by a fault: the connection is to end here, and the frame with it."""


def whole(frame: AnyFrame) -> Iterable[AnyFrame]:
    return (frame,)


def event(number: int, channel: str = "errors", severity: str = "low", **fields: Any) -> Event:
    return Event.model_validate(
        {
            "id": f"{channel}-{number}",
            "seq": 0,
            "timestamp": "2026-01-01T00:00:00.000Z",
            "project": "default",
            "session": "s1",
            "channel": channel,
            "type": "error",
            "kind": f"kind_{number % 3}",
            "severity": severity,
            "summary": f"event {number}",
            "fingerprint": "f",
            "count": 1,
            **fields,
        }
    )


class StreamServer:
    """`fault` is given every frame, and what it gives is sent instead."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(throttle_ms=0)
        self.fault: Fault = whole
        self.refuse: Close | None = None
        self.requests: list[Request] = []
        self.ops: list[AnyOp] = []
        self.sent: list[AnyFrame] = []
        self.port = 0
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._open: set[ServerConnection] = set()

    async def __aenter__(self) -> Self:
        await self._new_hub()
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_listening()
        await self.hub.stop()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def listen(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            compression=None,
            ping_interval=None,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop_listening(self) -> None:
        self.drop()
        self._server.close()
        await self._server.wait_closed()

    async def forget(self) -> None:
        """As a server does that kept nothing and is started again."""
        old = self.hub
        await self._new_hub()
        self.drop()
        await old.stop()

    def drop(self) -> None:
        for connection in self._open:
            connection.transport.abort()

    async def tell(self, count: int, channel: str = "errors", **fields: Any) -> list[str]:
        """Publish that many events and return when they are kept; their ids."""
        events = [event(next(self._numbers), channel, **fields) for _ in range(count)]
        for one in events:
            self.hub.publish(one)
        await self.hub.kept()
        return [one.id for one in events]

    async def until(self, happened: Callable[[], object]) -> None:
        """Looks again whenever a connection, a message or a frame has passed."""
        async with asyncio.timeout(10):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    async def _new_hub(self) -> None:
        keeper = Keeper(MemoryJournal(), lambda _: None, lambda _: ([], {}))
        self.hub = Hub(keeper, self.limits)
        await self.hub.start()

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.requests.append(connection.request)
        self._changed.set()
        if self.refuse is not None:
            words = Error(code=self.refuse.name, message="No.", hint="Say please.")
            await connection.send(encode(words).decode())
            await connection.close(self.refuse.code, self.refuse.name)
            return
        self._open.add(connection)
        try:
            await self._converse(connection)
        finally:
            self._open.discard(connection)

    async def _converse(self, connection: ServerConnection) -> None:
        hub = self.hub
        specs: dict[int, Subscribe] = {}
        pump = Pump(hub)

        async def send(frames: Sequence[bytes]) -> None:
            for frame in frames:
                try:
                    for instead in self.fault(decode_frame(frame)):
                        self.sent.append(instead)
                        await connection.send(encode(instead).decode())
                except Dropped:
                    connection.transport.abort()
                    await connection.wait_closed()
                self._changed.set()

        async def answer(op: AnyOp) -> bytes:
            match op:
                case Subscribe():
                    pump.subscribe(op)
                    specs[op.id] = op
                    return b""
                case Mute() | Unmute():
                    muted = pump.subscription(op.sub).mute(op.channels, muted=isinstance(op, Mute))
                    return encode(Muted(sub=op.sub, id=op.id, channels=muted))
                case Update():
                    given = {
                        name: value for name in ("include", "min_severity") if (value := getattr(op, name))
                    }
                    given = {name: value for name, value in given.items() if value is not msgspec.UNSET}
                    spec = specs[op.sub] = msgspec.structs.replace(specs[op.sub], **given)
                    subscription = pump.subscription(op.sub)
                    throttle_ms = (
                        subscription.throttle_ms if op.throttle_ms is msgspec.UNSET else op.throttle_ms
                    )
                    filter_ = compiled(spec.include, spec.exclude, spec.min_severity)
                    subscription.update(filter_, int(throttle_ms), hub.clock())
                    return encode(
                        Updated(
                            sub=op.sub, id=op.id, cursor=subscription.cursor, throttle_ms=int(throttle_ms)
                        )
                    )
                case Fetch():
                    subscription = pump.subscription(op.sub)
                    return encode(await fetched(hub, "default", subscription.filter, op))
                case Publish():
                    one = event_of(op.event, "default", "s1")
                    seq = hub.publish(one)
                    await hub.kept()
                    return encode(Published(id=op.id, event=one.id, channel=one.channel, seq=seq))
                case _:
                    raise AssertionError(op)

        async def listen() -> None:
            async for message in connection:
                assert isinstance(message, str)
                try:
                    op = decode_op(message)
                    self.ops.append(op)
                    self._changed.set()
                    said = await answer(op)
                except FirstcauseError as error:
                    said = encode(refusal(error, request_id(message)))
                if said:
                    pump.say(said)

        async def tell() -> None:
            while True:
                if frames := pump.take():
                    await send(frames)
                else:
                    await pump.wait()

        pumping = asyncio.create_task(tell())
        with suppress(ConnectionClosed):
            await listen()
        pumping.cancel()
        with suppress(asyncio.CancelledError, ConnectionClosed):
            await pumping
        pump.close()


@asynccontextmanager
async def streaming(**limits: Any) -> AsyncGenerator[StreamServer]:
    async with StreamServer(Limits(**{"throttle_ms": 0, **limits})) as server:
        yield server
