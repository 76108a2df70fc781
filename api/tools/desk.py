"""What tools work with: the server's parts, what the caller may do and wants, and how to tell it that there is progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ...correlator.event import Channel
from ..auth import Grant
from ..errors import NotFound
from ..filters import Filter
from ..hub import Hub, Project
from ..ring import Entry
from ..service import Service
from .clients import Client
from .reading import Place, Reading, pending, place_of, read

PROGRESS_S: Final = 5.0
Progress = Callable[[float, float, str], Awaitable[None]]


async def untold(_done: float, _total: float, _text: str) -> None:
    """For callers that want no progress."""


class Bell:
    """A reader of a project that only wakes up."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    def nudge(self, now_s: float, *, urgent: bool) -> None:
        self.rung.set()


@dataclass(frozen=True, slots=True)
class Desk:
    service: Service
    grant: Grant
    client: Client
    progress: Progress = untold

    @property
    def hub(self) -> Hub:
        return self.service.hub

    @property
    def project(self) -> str:
        return self.client.project

    @property
    def log(self) -> Project:
        return self.hub.project(self.project)

    def may_read(self) -> None:
        """Raises ScopeMissing and ProjectRefused."""
        self.grant.require("read")
        self.grant.require_project(self.project)

    def may_control(self) -> None:
        self.grant.require("control")
        self.grant.require_project(self.project)

    def place(self, cursor: str) -> Place:
        """Of the cursor that was given, else where this client is. Raises BadCursor."""
        return place_of(self.log, cursor or self.client.cursor)

    async def read(self, seqs: Mapping[Channel, int], channels: Sequence[Channel], wanted: Filter) -> Reading:
        return await read(self.hub, self.project, channels, seqs, wanted)

    def told_upto(self, seqs: Mapping[Channel, int]) -> str:
        """Remember that the client has been told so far; the cursor that says so."""
        self.client.stands_at(self.log.epoch, seqs)
        return self.client.cursor

    def pending(self) -> dict[str, Any]:
        """What waits for this client, which every answer says."""
        client = self.client
        place = self.place("")
        counts = pending(self.log, client.told_channels, place.seqs, client.filter)
        muted = {"muted": sorted(client.muted)} if client.muted else {}
        return {"pending": counts, **muted, "cursor": client.cursor}

    async def find(self, event_id: str) -> bytes:
        """The line of an event of this project. Raises NotFound."""
        found = await self.hub.find(event_id)
        if found is None or found[0] != self.project:
            raise NotFound(
                f"There is no event {event_id[:64]}, or it is not kept any more.",
                'Ids stand at the end of each line; observe {"what": "events"} lists the latest events.',
            )
        return found[1]

    def kept(self) -> list[Entry]:
        """Whatever memory holds of this project."""
        return [entry for ring in self.log.rings.values() for entry in ring.after(ring.floor)]

    @contextmanager
    def listening(self) -> Generator[Bell]:
        """A bell that rings with every news, as long as the block lasts."""
        bell, readers = Bell(), self.log.readers
        readers[bell] += 1
        try:
            with self.service.attending(self.client):
                yield bell
        finally:
            del readers[bell]

    async def wait(self, bell: Bell, until_s: float, began_s: float) -> bool:
        """Until the bell rings, with a word of progress now and then; false when the time is over or the server ends."""
        ending = asyncio.ensure_future(self.service.ending.wait())
        rung = asyncio.ensure_future(bell.rung.wait())
        try:
            while not rung.done():
                left_s = until_s - time.monotonic()
                if left_s <= 0 or ending.done():
                    return False
                await asyncio.wait(
                    {ending, rung}, timeout=min(left_s, PROGRESS_S), return_when=asyncio.FIRST_COMPLETED
                )
                if not rung.done() and (waited_s := time.monotonic() - began_s) >= PROGRESS_S:
                    await self.progress(round(waited_s), round(until_s - began_s), "nothing yet")
            bell.rung.clear()
            return True
        finally:
            for job in (ending, rung):
                job.cancel()
            await asyncio.gather(ending, rung, return_exceptions=True)
