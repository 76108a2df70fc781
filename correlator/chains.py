"""Which event caused which: both directions, for the latest events."""

from __future__ import annotations

from .event import Cause
from .kept import Kept

KEPT_EVENTS = 20_000
KEPT_EFFECTS = 200


class Told:
    """One event's place in its chain."""

    __slots__ = ("cause", "chain_id", "effects", "weak")

    def __init__(self, chain_id: str, cause: Cause | None, weak: tuple[Cause, ...]) -> None:
        self.chain_id = chain_id
        self.cause = cause
        self.weak = weak
        self.effects: list[str] = []


class Chains:
    """An event's chain is that of its cause; one without a cause is the root of its own."""

    def __init__(self) -> None:
        self._told: Kept[str, Told] = Kept(KEPT_EVENTS)
        self._merged: Kept[str, str] = Kept(KEPT_EVENTS)

    def add(self, event_id: str, cause: Cause | None, chain_id: str, weak: tuple[Cause, ...] = ()) -> str:
        """Remember an event; gives the id of its chain."""
        chain_id = self._current(chain_id) or event_id
        self._told[event_id] = Told(chain_id, cause, weak)
        causing = self._told.get(cause.id) if cause is not None else None
        if causing is not None and len(causing.effects) < KEPT_EFFECTS:
            causing.effects.append(event_id)
        return chain_id

    def chain_of(self, event_id: str) -> str:
        told = self._told.get(event_id)
        return self._current(told.chain_id) if told is not None else ""

    def cause_of(self, event_id: str) -> Cause | None:
        told = self._told.get(event_id)
        return told.cause if told is not None else None

    def effects_of(self, event_id: str) -> tuple[str, ...]:
        told = self._told.get(event_id)
        return tuple(told.effects) if told is not None else ()

    def weak_of(self, event_id: str) -> tuple[Cause, ...]:
        """What was too weak to be called a cause."""
        told = self._told.get(event_id)
        return told.weak if told is not None else ()

    def merge(self, event_id: str, cause: Cause) -> tuple[str, str] | None:
        """A cause that was found after the event was told; gives the chain that ends and the one that it belongs to."""
        told, causing = self._told.get(event_id), self._told.get(cause.id)
        if told is None or causing is None or told.cause is not None or self._descends(cause.id, event_id):
            return None
        ended, into = self.chain_of(event_id), self.chain_of(cause.id)
        told.cause = cause
        causing.effects.append(event_id)
        if ended == into:
            return None
        self._merged[ended] = into
        return ended, into

    def _current(self, chain_id: str) -> str:
        while merged := self._merged.get(chain_id):
            chain_id = merged
        return chain_id

    def _descends(self, event_id: str, ancestor_id: str) -> bool:
        seen = 0
        while event_id and event_id != ancestor_id and seen < KEPT_EFFECTS:
            cause = self.cause_of(event_id)
            event_id, seen = (cause.id if cause is not None else ""), seen + 1
        return event_id == ancestor_id
