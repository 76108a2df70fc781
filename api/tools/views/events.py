"""The events themselves, a line each: onwards from a cursor, or the latest ones."""

from __future__ import annotations

from typing import Any, Final

from ...filters import compiled
from ...position import Position
from ...ring import Entry
from ..budget import sentence_bytes
from ..chain_lines import Told, told_of
from ..desk import Desk
from ..reading import Reading
from ..tool import Answer, Item, one_line
from .chains import kept_entries
from .view import Reads, View

LATEST: Final = 500


async def events(reads: Reads, desk: Desk) -> Answer:
    if not reads.cursor:
        return _latest(reads, desk)
    wanted = compiled(reads.patterns, desk.client.exclude, reads.min_severity)
    channels = tuple(dict.fromkeys(reads.channels)) or desk.client.channels
    place = desk.place(reads.cursor)
    reading = await desk.read(place.seqs, channels, wanted)
    cursors = _Cursors(desk.log.epoch, reading)
    head: dict[str, Any] = {"recovered": place.reason != "epoch_changed" and not reading.lost}
    if reading.lost:
        head["lost"] = reading.lost
    return Answer(
        head,
        [item_of(entry, reads.max_tokens) for _, entry in reading.entries],
        list_name="found",
        after=lambda told: {"next": cursors.after(told), "more": reading.more},
        rest='the same call with "cursor" set to `next`',
        max_tokens=reads.max_tokens,
    )


def _latest(reads: Reads, desk: Desk) -> Answer:
    """The newest first, because that is where an answer is not cut."""
    entries = kept_entries(reads, desk)[::-1]
    return Answer(
        {"matching": len(entries)},
        [item_of(entry, reads.max_tokens) for entry in entries[:LATEST]],
        list_name="latest",
        rest='the same call with "cursor":"start", or with filters',
        max_tokens=reads.max_tokens,
    )


class _Cursors:
    """Where to read on when only the first of what was found are told: in each channel right before the first that was not."""

    def __init__(self, epoch: str, reading: Reading) -> None:
        self._epoch = epoch
        self._reading = reading

    def after(self, told: int) -> str:
        seqs = dict(self._reading.seqs)
        for channel, entry in reversed(self._reading.entries[told:]):
            seqs[channel] = entry.seq - 1
        return str(Position(self._epoch, seqs))


def item_of(entry: Entry, max_tokens: int) -> Item:
    event: Told = told_of(entry.line)
    said = event.said(sentence_bytes(max_tokens))
    fields = {
        "at": event.timestamp.partition("T")[2].removesuffix("Z"),
        "severity": event.severity,
        "kind": event.kind,
        "summary": said,
        "page": event.page,
        "cause": event.cause.id if event.cause else "",
        "id": event.id,
    }
    where = f" on {event.page}" if event.page else ""
    line = f"{fields['at']} {event.severity} {event.kind}{where}: {said} {event.id}"
    return Item({name: value for name, value in fields.items() if value}, one_line(line), {event.severity: 1})


VIEW = View("events", "the latest, or from `cursor` on", events)
