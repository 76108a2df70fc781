"""A watched selector that finds nothing any more."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.page_script import SelectorMatches
from ...observer.signal import Signal
from .detector import Detector, Found
from .selectors import MAX_IN_SUMMARY, Options, named, replacement, state_of


class SelectorMissing(Detector[Options]):
    id = "selector_missing"
    channel = "selectors"
    severity = "high or low"
    about = "A watched selector finds nothing any more, and what took the place of its element"
    trigger = (
        "what it found is gone for longer than it takes to draw anew; low if the page shows another view since. "
        "A replacement is suggested from `min_score` on, if it is by `min_margin` more like what was than any other"
    )
    source = "the share of right suggestions over random changes of pages (bench/selectors.py)"
    options_type = Options
    needs = (SelectorMatches,)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        if not isinstance(detail, SelectorMatches) or state_of(detail) != "missing" or detail.before <= 0:
            return
        name, instead = named(detail), replacement(detail, self.options)
        was = instead.was or ("one element" if detail.before == 1 else f"{detail.before} elements")
        then = f"; {instead.suggestion} is like it" if 0 < len(instead.suggestion) <= MAX_IN_SUMMARY else ""
        finding = self.finding(
            "low" if detail.moved else "high",
            f"{name} no longer matches anything; it was {was}{then}",
            template=name,
            selector=name,
            was=instead.was,
            suggestion=instead.suggestion,
            ambiguous=list(instead.ambiguous),
            score=instead.score,
        )
        yield Found(finding, signal)
