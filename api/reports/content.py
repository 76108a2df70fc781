"""What every report tells: the tests with their outcomes, and the failures that no other failure led to, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ...correlator.event import SEVERITIES, Cause, Event, Severity
from ...correlator.explain import explain
from ...correlator.explanation import Explanation
from ...correlator.linked import Linked, worst
from ..terminal import counted
from .runs import ASSERTION, Outcome, Run, is_of_a_run, runs_in

MAX_EXPLAINED: Final = 200
NOTHING: Final[Mapping[str, Sequence[Cause]]] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """A first failure with all that it led to; one that came again and again in the same way is one, `times` times."""

    first: Event
    event: Event
    events: Sequence[Event]
    explanation: Explanation
    times: int = 1

    @property
    def severity(self) -> Severity:
        return self.event.severity


@dataclass(frozen=True, slots=True)
class Case:
    """A test. One that failed has the event that says so, and what explains it."""

    run: Run
    event: Event
    explanation: Explanation | None = None

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def outcome(self) -> Outcome:
        return self.run.outcome

    @property
    def first(self) -> Event:
        """The first cause of its failure, as far as it is known."""
        return self.explanation.first_failure.event if self.explanation is not None else self.event

    @property
    def severity(self) -> Severity:
        return worst([self.first, self.event]).severity


class Content:
    """`weak` has, by event, what may have caused it without being proven; `notes` what the recording lacks."""

    def __init__(
        self,
        events: Sequence[Event],
        title: str,
        weak: Mapping[str, Sequence[Cause]] = NOTHING,
        notes: Sequence[str] = (),
    ) -> None:
        self.title = title
        self.notes = notes
        self.linked = Linked(events)
        self._weak = weak

    @property
    def events(self) -> list[Event]:
        return [*self.linked.events.values()]

    @cached_property
    def tests(self) -> list[Case]:
        """In the order in which they began."""
        return [self._case(run) for run in runs_in(self.events)]

    @property
    def failed_tests(self) -> list[Case]:
        return [case for case in self.tests if case.outcome == "failed"]

    @cached_property
    def failures(self) -> list[Failure]:
        """Those that no failed test goes back to; at most `MAX_EXPLAINED` of them."""
        groups = sorted(self._groups, key=lambda group: SEVERITIES.index(worst(group).severity))
        return [
            Failure(group[0], worst(group), group, self._explained(worst(group)), times)
            for group, times in _folded(groups)[:MAX_EXPLAINED]
        ]

    @cached_property
    def unexplained(self) -> int:
        """How many failures there are beyond those."""
        return max(0, len(_folded(self._groups)) - MAX_EXPLAINED)

    @property
    def headline(self) -> str:
        """`3 of 12 tests failed; 5 different failures beside them`"""
        count = len(self.failures) + self.unexplained
        if not self.tests:
            return counted(count, "different failure") if count else "Nothing went wrong"
        beside = f"; {counted(count, 'different failure')} beside them" if count else ""
        return f"{len(self.failed_tests)} of {counted(len(self.tests), 'test')} failed{beside}"

    def _case(self, run: Run) -> Case:
        if run.outcome != "failed":
            return Case(run, run.events[-1])
        # That a test failed says less than what it goes by.
        cause = self.linked.cause_of(run.failure)
        event = cause if cause is not None and cause.kind == ASSERTION else run.failure
        return Case(run, event, self._explained(event))

    @cached_property
    def _groups(self) -> list[Sequence[Event]]:
        told = {
            step.event.id for case in self.failed_tests if case.explanation for step in case.explanation.steps
        }
        told.update(event.id for case in self.tests for event in case.run.events if is_of_a_run(event))
        rest = ([*group] for group in self.linked.by_first_failure())
        return [
            group
            for group in rest
            if group[0].id not in told and not (self.tests and {each.kind for each in group} == {ASSERTION})
        ]

    def _explained(self, event: Event) -> Explanation:
        return explain(self.linked, event.id, self._weak)


def _folded(groups: Sequence[Sequence[Event]]) -> list[tuple[Sequence[Event], int]]:
    """The first of those that begin and end alike on one page, with how many there are."""
    alike: dict[tuple[str, ...], tuple[Sequence[Event], int]] = {}
    for group in groups:
        first, event = group[0], worst(group)
        what = (first.page, first.kind, first.fingerprint, event.kind, event.fingerprint)
        earliest, times = alike.get(what, (group, 0))
        alike[what] = (earliest, times + 1)
    return [*alike.values()]
