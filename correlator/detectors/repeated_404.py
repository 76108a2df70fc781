"""Addresses of one kind that are not there: three different ones, or five requests, within half a minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.network import RequestFailed, ResponseReceived
from . import detector
from .detector import Detector, Found, Scenes, Told, counted
from .requests import Ended, Episodes, failed_request, lasting
from .windows import Growth, Windows, page_of

NOT_FOUND = 404


class Options(detector.Options):
    addresses: int = Field(default=3, ge=2, description="So many different addresses of one template.")
    requests: int = Field(default=5, ge=2, description="Or so many requests, whatever their addresses.")
    within_s: float = Field(default=30.0, gt=0, description="Within this time.")


class Missing(NamedTuple):
    url: str
    event_id: str


class Repeated404(Detector[Options]):
    id = "repeated_404"
    channel = "anomalies"
    severity = "medium"
    about = "A page keeps asking for what is not there"
    trigger = "`addresses` or `requests` of one address template answered 404 within `within_s`"
    source = "proposal"
    options_type = Options
    hears = ("http_error", "resource_failed")

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._missing: Windows[tuple[str, ...], Missing] = Windows(options.within_s)
        self._episodes: Episodes[tuple[str, ...]] = Episodes()
        self._growth = Growth()

    def hear(self, told: Told) -> Iterable[Found]:
        detail = told.signal.detail
        if not isinstance(detail, ResponseReceived | RequestFailed) or detail.status != NOT_FOUND:
            return
        request = failed_request(told)
        if request is None:
            return
        key = (*page_of(told.signal), request.method, request.template)
        missing = self._missing.add(key, told.signal.monotonic_s, Missing(request.url, told.event_id))
        episode = self._episodes.name(key, told.signal, begins=len(missing) == 1)
        if self._are_many(one for _, one in missing) and self._growth.is_due(episode, len(missing)):
            lasted_ms = (missing[-1][0] - missing[0][0]) * 1_000
            yield self._found(told, request, [one for _, one in missing], lasted_ms, episode)

    def _are_many(self, missing: Iterable[Missing]) -> bool:
        urls = [one.url for one in missing]
        return len(urls) >= self.options.requests or len(set(urls)) >= self.options.addresses

    def _found(
        self, told: Told, request: Ended, missing: Sequence[Missing], lasted_ms: float, episode: str
    ) -> Found:
        scene = self.scene(told.signal)
        addresses = len({one.url for one in missing})
        what = f"{request.method} {scene.url(request.template)}"
        summary = f"{what} answered 404 {len(missing)} times in {lasting(lasted_ms)}"
        finding = self.finding(
            "medium",
            f"{summary}, for {addresses} addresses" if addresses > 1 else summary,
            count=len(missing),
            template=what,
            method=request.method,
            url=scene.url(request.template),
            addresses=addresses,
            example=scene.url(missing[0].url) if addresses > 1 else "",
            window_ms=round(lasted_ms),
        )
        return Found(finding, told.signal, counted(missing[0].event_id), episode)
