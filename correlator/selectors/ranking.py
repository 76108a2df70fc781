"""Which of the candidates is the element that was: all of them scored from 0 to 1, and a suggestion if one stands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...observer.fingerprint import Fingerprint
from .parts import parts

MIN_SCORE = 0.45
MIN_MARGIN = 0.08
# It was there before beside the element, so it would have to have changed places with it.
KNOWN = 0.5
OTHER_ROLE = 0.8
HIDDEN = 0.9


class Ranked(NamedTuple):
    score: float
    candidate: Fingerprint


class Suggestion(NamedTuple):
    """The best candidate, if it is good enough and no other is nearly as good: `ambiguous` is one that others come close to."""

    best: Ranked | None = None
    runner_up: Ranked | None = None
    confident: bool = False
    ambiguous: bool = False

    @property
    def margin(self) -> float:
        if self.best is None:
            return 0.0
        return self.best.score - (self.runner_up.score if self.runner_up is not None else 0.0)


def score(was: Fingerprint, now: Fingerprint, *, one_of_many: bool = False) -> float:
    if now.same:
        return 1.0
    counted = list(parts(was, now, one_of_many=one_of_many))
    weight = sum(part.weight for part in counted)
    total = sum(part.weight * part.likeness for part in counted) / weight
    if now.known:
        total *= KNOWN
    if was.role != now.role:
        total *= OTHER_ROLE
    if now.hidden and not was.hidden:
        total *= HIDDEN
    return min(total, 0.99)


def ranked(was: Fingerprint, candidates: Sequence[Fingerprint]) -> list[Ranked]:
    """The best first; of equals the one that the page names first."""
    alike = sum((each.role, each.name, each.text) == (was.role, was.name, was.text) for each in candidates)
    found = (Ranked(score(was, each, one_of_many=alike > 1), each) for each in candidates)
    return sorted(found, key=lambda one: -one.score)


def suggest(
    was: Fingerprint,
    candidates: Sequence[Fingerprint],
    min_score: float = MIN_SCORE,
    min_margin: float = MIN_MARGIN,
) -> Suggestion:
    best, second, *_ = [*ranked(was, candidates), None, None]
    if best is None:
        return Suggestion()
    found = Suggestion(best, second)
    good = best.score >= min_score
    # The selector finds both: they have in common what it names.
    both = second is not None and best.candidate.found and second.candidate.found
    clear = best.candidate.same or found.margin >= (2 * min_margin if both else min_margin)
    return found._replace(confident=good and clear, ambiguous=good and not clear)
