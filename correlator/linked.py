"""Events that were told, put back together: what caused each, what it led to, and which of them share a first cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .event import REPEATS, SEVERITIES, Cause, Event

MERGED = "chain_merged"


class Linked:
    """All in the order in which they were given, which should be that of the telling."""

    def __init__(self, events: Iterable[Event]) -> None:
        given = list(events)
        notices = [event for event in given if event.kind == MERGED]
        self._told_more_of = dict(_told_more_of(given))
        self._merged = dict(names for notice in notices if all(names := _joined_by(notice)))
        self.events = {event.id: event for event in _grown(given) if event.kind != MERGED}
        self.events.update((event.id, event) for notice in notices for event in self._found_late(notice))
        self._effects: defaultdict[str, list[Event]] = defaultdict(list)
        self._leaders: dict[str, str] = {}
        for event in self.events.values():
            self._join(event.id, self.chain_id(event))
            if event.cause is not None:
                self._effects[event.cause.id].append(event)
                self._join(event.id, event.cause.id)
        self._chains: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self.events.values():
            self._chains[self._leader(event.id)].append(event)

    def named(self, event_id: str) -> Event | None:
        """The event of that id. What only tells more of another one stands for that."""
        while event_id in self._told_more_of:
            event_id = self._told_more_of[event_id]
        return self.events.get(event_id)

    def cause_of(self, event: Event) -> Event | None:
        """None if nothing is proven, or if the cause is not among these events."""
        return self.events.get(event.cause.id) if event.cause is not None else None

    def effects_of(self, event: Event) -> Sequence[Event]:
        return self._effects.get(event.id, ())

    def path_to(self, event: Event) -> list[Event]:
        """From its first known cause to the event itself."""
        path = {event.id: event}
        # Publishers name causes themselves, so there may be circles.
        while (cause := self.cause_of(event)) is not None and cause.id not in path:
            path[cause.id] = event = cause
        return list(path.values())[::-1]

    def chain_of(self, event: Event) -> Sequence[Event]:
        return self._chains[self._leader(event.id)]

    def chains(self) -> list[Sequence[Event]]:
        """In the order of their last events."""
        order = {event_id: place for place, event_id in enumerate(self.events)}
        return sorted(self._chains.values(), key=lambda chain: order[chain[-1].id])

    def by_first_failure(self) -> list[Sequence[Event]]:
        """Each failure that no other failure led to, with those that it led to, in the order of the last of them."""
        firsts: dict[str, str] = {}
        groups: dict[str, list[Event]] = {}
        for event in self.events.values():
            first = firsts[event.id] = self._first_failure(event, firsts)
            if event.severity != "info":
                group = groups.pop(first, [])
                group.insert(0 if event.id == first else len(group), event)
                groups[first] = group
        return list(groups.values())

    def _first_failure(self, event: Event, known: Mapping[str, str]) -> str:
        cause = self.cause_of(event)
        if cause is None or cause.id in known:
            own = event.id if event.severity != "info" else ""
            return known.get(cause.id if cause is not None else "", "") or own
        return next((one.id for one in failures(self.path_to(event))), "")

    def chain_id(self, event: Event) -> str:
        """The name of its chain now: chains that turned out to be one go by the name of the one they were merged into."""
        name, seen = event.correlation_id or "", set[str]()
        while name in self._merged and name not in seen:
            seen.add(name)
            name = self._merged[name]
        return name

    def _found_late(self, notice: Event) -> Iterator[Event]:
        """The event with the cause that a notice brings."""
        told = notice.context
        event = self.events.get(str(told.get("event")))
        confidence = told.get("confidence")
        if event is not None and event.cause is None and isinstance(confidence, int | float):
            cause = Cause(id=str(told.get("cause")), via=str(told.get("via")), confidence=confidence)
            yield event.model_copy(update={"cause": cause})

    def _join(self, one: str, other: str) -> None:
        if other:
            self._leaders[self._leader(one)] = self._leader(other)

    def _leader(self, name: str) -> str:
        while (leader := self._leaders.get(name, name)) != name:
            self._leaders[name] = name = self._leaders.get(leader, leader)
        return name


def _grown(events: Sequence[Event]) -> Iterator[Event]:
    """Each event once, as what it came to: that it was told again with a higher count is no event of its own."""
    given = {event.id for event in events}
    latest = {event.context.get(REPEATS): event for event in events if event.context.get(REPEATS) in given}
    repeats = {event.id for event in events if event.context.get(REPEATS) in given}
    for event in events:
        if event.id in repeats:
            continue
        grown = latest.get(event.id)
        said = {} if grown is None else {"count": grown.count, "summary": grown.summary}
        yield event.model_copy(update=said) if said else event


def _told_more_of(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """What is no event of its own, and the one before it that it is about."""
    before = set[str]()
    for event in events:
        about = event.context.get("event" if event.kind == MERGED else REPEATS)
        if isinstance(about, str) and about in before:
            yield event.id, about
        before.add(event.id)


def _joined_by(notice: Event) -> tuple[str, str]:
    """The chain that ended and the one that it is a part of."""
    ended, into = notice.context.get("from"), notice.context.get("into")
    return (ended, into) if isinstance(ended, str) and isinstance(into, str) else ("", "")


def failures(events: Iterable[Event]) -> list[Event]:
    """What is wrong, without what only explains it."""
    return [event for event in events if event.severity != "info"]


def worst(events: Sequence[Event]) -> Event:
    """The most severe failure, the last one of several; where nothing failed, the last event."""
    candidates = failures(events) or events
    return min(reversed(candidates), key=lambda event: SEVERITIES.index(event.severity))


def worst_chain(chains: Sequence[Sequence[Event]]) -> Sequence[Event]:
    """The one with the most severe failure, the latest one of several."""
    return min(reversed(chains), key=_badness)


def _badness(chain: Sequence[Event]) -> tuple[bool, int]:
    failed = failures(chain)
    return not failed, min((SEVERITIES.index(event.severity) for event in failed), default=0)
