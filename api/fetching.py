"""Ranges on demand: what a digest only counted, from memory or from the journal."""

from __future__ import annotations

from typing import Final

import msgspec

from .filters import Filter
from .hub import Hub
from .wire import Fetch, Fetched

FETCH_EVENTS: Final = 200
FETCH_BYTES: Final = 128 * 1024


async def fetched(hub: Hub, project: str, filter_: Filter, op: Fetch) -> Fetched:
    """The first part of the range; `more` says that it goes on after `upto`."""
    entries, complete_after = await hub.fetch(project, op.channel, op.after, op.upto, FETCH_EVENTS)
    end = min(op.upto, hub.project(project).rings[op.channel].last)
    reached = entries[-1].seq if entries else max(end, op.after)
    size = 0
    for index, entry in enumerate(entries):
        size += len(entry.line)
        if size > FETCH_BYTES and index:
            entries, reached = entries[:index], entries[index - 1].seq
            break
    matched = filter_.of(entries)
    return Fetched(
        sub=op.sub,
        id=op.id,
        channel=op.channel,
        after=op.after,
        upto=reached,
        count=len(matched),
        events=[msgspec.Raw(entry.line) for entry in matched],
        lost=max(0, complete_after - op.after),
        more=reached < end,
    )
