"""Long-poll: the frames past a cursor, at once if there are any, else as soon as there are."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, JsonValue
from starlette.responses import Response

from ..access import Asker, Shared
from ..pump import Pump
from ..query import subscribe_query
from ..wire import Subscribe
from .ending import ended_by
from .sse import gone

POS: Final = b'{"op":"pos"'

router = APIRouter()


class Polled(BaseModel):
    """Frames as on the WebSocket, and the cursor for the next request."""

    model_config = ConfigDict(extra="forbid")

    cursor: str
    frames: list[dict[str, JsonValue]]


class _Answer(msgspec.Struct):
    cursor: str
    frames: list[msgspec.Raw]


@router.get("/v1/events", response_class=Response, responses={200: {"model": Polled}})
async def events(
    request: Request,
    grant: Asker,
    service: Shared,
    spec: Annotated[Subscribe, Depends(subscribe_query)],
    wait: Annotated[float, Query(ge=0, le=50, description="How many seconds to wait for news.")] = 25.0,
) -> Any:
    """What is new past the cursor; without one, the cursor to begin with."""
    grant.require("read")
    grant.require_project(service.settings.project if spec.project is msgspec.UNSET else spec.project)
    with service.reading(grant, "poll") as pump:
        subscription = pump.subscribe(spec)
        frames = pump.take()
        if spec.cursor and len(frames) <= 2:  # subscribed and live: nothing new yet
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await ended_by(_more(pump, frames), gone(request.receive), service.ending.wait())
        frames += subscription.settle(service.hub.clock())
        answer = _Answer(subscription.cursor, [msgspec.Raw(frame) for frame in frames])
        return Response(msgspec.json.encode(answer), media_type="application/json")


async def _more(pump: Pump, frames: list[bytes]) -> None:
    """Until there is news; where the channels are when there is none is no news."""
    while True:
        more = pump.take()
        frames += more
        if any(not frame.startswith(POS) for frame in more):
            return
        await pump.wait()
