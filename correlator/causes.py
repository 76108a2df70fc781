"""Looks for the causes of effects, waits for those that are about to be told, and names the surest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .event import Cause, Event
from .evidence import SAME_REQUEST, weigh
from .flow import Flow
from .kept import Kept
from .nodes import Action, Document, Effect, Link, Node

if TYPE_CHECKING:
    from .engine import Held

# Below this it is no cause, only a possibility that an explanation may mention.
PROVEN = 0.5
KEPT_WEAK = 3
KEPT_WAITING = 1_000
# A request whose own end is not told yet stands for what caused it, and makes that less sure.
PER_STEP_BACK = 0.9
MAX_STEPS_BACK = 3


class Causes:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._waiting: Kept[Node, list[Held]] = Kept(KEPT_WAITING)
        self._unheard: Kept[Node, Effect] = Kept(KEPT_WAITING)
        self._late: Kept[Node, list[tuple[Event, Link]]] = Kept(KEPT_WAITING)

    def find(self, effect: Effect) -> None:
        """Weighs the evidence as it stands now."""
        node = effect.node
        if node is None:
            return
        if effect.kind == "outcome":
            asked = self._unheard.pop(node, None)
            if asked is None:
                return
            effect = asked
        node.links = weigh(effect, self._flow)
        if node.links and isinstance(action := node.links[0].node, Action):
            action.led = True
        if effect.kind in {"request", "error"} and self._is_unheard(effect):
            self._unheard[node] = effect
        if isinstance(node, Document) and node.request is not None:
            node.request.links = node.links

    def awaits(self, effect: Effect) -> bool:
        """Whether its cause is one that will be told in a moment."""
        if effect.node is None:
            return False
        links = effect.node.links
        if effect.kind == "selector":  # which element went, the page tells a little later
            return not links and self._flow.contexts.is_marked(effect.signal)
        if effect.kind != "error":
            return False
        return effect.node in self._unheard or bool(links and not links[0].node.is_over)

    def wait(self, effect: Effect, held: Held) -> None:
        if effect.node is not None and effect.node.links:
            self._waiting.setdefault(effect.node.links[0].node, []).append(held)

    def is_awaited(self, node: Node) -> bool:
        """Whether somebody waits for it, or was told without it."""
        return node in self._waiting or node in self._late

    def waiting(self, node: Node) -> list[Held]:
        """Who was waiting for it; nobody is any more."""
        return self._waiting.pop(node, [])

    def told(self, effect: Effect, event: Event) -> None:
        """An event that had to be told without its cause, though one was about to be known."""
        links = effect.node.links if effect.node is not None else ()
        if event.cause is None and links and not links[0].node.is_over:
            self._late.setdefault(links[0].node, []).append((event, links[0]))

    def found_late(self, node: Node) -> Iterator[tuple[Event, Cause]]:
        """The events that were told too early to name this as their cause."""
        for event, link in self._late.pop(node, ()):
            cause = named_cause(link)
            if cause is not None and cause.confidence >= PROVEN:
                yield event, cause

    def look_again(self, effect: Effect) -> None:
        """What comes by another way than the effect itself: the error of a worker, an element's removal."""
        if effect.node is None:
            return
        unheard = self._unheard.pop(effect.node, None)
        if unheard is not None or (effect.kind == "selector" and not effect.node.links):
            self.find(unheard or effect)

    def of(self, effect: Effect) -> tuple[Cause | None, tuple[Cause, ...]]:
        """The cause, if one is proven, and what is too weak to be one."""
        if isinstance(effect.node, Document) and (request := effect.node.request) and request.told_failed:
            return Cause(id=request.event_id, via=SAME_REQUEST, confidence=1.0), ()
        named: dict[str, Cause] = {}
        for link in effect.node.links if effect.node is not None else ():
            if cause := named_cause(link):
                known = named.get(cause.id)
                if known is None or known.confidence < cause.confidence:
                    named[cause.id] = cause
        found = sorted(named.values(), key=lambda cause: -cause.confidence)
        if found and found[0].confidence >= PROVEN:
            return found[0], tuple(found[1 : 1 + KEPT_WEAK])
        return None, tuple(found[:KEPT_WEAK])

    def best(self, effect: Effect) -> Link | None:
        links = effect.node.links if effect.node is not None else ()
        return links[0] if links and links[0].confidence >= PROVEN else None

    def _is_unheard(self, effect: Effect) -> bool:
        return bool(effect.context) and self._flow.contexts.is_unheard(effect.signal.browser, effect.context)


def named_cause(link: Link, steps_back: int = 0) -> Cause | None:
    node = link.node
    if link.if_failed and not node.failed:
        return None
    if node.event_id:
        confidence = link.confidence * PER_STEP_BACK**steps_back
        return Cause(id=node.event_id, via=link.via, confidence=round(confidence, 2))
    if steps_back >= MAX_STEPS_BACK or not node.links:
        return None
    behind = node.links[0]
    return named_cause(Link(behind.node, link.via, link.confidence), steps_back + 1)
