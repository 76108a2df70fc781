"""Nothing lies between the failure that the page heard of and what failed then: no more than an order, so never sure."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Link
from .call_site import is_adjacent
from .rule import Rule

ELEMENTS = frozenset({"Image", "Stylesheet", "Script", "Font", "Media", "WebSocket"})


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    last = effect.last
    if effect.kind != "error" or last is None or not is_adjacent(effect, last):
        return
    if effect.context and flow.origin(effect) is not None:
        return
    told_nothing = effect.context == "" and flow.contexts.is_marked(effect.signal)
    if last.failed:
        yield Link(last, RULE.via, 0.45 if told_nothing else 0.7 if last.resource in ELEMENTS else 0.6)
    elif not effect.signal.stack and "JSON" in effect.text:
        yield Link(last, RULE.via, 0.65 if "html" in last.mime else 0.5)


RULE = Rule("same-task", "it failed right before, with nothing in between", find)
