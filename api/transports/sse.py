"""Server-sent events: one subscription a request; the id of every event is its cursor, so a browser resumes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Header
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..access import Asker, Shared
from ..auth import Grant
from ..protocols import EXTENSION, HttpProtocol
from ..pump import Pump
from ..query import subscribe_query
from ..service import Service
from ..wire import Subscribe
from .ending import Expired, Stalled, before_stall, ended_by, expired

RETRY_MS: Final = 1_000
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}

router = APIRouter()


class _Cursor(msgspec.Struct):
    cursor: str = ""


_cursor_of = msgspec.json.Decoder(_Cursor).decode


@router.get(
    "/v1/stream",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Frames until one of the two ends it."}
    },
)
async def stream(
    grant: Asker,
    service: Shared,
    spec: Annotated[Subscribe, Depends(subscribe_query)],
    last_event_id: Annotated[str, Header(description="The cursor that a browser resumes with.")] = "",
) -> Any:
    """The stream as server-sent events."""
    grant.require("read")
    if last_event_id:
        spec = msgspec.structs.replace(spec, cursor=last_event_id)
    grant.require_project(service.settings.project if spec.project is msgspec.UNSET else spec.project)
    return EventStream(service, grant, spec)


class EventStream(Response):
    """Raises what is wrong with the subscription before it answers."""

    def __init__(self, service: Service, grant: Grant, spec: Subscribe) -> None:
        self._service = service
        self._grant = grant
        self.background = None
        self._reading = service.reading(grant, "sse")
        self._pump: Pump = self._reading.__enter__()
        try:
            self._pump.subscribe(spec)
        except BaseException:
            self._reading.__exit__(None, None, None)
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connection: HttpProtocol = scope["extensions"][EXTENSION]
        headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            self._connection.write_chunk(f": firstcause\nretry: {RETRY_MS}\n\n".encode())
            with suppress(Expired):
                await ended_by(
                    self._pump.run(self),
                    self._beat(),
                    gone(receive),
                    expired(self._grant),
                    self._service.ending.wait(),
                )
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Stalled:
            self._connection.transport.abort()
        finally:
            self._reading.__exit__(None, None, None)

    def write(self, frames: Sequence[bytes]) -> bool:
        return self._connection.write_chunk(b"".join([_event(frame) for frame in frames]))

    async def room(self) -> None:
        await before_stall(self._connection.flow.drain(), self._service.settings.stall_s)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._service.heartbeat_s)
            self._connection.write_chunk(b": still here\n\n")


async def gone(receive: Receive) -> None:
    """Until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(frame: bytes) -> bytes:
    cursor = _cursor_of(frame).cursor
    head = b"id: " + cursor.encode() + b"\ndata: " if cursor else b"data: "
    return head + frame + b"\n\n"
