"""What `run` says on stderr when the command has ended: how much was observed, and the first failures, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...correlator.event import SEVERITIES, Event
from ...correlator.findings.finding import cut
from ...correlator.linked import Linked
from ..terminal import MARKS, counted, printable
from .log import Log
from .observed import Observed

MAX_ROWS: Final = 8
MAX_BYTES: Final = 140
# The runner has told these itself.
TEST_FAILED: Final = "test.failed"
OF_THE_RUNNER: Final = frozenset({TEST_FAILED, "assertion_failed"})
NO_BROWSER: Final = (
    "no Chromium was seen. Browsers that Node starts (Playwright in any language, Puppeteer) are, and others that have a DevTools port "
    "(chromedriver's); not those in a container or on another machine."
)
UNREACHABLE: Final = "a Chromium was seen that nobody can reach: it listens to a pipe alone. Was NODE_OPTIONS replaced on the way?"


@dataclass(slots=True)
class Group:
    """A first failure, what it led to, and how often it came."""

    first: Event
    led_to: list[Event] = field(default_factory=list[Event])
    tests: list[str] = field(default_factory=list[str])
    times: int = 0

    def add(self, led_to: Sequence[Event]) -> None:
        self.times += 1
        self.led_to += [event for event in led_to if event.kind not in OF_THE_RUNNER]
        self.tests += [str(event.context.get("test")) for event in led_to if event.kind == TEST_FAILED]

    @property
    def worst(self) -> int:
        return min(SEVERITIES.index(event.severity) for event in (self.first, *self.led_to))


def groups(events: Sequence[Event]) -> list[Group]:
    """The worst first; what came again in another page or test is one."""
    found: dict[tuple[str, str], Group] = {}
    for first, *led_to in Linked(events).by_first_failure():
        if first.kind not in OF_THE_RUNNER:
            found.setdefault((first.kind, first.fingerprint), Group(first)).add(led_to)
    return sorted(found.values(), key=lambda group: group.worst)


def lines(told: Log, observed: Observed | None, problem: str) -> Iterator[str]:
    """Each for a line of its own, without our name."""
    count = observed.count if observed is not None else 0
    if problem:
        what = "not every browser" if count else "no browser"
        yield printable(f"{what} could be observed: {problem.rstrip('.')}. The command was not disturbed.")
    elif not count:
        yield UNREACHABLE if observed is not None and observed.closed else NO_BROWSER
    if not count:
        return
    first = groups(told.events)
    different = "different " if len(first) > 1 else ""
    what = (
        f"{len(first)} {different}failure{'s' * bool(different)} in the pages"
        if first
        else "nothing wrong was seen"
    )
    order = ", worst first" if len(first) > 1 else ""
    yield f"{counted(count, 'browser')} observed, {what}{order}"
    yield from (row(group) for group in first[:MAX_ROWS])
    if (left := len(first) - MAX_ROWS) > 0:
        yield f"  … and {left} more"
    if told.left_out:
        yield f"  {counted(told.left_out, 'event')} more came than are kept"


def row(group: Group) -> str:
    event = group.first
    at = str(event.context.get("at") or "")
    text = cut(event.summary, MAX_BYTES) + (f" at {at}" if at and at not in event.summary else "")
    if group.times > 1:
        text += f"  ×{group.times}"
    effects = list(dict.fromkeys(effect.summary for effect in group.led_to))
    if effects:
        text += f" → {cut(effects[0], MAX_BYTES // 2)}{_more(effects[1:])}"
    if group.tests:
        text += f"; failed: {cut(group.tests[0], MAX_BYTES // 2)}{_more(group.tests[1:])}"
    return f"  {MARKS[event.severity]} {event.severity:<8} {event.kind}  {printable(text)}"


def _more(others: Sequence[str]) -> str:
    return f" and {len(others)} more" if others else ""


def as_json(told: Log, observed: Observed | None, problem: str) -> dict[str, Any]:
    return {
        "browsers": observed.count if observed is not None else 0,
        "events": len(told.events),
        "severities": {each: told.severities[each] for each in SEVERITIES if told.severities[each]},
        "failures": [
            {
                "severity": group.first.severity,
                "kind": group.first.kind,
                "summary": group.first.summary,
                "at": str(group.first.context.get("at") or ""),
                "event": group.first.id,
                "times": group.times,
                "led_to": len(group.led_to),
                "tests": group.tests,
            }
            for group in groups(told.events)
        ],
        "problem": problem,
    }
