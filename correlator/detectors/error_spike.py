"""Many failures all at once, and one among them that was not seen before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import Field

from ...observer.cdp.targets import TargetOpened
from ...observer.signal import Signal
from ..findings.finding import Finding, said
from ..kept import Kept
from ..templates import fingerprint_of
from . import detector
from .detector import Detector, Found, Scenes, Told, counted
from .windows import Growth, PageKey, page_of

SPAN_S, HISTORY_S = 10, 60
KEPT_PAGES = 1_000
KEPT_FINGERPRINTS = 2_000
KEPT_NEW = 100


class Options(detector.Options):
    failures: int = Field(default=10, ge=2, description="So many failures within 10 s, at least.")
    times: float = Field(default=3.0, gt=1, description="More than so many times the mean of the last 60 s.")
    known_s: float = Field(default=20.0, ge=0, description="The page was observed for so long before.")


class New(NamedTuple):
    """The first failure with its fingerprint."""

    at_s: float
    event_id: str
    summary: str


class History:
    """The failures of a page: how many in each second of the last minute, and which of late were new."""

    def __init__(self, known_since_s: float) -> None:
        self.known_since_s = known_since_s
        self.fingerprints: Kept[str, None] = Kept(KEPT_FINGERPRINTS)
        self.new: deque[New] = deque(maxlen=KEPT_NEW)
        self.is_high = False
        self.episode = ""
        self._seconds: deque[list[int]] = deque(maxlen=HISTORY_S)

    def add(self, told: Told, fingerprint: str) -> None:
        now_s = told.signal.monotonic_s
        if not self._seconds or self._seconds[-1][0] != int(now_s):
            self._seconds.append([int(now_s), 0])
        self._seconds[-1][1] += 1
        if fingerprint not in self.fingerprints:
            self.fingerprints[fingerprint] = None
            self.new.append(New(now_s, told.event_id, told.finding.summary))
        while self.new and now_s - self.new[0].at_s > SPAN_S:
            self.new.popleft()

    def count(self, now_s: float, span_s: int) -> int:
        return sum(count for second, count in self._seconds if second > int(now_s) - span_s)


class ErrorSpike(Detector[Options]):
    id = "error_spike"
    channel = "anomalies"
    severity = "high"
    about = "A page that was observed for a while fails much more often than before, in a new way"
    trigger = (
        "`failures` within 10 s, more than `times` the mean of the last 60 s, with one that the page did not have before, and the page "
        "known for `known_s`"
    )
    source = "Gasoline; the least count and the time that the page must be known are our own"
    options_type = Options
    needs = (TargetOpened,)
    hears = (
        "chunk_load_failed",
        "console_assert",
        "console_error",
        "cors_blocked",
        "csp_violation",
        "http_error",
        "hydration_mismatch",
        "mixed_content",
        "render_loop",
        "request_failed",
        "request_timeout",
        "resource_failed",
        "response_blocked",
        "uncaught_exception",
        "unhandled_rejection",
        "websocket_failed",
        "worker_error",
    )

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._pages: Kept[PageKey, History] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        if page_of(signal) not in self._pages:
            self._pages[page_of(signal)] = History(signal.monotonic_s)
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        signal = told.signal
        if signal.replayed:
            return
        self.see(signal)
        history = self._pages[page_of(signal)]
        history.add(told, fingerprint(told.finding))
        now_s = signal.monotonic_s
        count, total = history.count(now_s, SPAN_S), history.count(now_s, HISTORY_S)
        if not self._is_spike(history, count, total, now_s):
            history.is_high = history.is_high and count >= self.options.failures
            return
        if not history.is_high:
            history.is_high, history.episode = True, f"{self.id} {page_of(signal)} {now_s}"
        if self._growth.is_due(history.episode, count):
            yield self._found(signal, history, count, total - count)

    def _is_spike(self, history: History, count: int, total: int, now_s: float) -> bool:
        mean = total * SPAN_S / HISTORY_S
        return (
            count >= self.options.failures
            and count > self.options.times * mean
            and bool(history.new)
            and now_s - history.known_since_s >= self.options.known_s
        )

    def _found(self, signal: Signal, history: History, count: int, before: int) -> Found:
        new = history.new[0]
        finding = self.finding(
            "high",
            said(
                f"{count} failures in {SPAN_S} s, {before} in the {HISTORY_S - SPAN_S} s before; new: {new.summary}"
            ),
            count=count,
            template=self.id,
            failures=count,
            before=before,
            new=said(new.summary, 120),
        )
        return Found(finding, signal, counted(new.event_id), history.episode)


def fingerprint(finding: Finding) -> str:
    return fingerprint_of(finding.kind, finding.template or finding.summary)
