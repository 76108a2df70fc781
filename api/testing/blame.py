"""What made a test fail, by what only its failure tells: a page that hangs, a request nobody answered, the one thing that broke.

What the rules of evidence can prove is left to them: where the last action led to a failure, they know more than is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ...correlator.event import SEVERITIES, Cause, Event
from ...correlator.linked import Linked
from .failure import SELECTOR_KINDS, Failure
from .observed import Waiting

# What keeps a page from going on, what ends that, and how it is named as evidence.
STOPPERS: Final[Mapping[str, tuple[str, str]]] = {
    "page_hang": ("page_hang_ended", "page-hang"),
    "dialog": ("dialog_closed", "open-dialog"),
    "page_crash": ("crash_reloaded", "page-crash"),
}
BREAKING: Final = frozenset({"errors", "network_errors"})
# They tell of the test itself, of how it is watched, or of what was only slow: that did come.
NO_CAUSES: Final = frozenset(
    {"assertion_failed", "browser_lost", "gap", "detector_failed", "slow_response", *SELECTOR_KINDS}
)
# The message itself says what is wrong, and no failure of the page would change that.
SELF_MADE: Final = frozenset({"selector_ambiguous", "selector_invalid", "selector_blocked", "selector_stale"})
ABORTED: Final = "request_aborted"
ACTED: Final = "user_action"
# The page tells of an action by its own clock.
CLOCKS_DIFFER_MS: Final = 50.0


class Scene(NamedTuple):
    """What was told since the test began, without the pages of other browser contexts. `page` is the failing one, "" if that is
    not known; `steps` are what the test did.
    """

    page: str
    events: Sequence[Event]
    waiting: Sequence[Waiting] = ()
    failed_ms: float = 0.0
    steps: Sequence[Event] = ()

    def of_page(self) -> list[Event]:
        return [event for event in self.events if event.page == self.page or not self.page]


def surely(failure: Failure, scene: Scene) -> Cause | None:
    """What the failure, or the state of its page, says itself."""
    return next(_sure(failure, scene), None)


def likely(failure: Failure, scene: Scene) -> Cause | None:
    """What is left when no action led to a failure."""
    if failure.kind in SELF_MADE or leads_to_failure(scene):
        return None
    return next(_likely(scene), None)


def unanswered(failure: Failure, scene: Scene) -> Waiting | None:
    """The request that the failing page waits for, or had waited for when it was left: the first one since its last action, and
    without any action the first one of all, if nothing failed.
    """
    actions = _actions(scene)
    if failure.kind in SELF_MADE or leads_to_failure(scene):
        return None
    if not actions and any(_broke(event) for event in scene.of_page()):
        return None
    acted_ms = told_ms(actions[-1]) - CLOCKS_DIFFER_MS if actions else 0.0
    waiting = [one for one in scene.waiting if one.page == scene.page and one.sent_ms >= acted_ms]
    return min(waiting, key=lambda one: one.sent_ms, default=None)


def navigation_at(at_ms: float, scene: Scene) -> Event | None:
    """What the page went to then."""
    navigations = [event for event in scene.of_page() if event.kind == "navigation"]
    near = [event for event in navigations if abs(told_ms(event) - at_ms) <= CLOCKS_DIFFER_MS]
    return near[-1] if near else None


def leads_to_failure(scene: Scene) -> bool:
    """Whether an action on the page led to something that failed."""
    linked = Linked(scene.events)
    actions = [linked.events[event.id] for event in _actions(scene) if event.id in linked.events]
    return any(_broke(one) for action in actions for one in linked.chain_of(action))


def _sure(failure: Failure, scene: Scene) -> Iterator[Cause]:
    events = scene.of_page()
    for event in reversed(events):
        if event.kind in STOPPERS and not _is_over(event, events, scene.failed_ms):
            yield Cause(id=event.id, via=STOPPERS[event.kind][1], confidence=0.9)
    if failure.kind == "navigation_failed":
        named = [event for event in events if _broke(event) and _names(event, failure.url)]
        yield from (Cause(id=event.id, via="names-url", confidence=0.95) for event in named[-1:])
    if failure.kind == "navigated_away":
        gone = [event for event in events if event.kind == "navigation"]
        yield from (Cause(id=event.id, via="navigated-away", confidence=0.9) for event in gone[-1:])
    if failure.kind in SELF_MADE and not leads_to_failure(scene):
        yield from (Cause(id=step.id, via="step", confidence=0.95) for step in scene.steps[-1:])


def _likely(scene: Scene) -> Iterator[Cause]:
    linked = Linked(scene.events)
    for event in reversed(scene.of_page()):
        if event.kind == ABORTED and _is_of_last_action(event, scene, linked):
            yield Cause(id=event.id, via="cancelled-request", confidence=0.65)
    broken = [event for event in scene.of_page() if _broke(event) and event.id in linked.events]
    last_of = {_first_failure(event, linked): event for event in broken}
    if len(last_of) == 1:
        yield Cause(id=broken[-1].id, via="only-failure", confidence=0.6)
    elif last_of:
        # Of several flows the worst, by time the last one; that is a guess, and told as one.
        yield Cause(id=min(reversed(last_of.values()), key=_badness).id, via="worst-failure", confidence=0.5)


def _actions(scene: Scene) -> list[Event]:
    return [event for event in scene.of_page() if event.kind == ACTED]


def _first_failure(event: Event, linked: Linked) -> str:
    return next((one.id for one in linked.path_to(event) if _broke(one)), event.id)


def _badness(event: Event) -> tuple[int, bool]:
    """A script breaks on what the network brings more often than the other way round."""
    return SEVERITIES.index(event.severity), event.channel != "network_errors"


def _is_of_last_action(event: Event, scene: Scene, linked: Linked) -> bool:
    actions, told = _actions(scene), linked.events.get(event.id)
    return bool(actions) and told is not None and actions[-1].id in {one.id for one in linked.path_to(told)}


def _is_over(event: Event, events: Sequence[Event], failed_ms: float) -> bool:
    """Whether it had ended before the test failed."""
    end = STOPPERS[event.kind][0]
    ended = [told_ms(one) for one in events if one.kind == end and told_ms(one) >= told_ms(event)]
    return bool(ended) and (not failed_ms or ended[0] < failed_ms)


def _names(event: Event, url: str) -> bool:
    told = str(event.context.get("url") or "").rstrip("/")
    return bool(told) and url.rstrip("/").endswith(told)


def _broke(event: Event) -> bool:
    return event.channel in BREAKING and event.severity != "info" and event.kind not in NO_CAUSES


def told_ms(event: Event) -> float:
    return datetime.fromisoformat(event.timestamp).timestamp() * 1000
