"""read_output: what is too long for an event, in pieces: bodies, stacks, console texts, HTML."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field

from ..attachments import TIMED_OUT, Attachment
from ..errors import BadField, NotFound
from ..filters import line_filter
from .asked_page import asked_page
from .budget import BYTES_PER_TOKEN
from .desk import Desk
from .pieces import Piece, count, piece_of
from .tool import Answer, Arguments, Tool

PARTS: Final = ("body", "stack", "text")
HEAD_TOKENS: Final = 500
EXAMPLES: Final = '"event:ID/body", "event:ID/stack", "event:ID/text", "page:p1/dom" or "page:p1/dom/#cart"'
Pattern = Annotated[str, Field(min_length=1, max_length=512)]


class ReadArguments(Arguments):
    ref: str = Field(
        min_length=1,
        max_length=1_200,
        description="event:ID/body|stack|text, page:p1/dom[/SELECTOR].",
    )
    after: int = Field(default=0, ge=0, description="`next` of the last piece.")
    max_lines: int = Field(default=200, ge=1, le=1_000)
    max_bytes: int = Field(default=2_048, ge=512, le=4_096)
    include: list[Pattern] = Field(
        default=[], max_length=32, description="Lines with one of these; /…/ is RE2."
    )
    exclude: list[Pattern] = Field(default=[], max_length=32)
    regex: bool = False
    timeout: float = Field(default=5.0, ge=0.1, le=20.0)
    include_stats: bool = False


class Ref(NamedTuple):
    kind: str
    name: str
    part: str
    selector: str


async def read_output(arguments: ReadArguments, desk: Desk) -> Answer:
    desk.may_read()
    until_s = time.monotonic() + arguments.timeout
    wants = line_filter(_patterns(arguments.include, arguments), _patterns(arguments.exclude, arguments))
    attachment = await _attachment(_parsed(arguments.ref), arguments, desk)
    text = attachment.text
    if arguments.after > len(text):
        raise BadField(f"after: there are only {len(text)}.", "Give `next` of the last piece, or nothing.")

    def look() -> tuple[Piece, int | None]:
        piece = piece_of(text, arguments.after, arguments.max_lines, arguments.max_bytes, wants, until_s)
        return piece, count(text, arguments.after, wants, until_s) if arguments.include_stats else None

    piece, matching = await asyncio.to_thread(look)
    head: dict[str, Any] = {**({} if piece.text else {"text": ""}), **attachment.about}
    head |= {"end": True} if piece.next is None else {"next": piece.next}
    if piece.timed_out or TIMED_OUT in attachment.about:
        head[TIMED_OUT] = "give it more `timeout` to see all"
    if arguments.include_stats:
        head["stats"] = {
            "lines": text.count("\n") + bool(text),
            "chars": len(text),
            "matching_from_here": matching,
        }
    return Answer(
        head,
        title="" if piece.lines else _nothing(attachment),
        body=piece.text,
        rest="the same call with `next` as `after`",
        max_tokens=math.ceil(arguments.max_bytes / BYTES_PER_TOKEN) + HEAD_TOKENS,
    )


def _nothing(attachment: Attachment) -> str:
    return (
        "It is no text."
        if "binary" in attachment.about
        else "No such line."
        if attachment.text
        else "It is empty."
    )


def _patterns(given: list[str], arguments: ReadArguments) -> list[str]:
    return [f"/{one}/" for one in given] if arguments.regex else given


def _parsed(ref: str) -> Ref:
    """Raises BadField."""
    kind, _, rest = ref.partition(":")
    name, _, part = rest.partition("/")
    part, _, selector = part.partition("/")
    if kind == "event" and name and part in PARTS and not selector:
        return Ref(kind, name, part, "")
    if kind == "page" and name and part == "dom":
        return Ref(kind, name, part, selector)
    raise BadField(f"ref: {ref[:80]} is none.", f"It is one of {EXAMPLES}.")


async def _attachment(ref: Ref, arguments: ReadArguments, desk: Desk) -> Attachment:
    if ref.kind == "page":
        page = asked_page(desk, ref.name)
        attachments = page.observed.observation.attachments
        return await attachments.of_page(
            page.name, ref.selector, arguments.timeout, again=arguments.after > 0
        )
    event_id = await _told_first(ref.name, desk)
    for observation in desk.service.browsers.observations(desk.project):
        if observation.attachments.knows(event_id):
            return await observation.attachments.of_event(event_id, ref.part, arguments.timeout)
    raise NotFound(
        f"What event {event_id[:64]} was made of is not kept any more, or its browser is not observed.",
        f'observe {{"what":"event","id":"{event_id[:64]}"}} tells what is left.',
    )


async def _told_first(event_id: str, desk: Desk) -> str:
    """What tells how an event has grown has nothing of its own. Raises NotFound."""
    repeats = json.loads(await desk.find(event_id)).get("context", {}).get("repeats")
    return repeats if isinstance(repeats, str) else event_id


TOOL = Tool(
    name="read_output",
    title="Read what is long",
    description=(
        "Bodies, full stacks, long console texts, HTML, in pieces. "
        'observe {"what":"output","id":ID} lists refs.'
    ),
    arguments=ReadArguments,
    run=read_output,
    example={"ref": "event:019aa4e2-7c1b-7d02-9a60-5f1f0a3f8a11/body", "include": ["total"]},
    read_only=True,
)
