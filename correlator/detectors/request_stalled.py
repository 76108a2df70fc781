"""A request that nothing answers, told while it still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec
from pydantic import Field

from ...observer.cdp.targets import TargetClosed
from ...observer.domains.network import RequestFailed, RequestFinished, RequestSent, ResponseReceived
from ...observer.domains.page import Navigated
from ...observer.observer import BrowserLost, Gap
from ...observer.signal import Signal
from ..event import Severity
from ..findings.finding import context, places
from ..kept import Kept
from ..templates import address_template
from . import detector
from .detector import NEVER_S, Detector, Found, Scenes
from .requests import Episodes
from .windows import KEPT_KEYS, Growth, page_of

KEPT_REQUESTS = 10_000
KEPT_STALLED = 1_000
# Answers of these come when there is something to tell, or nobody waits for them.
PATIENT_TYPES = frozenset({"EventSource", "WebSocket", "Ping", "CSPViolationReport", "Preflight", "Prefetch"})
# An address that answered late before, as a long-poll does, may take that long again, and a bit.
AS_LATE_AGAIN = 1.5
RequestKey = tuple[str, str]
"""The browser and the request's id."""


class Options(detector.Options):
    after_s: float = Field(default=10.0, gt=0, description="Without an answer for so long it is stalled.")
    high_after_s: float = Field(default=30.0, gt=0, description="After so long it is severe.")


class Stalled:
    """A request that waits for too long, or one that is known to take its time."""

    __slots__ = ("due_s", "sent", "severity")  # of what was told, if anything

    def __init__(self, sent: Signal, due_s: float) -> None:
        self.sent = sent
        self.due_s = due_s
        self.severity: Literal["", "medium", "high"] = ""


class RequestStalled(Detector[Options]):
    id = "request_stalled"
    channel = "network_errors"
    severity = "medium, high"
    about = "A request has had no answer for a long time"
    trigger = (
        "No answer after `after_s`, high after `high_after_s`; not for EventSource, WebSocket and beacons, and for an address that "
        "answered late before only after half as long again"
    )
    source = "proposal"
    options_type = Options
    needs = (
        RequestSent,
        ResponseReceived,
        RequestFailed,
        RequestFinished,
        Navigated,
        TargetClosed,
        Gap,
        BrowserLost,
    )

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._waiting: Kept[RequestKey, Signal] = Kept(KEPT_REQUESTS)
        self._stalled: Kept[RequestKey, Stalled] = Kept(KEPT_STALLED)
        self._took_s: Kept[tuple[str, ...], float] = Kept(KEPT_KEYS)
        self._episodes: Episodes[tuple[str, ...]] = Episodes()
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent):
            self._waits(signal, detail)
        elif isinstance(detail, ResponseReceived):
            self._answered(signal, detail)
        elif isinstance(detail, RequestFailed | RequestFinished):
            self._is_over((signal.browser, signal.request_id))
        else:
            self._is_left(signal)
        if not self._waiting and not self._stalled:
            self.due_s = NEVER_S
        return ()

    def _is_left(self, signal: Signal) -> None:
        match signal.detail:
            case Navigated() as detail:
                frame = "" if detail.main_frame else signal.frame
                self._forget(
                    signal, lambda sent: is_of(sent, signal, frame) and sent.loader_id != signal.loader_id
                )
            case TargetClosed():
                self._forget(signal, lambda sent: sent.session == signal.session)
            case _:
                self._forget(signal, lambda _: True)

    def advance(self, now_s: float) -> Iterable[Found]:
        after_s = self.options.after_s
        while self._waiting and (sent := next(iter(self._waiting.values()))).monotonic_s + after_s <= now_s:
            self._waiting.popitem(last=False)
            stalled = Stalled(sent, sent.monotonic_s + max(after_s, self._usual_s(sent)))
            self._stalled[sent.browser, sent.request_id] = stalled
        while due := [one for one in self._stalled.values() if one.due_s <= now_s]:
            for stalled in due:
                yield from self._told(stalled)
        self._look_at_the_clock()

    def _waits(self, signal: Signal, detail: RequestSent) -> None:
        self._is_over((signal.browser, signal.request_id))  # redirected: it waits for another answer
        if detail.type not in PATIENT_TYPES and not signal.replayed:
            self._waiting[signal.browser, signal.request_id] = signal
            # Too early if what it is set for is over by then; that costs less than to find the next at each answer.
            due_s = signal.monotonic_s + self.options.after_s
            if due_s < self.due_s:
                self.due_s = due_s

    def _answered(self, signal: Signal, detail: ResponseReceived) -> None:
        stalled = self._is_over((signal.browser, signal.request_id))
        if stalled is not None and detail.status < 400:
            self._took_s[key_of(stalled.sent)] = signal.monotonic_s - stalled.sent.monotonic_s

    def _is_over(self, key: RequestKey) -> Stalled | None:
        if key in self._waiting:
            del self._waiting[key]
        return self._stalled.pop(key, None) if self._stalled else None

    def _forget(self, signal: Signal, goes: Callable[[Signal], bool]) -> None:
        """Those of this browser that nobody waits for any more: Chrome does not tell their end."""
        gone = [key for key, sent in self._all() if sent.browser == signal.browser and goes(sent)]
        for key in gone:
            self._is_over(key)

    def _all(self) -> Iterator[tuple[RequestKey, Signal]]:
        yield from self._waiting.items()
        yield from ((key, stalled.sent) for key, stalled in self._stalled.items())

    def _usual_s(self, sent: Signal) -> float:
        return self._took_s.get(key_of(sent), 0.0) * AS_LATE_AGAIN

    def _look_at_the_clock(self) -> None:
        first = next(iter(self._waiting.values()), None)
        due_s = NEVER_S if first is None else first.monotonic_s + self.options.after_s
        self.due_s = min((one.due_s for one in self._stalled.values()), default=NEVER_S)
        self.due_s = min(self.due_s, due_s)

    def _told(self, stalled: Stalled) -> Iterable[Found]:
        sent, waited_s = stalled.sent, stalled.due_s - stalled.sent.monotonic_s
        key = key_of(sent)
        begins = not any(one.severity and key_of(one.sent) == key for one in self._stalled.values())
        episode = self._episodes.name(key, sent, begins=begins)
        severe_s = sent.monotonic_s + self.options.high_after_s
        is_severe = stalled.due_s >= severe_s
        stalled.severity, stalled.due_s = ("high", NEVER_S) if is_severe else ("medium", severe_s)
        count = sum(
            one.severity == stalled.severity and key_of(one.sent) == key for one in self._stalled.values()
        )
        if self._growth.is_due(f"{episode} {stalled.severity}", count):
            yield self._found(sent, waited_s, stalled.severity, count, episode)

    def _found(self, sent: Signal, waited_s: float, severity: Severity, count: int, episode: str) -> Found:
        detail, scene = sent.detail, self.scene(sent)
        assert isinstance(detail, RequestSent)
        url = scene.url(detail.url)
        summary = f"{detail.method} {url} has had no answer for {waited_s:g} s"
        finding = self.finding(
            severity,
            f"{summary}, nor have {count - 1} more like it" if count > 1 else summary,
            count=count,
            template=f"{detail.method} {address_template(detail.url)}",
            method=detail.method,
            url=url,
            waited_ms=round(waited_s * 1_000),
        )
        finding.context |= context(**places(sent.stack, scene))
        now = msgspec.structs.replace(
            sent, monotonic_s=sent.monotonic_s + waited_s, wall_ms=sent.wall_ms + waited_s * 1_000
        )
        return Found(finding, now, episode=episode)


def key_of(sent: Signal) -> tuple[str, ...]:
    detail = sent.detail
    assert isinstance(detail, RequestSent)
    return (*page_of(sent), detail.method, address_template(detail.url))


def is_of(sent: Signal, navigated: Signal, frame: str) -> bool:
    """Whether it was sent by the page, or its frame, that goes to another document."""
    return page_of(sent) == page_of(navigated) and (not frame or sent.frame == frame)
