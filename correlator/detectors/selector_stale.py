"""A watched selector that finds another element than the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.page_script import SelectorMatches
from ...observer.signal import Signal
from .detector import Detector, Found
from .selectors import Options, name_of, named, replacement, state_of


class SelectorStale(Detector[Options]):
    id = "selector_stale"
    channel = "selectors"
    severity = "high"
    about = "The element of a watched selector is gone, and the selector finds one that is something else"
    trigger = (
        "the new one has another tag, role or type, or no word in common with what was, and both are of the same view; "
        "one that is only drawn anew is the same. What is replaced again and again is told three times a page"
    )
    source = "proposal"
    options_type = Options
    needs = (SelectorMatches,)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        if not isinstance(detail, SelectorMatches) or state_of(detail) != "stale":
            return
        name, instead = named(detail), replacement(detail, self.options)
        found = next((each for each in detail.candidates if each.found), None)
        now = name_of(found) if found is not None else "another element"
        finding = self.finding(
            "high",
            f"{name} finds {now} now; it was {name_of(detail.was)}",
            template=name,
            selector=name,
            now=now,
            was=instead.was,
            suggestion=instead.suggestion,
            ambiguous=list(instead.ambiguous),
            score=instead.score,
        )
        yield Found(finding, signal)
