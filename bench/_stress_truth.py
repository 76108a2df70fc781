"""What the stress program holds against the server: who was promised what, and what every client was told."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

SHOWN = 5
CACHED_FRAMES = 512


class Checks:
    """What a scenario found: figures, and counts of what must not happen, each named before it is needed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.figures: dict[str, Any] = {}
        self.wrong: Counter[str] = Counter()

    def expect(self, good: object, what: str, detail: object = "") -> bool:
        return self.none(what, not good, detail)

    def none(self, what: str, count: int, detail: object = "") -> bool:
        """There must be none of it; whether that holds."""
        self.wrong[what] += int(count)
        if count and self.wrong[what] - count < SHOWN:
            print(f"{self.name}: {what}: {count} {str(detail)[:600]}", file=sys.stderr)
        return not count

    def told(self) -> str:
        """In one line."""
        wrong = {what: count for what, count in self.wrong.items() if count}
        return f"{'WRONG ' + json.dumps(wrong) if wrong else 'good'} {json.dumps(self.figures)}"


class Seen(msgspec.Struct, frozen=True):
    """An event, as far as it matters here."""

    id: str
    seq: int
    summary: str = ""


class Told(msgspec.Struct, frozen=True):
    """Any frame that a server sends."""

    op: str
    sub: int = 0
    id: int | None = None
    channel: str = ""
    prev: int = 0
    after: int = 0
    upto: int = 0
    count: int = 0
    omitted: int = 0
    lost: int = 0
    more: bool = False
    seq: int = 0
    event: str = ""
    recovered: bool = False
    reason: str = ""
    cursor: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""
    positions: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    events: list[Seen] = []


_decode = msgspec.json.Decoder(Told).decode


@dataclass(slots=True)
class Truth:
    """One project's log. A place in it belongs to one event for ever, and an event to one place, whoever was told of it first.

    An event's summary is "PUBLISHER NUMBER", so that order and doubles show.
    """

    places: dict[tuple[str, int], Seen] = field(default_factory=dict)
    acked: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    _summaries: dict[str, tuple[str, int]] = field(default_factory=dict)
    _decoded: dict[bytes, Told] = field(default_factory=dict)

    def read(self, message: bytes) -> Told:
        """The frame; a thousand clients are told the same bytes, which are looked at once."""
        told = self._decoded.get(message)
        if told is None:
            told = _decode(message)
            for seen in told.events:
                self.saw(told.channel, seen)
            if len(self._decoded) >= CACHED_FRAMES:
                self._decoded.clear()
            self._decoded[message] = told
        return told

    def saw(self, channel: str, seen: Seen) -> None:
        place = (channel, seen.seq)
        before = self.places.setdefault(place, seen)
        self.wrong["reassigned"] += before.id != seen.id
        if " " in seen.summary:
            self.wrong["doubled"] += self._summaries.setdefault(seen.summary, place) != place

    def published(self, channel: str, seq: int, event: str, summary: str) -> None:
        """A publisher was promised that it is kept."""
        self.wrong["promised_twice"] += (channel, seq) in self.acked
        self.acked[channel, seq] = event, summary

    def last(self, channel: str) -> int:
        return max((seq for name, seq in self.acked if name == channel), default=0)

    def check(self, checks: Checks, *, after: int = 0) -> None:
        """Held against what was told: nothing promised is lost, changed or doubled, and each publisher's events are in its order."""
        for place, (event, summary) in self.acked.items():
            seen = self.places.get(place)
            if place[1] > after:
                checks.expect(seen is not None, "promised_and_lost", (place, summary))
            checks.expect(seen is None or (seen.id, seen.summary) == (event, summary), "changed", place)
        newest: dict[tuple[str, str], int] = {}
        for channel, seq in sorted(self.places):
            publisher, _, number = self.places[channel, seq].summary.partition(" ")
            if number.isdecimal():
                checks.expect(
                    int(number) > newest.get((channel, publisher), -1), "out_of_order", (channel, seq)
                )
                newest[channel, publisher] = int(number)
        for what in ("reassigned", "doubled", "promised_twice"):
            checks.none(what, self.wrong[what])


class Account:
    """One subscription without a filter, over all its connections: every place of the log is told, counted or said to be lost, once."""

    def __init__(self) -> None:
        self.cursor = ""
        self.upto: dict[str, int] = {}
        self.begun: dict[str, int] = {}
        self.reasons: list[str] = []
        self.tally: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()

    def take(self, told: Told) -> None:
        if told.cursor:
            self.cursor = told.cursor
        match told.op:
            case "subscribed":
                self._begin(told)
            case "batch" | "digest" | "gap":
                self._range(told)
            case "pos":
                # Without a filter there is nothing that was passed over.
                self.wrong["moved"] += any(
                    self.upto[channel] != seq for channel, seq in told.positions.items()
                )
            case "error":
                self.wrong[f"error_{told.code}"] += 1
            case _:
                pass

    def reached(self, channel: str, last: int) -> bool:
        return self.upto.get(channel, -1) >= last

    def check(self, checks: Checks, last: dict[str, int]) -> None:
        """At the end of all: nothing is missing, nothing came twice."""
        for what in ("gaps", "duplicates", "missing", "disordered"):
            checks.none(what, self.wrong[what])
        others = {what: count for what, count in self.wrong.items() if count and what not in KNOWN}
        checks.expect(not others, "surprises", others)
        for channel, seq in last.items():
            checks.none(
                "missing", max(0, seq - self.upto.get(channel, 0)), f"{channel}: {self.upto} of {last}"
            )
            checks.none(
                "duplicates", max(0, self.upto.get(channel, 0) - seq), f"{channel}: {self.upto} of {last}"
            )

    def _begin(self, told: Told) -> None:
        self.reasons.append(told.reason)
        if told.recovered:
            for channel, seq in told.positions.items():
                before = self.upto.setdefault(channel, seq)
                self.wrong["gaps"] += seq > before
                self.wrong["duplicates"] += seq < before
        for channel, seq in told.positions.items():
            self.begun.setdefault(channel, seq)
            if told.reason == "evicted":
                self.wrong["moved"] += self.upto.get(channel, seq) != seq
        self.upto |= told.positions

    def _range(self, told: Told) -> None:
        expected = self.upto.get(told.channel, -1)
        self.wrong["gaps"] += told.prev > expected
        self.wrong["duplicates"] += told.prev < expected
        self.wrong["disordered"] += told.upto <= told.prev
        self.upto[told.channel] = told.upto
        size = told.upto - told.prev
        if told.op == "gap":
            self.wrong["missing"] += told.lost != size
            self.tally["gaps"] += 1
            self.tally["lost"] += told.lost
            return
        inline = [seen.seq for seen in told.events]
        self.wrong["missing"] += told.count != size or told.count - told.omitted != len(inline)
        if told.op == "batch":
            self.wrong["disordered"] += inline != list(range(told.prev + 1, told.upto + 1))
        else:
            self.wrong["missing"] += sum(told.by_severity.values()) != size
            self.wrong["disordered"] += inline != sorted(set(inline))
            self.tally["omitted"] += told.omitted
        self.tally[told.op] += 1
        self.tally["inline"] += len(inline)


KNOWN = ("gaps", "duplicates", "missing", "disordered")
