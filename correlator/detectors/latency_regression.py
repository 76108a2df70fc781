"""Answers of one kind that got slower than they used to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median, quantiles

from pydantic import Field

from ...observer.domains.network import ResponseReceived
from ...observer.signal import Signal
from ..kept import Kept
from ..templates import address_template
from . import detector
from .data_requests import aside
from .detector import Detector, Found, Scenes
from .requests import ASKED_BY_SCRIPT, lasting

KEPT_TEMPLATES = 1_000
# The spans of the two means, in answers.
SHORT, LONG = 2 / 21, 2 / 41
LATEST = 10
KEPT_ANSWERS = 50
# One outlier must not look like a trend.
AT_MOST_TIMES_THE_MEAN = 3.0
# Back to normal when the short mean is so close to the long one again.
OVER_BELOW = 0.05


class Options(detector.Options):
    rise: float = Field(
        default=0.15, gt=0, description="The mean of late answers exceeds the long one by this part."
    )
    answers: int = Field(default=18, ge=12, description="More answers than this must be known.")
    least_ms: float = Field(default=200.0, ge=0, description="The mean of late is at least this.")


class Latency:
    """How long the answers of one template take."""

    __slots__ = ("_answers", "count", "is_told", "long_ms", "short_ms")

    def __init__(self, first_ms: float) -> None:
        self.short_ms = self.long_ms = first_ms
        self.count = 0
        self._answers: deque[float] = deque(maxlen=KEPT_ANSWERS)
        self.is_told = False

    @property
    def rise(self) -> float:
        return self.short_ms / self.long_ms - 1 if self.long_ms else 0.0

    def add(self, took_ms: float) -> None:
        self._answers.append(took_ms)
        self.count += 1
        counted_ms = min(took_ms, self.long_ms * AT_MOST_TIMES_THE_MEAN)
        self.short_ms += SHORT * (counted_ms - self.short_ms)
        self.long_ms += LONG * (counted_ms - self.long_ms)

    @property
    def before_ms(self) -> list[float]:
        return list(self._answers)[:-LATEST]

    @property
    def latest_ms(self) -> list[float]:
        return list(self._answers)[-LATEST:]

    @property
    def stands_out(self) -> bool:
        """Whether nine of the ten latest took longer than three of four before: by chance the means of noise rise, too."""
        return sorted(self.latest_ms)[1] > quantiles(self.before_ms, n=4, method="inclusive")[-1]


class LatencyRegression(Detector[Options]):
    id = "latency_regression"
    channel = "anomalies"
    severity = "medium"
    about = "Answers of one address template became slower"
    trigger = (
        "The moving mean of about 20 answers exceeds that of about 40 by `rise` and is at least `least_ms`, with more than `answers` "
        "known, and nine of the last 10 took longer than three of four before"
    )
    source = "Sentry's trend detection; that the last 10 have to stand out is our own"
    options_type = Options
    needs = (ResponseReceived,)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._latencies: Kept[tuple[str, str, str], Latency] = Kept(KEPT_TEMPLATES)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, ResponseReceived) or detail.type not in ASKED_BY_SCRIPT:
            return ()
        if detail.status >= 400 or detail.source or detail.elapsed_ms <= 0:
            return ()
        template = address_template(detail.url.partition("?")[0])
        latency = self._latency((signal.browser, detail.method, template), detail.elapsed_ms)
        latency.add(detail.elapsed_ms)
        if latency.is_told:
            latency.is_told = latency.rise > OVER_BELOW
            return ()
        if not self._is_slower(latency):
            return ()
        latency.is_told = True
        return (self._found(signal, detail.method, template, latency),)

    def _latency(self, key: tuple[str, str, str], first_ms: float) -> Latency:
        latency = self._latencies.get(key)
        if latency is None:
            latency = self._latencies[key] = Latency(first_ms)
        return latency

    def _is_slower(self, latency: Latency) -> bool:
        return (
            latency.count > self.options.answers
            and latency.rise > self.options.rise
            and latency.short_ms >= self.options.least_ms
            and latency.stands_out
        )

    def _found(self, signal: Signal, method: str, template: str, latency: Latency) -> Found:
        url = self.scene(signal).url(template)
        now_ms, before_ms = median(latency.latest_ms), median(latency.before_ms)
        summary = (
            f"{method} {url} takes {lasting(now_ms)} now, {lasting(before_ms)} before "
            f"(medians of the last {LATEST} answers and of the {len(latency.before_ms)} before them)"
        )
        finding = self.finding(
            "medium",
            summary,
            template=f"{method} {url}",
            method=method,
            url=url,
            now_ms=round(now_ms),
            before_ms=round(before_ms),
            rise=round(latency.rise, 2),
            answers=latency.count,
        )
        return Found(finding, aside(signal))
