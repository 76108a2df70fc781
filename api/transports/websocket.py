"""WebSocket: any number of subscriptions over one connection, with an answer to every message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.websockets import WebSocketState
from msgspec import UNSET

from ...observer.errors import FirstcauseError
from ..access import STREAM_PROTOCOL, grant_of, service_of
from ..auth import Grant
from ..errors import RequestRefused, TooMany, Unauthorized
from ..fetching import fetched
from ..filters import compiled
from ..protocols import EXTENSION, WebSocketProtocol
from ..pump import Pump
from ..service import Service
from ..wire import (
    FORBIDDEN,
    RESTARTING,
    STALLED,
    TOO_MANY,
    UNAUTHORIZED,
    AnyOp,
    Close,
    Fetch,
    Mute,
    Muted,
    Ping,
    Pong,
    Publish,
    Published,
    Subscribe,
    Unmute,
    Unsubscribe,
    Unsubscribed,
    Update,
    Updated,
    decode_op,
    encode,
    refusal,
    request_id,
)
from .ending import Expired, Stalled, before_stall, ended_by, expired

CHANGEABLE: Final = ("include", "exclude", "min_severity")
LAST_WORDS_S: Final = 1.0
UNWRITTEN_BYTES: Final = 256 * 1024
FAILED: Final = FirstcauseError("The server failed; its log says why.", "Please report it.")

log = logging.getLogger(__name__)

EXPIRED: Final = Unauthorized("The token has expired.", "Come back with a new one.")

router = APIRouter()


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    service = service_of(websocket)
    try:
        grant = grant_of(websocket)
        grant.require("read")
    except RequestRefused as error:
        await refuse(websocket, error, UNAUTHORIZED if isinstance(error, Unauthorized) else FORBIDDEN)
        return
    try:
        with service.reading(grant, "websocket") as pump:
            await accept(websocket)
            await Conversation(websocket, service, grant, pump).hold()
        connection: WebSocketProtocol = websocket.scope["extensions"][EXTENSION]
        await connection.left()
    except TooMany as error:
        await refuse(websocket, error, TOO_MANY)


async def accept(websocket: WebSocket) -> None:
    offered = websocket.headers.get("sec-websocket-protocol", "")
    protocols = [protocol.strip() for protocol in offered.split(",")]
    await websocket.accept(subprotocol=STREAM_PROTOCOL if STREAM_PROTOCOL in protocols else None)


async def refuse(websocket: WebSocket, error: RequestRefused, how: Close) -> None:
    """Accept, say why, close: a browser shows its script nothing of a handshake that fails."""
    with suppress(WebSocketDisconnect, RuntimeError):
        if websocket.application_state is WebSocketState.CONNECTING:
            await accept(websocket)
        await websocket.send_text(encode(refusal(error)).decode())
        await websocket.close(how.code, how.name)


class Conversation:
    """One client's connection, from its first message to its last."""

    def __init__(self, websocket: WebSocket, service: Service, grant: Grant, pump: Pump) -> None:
        self._websocket = websocket
        self._connection: WebSocketProtocol = websocket.scope["extensions"][EXTENSION]
        self._service = service
        self._grant = grant
        self._pump = pump
        self._specs: dict[int, Subscribe] = {}
        self._unwritten = 0
        self._written = asyncio.Event()

    async def hold(self) -> None:
        try:
            await ended_by(
                self._pump.run(self), self._listen(), expired(self._grant), self._service.ending.wait()
            )
            with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._websocket.close(RESTARTING.code, RESTARTING.name)
        except Expired:
            await refuse(self._websocket, EXPIRED, UNAUTHORIZED)
        except Stalled:
            self._connection.close_stalled(STALLED.code, STALLED.name)
        except WebSocketDisconnect:
            pass

    def write(self, frames: Sequence[bytes]) -> bool:
        self._unwritten = 0  # what the pump hands over begins with every answer that it has
        self._written.set()
        return self._connection.write_messages(frames)

    async def room(self) -> None:
        await before_stall(self._connection.writable.wait(), self._service.settings.stall_s)

    async def _listen(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            text = message.get("text") or message.get("bytes") or b""
            try:
                answer = await self._answer(decode_op(text))
            except FirstcauseError as error:
                answer = encode(refusal(error, request_id(text)))
            except Exception:
                log.exception("a message failed")
                answer = encode(refusal(FAILED, request_id(text)))
            if answer:
                await self._say(answer)

    async def _say(self, answer: bytes) -> None:
        """Who asks and does not read is not listened to any more, so that its answers don't pile up."""
        self._pump.say(answer)
        self._unwritten += len(answer)
        if self._unwritten > UNWRITTEN_BYTES:
            await self._next_write()

    async def _next_write(self) -> None:
        self._written.clear()
        await self._written.wait()

    async def _answer(self, op: AnyOp) -> bytes:
        match op:
            case Subscribe():
                self._grant.require_project(self._project(op.project))
                self._pump.subscribe(op)
                self._specs[op.id] = op
                await self._next_write()  # `subscribed` comes before the answer to any later message
                return b""
            case Unsubscribe():
                cursor = self._pump.unsubscribe(op.sub).cursor
                del self._specs[op.sub]
                return encode(Unsubscribed(sub=op.sub, id=op.id, cursor=cursor))
            case Mute() | Unmute():
                muted = self._pump.subscription(op.sub).mute(op.channels, muted=isinstance(op, Mute))
                return encode(Muted(sub=op.sub, id=op.id, channels=muted))
            case Update():
                return self._update(op)
            case Fetch():
                return await self._fetch(op)
            case Publish():
                return await self._publish(op)
            case Ping():
                return encode(Pong(id=op.id))

    def _project(self, given: str | msgspec.UnsetType) -> str:
        return self._service.settings.project if given is UNSET else str(given)

    def _update(self, op: Update) -> bytes:
        subscription = self._pump.subscription(op.sub)
        changes = {name: value for name in CHANGEABLE if (value := getattr(op, name)) is not UNSET}
        spec = msgspec.structs.replace(self._specs[op.sub], **changes)
        throttle_ms = subscription.throttle_ms if op.throttle_ms is UNSET else op.throttle_ms
        filter_ = compiled(spec.include, spec.exclude, spec.min_severity)
        subscription.update(filter_, throttle_ms, self._service.hub.clock())
        self._specs[op.sub] = spec
        return encode(
            Updated(sub=op.sub, id=op.id, cursor=subscription.cursor, throttle_ms=subscription.throttle_ms)
        )

    async def _fetch(self, op: Fetch) -> bytes:
        subscription = self._pump.subscription(op.sub)
        return encode(await fetched(self._service.hub, subscription.source.name, subscription.filter, op))

    async def _publish(self, op: Publish) -> bytes:
        event, seq = await self._service.publish(self._grant, self._project(op.project), op.event)
        return encode(Published(id=op.id, event=event.id, channel=event.channel, seq=seq))
