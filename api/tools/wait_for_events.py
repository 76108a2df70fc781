"""wait_for_events: what has happened since the cursor, at once or as soon as something happens; the way of being told that never fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from ...correlator.event import SEVERITIES, Channel, Severity
from ..filters import RANK, compiled
from ..ring import Entry
from .budget import DEFAULT_TOKENS
from .chain_lines import chain_items
from .desk import Desk
from .fields import LeastSeverity, MaxTokens, OtherChannels
from .reading import Place, Reading
from .tool import Answer, Arguments, Tool

SETTLE_S: Final = 0.02
"""After the first news: an error and what it led to are a few milliseconds apart, and make one answer."""


class WaitArguments(Arguments):
    cursor: str = Field(
        default="", max_length=512, description="From the last answer; empty goes on where you were."
    )
    channels: OtherChannels = []
    min_severity: LeastSeverity = "info"
    timeout_s: float = Field(default=25, ge=0, le=50)
    max_tokens: MaxTokens = DEFAULT_TOKENS


async def wait_for_events(arguments: WaitArguments, desk: Desk) -> Answer:
    desk.may_read()
    place = desk.place(arguments.cursor)
    wanted = _Wanted(desk, arguments.channels, arguments.min_severity)
    began_s = time.monotonic()
    with desk.service.connections.take(desk.grant.key), desk.listening() as bell:
        seqs = place.seqs
        while True:
            reading = await wanted.read(seqs)
            if (
                reading.entries
                or reading.lost
                or not await desk.wait(bell, began_s + arguments.timeout_s, began_s)
            ):
                break
            seqs = reading.seqs  # what does not match is not looked at again
        if reading.entries and seqs is not place.seqs:
            await asyncio.sleep(SETTLE_S)
            reading = await wanted.read(seqs)
    return _answer(desk, arguments, place, reading)


@dataclass(frozen=True, slots=True)
class _Wanted:
    desk: Desk
    channels: Sequence[Channel]
    min_severity: Severity

    async def read(self, seqs: Mapping[Channel, int]) -> Reading:
        client = self.desk.client
        channels: Sequence[Channel] = self.channels or client.channels
        told: list[Channel] = [channel for channel in channels if channel not in client.muted]
        severity: Severity = SEVERITIES[min(RANK[self.min_severity], RANK[client.min_severity])]
        return await self.desk.read(seqs, told, compiled(client.include, client.exclude, severity))


def _answer(desk: Desk, arguments: WaitArguments, place: Place, reading: Reading) -> Answer:
    given = arguments.cursor or desk.client.cursor
    entries: list[Entry] = [entry for _, entry in reading.entries]
    items = chain_items(entries, desk.kept() if entries else (), arguments.max_tokens)
    head: dict[str, Any] = {
        "events": len(entries),
        "recovered": place.reason != "epoch_changed" and not reading.lost,
    }
    if not head["recovered"]:
        head["reason"] = "epoch_changed" if place.reason == "epoch_changed" else "evicted"
    if reading.lost:
        head["lost"] = reading.lost
    if desk.service.ending.is_set():
        head["ending"] = "the server is ending; call again with this cursor when it is back"
    head |= {"more": reading.more, "cursor": desk.told_upto(reading.seqs)}
    if desk.client.muted:
        head["muted"] = sorted(desk.client.muted)
    return Answer(
        head,
        items,
        list_name="chains",
        title="" if entries else "Nothing new.",
        rest=f'observe {{"what":"events","cursor":"{given}"}} tells all',
        max_tokens=arguments.max_tokens,
        tells_pending=False,
    )


TOOL = Tool(
    name="wait_for_events",
    title="Wait for what happens",
    description=(
        "Returns at once if anything happened since `cursor`, else as soon as it does, at the latest after timeout_s. One line a chain, "
        "worst first: what it began with → its worst effect [kinds] id. Call it in a loop with the cursor of the last answer; nothing is "
        "told twice or lost. `more` > 0: call again at once. Then: explain with the id."
    ),
    arguments=WaitArguments,
    run=wait_for_events,
    example={"timeout_s": 25},
    read_only=True,
)
