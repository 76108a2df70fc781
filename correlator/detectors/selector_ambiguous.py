"""A watched selector that finds several elements."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.page_script import SelectorMatches
from ...observer.signal import Signal
from .detector import Detector, Found
from .selectors import MAX_IN_SUMMARY, Options, named, replacement, state_of


class SelectorAmbiguous(Detector[Options]):
    id = "selector_ambiguous"
    channel = "selectors"
    severity = "high"
    about = "A watched selector finds several elements, and which of them was meant"
    trigger = (
        "it finds more than one, for longer than it takes to draw anew. "
        "One is suggested from `min_score` on, if it is by twice `min_margin` more like what was than any other"
    )
    source = "the strict mode of Playwright; the share of right suggestions over random changes of pages"
    options_type = Options
    needs = (SelectorMatches,)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        if not isinstance(detail, SelectorMatches) or state_of(detail) != "ambiguous":
            return
        name, instead = named(detail), replacement(detail, self.options)
        meant = (
            f"; {instead.suggestion} is the one that was meant"
            if 0 < len(instead.suggestion) <= MAX_IN_SUMMARY
            else ""
        )
        finding = self.finding(
            "high",
            f"{name} matches {detail.count} elements{meant}",
            template=name,
            selector=name,
            matches=detail.count,
            was=instead.was,
            suggestion=instead.suggestion,
            ambiguous=list(instead.ambiguous),
            score=instead.score,
        )
        yield Found(finding, signal)
