"""Events told as chains: a line for each, with its first cause, its worst effect and how many events it is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ...correlator.event import Severity
from ...correlator.explain import PAGE_LOADS
from ...correlator.findings.finding import cut
from ...correlator.linked import MERGED
from ..filters import RANK
from ..ring import Entry
from .budget import most_items, sentence_bytes
from .tool import Item, one_line

MAX_KINDS: Final = 3


class _Cause(msgspec.Struct):
    id: str


class _Context(msgspec.Struct):
    at: Any = None
    repeats: Any = None
    event: Any = None
    cause: Any = None


class Told(msgspec.Struct):
    """What of an event a line is made of."""

    id: str
    timestamp: str
    channel: str
    kind: str
    severity: Severity
    summary: str
    page: str = ""
    correlation_id: str | None = None
    cause: _Cause | None = None
    context: _Context = msgspec.field(default_factory=_Context)
    count: int = 1

    @property
    def place(self) -> str:
        """Where in the sources, unless the summary says it."""
        at = self.context.at
        return f" at {at}" if isinstance(at, str) and at and at not in self.summary else ""

    @property
    def times(self) -> str:
        return f" ({self.count} times)" if self.count > 1 and str(self.count) not in self.summary else ""

    def said(self, limit_bytes: int) -> str:
        return cut(one_line(self.summary + self.place + self.times), limit_bytes)


told_of = msgspec.json.Decoder(Told).decode


def chain_items(fresh: Iterable[Entry], kept: Iterable[Entry], max_tokens: int) -> list[Item]:
    """The worst first: each failure that no other failure led to, with those that it led to. `kept` is what memory holds, for what goes on
    is told with what it began with. Chains alone would not do: all that happens after a page has loaded may be one.
    """
    fresh = list(fresh)
    story = _Story((*kept, *fresh))
    groups: defaultdict[str, list[Told]] = defaultdict(list)
    for entry in fresh:
        event = story.event(entry.id)
        groups[story.group_of(event)].append(event)
    ranked = sorted(groups.items(), key=lambda group: _rank(group[1]))
    could = most_items(max_tokens)
    limit_bytes = sentence_bytes(max_tokens, 2, len(ranked))
    worded = [_item(story, first, group, limit_bytes) for first, group in ranked[:could]]
    return worded + [Item({}, "", _severities(group)) for _, group in ranked[could:]]


class _Story:
    """What led to what, as far as memory knows; an event is read when somebody asks for it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self._events: dict[str, Told] = {}
        self._firsts: dict[str, str] = {}
        self._late: dict[str, str] = {}
        for entry in self._entries.values():
            if entry.kind == MERGED:
                notice = self.event(entry.id).context
                if isinstance(notice.event, str) and isinstance(notice.cause, str):
                    self._late[notice.event] = notice.cause

    def event(self, event_id: str) -> Told:
        event = self._events.get(event_id)
        if event is None:
            event = self._events[event_id] = told_of(self._entries[event_id].line)
        return event

    def cause_of(self, event: Told) -> Told | None:
        cause = event.cause.id if event.cause is not None else self._late.get(event.id, "")
        return self.event(cause) if cause in self._entries else None

    def group_of(self, event: Told) -> str:
        """The id of its first failure; what tells more of another event belongs to that."""
        about = event.context.event if event.kind == MERGED else event.context.repeats
        told = self.event(about) if isinstance(about, str) and about in self._entries else event
        return self._first_failure(told) or told.correlation_id or told.id

    def first_of(self, name: str, group: Sequence[Told]) -> Told:
        """As what it has come to, which says more than how it began."""
        grown = [event for event in group if event.context.repeats == name]
        return grown[-1] if grown else self.event(name) if name in self._entries else group[0]

    def _first_failure(self, event: Told) -> str:
        """Publishers name causes themselves, so there may be circles."""
        walked: dict[str, Told] = {}
        current: Told | None = event
        while current is not None and current.id not in walked and current.id not in self._firsts:
            walked[current.id] = current
            current = self.cause_of(current)
        found = self._firsts.get(current.id, "") if current is not None else ""
        for one in reversed(walked.values()):
            found = self._firsts[one.id] = found or (one.id if one.severity != "info" else "")
        return found


def _severities(group: Sequence[Told]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in group:
        counts[event.severity] = counts.get(event.severity, 0) + 1
    return counts


def _rank(group: Sequence[Told]) -> tuple[int, int]:
    return min(RANK[event.severity] for event in group), -len(group)


def _item(story: _Story, name: str, group: Sequence[Told], limit_bytes: int) -> Item:
    told = [event for event in group if event.kind != MERGED] or group
    first = story.first_of(name, told)
    worst = min(reversed(told), key=lambda event: RANK[event.severity])
    before = story.cause_of(story.event(name)) if first.id == name else None
    sentences = {
        "after": before.said(limit_bytes // 2) if before and before.kind not in PAGE_LOADS else "",
        "first": first.said(limit_bytes),
        "worst": worst.said(limit_bytes) if worst.id not in (first.id, name) else "",
    }
    fields: dict[str, Any] = {
        "severity": worst.severity,
        **{sentence: text for sentence, text in sentences.items() if text},
        "kinds": dict(Counter(event.kind for event in told).most_common(MAX_KINDS)),
        "events": len(group),
        "page": worst.page,
        "again": first not in group,
        "id": worst.id,
    }
    fields = {field: value for field, value in fields.items() if value not in ("", False)}
    return Item(fields, one_line(_line(fields)), _severities(group))


def _line(fields: Mapping[str, Any]) -> str:
    sentences = [str(fields[name]) for name in ("after", "first", "worst") if name in fields]
    kinds = ", ".join(f"{count} × {kind}" if count > 1 else kind for kind, count in fields["kinds"].items())
    more = f" of {fields['events']} events" if fields["events"] > sum(fields["kinds"].values()) else ""
    where = f" on {fields['page']}" if "page" in fields else ""
    again = ", goes on" if "again" in fields else ""
    return f"{fields['severity']}: {' → '.join(sentences)} [{kinds}{more}{where}{again}] {fields['id']}"
