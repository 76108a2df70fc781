"""What healing a locator came to: what to ask for instead, how sure that is, or why nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...correlator.event import Event
from .locators import Locator, Step

HealedKind = Literal[
    "selector_missing", "selector_stale", "selector_ambiguous", "selector_blocked", "selector_healthy"
]
MAX_LISTED = 2


@dataclass(frozen=True, slots=True)
class Broken:
    """A locator that a test failed at, as Playwright's message names it.

    `action` is what was done with it: `Locator.click`, `to_have_text`. `expected` is the text that it should have had. `overlay`
    is what the message says to be in the way of it, or `reason` why it can't be used: then the selector is fine.
    `is_css`: whoever asks can do so by CSS alone, and `locator` is that.
    """

    locator: str
    page: str
    action: str = ""
    expected: str = ""
    overlay: str = ""
    reason: str = ""
    is_css: bool = False


@dataclass(frozen=True, slots=True)
class Replacement:
    """One way to ask for the element, which finds it and no other on the page now. `locator` is the whole chain with it, `step` what
    stands in it instead of what broke, `selector` the same as a text, where there is one.
    """

    locator: str
    step: Step
    selector: str
    element: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Healing:
    """`replaced` are the steps of the locator that broke. `why_not` says why `best` is not put into the test, if it is not."""

    kind: HealedKind
    locator: str
    replacements: tuple[Replacement, ...] = ()
    replaced: Locator = ()
    why_not: str = ""
    cause: Event | None = None

    @property
    def best(self) -> Replacement | None:
        return self.replacements[0] if self.replacements else None

    @property
    def confidence(self) -> float:
        return self.best.confidence if self.best is not None else 0.0

    @property
    def is_sure(self) -> bool:
        return self.best is not None and not self.why_not

    def lines(self) -> list[str]:
        """For a test's report: at most three."""
        best = self.best
        if best is None:
            return [f"The selector is left alone: {self.why_not}"] if self.why_not else []
        verdict = "Use" if self.is_sure else "Maybe it is"
        lines = [f"{verdict} {best.locator}: {best.element} ({best.confidence:.2f})"]
        others = [each.locator for each in self.replacements[1 : 1 + MAX_LISTED]]
        if others:
            lines.append(f"  or {', '.join(others)}")
        if self.why_not:
            lines.append(f"  not changed: {self.why_not}")
        return lines

    def properties(self) -> list[tuple[str, str]]:
        """For JUnit."""
        best = self.best
        told = [("firstcause.selector", self.kind)]
        if best is not None:
            told += [
                ("firstcause.heal", best.locator),
                ("firstcause.heal.confidence", f"{best.confidence:.2f}"),
            ]
        return [*told, ("firstcause.heal.why_not", self.why_not)] if self.why_not else told
