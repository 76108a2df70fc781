"""publish: the agent's own steps, hypotheses and assertions take part in the chains."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue

from ...correlator.event import Channel, Severity
from ..wire import Publication
from .desk import Desk
from .tool import Answer, Arguments, Tool

Kind = Literal["step", "hypothesis", "assertion_failed", "assertion_passed"]
FAILED: Kind = "assertion_failed"


class PublishArguments(Arguments):
    kind: Kind
    summary: str = Field(min_length=1, max_length=500)
    page: str = Field(default="", max_length=64)
    selector: str = Field(default="", max_length=512)
    cause: str = Field(default="", max_length=64, description="Id of the event that caused it, if you know.")
    context: dict[str, JsonValue] = Field(default={}, max_length=20)


async def publish(arguments: PublishArguments, desk: Desk) -> Answer:
    failed = arguments.kind == FAILED
    channel: Channel = "errors" if failed else "runs"
    severity: Severity = "high" if failed else "info"
    selector = {"selector": arguments.selector} if arguments.selector else {}
    publication = Publication(
        channel=channel,
        kind=arguments.kind,
        summary=arguments.summary,
        severity=severity,
        context={**arguments.context, **selector},
        page=arguments.page,
        cause=arguments.cause,
    )
    event, _ = await desk.service.publish(desk.grant, desk.project, publication)
    head: dict[str, Any] = {"event": event.id}
    if event.correlation_id:
        head["chain"] = event.correlation_id
    if event.cause is not None:
        head["cause"] = event.cause.model_dump()
    return Answer(head, title="Told.")


TOOL = Tool(
    name="publish",
    title="Tell a step or a finding of your own",
    description=(
        "Before acting on a page tell the step, so that what it leads to is linked to it; tell a failed assertion and get what it goes "
        "back to. Other clients see it too."
    ),
    arguments=PublishArguments,
    run=publish,
    example={"kind": "assertion_failed", "summary": "the cart shows 0 items after Add", "page": "p1"},
)
