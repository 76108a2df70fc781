"""The page told in whose task it happened: the strongest evidence there is."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.runtime import ExceptionThrown
from ..contexts import Origin
from ..flow import Flow
from ..nodes import Document, Effect, Link, Request
from .named import undefined_by
from .rule import Rule
from .stacks import is_called_for
from .turn import silent_since, waiting_actions

VIA = "task"
PER_TIMER = 0.05
FOREIGN = 0.75
UNSURE_TURN = 0.45
BESIDE_ANOTHER = 0.75


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    origin = flow.origin(effect)
    if origin is None:
        return
    confidence = sure(effect, flow, origin)
    if waiting_actions(effect, flow):
        confidence = UNSURE_TURN
    elif isinstance(origin.node, Request) and has_a_silent_rival(effect, origin.node, flow):
        confidence = min(confidence, BESIDE_ANOTHER)
    if origin.tick:
        # What an interval does now and then, it does because of something that is not seen: a queue, a flag, a clock.
        by_itself = flow.is_steady(effect, origin) or "alone" in origin.hops
        confidence = min(confidence, 0.75 if by_itself else 0.4)
    elif "x" in origin.hops:
        confidence = min(confidence, FOREIGN)  # that site may have had another reason to speak just then
    elif "t" in origin.hops:
        confidence -= PER_TIMER
    yield Link(origin.node, VIA, round(confidence, 2))


def sure(effect: Effect, flow: Flow, origin: Origin) -> float:
    node = origin.node
    if undefined_by(effect, flow) is not None:
        return 0.6
    if isinstance(node, Document):
        return 0.9 if not flow.page(effect.signal).actions else 0.65
    if effect.kind == "error" and not node.failed and is_rethrown(effect):
        return 0.55
    if effect.kind == "error" and isinstance(node, Request):
        if node.failed or not node.is_over:
            return 0.97 if is_called_for(effect, node, flow) else 0.92
        return 0.8 if failed_sibling(node, flow) is None else 0.55
    return 0.95


def has_a_silent_rival(effect: Effect, before: Request, flow: Flow) -> bool:
    """Whether the user did something since that led to nothing: it may have waited for a lock that `before` held."""
    return effect.kind == "request" and bool(silent_since(effect, flow, before.at_s))


def is_rethrown(effect: Effect) -> bool:
    """An error brings the stack of its making along; thrown elsewhere, it was kept in between."""
    detail, stack = effect.signal.detail, effect.signal.stack
    if not isinstance(detail, ExceptionThrown) or detail.rejection or not stack or not detail.line:
        return False
    return all((frame.url, frame.line) != (detail.url, detail.line) for frame in stack)


def failed_sibling(request: Request, flow: Flow) -> Request | None:
    """The latest failure among the requests that one call made together with this one."""
    if not request.stack:
        return None
    parent = request.links[0].node if request.links else None
    for other in flow.latest_requests(request):
        together = other.links[0].node if other.links else None
        if other is not request and other.failed and together is parent and other.site == request.site:
            return other
    return None


RULE = Rule(VIA, "it happened in a task that this started", find)
