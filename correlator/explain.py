"""Explains an event: the way from its first cause, what proves each step, and what else came of the same causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .event import Cause, Event
from .evidence import REASONS
from .explanation import Explanation, Maybe, Step
from .linked import Linked, failures, worst, worst_chain
from .look_next import places

MAX_MAYBE: Final = 2
PAGE_LOADS: Final = frozenset({"navigation", "page_opened"})
NOTHING: Final[Mapping[str, Sequence[Cause]]] = {}


def explain(
    events: Sequence[Event] | Linked, event_id: str = "", weak: Mapping[str, Sequence[Cause]] = NOTHING
) -> Explanation:
    """Of the event that is named, else of the worst failure of the worst chain. `weak` has, by event, what may have caused it without
    being proven. Raises KeyError if there is no such event.
    """
    linked = events if isinstance(events, Linked) else Linked(events)
    event = linked.named(event_id) if event_id else worst(worst_chain(linked.chains()))
    if event is None:
        raise KeyError(event_id)
    path = linked.path_to(event)
    first = path[0]
    also, beside = _others(linked, path)
    return Explanation(
        event=event,
        chain=linked.chain_id(event),
        steps=tuple(_step(number, one) for number, one in enumerate(path, 1)),
        also=also,
        beside=beside,
        missing=first.cause.id if first.cause is not None and linked.cause_of(first) is None else "",
        maybe=_maybe(linked, (first, event), weak),
        look_at=places(failures(path) or path),
    )


def _others(linked: Linked, path: Sequence[Event]) -> tuple[tuple[Event, ...], int]:
    """What else the steps led to, and how many failures of the chain share only a page that was loaded with them."""
    on_path = {event.id for event in path}
    others = [one for one in failures(linked.chain_of(path[-1])) if one.id not in on_path]
    loads = [event for event in path if event.kind in PAGE_LOADS]
    if not loads:
        return tuple(others), 0
    of_page = _effects(linked, loads) - _effects(linked, [event for event in path if event not in loads])
    return tuple(one for one in others if one.id not in of_page), sum(one.id in of_page for one in others)


def _effects(linked: Linked, causes: Sequence[Event]) -> set[str]:
    """What they led to, directly or by others."""
    found, fresh = set[str](), [*causes]
    while fresh:
        effects = [effect for effect in linked.effects_of(fresh.pop()) if effect.id not in found]
        found.update(effect.id for effect in effects)
        fresh += effects
    return found


def reason(via: str) -> str:
    """What follows "because": another version may know other rules."""
    return REASONS.get(via) or f"of {via}"


def _step(number: int, event: Event) -> Step:
    cause = event.cause if number > 1 else None
    return Step(number, event, reason(cause.via), cause.confidence) if cause else Step(number, event)


def _maybe(linked: Linked, events: Sequence[Event], weak: Mapping[str, Sequence[Cause]]) -> tuple[Maybe, ...]:
    """Only for what has no proven cause."""
    causes = {cause.id: cause for event in events if event.cause is None for cause in weak.get(event.id, ())}
    strongest = sorted(causes.values(), key=lambda cause: -cause.confidence)[:MAX_MAYBE]
    return tuple(
        Maybe(
            cause.id,
            linked.events[cause.id].summary if cause.id in linked.events else "",
            reason(cause.via),
            cause.confidence,
        )
        for cause in strongest
    )
