"""Puts findings into public words: events with their ids, times, numbers and places, and without secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from pydantic import JsonValue

from ..observer.cdp.targets import TargetClosed, TargetOpened
from ..observer.domains.network import ResponseExtra
from ..observer.domains.page import Navigated
from ..observer.signal import Detail, Signal
from .event import REPEATS, Cause, Channel, Event
from .findings import DESCRIPTIONS
from .findings.finding import MAX_SUMMARY_BYTES, Finding, Scene, context, cut, places
from .kept import Kept
from .nodes import Effect, Request
from .redact import Redactor
from .sourcemaps import SourceMaps
from .templates import fingerprint_of

KEPT_STATUSES = 1_000
MAX_TIMES_BYTES = 40
NOTED = frozenset({ResponseExtra, Navigated, TargetOpened})


class Teller:
    """What an event says; which events there are and what caused them, the engine decides."""

    def __init__(self, project: str, new_id: Callable[[], str], redactor: Redactor) -> None:
        self.source_maps = SourceMaps()
        self.new_id = new_id
        self._project = project
        self._redactor = redactor
        self._seqs: Counter[Channel] = Counter()
        self._sessions: dict[str, str] = {}
        self._page_urls: dict[tuple[str, str], str] = {}
        self._wire_statuses: Kept[str, int] = Kept(KEPT_STATUSES)

    def note(self, signal: Signal) -> None:
        """What the words of later signals depend on."""
        detail = signal.detail
        if isinstance(detail, ResponseExtra):
            if detail.status:
                self._wire_statuses[signal.request_id] = detail.status
        elif isinstance(detail, Navigated) and detail.main_frame:
            self._page_urls[signal.browser, signal.page] = detail.url
        elif isinstance(detail, TargetOpened) and detail.type == "page":
            # Of a page that was there before us no navigation is told.
            self._page_urls.setdefault((signal.browser, signal.page), detail.url)

    def tells_of(self, detail: Detail) -> bool:
        return type(detail) in DESCRIPTIONS

    def forget(self, signal: Signal) -> None:
        """A page that was closed is told of by its address for the last time."""
        if isinstance(signal.detail, TargetClosed) and signal.detail.type == "page":
            self._page_urls.pop((signal.browser, signal.page), None)

    def finding(self, signal: Signal) -> Finding | None:
        describe = DESCRIPTIONS.get(type(signal.detail))
        if describe is None:
            return None
        return describe(signal, signal.detail, self.scene(signal))

    def shown(self, signal: Signal) -> Signal:
        """A rule of one's own has to see a text before it is cut; the built-in ones are known to the findings."""
        return self._redactor.signal(signal) if self._redactor.adds_rules else signal

    def event(
        self,
        signal: Signal,
        finding: Finding,
        event_id: str,
        chain_id: str,
        cause: Cause | None,
        effect: Effect | None,
    ) -> Event:
        event = Event(
            id=event_id,
            seq=self._next_seq(finding.channel),
            timestamp=iso_ms(signal.wall_ms),
            project=self._project,
            session=self._session(signal.browser),
            page=signal.page,
            channel=finding.channel,
            type=finding.type,
            kind=finding.kind,
            severity=finding.severity,
            summary=finding.summary,
            context=self._context(signal, finding, effect),
            correlation_id=chain_id,
            cause=cause,
            fingerprint=fingerprint_of(finding.kind, finding.template or finding.summary),
            count=finding.count,
        )
        return self._redactor.event(event)

    def grown(self, event: Event, finding: Finding, signal: Signal, chain_id: str) -> Event:
        """The same again: an event that was told, with what it has come to since."""
        grown = event.model_copy(
            update={
                "id": self.new_id(),
                "seq": self._next_seq(event.channel),
                "timestamp": iso_ms(signal.wall_ms),
                "severity": finding.severity,
                "summary": finding.summary,
                "context": {**finding.context, REPEATS: event.id},
                "correlation_id": chain_id,
                "count": finding.count,
            }
        )
        return self._redactor.event(grown)

    def counted(self, event: Event, count: int, more: str, signal: Signal, chain_id: str) -> Event:
        """An event that was told, and how often the same has come since, which `more` says in words."""
        summary = cut(event.summary, MAX_SUMMARY_BYTES - MAX_TIMES_BYTES)
        finding = Finding(
            kind=event.kind,
            channel=event.channel,
            type=event.type,
            severity=event.severity,
            summary=f"{summary} {more}",
            context=event.context,
            count=count,
        )
        return self.grown(event, finding, signal, chain_id)

    def merged(self, event: Event, cause: Cause, ended: str, into: str) -> Event:
        """The notice that the chain of an event turned out to be a part of another; what was told stays as it was told."""
        summary = f"The cause of an earlier event is known now: {event.summary}"
        notice = {"event": event.id, "cause": cause.id, "via": cause.via, "confidence": cause.confidence}
        return event.model_copy(
            update={
                "id": self.new_id(),
                "seq": self._next_seq(event.channel),
                "kind": "chain_merged",
                "severity": "info",
                "summary": cut(summary, MAX_SUMMARY_BYTES),
                "context": {**notice, "from": ended, "into": into},
                "correlation_id": into,
                "fingerprint": fingerprint_of("chain_merged", event.fingerprint),
            }
        )

    def _next_seq(self, channel: Channel) -> int:
        self._seqs[channel] += 1
        return self._seqs[channel]

    def _session(self, browser: str) -> str:
        session = self._sessions.get(browser)
        if session is None:
            session = self._sessions[browser] = self.new_id()
        return session

    def scene(self, signal: Signal) -> Scene:
        return Scene(
            page_url=self._page_urls.get((signal.browser, signal.page), ""),
            wire_status=self._wire_statuses.get(signal.request_id, 0),
            source_maps=self.source_maps,
        )

    def _context(self, signal: Signal, finding: Finding, effect: Effect | None) -> dict[str, JsonValue]:
        """A failed request also says where it was made."""
        node = effect.node if effect is not None else None
        if finding.channel == "activity" or not isinstance(node, Request) or "at" in finding.context:
            return finding.context
        return {**finding.context, **context(**places(node.stack, self.scene(signal)))}


def iso_ms(wall_ms: float) -> str:
    seconds, ms = divmod(int(wall_ms), 1000)
    return f"{iso_second(seconds)}.{ms:03d}Z"


@lru_cache(16)
def iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
