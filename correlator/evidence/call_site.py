"""The code that fails is the code that made the request: the same async function goes on, or the call itself is in the stack."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Link, Request
from .rule import Rule
from .stacks import called_for
from .turn import waiting_actions

MAX_AGE_S = 60.0
ADJACENT_S = 0.012


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind not in {"error", "request"} or waiting_actions(effect, flow):
        return
    found = [
        (request, exact)
        for request, exact in called_for(effect, flow)
        if request.is_over and effect.signal.monotonic_s - request.at_s <= MAX_AGE_S
    ]
    exact = [request for request, is_exact in found if is_exact]
    candidates = exact or [request for request, _ in found]
    if candidates:
        yield from chosen(effect, candidates, bonus=0.07 if exact else 0.0)


def chosen(effect: Effect, candidates: list[Request], bonus: float) -> Iterator[Link]:
    last = effect.last if is_adjacent(effect, effect.last) else None
    failed = [request for request in candidates if request.failed]
    if last in candidates and (effect.kind == "request" or last in failed):
        yield Link(last, RULE.via, round((0.85 if len(candidates) == 1 else 0.78) + bonus, 2))
    elif effect.kind == "request":
        yield Link(candidates[0], RULE.via, round((0.6 if len(candidates) == 1 else 0.4) + bonus, 2))
    elif failed:
        yield Link(failed[0], RULE.via, round((0.7 if len(failed) == 1 else 0.4) + bonus, 2))
    elif len(candidates) == 1:
        yield Link(candidates[0], RULE.via, round(0.5 + bonus, 2))


def is_adjacent(effect: Effect, request: Request | None) -> bool:
    """Whether the request was heard of right before, as far as the clocks can tell."""
    return request is not None and 0 <= effect.signal.monotonic_s - request.heard_s <= ADJACENT_S


RULE = Rule("call-site", "the same call made this request and went on to this", find)
