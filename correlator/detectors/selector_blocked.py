"""The element of a watched selector is there, and can't be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.cdp.targets import TargetClosed
from ...observer.domains.page import Navigated
from ...observer.domains.page_script import SelectorMatches
from ...observer.fingerprint import NOTHING
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from . import detector
from .detector import NEVER_S, Detector, Found
from .selectors import Key, key_of, name_of, named, state_of

KEPT_BLOCKED = 1_000
MAX_OVERLAY_BYTES = 80
# The page tells nothing that is over before that.
PAGE_WAITS_MS = 500


class Options(detector.Options):
    after_ms: float = Field(
        default=500,
        ge=0,
        description="Covered or out of reach for so long, after it could be used; half a second at least.",
    )
    patient_after_ms: float = Field(
        default=5_000, ge=0, description="The same for what is disabled, or was covered from the beginning."
    )


class SelectorBlocked(Detector[Options]):
    id = "selector_blocked"
    channel = "selectors"
    severity = "high"
    about = "The element of a watched selector is covered, out of reach or disabled, with the overlay that covers it"
    trigger = (
        "another element is at its centre and can't be scrolled away, or it can't be scrolled into sight, for `after_ms`; "
        "it is disabled, or was covered from the beginning, for `patient_after_ms`"
    )
    source = "what Playwright waits for before it clicks; the times are our own proposal"
    options_type = Options
    needs = (SelectorMatches, Navigated, TargetClosed)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._waiting: Kept[Key, tuple[float, Signal]] = Kept(KEPT_BLOCKED)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        if not isinstance(detail, SelectorMatches):
            if self._waiting:
                self._forget(signal)
            return
        if self._waiting:
            self._waiting.pop(key_of(signal, detail), None)
        if state_of(detail) == "blocked":
            is_sudden = detail.free and detail.reason != "disabled"
            more_ms = (self.options.after_ms if is_sudden else self.options.patient_after_ms) - PAGE_WAITS_MS
            if more_ms <= 0:
                yield self._found(signal, detail)
            else:
                self._waiting[key_of(signal, detail)] = signal.monotonic_s + more_ms / 1000, signal
        self._look_at_the_clock()

    def advance(self, now_s: float) -> Iterator[Found]:
        for key, (due_s, signal) in list(self._waiting.items()):
            if due_s <= now_s and isinstance(signal.detail, SelectorMatches):
                del self._waiting[key]
                yield self._found(signal, signal.detail)
        self._look_at_the_clock()

    def _forget(self, signal: Signal) -> None:
        """What was on a page, or in a frame, that is another one now."""
        for key in list(self._waiting):
            frame = signal.frame if isinstance(signal.detail, Navigated) else key[2]
            if key[:3] == (signal.browser, signal.page, frame):
                del self._waiting[key]
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        self.due_s = min((due_s for due_s, _ in self._waiting.values()), default=NEVER_S)

    def _found(self, signal: Signal, detail: SelectorMatches) -> Found:
        name, overlay = named(detail), said(detail.overlay, MAX_OVERLAY_BYTES)
        why = {
            "covered": f"{overlay or 'another element'} covers it",
            "outside": "it can't be scrolled into sight",
            "disabled": "it is disabled",
        }.get(detail.reason, detail.reason)
        finding = self.finding(
            "high",
            f"{name} can't be used: {why}",
            template=f"{name} {detail.reason}",
            selector=name,
            was=name_of(detail.was) if detail.was != NOTHING else "",
            reason=detail.reason,
            overlay=overlay,
        )
        return Found(finding, signal)
