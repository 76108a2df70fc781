"""The kept events of a chain, also of chains that turned out to be one, and their explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from ..correlator.event import Cause, Event
from ..correlator.explain import explain
from ..correlator.explanation import Explanation
from ..correlator.linked import MERGED, Linked
from .errors import NotFound
from .hub import Hub
from .ring import Entry

MAX_FETCHED: Final = 20
"""How many causes that have left memory are looked for in the journal."""


class Merged(msgspec.Struct):
    """The two names of one chain."""

    ended: str = msgspec.field(name="from")
    into: str


class Merge(msgspec.Struct):
    context: Merged


MERGE: Final = msgspec.json.Decoder(Merge)


def entries_of(hub: Hub, project: str, correlation_id: str) -> list[Entry]:
    """In the order in which they were made, with the notices that join them. Raises NotFound."""
    rings = hub.projects[project].rings.values() if project in hub.projects else ()
    kept = [entry for ring in rings for entry in ring.after(ring.floor)]
    merges = dict(_merges(kept))
    names = _names_of(correlation_id, merges.values())
    # An event without a chain is the root of one as soon as another names it as its cause.
    entries = [entry for entry in kept if not names.isdisjoint((entry.chain, entry.id))]
    if not entries:
        raise NotFound(
            f"There is no chain {correlation_id} in {project}.",
            "An event's correlation_id names its chain, if it has one.",
        )
    notices = [entry for entry in kept if entry.id in merges and not names.isdisjoint(merges[entry.id])]
    return sorted({entry.id: entry for entry in (*entries, *notices)}.values(), key=lambda entry: entry.id)


async def explained(
    hub: Hub,
    project: str,
    correlation_id: str,
    event_id: str,
    weak_of: Callable[[str], Sequence[Cause]],
) -> Explanation:
    """Raises NotFound."""
    events = await _events_of(hub, project, correlation_id, event_id)
    events = [*await _causes_before(hub, project, events), *events]
    linked = Linked(events)
    if event_id and linked.named(event_id) is None:
        raise NotFound(
            f"There is no event {event_id} in chain {correlation_id}.",
            f"GET /v1/chains/{correlation_id} lists its events.",
        )
    return explain(linked, event_id, {each: weak_of(each) for each in linked.events})


async def _events_of(hub: Hub, project: str, correlation_id: str, event_id: str) -> list[Event]:
    """What memory holds of the chain, and the event itself from the journal where memory has let it go. Raises NotFound."""
    left = await _left(hub, project, correlation_id, event_id)
    try:
        events = [_event(entry.line) for entry in entries_of(hub, project, correlation_id)]
    except NotFound:
        if left is None:
            raise
        return [left]
    if left is None or any(event.id == left.id for event in events):
        return events
    return sorted((left, *events), key=lambda event: event.id)


async def _left(hub: Hub, project: str, correlation_id: str, event_id: str) -> Event | None:
    """The event, or the root that gave the chain its name, wherever it is kept."""
    found = await hub.find(event_id or correlation_id)
    if found is None or found[0] != project:
        return None
    event = _event(found[1])
    return event if correlation_id in (event.correlation_id, event.id) else None


async def chain_of(hub: Hub, project: str, event_id: str) -> str:
    """The chain that an effect of this event belongs to; empty if the event is not kept."""
    found = await hub.find(event_id)
    return _event(found[1]).correlation_id or event_id if found and found[0] == project else ""


async def _causes_before(hub: Hub, project: str, events: Sequence[Event]) -> list[Event]:
    """What has left memory, from the journal: the earliest first."""
    known = {event.id for event in events}
    missing = [event.cause.id for event in events if event.cause is not None and event.cause.id not in known]
    found: list[Event] = []
    while missing and len(found) < MAX_FETCHED:
        event_id = missing.pop()
        kept = await hub.find(event_id) if event_id not in known else None
        if kept is None or kept[0] != project:
            continue
        known.add(event_id)
        found.append(event := _event(kept[1]))
        if event.cause is not None:
            missing.append(event.cause.id)
    return sorted(found, key=lambda event: event.id)


def _event(line: bytes) -> Event:
    return Event.model_validate_json(line)


def _merges(entries: Iterable[Entry]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The notices that say so, and the names that they join; publishers choose the names of their kinds."""
    for entry in entries:
        if entry.kind == MERGED:
            with suppress(msgspec.ValidationError):
                merged = MERGE.decode(entry.line).context
                if merged.ended and merged.into:
                    yield entry.id, (merged.ended, merged.into)


def _names_of(correlation_id: str, merges: Iterable[tuple[str, str]]) -> set[str]:
    """All names of the chain, whichever of them was given."""
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in merges:
        beside[one].append(other)
        beside[other].append(one)
    names, fresh = {correlation_id}, [correlation_id]
    while fresh:
        found = [name for name in beside[fresh.pop()] if name not in names]
        names.update(found)
        fresh += found
    return names
