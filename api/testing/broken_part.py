"""Which steps of a locator broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .locators import Locator
from .ways import Way

PICKS: Final = frozenset({"first", "last", "nth"})


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of a locator that broke: one that finds, with the filters behind it. `left` is what it finds."""

    locator: Locator
    start: int
    end: int
    left: int = 0

    @property
    def steps(self) -> Locator:
        return self.locator[self.start : self.end]

    @property
    def before(self) -> Locator:
        return self.locator[: self.start]

    @property
    def is_last(self) -> bool:
        return all(step.method in PICKS for step in self.locator[self.end :])

    def with_step(self, way: Way) -> Locator:
        return (*self.before, way.step, *self.locator[self.end :])


def broken_part(locator: Locator, counts: Sequence[int]) -> Part:
    """That with the first step that finds nothing, else the last that finds; `counts` has one number a step."""
    start = next((place for place, count in enumerate(counts) if count == 0), len(locator) - 1)
    while start > 0 and locator[start].method in {*PICKS, "filter"}:
        start -= 1
    end = start + 1
    while end < len(locator) and locator[end].method == "filter":
        end += 1
    return Part(locator, start, end, counts[end - 1])
