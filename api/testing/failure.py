"""What a test's failure says, whoever raised it: which element, what was expected, what was there instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailureKind = Literal[
    "assertion",
    "selector_missing",
    "selector_ambiguous",
    "selector_blocked",
    "selector_stale",
    "selector_invalid",
    "navigation_failed",
    "navigated_away",
    "page_closed",
    "page_crashed",
    "script_error",
    "timeout",
    "other",
]
SELECTOR_KINDS = frozenset(
    {"selector_missing", "selector_ambiguous", "selector_blocked", "selector_stale", "selector_invalid"}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Empty fields are what the message does not tell. `resolved` is the element that a locator found; `reason` says why it could
    not be used, and `overlay` which other element would have got the click.
    """

    kind: FailureKind
    headline: str
    is_assertion: bool = False
    api: str = ""
    matcher: str = ""
    negated: bool = False
    locator: str = ""
    expected: str = ""
    received: str = ""
    timeout_ms: int = 0
    resolved: str = ""
    reason: str = ""
    overlay: str = ""
    url: str = ""
    matches: int = -1
