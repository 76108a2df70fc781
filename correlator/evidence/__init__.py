"""The rules that say what caused what; where several apply, the surest counts."""

from __future__ import annotations

from ..detectors.detector import REASONS as DETECTED
from ..flow import Flow
from ..nodes import Effect, Link
from . import (
    adjacent,
    call_site,
    late_failure,
    named,
    origin,
    page_load,
    published,
    removed,
    siblings,
    task,
    turn,
    user_input,
)
from .of_failed_tests import REASONS as OF_FAILED_TESTS
from .rule import Rule

RULES: tuple[Rule, ...] = (
    task.RULE,
    turn.RULE,
    named.RULE,
    user_input.RULE,
    published.SAME_SELECTOR,
    removed.RULE,
    call_site.RULE,
    published.STEP,
    late_failure.RULE,
    origin.RULE,
    published.ACTION_FLOW,
    siblings.RULE,
    page_load.RULE,
    adjacent.RULE,
)
CERTAIN = 0.9
SAME_REQUEST = "same-request"
PUBLISHED = "published"
REASONS: dict[str, str] = {
    SAME_REQUEST: "it is the answer that this shows",
    PUBLISHED: "whoever told it said so",
    **DETECTED,
    **OF_FAILED_TESTS,
    **{rule.via: rule.reason for rule in RULES},
}


def weigh(effect: Effect, flow: Flow) -> tuple[Link, ...]:
    """The candidates, the surest first, of the same node the surest only; no weaker rule is asked when one is certain."""
    best: dict[int, Link] = {}
    for rule in RULES:
        for link in rule.find(effect, flow):
            known = best.get(id(link.node))
            if link.node is not effect.node and (known is None or known.confidence < link.confidence):
                best[id(link.node)] = link
                if link.confidence >= CERTAIN and not link.if_failed:
                    return tuple(sorted(best.values(), key=by_confidence))
    return tuple(sorted(best.values(), key=by_confidence))


def by_confidence(link: Link) -> float:
    return -link.confidence
