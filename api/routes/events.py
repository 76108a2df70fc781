"""Events one by one: publish one, read one, read a range, read a chain."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, JsonValue
from starlette.responses import Response

from ...correlator.event import Channel, Event
from ...correlator.explanation import ExplainedChain
from ..access import Asker, Shared
from ..chains import entries_of, explained
from ..errors import BadField, BadJson, NotFound
from ..fetching import fetched
from ..filters import compiled
from ..query import subscribe_query
from ..settings import PROJECT_PATTERN
from ..wire import Fetch, Publication, Subscribe, encode

router = APIRouter()

MAX_SEQ = 2**53 - 1
PUBLICATION = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Publication"}}},
    }
}

EXPLANATION: dict[int | str, dict[str, Any]] = {
    200: {"model": ExplainedChain, "content": {"text/plain": {"schema": {"type": "string"}}}}
}

ProjectName = Annotated[
    str, Query(pattern=f"^(?:{PROJECT_PATTERN})?$", description="The project; the server's own if left out.")
]


class PublishedEvent(BaseModel):
    event: str
    channel: Channel
    seq: int


class EventRange(BaseModel):
    """A part of a channel's log, as the `fetched` frame."""

    op: str
    sub: int
    id: int
    channel: Channel
    after: int
    upto: int
    count: int
    events: list[dict[str, JsonValue]]
    lost: int = 0
    more: bool = False


class Chain(BaseModel):
    correlation_id: str
    events: list[dict[str, JsonValue]]


@router.post("/v1/events", status_code=201, openapi_extra=PUBLICATION)
async def publish(
    request: Request, grant: Asker, service: Shared, project: ProjectName = ""
) -> PublishedEvent:
    """Tell an event of one's own; answered when it is kept."""
    publication = _publication(await request.body())
    event, seq = await service.publish(grant, project or service.settings.project, publication)
    return PublishedEvent(event=event.id, channel=event.channel, seq=seq)


@router.get("/v1/events/{event_id}", response_class=Response, responses={200: {"model": Event}})
async def event(event_id: Annotated[str, Path(max_length=64)], grant: Asker, service: Shared) -> Any:
    """One event, as long as it is kept."""
    grant.require("read")
    found = await service.hub.find(event_id)
    if found is None:
        raise NotFound(
            f"There is no event {event_id}.", "It may have been let go; the stream tells the newest."
        )
    project, line = found
    grant.require_project(project)
    return Response(line, media_type="application/json")


@router.get("/v1/channels/{channel}/events", response_class=Response, responses={200: {"model": EventRange}})
async def channel_range(
    channel: Channel,
    grant: Asker,
    service: Shared,
    spec: Annotated[Subscribe, Depends(subscribe_query)],
    after: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
    upto: Annotated[int, Query(ge=0, le=MAX_SEQ)] = MAX_SEQ,
) -> Any:
    """The events of a range that match, above all what a digest only counted; `more` says to ask again after `upto`."""
    grant.require("read")
    project = service.settings.project if spec.project is msgspec.UNSET else spec.project
    grant.require_project(project)
    filter_ = compiled(spec.include, spec.exclude, spec.min_severity)
    answer = await fetched(service.hub, project, filter_, Fetch(channel=channel, after=after, upto=upto))
    return Response(encode(answer), media_type="application/json")


@router.get("/v1/chains/{correlation_id}", response_class=Response, responses={200: {"model": Chain}})
async def chain(
    correlation_id: Annotated[str, Path(min_length=1, max_length=64)],
    grant: Asker,
    service: Shared,
    project: ProjectName = "",
) -> Any:
    """The kept events that share a first cause, in the order in which they were told."""
    grant.require("read")
    name = project or service.settings.project
    grant.require_project(name)
    entries = entries_of(service.hub, name, correlation_id)
    body = msgspec.json.encode(
        {"correlation_id": correlation_id, "events": [msgspec.Raw(entry.line) for entry in entries]}
    )
    return Response(body, media_type="application/json")


@router.get("/v1/chains/{correlation_id}/explain", response_class=Response, responses=EXPLANATION)
async def explain(
    request: Request,
    correlation_id: Annotated[str, Path(min_length=1, max_length=64)],
    grant: Asker,
    service: Shared,
    project: ProjectName = "",
    event: Annotated[
        str,
        Query(max_length=64, description="The event to explain; the worst failure of the chain if left out."),
    ] = "",
) -> Any:
    """The way from the first cause to one failure, what proves each step, and where to look next; `Accept: text/plain` gives the
    text alone.
    """
    grant.require("read")
    name = project or service.settings.project
    grant.require_project(name)
    explanation = await explained(service.hub, name, correlation_id, event, service.browsers.weak_of(name))
    if _wants_text(request.headers.get("accept", "")):
        return Response(f"{explanation.text}\n", media_type="text/plain")
    return Response(msgspec.json.encode(explanation.json()), media_type="application/json")


def _wants_text(accept: str) -> bool:
    """Whether text is named before JSON."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return next((kind for kind in kinds if kind in {"text/plain", "application/json"}), "") == "text/plain"


def _publication(body: bytes) -> Publication:
    try:
        return msgspec.json.decode(body, type=Publication)
    except msgspec.ValidationError as error:
        raise BadField(f"{str(error)[:300]}.", "docs/protocol.md has an example of an event.") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadJson(f"The body is not JSON: {error}.", "Send one event as a JSON object.") from error
