"""What a failed test goes back to: the reporter tells of it when its page is closed already, so its browser's events are looked through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...correlator.event import Cause, Event
from ...correlator.evidence.published import ACTION_FLOW, SAME_SELECTOR

SELECTOR: Final = 0.92
LAST_ACTION: Final = 0.7
OLDER_ACTION: Final = 0.5


def cause_of_failure(selector: str, events: Iterable[Event]) -> Cause | None:
    """By the rules for what is published on a page that is open. `events` are those of the test's browser since the test began."""
    latest_first = [*events][::-1]
    failures = [event for event in latest_first if event.severity != "info"]
    for failure in failures:
        if selector and failure.context.get("selector") == selector and failure.channel == "selectors":
            return Cause(id=failure.id, via=SAME_SELECTOR.via, confidence=SELECTOR)
    actions = [event for event in latest_first if event.kind == "user_action"]
    for older, action in enumerate(actions):
        for failure in failures:
            if failure.correlation_id == action.correlation_id:
                confidence = OLDER_ACTION if older else LAST_ACTION
                return Cause(id=failure.id, via=ACTION_FLOW.via, confidence=confidence)
    if failures and not actions:
        return Cause(id=failures[0].id, via=ACTION_FLOW.via, confidence=OLDER_ACTION)
    return None
