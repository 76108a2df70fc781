"""Why an element may be missing though its selector is right: something failed, and that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...correlator.event import Event
from ...correlator.explanation import PROVEN
from ...correlator.linked import Linked

SERIOUS: Final = frozenset({"critical", "high", "medium"})
FAILED: Final = frozenset({"errors", "network_errors"})
# What is slow or hangs takes an element away as well, if it is proven to have led to that.
CAUSES: Final = FAILED | {"anomalies", "performance"}
# No failure yet, and all the same why it is not there.
ANSWERLESS: Final = frozenset({"request_unanswered"})
# What the test said itself is no cause of what it said.
TOLD_BY_TEST: Final = frozenset({"assertion_failed", "test.failed", "step"})


class Absence(NamedTuple):
    """`is_sure`: every link from the cause to the test's failure is proven."""

    cause: Event
    is_sure: bool


def cause_of_absence(events: Sequence[Event], failure: str) -> Absence | None:
    """The first of the failures that led to the test's own, likely or surely: then it is no selector that broke."""
    linked = Linked(events)
    event = linked.events.get(failure)
    path = linked.path_to(event) if event is not None else []
    for place, one in enumerate(path[:-1]):
        if one.kind in ANSWERLESS or _is_serious(one, CAUSES):
            links = [after.cause.confidence for after in path[place + 1 :] if after.cause is not None]
            return Absence(one, min(links, default=0.0) >= PROVEN)
    return None


def suspects(events: Sequence[Event], page: str) -> list[Event]:
    """What failed on the page and is not proven to have to do with it."""
    return [event for event in events if event.page == page and _is_serious(event, FAILED)]


def _is_serious(event: Event, channels: frozenset[str]) -> bool:
    return (
        event.channel in channels
        and event.severity in SERIOUS
        and event.type != "accessibility"
        and event.kind not in TOLD_BY_TEST
    )
