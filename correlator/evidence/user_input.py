"""It happened while the user's input was being handled."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.page_script import Interaction, LongFrame
from ..flow import SAME_INPUT_MS, Flow
from ..nodes import Effect, Link
from .named import undefined_by
from .rule import Rule

# An input waits until the main thread has time for it; the frame begins then.
WAITS_AT_MOST_MS = 100.0
HANDLERS = (".on", "EventListener", ".handleEvent")


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if isinstance(effect.signal.detail, Interaction | LongFrame):
        yield from slow(effect, flow, effect.signal.detail)
    elif effect.action is not None:
        yield Link(effect.action, RULE.via, during(effect, flow))


def during(effect: Effect, flow: Flow) -> float:
    """Other tasks may run between an input and the end of its handling; pages that tell their tasks say so."""
    if effect.context == "" and flow.contexts.is_marked(effect.signal) and effect.kind != "page_hang":
        return 0.4
    return 0.6 if effect.last is not None or undefined_by(effect, flow) is not None else 0.9


def slow(effect: Effect, flow: Flow, detail: Interaction | LongFrame) -> Iterator[Link]:
    began_ms = effect.signal.wall_ms
    if isinstance(detail, Interaction):
        first_ms, last_ms = began_ms - SAME_INPUT_MS, began_ms + SAME_INPUT_MS
    elif any(mark in script.invoker for script in detail.scripts[:1] for mark in HANDLERS):
        first_ms, last_ms = began_ms - WAITS_AT_MOST_MS, began_ms + detail.duration_ms
    else:
        return
    for action in reversed(flow.page(effect.signal).actions):
        if first_ms <= action.wall_ms <= last_ms:
            yield Link(action, RULE.via, 0.9 if isinstance(detail, Interaction) else 0.75)
            return


RULE = Rule("input", "it happened while this was being handled", find)
