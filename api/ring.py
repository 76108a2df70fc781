"""The newest events of one channel, bounded in number and bytes; an entry's seq is its place, so what is gone is known exactly."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from ..correlator.event import Event, Severity

ENTRY_BYTES = (
    440  # what an entry takes beside the characters of its line and texts, measured with tracemalloc
)
URGENT: frozenset[Severity] = frozenset({"critical", "high"})


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event as it is sent, and what filters and digests look at."""

    seq: int
    line: bytes
    id: str
    kind: str
    severity: Severity
    page: str
    session: str
    chain: str
    text: str
    url: str
    selector: str
    stored_ms: int

    @property
    def size_bytes(self) -> int:
        return len(self.line) + len(self.text) + len(self.url) + len(self.selector) + ENTRY_BYTES


_GONE = Entry(0, b"", "", "", "info", "", "", "", "", "", "", 0)
"""Stands where an evicted entry was until the list is compacted: that one's memory is free at once."""


class _Stored(msgspec.Struct):
    """What is read of an event's line when it comes back from a journal."""

    id: str
    seq: int
    kind: str
    severity: Severity
    summary: str
    session: str
    page: str = ""
    correlation_id: str | None = None
    context: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Stored).decode


def entry_of(event: Event, seq: int, stored_ms: int) -> Entry:
    """The event with its place in the log."""
    context = event.context
    # Written into the line: a copy of the event would cost more than all the rest. A quote within the id is escaped, so this is the field.
    line = event.line().replace(f'"seq":{event.seq},', f'"seq":{seq},', 1)
    return Entry(
        seq,
        line.encode(),
        event.id,
        event.kind,
        event.severity,
        event.page,
        event.session,
        event.correlation_id or "",
        event.summary,
        str(context.get("url") or ""),
        _selector(context),
        stored_ms,
    )


def entry_of_line(line: bytes, stored_ms: int) -> Entry:
    stored = _decode(line)
    return Entry(
        stored.seq,
        line,
        stored.id,
        sys.intern(stored.kind),
        stored.severity,
        sys.intern(stored.page),
        sys.intern(stored.session),
        stored.correlation_id or "",
        stored.summary,
        str(stored.context.get("url") or ""),
        _selector(stored.context),
        stored_ms,
    )


def _selector(context: dict[str, Any]) -> str:
    return str(context.get("selector") or context.get("element") or "")


class Ring:
    """Holds the entries of (floor, last]. `given` is the last seq that was given to an event, which may not be here yet; `urgent`
    is that of the last critical or high one.
    """

    __slots__ = ("_entries", "_gone", "cause", "floor", "given", "last", "size_bytes", "urgent")

    def __init__(self, floor: int = 0) -> None:
        self.floor = floor
        self.last: int = floor
        self.given: int = floor
        self.urgent = 0
        self.size_bytes = 0
        self.cause: str = "evicted"
        self._entries: list[Entry] = []
        self._gone = 0  # how many at the start of the list are evicted already

    def __len__(self) -> int:
        return self.last - self.floor

    @property
    def oldest(self) -> Entry | None:
        return self._entries[self._gone] if len(self) else None

    def append(self, entry: Entry) -> None:
        assert entry.seq == self.last + 1, (entry.seq, self.last)
        self.last = entry.seq
        self.given = max(self.given, self.last)
        self.size_bytes += entry.size_bytes
        if entry.severity in URGENT:
            self.urgent = entry.seq
        self._entries.append(entry)

    def after(self, seq: int, upto: int | None = None) -> list[Entry]:
        """The entries of (seq, upto] that are still here."""
        first = max(seq - self.floor, 0) + self._gone
        end = len(self._entries) if upto is None else max(upto - self.floor, 0) + self._gone
        return self._entries[first:end]

    def trim(self, max_events: int, max_bytes: float, *, cause: str = "evicted") -> int:
        """Let the oldest go until the limits are kept; how many went."""
        went = 0
        entries = self._entries
        while self.floor < self.last and (self.last - self.floor > max_events or self.size_bytes > max_bytes):
            self.size_bytes -= entries[self._gone].size_bytes
            entries[self._gone] = _GONE
            self._gone += 1
            self.floor += 1
            went += 1
            if self._gone * 16 >= len(entries):
                del entries[: self._gone]
                self._gone = 0
        if went:
            self.cause = cause
        return went
