"""What a test or an agent tells from outside: linked by the selector that it names, or by what its page's last action led to."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow, selectors_in
from ..nodes import Action, Effect, Link, Node
from .rule import Rule

MAX_AGE_S = 60.0
STEP_LEADS_WITHIN_S = 2.0


def same_selector(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind != "published" or not effect.text:
        return
    for failure in recent_failures(effect, flow):
        if failure.kind == "selector" and failure.text == effect.text:
            yield Link(failure, SAME_SELECTOR.via, 0.92)
            return


def action_flow(effect: Effect, flow: Flow) -> Iterator[Link]:
    """The latest failure in the chain of the latest action that led to one; an older action's is less likely meant."""
    if effect.kind != "published" or (effect.node is not None and not effect.node.failed):
        return
    failures = recent_failures(effect, flow)
    actions = [one for one in reversed(flow.page(effect.signal).actions) if is_recent(one, effect)]
    for older, action in enumerate(actions):
        for failure in failures:
            if failure.chain_id == action.chain_id:
                yield Link(failure, ACTION_FLOW.via, 0.7 if older == 0 else 0.5)
                return
    if not actions and failures:
        yield Link(failures[0], ACTION_FLOW.via, 0.5)


def step(effect: Effect, flow: Flow) -> Iterator[Link]:
    """An action follows the step of a test or an agent that names its element, or that says on which page it acts."""
    if effect.kind != "action":
        return
    steps = flow.page(effect.signal).steps
    names = set(selectors_in(effect.text))
    for told in reversed(steps):
        age_s = effect.signal.monotonic_s - told.at_s
        if age_s <= MAX_AGE_S and names & set(selectors_in(told.text)):
            yield Link(told, STEP.via, 0.85)
            return
    if steps and not steps[-1].text and effect.signal.monotonic_s - steps[-1].at_s <= STEP_LEADS_WITHIN_S:
        yield Link(steps[-1], STEP.via, 0.6)


def recent_failures(effect: Effect, flow: Flow) -> list[Node]:
    return [one for one in reversed(flow.page(effect.signal).failures) if is_recent(one, effect)]


def is_recent(node: Node | Action, effect: Effect) -> bool:
    return effect.signal.monotonic_s - node.at_s <= MAX_AGE_S


SAME_SELECTOR = Rule("same-selector", "both name the same selector", same_selector)
ACTION_FLOW = Rule(
    "action-flow", "it is the last failure that the last action on the page led to", action_flow
)
STEP = Rule("step", "this step of a test or an agent announced it", step)
