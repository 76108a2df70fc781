"""Signals in, events out: pure, synchronous, and the same for a live page and for a recording."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from uuid6 import uuid7

from ..observer.cdp.targets import TargetClosed
from ..observer.domains.network import ResponseExtra
from ..observer.domains.page import Navigated
from ..observer.domains.runtime import ExceptionRevoked, ExceptionThrown
from ..observer.signal import Signal
from .event import Channel, Event
from .findings import DESCRIPTIONS
from .findings.finding import Finding, Scene
from .findings.scripts import repeats_child
from .fold import Fold
from .templates import fingerprint_of

# A promise that is handled a moment later was never a failure, though Chrome reports it at once; and what may be a repetition
# waits for what it repeats.
HOLD_S = 0.5
KEPT_STATUSES = 1_000
KEPT_REJECTIONS = 1_000


def new_uuid7() -> str:
    return str(uuid7())


class Engine:
    """Turns the signals of any number of browsers into the events of one project.

    `feed` every signal; call `advance` with the monotonic time when `next_due_s` has passed: something was held back until then.
    """

    def __init__(self, project: str = "default", new_id: Callable[[], str] = new_uuid7) -> None:
        self._project = project
        self._new_id = new_id
        self._seqs: Counter[Channel] = Counter()
        self._sessions: dict[str, str] = {}
        self._page_urls: dict[tuple[str, str], str] = {}
        self._wire_statuses: OrderedDict[str, int] = OrderedDict()
        self._fold = Fold()
        self._held: deque[tuple[float, Signal]] = deque()
        self._told_rejections: OrderedDict[tuple[str, int], str] = OrderedDict()

    @property
    def next_due_s(self) -> float | None:
        return self._held[0][0] if self._held else None

    def feed(self, signal: Signal) -> list[Event]:
        events = self.advance(signal.monotonic_s)
        detail = signal.detail
        if isinstance(detail, ExceptionThrown) and (detail.rejection or repeats_child(signal, detail)):
            self._held.append((signal.monotonic_s + HOLD_S, signal))
            return events
        if isinstance(detail, ExceptionRevoked):
            return events + self._revoke(signal, detail)
        if isinstance(detail, Navigated) and detail.main_frame:
            self._page_urls[signal.browser, signal.page] = detail.url
        elif isinstance(detail, ResponseExtra) and detail.status:
            self._wire_statuses[signal.request_id] = detail.status
            if len(self._wire_statuses) > KEPT_STATUSES:
                self._wire_statuses.popitem(last=False)
        events += self._tell(signal)
        if isinstance(detail, TargetClosed) and detail.type == "page":
            self._page_urls.pop((signal.browser, signal.page), None)
        return events

    def advance(self, now_s: float) -> list[Event]:
        """Tell what was held back and is due."""
        events: list[Event] = []
        while self._held and self._held[0][0] <= now_s:
            _, signal = self._held.popleft()
            events += self._tell(signal)
        return events

    def finish(self) -> list[Event]:
        """Tell all that is held back: nothing more will come."""
        return self.advance(float("inf"))

    def _revoke(self, signal: Signal, detail: ExceptionRevoked) -> list[Event]:
        for held in self._held:
            thrown = held[1].detail
            same = isinstance(thrown, ExceptionThrown) and thrown.exception_id == detail.exception_id
            if same and held[1].session == signal.session:
                self._held.remove(held)
                return []
        told_id = self._told_rejections.pop((signal.session, detail.exception_id), "")
        return (
            [event.model_copy(update={"context": {"event": told_id}}) for event in self._tell(signal)]
            if told_id
            else []
        )

    def _tell(self, signal: Signal) -> list[Event]:
        describe = DESCRIPTIONS.get(type(signal.detail))
        if describe is None:
            return []
        scene = Scene(
            page_url=self._page_urls.get((signal.browser, signal.page), ""),
            wire_status=self._wire_statuses.get(signal.request_id, 0),
        )
        finding = describe(signal, signal.detail, scene)
        if finding is None:
            return []
        if finding.channel != "activity":
            key = finding.key or (f"{signal.browser} {signal.request_id}" if signal.request_id else "")
            if self._fold.is_known(key, finding.about, finding.family, signal.monotonic_s):
                return []
        event = self._event(signal, finding)
        if isinstance(signal.detail, ExceptionThrown) and signal.detail.rejection:
            self._told_rejections[signal.session, signal.detail.exception_id] = event.id
            if len(self._told_rejections) > KEPT_REJECTIONS:
                self._told_rejections.popitem(last=False)
        return [event]

    def _event(self, signal: Signal, finding: Finding) -> Event:
        self._seqs[finding.channel] += 1
        session = self._sessions.get(signal.browser)
        if session is None:
            session = self._sessions[signal.browser] = self._new_id()
        return Event(
            id=self._new_id(),
            seq=self._seqs[finding.channel],
            timestamp=iso_ms(signal.wall_ms),
            project=self._project,
            session=session,
            page=signal.page,
            channel=finding.channel,
            type=finding.type,
            kind=finding.kind,
            severity=finding.severity,
            summary=finding.summary,
            context=finding.context,
            fingerprint=fingerprint_of(finding.kind, finding.template or finding.summary),
            count=1,
        )


def iso_ms(wall_ms: float) -> str:
    return (
        datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{int(wall_ms % 1000):03d}Z"
    )
