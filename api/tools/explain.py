"""explain: the way from the first cause to one failure, what proves each step, and where to look next."""

from __future__ import annotations

import json

from pydantic import Field

from ..chains import chain_of, explained
from ..errors import NotFound
from .budget import DEFAULT_TOKENS
from .desk import Desk
from .fields import MaxTokens
from .tool import Answer, Arguments, Tool


class ExplainArguments(Arguments):
    id: str = Field(min_length=1, max_length=64, description="Of an event or a chain.")
    max_tokens: MaxTokens = DEFAULT_TOKENS


async def explain(arguments: ExplainArguments, desk: Desk) -> Answer:
    desk.may_read()
    chain, event_id = await _meant(arguments.id, desk)
    weak_of = desk.service.browsers.weak_of(desk.project)
    try:
        found = await explained(desk.hub, desk.project, chain, event_id, weak_of)
    except NotFound as error:
        raise NotFound(
            f"There is no event or chain {arguments.id} in memory.",
            f'observe {{"what":"event","id":"{arguments.id}"}} finds a single event in the journal; '
            'observe {"what":"events"} lists the latest.',
        ) from error
    rest = f'observe {{"what":"chain","id":"{chain}"}} lists its events'
    first = found.first_failure.event.id
    head = {"event": found.event.id, **({"first_failure": first} if first != found.event.id else {})}
    return Answer(
        head,
        body=found.text,
        rest=rest,
        max_tokens=arguments.max_tokens,
    )


async def _meant(given: str, desk: Desk) -> tuple[str, str]:
    """The chain, and the event of it to explain; its worst where a chain was given. What only explains others, and the name of a chain, stand for its worst."""
    try:
        line = json.loads(await desk.find(given))
    except NotFound:
        return given, ""
    chain = await chain_of(desk.hub, desk.project, given)
    return chain, "" if line["severity"] == "info" else given


TOOL = Tool(
    name="explain",
    title="Explain a failure",
    description=(
        "Why it happened: the steps from the first cause to the failure, what proves each step and how surely, what else it led to, and "
        "which lines of code or logs to look at."
    ),
    arguments=ExplainArguments,
    run=explain,
    example={"id": "019aa4e2-7c1b-7d02-9a60-5f1f0a3f8a11"},
    read_only=True,
)
