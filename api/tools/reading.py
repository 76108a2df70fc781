"""Reading a log from a place onwards: from memory, and from the journal where memory has let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...correlator.event import Channel
from ..filters import Filter
from ..hub import Hub, Project
from ..ring import Entry
from ..subscription import Recovery
from ..wire import CHANNELS

LOOK_EVENTS: Final = 4_000
"""How many entries of a channel one reading looks at."""
FETCH_EVENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is in all channels, and how it came there."""

    epoch: str
    seqs: Mapping[Channel, int]
    reason: Recovery


@dataclass(slots=True)
class Reading:
    """What was found past a place, where each channel was read up to, and what of it is kept nowhere any more."""

    seqs: dict[Channel, int]
    entries: list[tuple[Channel, Entry]] = field(default_factory=list[tuple[Channel, Entry]])
    lost: int = 0
    more: int = 0
    """How many entries there are beyond, before any filter."""


def place_of(log: Project, cursor: str) -> Place:
    """Raises BadCursor."""
    reason, seqs = log.start_of(CHANNELS, cursor)
    return Place(log.epoch, seqs, reason)


async def read(
    hub: Hub, project: str, channels: Iterable[Channel], seqs: Mapping[Channel, int], wanted: Filter
) -> Reading:
    """In the order in which the events were made. Channels that are not read keep their places."""
    rings = hub.project(project).rings
    reading = Reading(dict(seqs))
    for channel in channels:
        after, last = seqs[channel], rings[channel].last
        looked = 0
        while after < last and looked < LOOK_EVENTS:
            entries, complete_after = await hub.fetch(project, channel, after, last, FETCH_EVENTS)
            reading.lost += max(0, min(complete_after, last) - after)
            after = entries[-1].seq if entries else last
            looked += len(entries)
            reading.entries.extend((channel, entry) for entry in wanted.of(entries))
        reading.seqs[channel] = max(after, seqs[channel])
        reading.more += max(0, last - after)
    reading.entries.sort(key=lambda one: one[1].id)
    return reading


def pending(
    log: Project, channels: Iterable[Channel], seqs: Mapping[Channel, int], wanted: Filter
) -> dict[str, int]:
    """How many events of each channel wait behind a place, as far as memory knows them; where it does not, all count."""
    counts: dict[str, int] = {}
    for channel in channels:
        ring = log.rings[channel]
        if ring.last > seqs[channel]:
            gone = max(0, ring.floor - seqs[channel])
            if count := gone + len(wanted.of(ring.after(seqs[channel]))):
                counts[channel] = count
    return counts
