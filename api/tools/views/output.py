"""What can be read in pieces: of one event, or of the latest ones and of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..budget import sentence_bytes
from ..chain_lines import told_of
from ..desk import Desk
from ..tool import Answer, Item
from .chains import kept_entries
from .view import Reads, View

LATEST: Final = 200


async def output(reads: Reads, desk: Desk) -> Answer:
    items = await _of_event(reads.id, desk) if reads.id else [*_of_latest(reads, desk), *_of_pages(desk)]
    return Answer(
        items=items,
        list_name="refs",
        title='Read with read_output {"ref":…}.' if items else "Nothing more than the event itself is kept.",
        rest="the same call with more max_tokens, or with `id`",
        max_tokens=reads.max_tokens,
    )


async def _of_event(event_id: str, desk: Desk) -> list[Item]:
    told = told_of(await desk.find(event_id))
    first = told.context.repeats if isinstance(told.context.repeats, str) else told.id
    return [_item(f"event:{first}/{part}", "") for part in _parts(first, desk)]


def _of_latest(reads: Reads, desk: Desk) -> Iterator[Item]:
    width = sentence_bytes(reads.max_tokens)
    for entry in kept_entries(reads, desk)[: -LATEST - 1 : -1]:
        for part in _parts(entry.id, desk):
            yield _item(f"event:{entry.id}/{part}", told_of(entry.line).said(width))


def _of_pages(desk: Desk) -> Iterator[Item]:
    for observed in desk.service.browsers:
        if observed.project == desk.project:
            for page in observed.pages:
                yield _item(f"page:{observed.id}:{page}/dom", "")


def _parts(event_id: str, desk: Desk) -> tuple[str, ...]:
    for observation in desk.service.browsers.observations(desk.project):
        if observation.attachments.knows(event_id):
            return observation.attachments.parts_of(event_id)
    return ()


def _item(ref: str, of: str) -> Item:
    return Item({"ref": ref, **({"of": of} if of else {})}, f"{ref} {of}".rstrip())


VIEW = View("output", "refs for read_output, of `id` or the latest", output)
