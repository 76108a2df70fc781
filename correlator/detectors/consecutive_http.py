"""Requests that are made one after the other, though none of them needs what the one before brought."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, JsonValue

from ...observer.domains.network import RequestFinished, RequestSent
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..findings.finding import Scene, context, places
from ..kept import Kept
from ..templates import address_template
from .data_requests import is_ahead
from .detector import Detector, Found, Options
from .requests import ASKED_BY_SCRIPT, lasting
from .windows import Growth, PageKey, page_of

KEPT_PAGES = 500
KEPT_REQUESTS = 2_000
KEPT_SERIES = 10
NAMED_REQUESTS = 3
# The 2 of /v2/ is no value.
VALUE = re.compile(r"(?!v\d+$).*\d")


class ConsecutiveOptions(Options):
    at_least: int = Field(default=3, ge=2, le=100, description="From so many requests on.")
    each_ms: float = Field(default=500.0, ge=1, le=600_000, description="Each takes at least so long.")
    saved_ms: float = Field(
        default=2_000.0,
        ge=0,
        le=600_000,
        description="When so much time would be saved by making all at once.",
    )
    gap_ms: float = Field(
        default=100.0, ge=0, le=10_000, description="The next one begins within this time after the end."
    )


class Series:
    """Requests of which each began right after the end of the one before."""

    __slots__ = ("durations_ms", "ended_ms", "first", "templates", "urls", "values")

    def __init__(self, first: Signal, url: str, template: str, values: set[str]) -> None:
        self.first = first
        self.urls = [url]
        self.templates = {template}
        self.values = values
        self.durations_ms: list[float] = []
        self.ended_ms = 0.0


class ConsecutiveHttp(Detector[ConsecutiveOptions]):
    id = "consecutive_http"
    channel = "performance"
    severity = "info"
    about = "Slow requests wait for each other without need."
    trigger = (
        "`at_least` GETs for different things, each of `each_ms` and made within `gap_ms` of the end of the one before, "
        "without an action in between and without a value that an earlier answer may have brought, could save `saved_ms`"
    )
    source = "Sentry's Consecutive HTTP"
    options_type = ConsecutiveOptions
    needs = (RequestSent, RequestFinished, UserAction)

    def __init__(self, options: ConsecutiveOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._sent: Kept[tuple[str, str], Signal] = Kept(KEPT_REQUESTS)
        self._series: Kept[PageKey, deque[Series]] = Kept(KEPT_PAGES)
        self._acted_ms: Kept[PageKey, float] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent):
            if detail.type in ASKED_BY_SCRIPT and detail.method == "GET":
                self._sent.setdefault((signal.browser, signal.request_id), signal)
        elif isinstance(detail, RequestFinished):
            sent = self._sent.pop((signal.browser, signal.request_id), None)
            if sent is not None and detail.elapsed_ms >= self.options.each_ms and detail.status < 400:
                return self._finished(sent, signal, detail)
        else:
            self._acted_ms[page_of(signal)] = signal.wall_ms
        return ()

    def _finished(self, sent: Signal, signal: Signal, detail: RequestFinished) -> list[Found]:
        if is_ahead(detail.url):
            return []
        series = self._joined(sent, detail.url)
        series.ended_ms = signal.wall_ms
        series.durations_ms.append(signal.wall_ms - sent.wall_ms)
        saved_ms = sum(series.durations_ms) - max(series.durations_ms)
        count = len(series.durations_ms)
        if count < self.options.at_least or saved_ms < self.options.saved_ms:
            return []
        episode = f"{self.id} {page_of(sent)} {series.first.request_id}"
        return [self._found(series, saved_ms, episode, signal)] if self._growth.is_due(episode, count) else []

    def _joined(self, sent: Signal, url: str) -> Series:
        """The series that the request continues, or a new one."""
        page = page_of(sent)
        template, values = address_template(url), values_of(url)
        all_series = self._series.setdefault(page, deque(maxlen=KEPT_SERIES))
        for series in reversed(all_series):
            waited_ms = sent.wall_ms - series.ended_ms
            if 0 <= waited_ms <= self.options.gap_ms and series.first.loader_id == sent.loader_id:
                is_new = template not in series.templates
                if is_new and values <= series.values and not self._acted_since(page, series, sent):
                    series.urls.append(url)
                    series.templates.add(template)
                    return series
        values |= values_of(self.scene(sent).page_url)
        begun = Series(sent, url, template, values)
        all_series.append(begun)
        return begun

    def _acted_since(self, page: PageKey, series: Series, sent: Signal) -> bool:
        return series.ended_ms <= self._acted_ms.get(page, 0.0) <= sent.wall_ms

    def _found(self, series: Series, saved_ms: float, episode: str, signal: Signal) -> Found:
        first, durations_ms = series.first, series.durations_ms
        scene = self.scene(signal)
        named: list[JsonValue] = [scene.url(url)[:50] for url in series.urls[:NAMED_REQUESTS]]
        finding = self.finding(
            "info",
            f"{len(durations_ms)} requests took {lasting(sum(durations_ms))} one after the other, and none seems to need "
            f"another's answer: at once they would take {lasting(max(durations_ms))}",
            count=len(durations_ms),
            template=" ".join(sorted(series.templates)),
            urls=named,
            saved_ms=round(saved_ms),
        )
        finding.context |= context(**places(first.stack or first.async_stack, scene))
        return Found(finding, first, episode=episode)


def values_of(url: str) -> set[str]:
    """What an address says that another answer may have brought: ids in its path, all values of its query."""
    parts = urlsplit(url)
    segments = {part for part in parts.path.split("/") if VALUE.match(part)}
    return segments | {value for _, value in parse_qsl(parts.query)}
