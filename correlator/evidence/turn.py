"""What had to wait for its turn runs in the task that ended another's: a queue of jobs, a lock, an interval that works them off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from ..contexts import Origin
from ..flow import Flow
from ..nodes import Action, Effect, Link, Request, site_of
from .rule import Rule

TICK_WORKS_OFF_S = 2.0
ONE, SEVERAL = 0.6, 0.55


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    waiting = waiting_actions(effect, flow)
    if waiting:
        yield Link(waiting[0], RULE.via, ONE if len(waiting) == 1 else SEVERAL)


def waiting_actions(effect: Effect, flow: Flow) -> list[Action]:
    """The user's actions that led to nothing so far, the oldest first, if what happens may be one's turn."""
    origin = flow.origin(effect)
    if effect.kind != "request" or origin is None:
        return []
    return silent_since(effect, flow, waits_since_s(effect, flow, origin))


def silent_since(effect: Effect, flow: Flow, since_s: float) -> list[Action]:
    session, now_s = effect.signal.session, effect.signal.monotonic_s
    latest = takewhile(lambda one: one.at_s > since_s, reversed(flow.page(effect.signal).actions))
    # Looked at again later, it may stand behind actions that came after it.
    return [one for one in latest if one.session == session and not one.led and one.at_s <= now_s][::-1]


def waits_since_s(effect: Effect, flow: Flow, origin: Origin) -> float:
    """Since when it may have waited: the same code makes another request when one has ended, or an interval does now and then."""
    now_s, before = effect.signal.monotonic_s, origin.node
    if origin.tick:
        return now_s if flow.is_steady(effect, origin) else now_s - TICK_WORKS_OFF_S
    if not isinstance(before, Request) or not effect.signal.stack or effect.node is None:
        return now_s
    again = before.site == site_of(effect.signal.stack[0])
    retried = before.failed and before.text == effect.node.text
    if not again or retried:
        return now_s
    made = before.links[0] if before.links else None
    return made.node.at_s if made is not None and made.via == RULE.via else before.at_s


RULE = Rule("turn", "it led to nothing until then, and what ran before it by the same code had ended", find)
