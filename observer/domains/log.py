"""Log: what the browser itself reports (failed loads, security, deprecations, violations, interventions)."""

from __future__ import annotations

from typing import Any

from ..cdp.session import Session
from ..domain import SCRIPTED, Domain, Listener, Params, StackTrace, stack_of
from ..signal import Detail
from .runtime import MAX_TEXT_CHARS, shorten


class LogEntry(Detail, frozen=True, tag="log"):
    source: str
    level: str
    text: str
    url: str = ""
    line: int = 0


class Entry(Params):
    source: str
    level: str
    text: str
    timestamp: float
    url: str = ""
    line_number: int | None = None
    stack_trace: StackTrace | None = None
    network_request_id: str = ""


class EntryAdded(Params):
    entry: Entry


class LogDomain(Domain):
    roles = SCRIPTED
    details = (LogEntry,)

    def listen(self) -> list[Listener[Any]]:
        return [Listener("Log.entryAdded", EntryAdded, self._added)]

    def enable(self, session: Session) -> None:
        session.enable_replaying("Log")

    def undo(self, session: Session) -> None:
        session.post("Log.disable")

    def _added(self, session: Session, params: EntryAdded) -> None:
        entry = params.entry
        if session.history.is_repeat("Log", entry.timestamp):
            return
        line = 0 if entry.line_number is None else entry.line_number + 1
        session.emit(
            LogEntry(entry.source, entry.level, shorten(entry.text, MAX_TEXT_CHARS), entry.url, line),
            wall_ms=entry.timestamp,
            request_id=entry.network_request_id,
            stack=stack_of(entry.stack_trace),
            replayed=session.is_replaying("Log"),
        )
