"""A page that asks the same at a steady beat, and mostly gets the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, sqrt
from statistics import median
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.network import RequestFinished
from ...observer.signal import Signal
from ..templates import address_template
from . import detector
from .detector import Detector, Found, Scenes
from .requests import ASKED_BY_SCRIPT, Episodes, lasting
from .windows import Growth, Windows

# What overlaps and begins closer together than this was asked for in one go.
ONE_GO_MS = 50.0
# Who waits so long for an answer, and for most of the time, is told by the server: nothing is asked in vain.
LONG_POLL_MS = 250.0
LONG_POLL = 0.5


class Options(detector.Options):
    requests: int = Field(default=10, ge=3, description="So many requests in a row.")
    gap_s: float = Field(default=1.0, gt=0, description="The median of the gaps between them, at most.")
    variation: float = Field(
        default=0.25, gt=0, description="The deviation of the gaps by their mean stays below."
    )
    same_size: float = Field(
        default=0.8, ge=0, le=1, description="At least this part of the answers is of one size."
    )
    within_s: float = Field(default=60.0, gt=0, description="Requests longer ago than this are forgotten.")


class Poll(NamedTuple):
    began_ms: float
    ended_ms: float
    size: float


class PollingStorm(Detector[Options]):
    id = "polling_storm"
    channel = "anomalies"
    severity = "medium"
    about = "A page polls the same address at a fast, steady beat"
    trigger = (
        "The last `requests` of one method and address have gaps with a median of at most `gap_s` that vary by less than "
        "`variation`, and `same_size` of the answers are of one size; long polls, which wait for their answers most of the time, are none"
    )
    source = "proposal"
    options_type = Options
    needs = (RequestFinished,)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._polls: Windows[tuple[str, ...], Poll] = Windows(options.within_s)
        self._episodes: Episodes[tuple[str, ...]] = Episodes()
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, RequestFinished) or detail.type not in ASKED_BY_SCRIPT:
            return ()
        if detail.status >= 400 or signal.replayed:
            return ()
        # By its own path: a loop over many things asks for each once.
        path = detail.url.partition("?")[0]
        key = signal.browser, signal.page, signal.loader_id, detail.method, path
        poll = Poll(signal.wall_ms - detail.elapsed_ms, signal.wall_ms, detail.encoded_bytes)
        polls = self._polls.add(key, signal.monotonic_s, poll)
        count = len(polls)
        if count == 1:
            self._episodes.name(key, signal, begins=True)
        # What costs least and fails most comes first: this is asked with every answer.
        if count < self.options.requests or not asked_again(polls[-2][1], poll):
            return ()
        episode = self._episodes.name(key, signal, begins=False)
        if not self._growth.may_be_due(episode, count):
            return ()
        latest = [polls[place][1] for place in range(-self.options.requests, 0)]
        if not self._is_steady(latest) or not self._growth.is_due(episode, count):
            return ()
        return (self._found(signal, detail, latest, count, episode),)

    def _is_steady(self, polls: Sequence[Poll]) -> bool:
        gaps_ms = gaps_of(polls)
        return (
            varies_by(gaps_ms) < self.options.variation
            and median(gaps_ms) <= self.options.gap_s * 1_000
            and not are_long(polls)
            and most_common(poll.size for poll in polls) / len(polls) >= self.options.same_size
            and all(asked_again(one, after) for one, after in pairwise(polls))
        )

    def _found(
        self, signal: Signal, detail: RequestFinished, polls: Sequence[Poll], count: int, episode: str
    ) -> Found:
        url = self.scene(signal).url(address_template(detail.url))
        gap_ms = median(gaps_of(polls))
        same = most_common(poll.size for poll in polls)
        what = f"{detail.method} {url}"
        finding = self.finding(
            "medium",
            f"{what} is polled every {lasting(gap_ms)}, {count} times so far; {same} of {len(polls)} answers are of one size",
            count=count,
            template=what,
            method=detail.method,
            url=url,
            gap_ms=round(gap_ms),
            same_size=same,
            size_bytes=round(polls[-1].size),
        )
        return Found(finding, signal, episode=episode)


def gaps_of(polls: Sequence[Poll]) -> list[float]:
    return [after.began_ms - before.began_ms for before, after in pairwise(polls)]


def varies_by(gaps_ms: Sequence[float]) -> float:
    """The deviation of the gaps by their mean."""
    mean_ms = sum(gaps_ms) / len(gaps_ms)
    if mean_ms <= 0:
        return inf
    return sqrt(sum((gap - mean_ms) ** 2 for gap in gaps_ms) / len(gaps_ms)) / mean_ms


def are_long(polls: Sequence[Poll]) -> bool:
    """Whether they are long polls: each waits for its answer most of the time, and the next comes after it."""
    waits_ms = median(poll.ended_ms - poll.began_ms for poll in polls)
    in_turn = all(after.began_ms >= before.ended_ms for before, after in pairwise(polls))
    return in_turn and waits_ms >= max(LONG_POLL_MS, LONG_POLL * median(gaps_of(polls)))


def asked_again(before: Poll, after: Poll) -> bool:
    """Whether it was asked for once more, not beside the other."""
    return after.began_ms >= before.ended_ms or after.began_ms - before.began_ms >= ONE_GO_MS


def most_common(sizes: Iterable[float]) -> int:
    counts: dict[float, int] = {}
    for size in sizes:
        counts[size] = counts.get(size, 0) + 1
    return max(counts.values())
