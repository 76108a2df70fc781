"""A page that was rendered on a server, and that the framework could not take over because it would render something else."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene, said
from .detector import Detector
from .renaming import RenamingOptions, Reports, failure_text, renamed, without_lead

# What React's production build says only by number, with what it renders differently, if it says that.
REACT_ERROR = re.compile(r"React error #(418|419|422|423|425)\b(?:; visit \S*?args\[\]=(HTML|text)\b)?")
REACT = {
    "418": "what the server rendered is not what the page renders",
    "419": "the server could not finish a part of the page",
    "422": "a part of the page failed while it was taken over",
    "423": "the page failed while it was taken over, and is rendered anew",
    "425": "a text that the server rendered is not the one that the page renders",
}
TEXT = re.compile(
    r"does not match server-rendered HTML|Hydration failed because|error (?:occurred )?(?:while|during) hydrat"
    r"|server could not finish this Suspense|server rendered HTML didn't match"
    r"|did not match\. Server:|expect(?:ed)? server HTML to contain"  # React 18's warnings
    r"|\bHydration (?:\w+ ){0,2}mismatch|Hydration completed but contains mismatches"  # Vue 3
    r"|client-side rendered virtual DOM tree is not matching"  # Vue 2
    r"|\bNG050[0-3]\b|\bhydration_mismatch\b",  # Angular, Svelte
    re.IGNORECASE,
)
MAX_TEXT_BYTES = 140


class HydrationMismatch(Detector[RenamingOptions]):
    id = "hydration_mismatch"
    channel = "errors"
    severity = "high"
    about = "What the server rendered is not what the page renders, so that the framework throws it away or leaves it wrong."
    trigger = (
        "React's errors 418, 419, 422, 423 and 425, or what React, Vue, Angular or Svelte say of a mismatch; "
        "reports within `within_s` are one"
    )
    source = (
        "Sentry's hydration error grouping; the messages of React 18 and 19, Vue 2 and 3, Angular, Svelte"
    )
    options_type = RenamingOptions
    renames = (ExceptionThrown, ConsoleCalled)

    def __init__(self, options: RenamingOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._reports = Reports(options.within_s)

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        text = failure_text(signal)
        number = REACT_ERROR.search(text) if "React error" in text else None
        if number is None and not TEXT.search(text):
            return None
        key = self._reports.key(signal, self.id)
        if number is None:
            return renamed(
                self, finding, key, f"Hydration mismatch: {said(without_lead(text), MAX_TEXT_BYTES)}"
            )
        code, what = number[1], number[2]
        meaning = REACT[code] if what != "text" else REACT["425"]
        return renamed(
            self, finding, key, f"Hydration mismatch: {meaning} (React error #{code})", react_error=int(code)
        )
