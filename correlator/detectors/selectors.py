"""What the detectors of broken selectors have in common: what the element was, and which one it may be now."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from ...observer.domains.page_script import SelectorMatches, SelectorState
from ...observer.fingerprint import NOTHING, Fingerprint
from ...observer.signal import Signal
from ..findings.finding import said
from ..selectors.ranking import suggest
from ..selectors.wording import called, selector_of
from . import detector

MAX_SELECTOR_BYTES = 100
MAX_SUGGESTION_BYTES = 160
MAX_CALLED_BYTES = 60
MAX_IN_SUMMARY = 80

Key = tuple[str, str, str, str]


class Options(detector.Options):
    min_score: float = Field(
        default=0.45, ge=0, le=1, description="How like what was an element has to be to be suggested."
    )
    min_margin: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="How much more like it than any other; twice as much than one that is found too.",
    )


class Replacement(NamedTuple):
    """What an event says of the element that was and of what to ask for instead; of two that are as likely, both."""

    was: str = ""
    suggestion: str = ""
    score: float = 0.0
    ambiguous: tuple[str, ...] = ()


def key_of(signal: Signal, detail: SelectorMatches) -> Key:
    return signal.browser, signal.page, signal.frame, detail.selector


def state_of(detail: SelectorMatches) -> SelectorState:
    """What was recorded before there were states tells the counts alone."""
    if detail.state or detail.count < 0:
        return detail.state or "invalid"
    if detail.count > 1:
        return "ambiguous"
    return "healthy" if detail.count else "missing"


def replacement(detail: SelectorMatches, options: Options) -> Replacement:
    if detail.was == NOTHING:
        return Replacement()
    was, found = (
        name_of(detail.was),
        suggest(detail.was, detail.candidates, options.min_score, options.min_margin),
    )
    if found.best is None or not (found.confident or found.ambiguous):
        return Replacement(was)
    score = round(found.best.score, 2)
    best = asked(found.best.candidate, MAX_SUGGESTION_BYTES)
    if found.confident or found.runner_up is None:
        return Replacement(was, best, score if best else 0.0)
    second = asked(found.runner_up.candidate, MAX_SELECTOR_BYTES)
    return Replacement(was, "", score, tuple(filter(None, (best, second))))


def asked(element: Fingerprint, limit: int) -> str:
    """How to ask for it; nothing if that is too long, or has a secret in it: half a selector finds nothing."""
    selector = selector_of(element)
    return selector if said(selector, limit) == selector else ""


def name_of(element: Fingerprint) -> str:
    return said(called(element), MAX_CALLED_BYTES)


def named(detail: SelectorMatches) -> str:
    return said(detail.selector, MAX_SELECTOR_BYTES)
