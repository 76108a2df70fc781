"""One chain: its kept events in the order in which they happened."""

from __future__ import annotations

from ...chains import chain_of, entries_of
from ...errors import BadField, NotFound
from ..desk import Desk
from ..tool import Answer
from .events import item_of
from .view import Reads, View


async def chain(reads: Reads, desk: Desk) -> Answer:
    name = await chain_named(reads.id, desk)
    entries = entries_of(desk.hub, desk.project, name)
    return Answer(
        {"chain": name, "events": len(entries)},
        [item_of(entry, reads.max_tokens) for entry in entries],
        list_name="steps",
        rest="the same call with more max_tokens; explain says what matters",
        max_tokens=reads.max_tokens,
    )


async def chain_named(given: str, desk: Desk) -> str:
    """The chain of an event, or the chain that was named. Raises BadField."""
    if not given:
        raise BadField(
            "id is missing.", 'Give the id of an event or a chain, like {"what":"chain","id":"019aa4e2-…"}.'
        )
    try:
        await desk.find(given)
    except NotFound:
        return given
    return await chain_of(desk.hub, desk.project, given)


VIEW = View("chain", "the events of chain `id`", chain)
