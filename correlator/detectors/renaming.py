"""What detectors share that know a better name for what a script says: what it said, and that several reports are one failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field, JsonValue

from ...observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ...observer.signal import Signal
from ..findings.finding import Finding, context
from ..kept import Kept
from .detector import TYPES, Detector, Options

KEPT_FAILURES = 2_000
FAILURE_LEVELS = frozenset({"error", "warning"})
LEADS = ("Uncaught (in promise) ", "Uncaught ", "Error: ", "Warning: ", "[Vue warn]: ")


class RenamingOptions(Options):
    within_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="Reports of one page within this time after the first are one failure.",
    )


class Reports:
    """A framework tells one failure in several messages: what follows the first within a time is the same. A failure that comes again
    and again is not one for good.
    """

    def __init__(self, within_s: float) -> None:
        self._within_ms = within_s * 1000
        self._firsts: Kept[tuple[str, str, str], tuple[float, int]] = Kept(KEPT_FAILURES)

    def key(self, signal: Signal, name: str) -> str:
        """The identity of the failure that the signal reports."""
        of = signal.browser, signal.page, name
        first_ms, number = self._firsts.get(of, (0.0, 0))
        if abs(signal.wall_ms - first_ms) > self._within_ms:
            number += 1
            self._firsts[of] = signal.wall_ms, number
        return f"{name} {signal.browser} {signal.page} {number}"


def failure_text(signal: Signal) -> str:
    """What an exception or a call of console.error or console.warn says."""
    detail = signal.detail
    if isinstance(detail, ExceptionThrown):
        return detail.text
    return detail.text if isinstance(detail, ConsoleCalled) and detail.level in FAILURE_LEVELS else ""


def without_lead(text: str) -> str:
    """The message itself."""
    for lead in LEADS:
        text = text.removeprefix(lead)
    return text


def renamed(
    detector: Detector[Any], finding: Finding, key: str, summary: str, **values: JsonValue
) -> Finding:
    """The finding as one of the detector's, at the place that it tells."""
    return replace(
        finding,
        kind=detector.id,
        channel=detector.channel,
        type=TYPES[detector.channel],
        severity="high",
        summary=summary,
        context={**finding.context, **context(**values)},
        key=key,
    )
