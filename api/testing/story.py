"""One test as it is told to the engine: its steps, and, when it fails, the failure with the chain that led to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ...correlator.engine import HOLD_S, new_uuid7
from ...correlator.event import Cause, Event
from ...correlator.explain import explain
from ...correlator.linked import Linked
from ..publishing import event_of
from .blame import STOPPERS, Scene, likely, navigation_at, surely, told_ms, unanswered
from .failure import SELECTOR_KINDS, Failure
from .observed import PROJECT, Observed, Waiting, own_events
from .pages import FailingPage
from .publications import Where, assertion, broken_selector, step_of, unanswered_request
from .steps import Step
from .told import Report, report

# A page that hangs is told of after a second, on a busy machine later.
HANG_TOLD_WITHIN_S: Final = 3.0
LOOK_EVERY_S: Final = 0.05
# Of what comes later the test can't have known.
CLOCKS_DIFFER_MS: Final = 5.0


class Looked(NamedTuple):
    """What a failing test is told, and the events that are about it."""

    report: Report
    events: list[Event]
    failed: Event


@dataclass(slots=True)
class Story:
    """A test while it runs."""

    name: str
    steps: list[Event] = field(default_factory=list[Event])

    def step(self, step: Step, observed: Observed) -> None:
        self.steps.append(observed.publish(step_of(step, self.name)))

    async def failed(
        self, observed: Observed, failure: Failure, page: FailingPage | None, where: Where, failed_ms: float
    ) -> Looked | None:
        """None if the test used no page of this browser."""
        waiting = list(observed.waiting.values())
        silent = await observed.barrier()
        name = _page_of(observed, page)
        await _settle(observed, name, hangs=name in silent)
        return self.look(observed, failure, name, where, failed_ms, waiting) if observed.pages else None

    def look(
        self,
        observed: Observed,
        failure: Failure,
        page: str,
        where: Where,
        failed_ms: float,
        waiting: Sequence[Waiting] = (),
    ) -> Looked:
        """All is told by now. `waiting` are the requests that had no answer when the test failed."""
        foreign = observed.foreign_to(page)
        scene = Scene(
            page,
            [one for one in own_events(observed.events, foreign) if _counts(one, failed_ms)],
            [one for one in waiting if one.page not in foreign],
            failed_ms,
            self.steps,
        )
        failed = self._publish(observed, failure, scene, where)
        events = own_events(observed.events, foreign)
        explanation = explain(Linked(_within(events)), failed.id, {failed.id: observed.weak_of(failed.id)})
        url = observed.pages[page].url if page in observed.pages else ""
        return Looked(report(failure, explanation, at=str(where), page=page, url=url), events, failed)

    def _publish(self, observed: Observed, failure: Failure, scene: Scene, where: Where) -> Event:
        """The broken selector, if that is what failed, and then the failure itself; gives the latter."""
        cause = surely(failure, scene) or _unanswered(observed, failure, scene) or likely(failure, scene)
        if failure.kind in SELECTOR_KINDS:
            broken = observed.publish(broken_selector(failure, scene.page), cause)
            cause = Cause(id=broken.id, via="same-selector", confidence=0.92)
        return observed.publish(assertion(failure, scene.page, where, self.name), cause)


def unseen(failure: Failure, where: Where, test: str) -> Event:
    """The failure of a test that used no browser, or one that is not observed: nothing leads to it."""
    event = event_of(assertion(failure, "", where, test), PROJECT, new_uuid7())
    return event.model_copy(update={"correlation_id": event.id})


def _page_of(observed: Observed, page: FailingPage | None) -> str:
    if page is not None:
        return observed.page_at(page.url, page.place, page.alike)
    return next(iter(observed.pages)) if len(observed.pages) == 1 else ""


async def _settle(observed: Observed, page: str, *, hangs: bool) -> None:
    """What the engine holds back until its cause is known is told by then, and a hang, too."""
    await asyncio.sleep(HOLD_S)
    # While a hang is looked into, the page answers now and then: so it is asked twice.
    hangs = page in await observed.barrier() or hangs
    waited_s = 0.0
    while hangs and waited_s < HANG_TOLD_WITHIN_S and not _stopped(observed, page):
        await asyncio.sleep(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S


def _stopped(observed: Observed, page: str) -> bool:
    return any(event.page == page and event.kind in STOPPERS for event in observed.events)


def _counts(event: Event, failed_ms: float) -> bool:
    """What the test does is no cause, nor what came of its end; a hang is told after it began."""
    is_late = told_ms(event) > failed_ms + CLOCKS_DIFFER_MS and event.kind not in STOPPERS
    return event.channel != "runs" and not is_late


def _within(events: Sequence[Event]) -> list[Event]:
    """Without causes of another test: what was told before this one began is not among them."""
    known = {event.id for event in events}
    return [
        event.model_copy(update={"cause": None})
        if event.kind == "assertion_failed" and event.cause is not None and event.cause.id not in known
        else event
        for event in events
    ]


def _unanswered(observed: Observed, failure: Failure, scene: Scene) -> Cause | None:
    """Told as a fact of its own, for the failure to name."""
    one = unanswered(failure, scene)
    if one is None:
        return None
    gone = navigation_at(one.left_ms, scene) if one.left_ms else None
    left_for = str(gone.context.get("url") or "") if gone is not None else ""
    url = observed.pages[scene.page].url if scene.page in observed.pages else ""
    told = unanswered_request(one, url, scene.failed_ms, left_for)
    because = Cause(id=gone.id, via="navigated-away", confidence=0.9) if gone is not None else None
    return Cause(id=observed.publish(told, because).id, via="unanswered-request", confidence=0.7)
