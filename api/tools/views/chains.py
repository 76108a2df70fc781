"""What went wrong so far, everywhere or on one page, a line a chain."""

from __future__ import annotations

from ...filters import compiled
from ...ring import Entry
from ..chain_lines import chain_items
from ..desk import Desk
from ..tool import Answer
from .view import Reads, View


async def chains(reads: Reads, desk: Desk) -> Answer:
    entries = kept_entries(reads, desk)
    return Answer(
        {"events": len(entries)},
        chain_items(entries, desk.kept(), reads.max_tokens),
        list_name="chains",
        title="" if entries else "Nothing went wrong so far.",
        rest='observe {"what":"events","cursor":"start"} tells all',
        max_tokens=reads.max_tokens,
    )


def kept_entries(reads: Reads, desk: Desk) -> list[Entry]:
    """What memory holds of the channels that the client streams, or of those that it names."""
    wanted = compiled(reads.patterns, desk.client.exclude, reads.min_severity)
    rings = desk.log.rings
    entries = [
        entry
        for channel in dict.fromkeys(reads.channels or desk.client.channels)
        for entry in wanted.of(rings[channel].after(rings[channel].floor))
    ]
    return sorted(entries, key=lambda entry: entry.id)


VIEW = View("chains", "what went wrong so far", chains)
