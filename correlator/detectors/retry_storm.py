"""A page that asks again and again for what keeps failing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..kept import Kept
from . import detector
from .detector import Detector, Found, Scenes, Told, counted
from .requests import Ended, Episodes, failed_request, lasting
from .windows import KEPT_KEYS, Growth, PageKey, Windows, page_of

# What begins so soon after a click is the user's own attempt.
ASKED_BY_USER_MS = 200.0
CLOCKS_DIFFER_MS = 20.0
TYPING = "input"
KEPT_ACTIONS = 20
KEPT_PAGES = 1_000
# Pauses shorter than this say nothing about how they grow.
SHORTEST_PAUSE_MS = 50.0
SHOWN_PAUSES = 6


class Options(detector.Options):
    failures: int = Field(default=5, ge=2, description="So many failures one after the other.")
    within_s: float = Field(default=10.0, gt=0, description="Within this time.")
    growth: float = Field(
        default=1.2, ge=1, description="Pauses that grow at least by this factor each time are a backoff."
    )


class Attempt(NamedTuple):
    began_ms: float
    ended_ms: float
    event_id: str


class RetryStorm(Detector[Options]):
    id = "retry_storm"
    channel = "anomalies"
    severity = "high, medium"
    about = "A page repeats a request that keeps failing"
    trigger = (
        "`failures` of one method and address (whatever its query) within `within_s`, each begun after the one before had failed, and not by "
        "the user; `medium` if each pause is at least `growth` times as long as the one before"
    )
    source = "proposal"
    options_type = Options
    needs = (UserAction,)
    hears = (
        "http_error",
        "request_failed",
        "request_timeout",
        "request_aborted",
        "cors_blocked",
        "resource_failed",
    )

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._attempts: Windows[tuple[str, ...], Attempt] = Windows(options.within_s)
        self._episodes: Episodes[tuple[str, ...]] = Episodes()
        self._ended_ms: Kept[tuple[str, ...], float] = Kept(KEPT_KEYS)
        self._asked_ms: Kept[tuple[str, ...], float] = Kept(KEPT_KEYS)
        self._growth = Growth()
        self._acted_ms: Kept[PageKey, deque[float]] = Kept(KEPT_PAGES)

    def see(self, signal: Signal) -> Iterable[Found]:
        if isinstance(signal.detail, UserAction) and signal.detail.type != TYPING:
            self._acted_ms.setdefault(page_of(signal), deque(maxlen=KEPT_ACTIONS)).append(signal.wall_ms)
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        signal = told.signal
        request = failed_request(told)
        if request is None:
            return
        # Another document asks anew, and another path for something else; neither is a retry.
        key = (*page_of(signal), signal.loader_id, request.method, request.url.partition("?")[0])
        if self._is_asked_by_user(signal, request, key):
            self._attempts.forget(key)
        elif request.began_ms < self._ended_ms.get(key, 0.0):
            return  # beside the other, not after it
        self._ended_ms[key] = request.ended_ms
        attempt = Attempt(request.began_ms, request.ended_ms, told.event_id)
        attempts = [one for _, one in self._attempts.add(key, signal.monotonic_s, attempt)]
        episode = self._episodes.name(key, signal, begins=len(attempts) == 1)
        if len(attempts) >= self.options.failures and self._growth.is_due(episode, len(attempts)):
            yield self._found(told, request, attempts, episode)

    def _is_asked_by_user(self, signal: Signal, request: Ended, key: tuple[str, ...]) -> bool:
        """Whether it is the first attempt after an action."""
        for acted_ms in self._acted_ms.get(page_of(signal), ()):
            since_ms = request.began_ms - acted_ms
            if acted_ms > self._asked_ms.get(key, 0.0) and -CLOCKS_DIFFER_MS <= since_ms <= ASKED_BY_USER_MS:
                self._asked_ms[key] = acted_ms
                return True
        return False

    def _found(self, told: Told, request: Ended, attempts: Sequence[Attempt], episode: str) -> Found:
        pauses = [max(0.0, after.began_ms - before.ended_ms) for before, after in pairwise(attempts)]
        backs_off = growth_of(pauses) >= self.options.growth
        url = self.scene(told.signal).url(request.template)
        window_ms = attempts[-1].ended_ms - attempts[0].began_ms
        what = f"{request.method} {url}".strip()
        how = "backing off" if backs_off else "without backing off"
        finding = self.finding(
            "medium" if backs_off else "high",
            f"{what} failed {len(attempts)} times in {lasting(window_ms)}, at most {lasting(max(pauses))} apart, {how}",
            count=len(attempts),
            template=what,
            method=request.method,
            url=url,
            window_ms=round(window_ms),
            gaps_ms=[round(pause) for pause in pauses[-SHOWN_PAUSES:]],
            backoff="yes" if backs_off else "no",
            status=told.finding.context.get("status"),
            error=told.finding.context.get("error"),
        )
        return Found(finding, told.signal, counted(attempts[0].event_id), episode)


def growth_of(pauses_ms: Sequence[float]) -> float:
    """By which factor a pause is usually longer than the one before; 1 if that can't be said."""
    known = [max(pause, SHORTEST_PAUSE_MS) for pause in pauses_ms]
    return median([after / before for before, after in pairwise(known)] or [1.0])
