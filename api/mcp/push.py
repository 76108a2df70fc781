"""What a client is told without asking, at the pace of the hub: at once, then once in its throttle, critical and high ones early."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ...correlator.event import Channel, Severity
from ..errors import TooMany
from ..filters import RANK
from ..pump import Pump
from ..service import Service
from ..tools.chain_lines import told_of
from ..tools.clients import Client
from ..wire import Batch, Digest, Gap, Subscribe, decode_frame

SENTENCE_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Notice:
    """So many events happened in these channels; the worst of them in words."""

    count: int
    channels: tuple[Channel, ...]
    severity: Severity
    worst: str

    @property
    def text(self) -> str:
        events = "1 new event" if self.count == 1 else f"{self.count} new events"
        worst = f", {self.severity}: {self.worst}" if self.worst else ""
        return f"{events}{worst}. wait_for_events tells more."


class Pusher:
    """Hands a client's notices to `tell` for as long as it runs; what the client wants may change meanwhile."""

    def __init__(
        self,
        service: Service,
        client: Client,
        tell: Callable[[Notice], Awaitable[None]],
        extra: Callable[[], Sequence[Channel]],
    ) -> None:
        self._service = service
        self._client = client
        self._tell = tell
        self._extra = extra
        self._pump = Pump(service.hub, client.project)
        self._subscribed = False

    async def run(self) -> None:
        self._subscribe()
        self._client.on_change.add(self._subscribe)
        try:
            with self._service.attending(self._client):
                while True:
                    if notice := notice_of(self._pump.take()):
                        await self._tell(notice)
                    else:
                        await self._pump.wait()
        finally:
            self._client.on_change.discard(self._subscribe)
            self._pump.close()

    def _subscribe(self) -> None:
        """Anew, from what happens next: what waited is in `pending` of every answer."""
        if self._subscribed:
            self._pump.unsubscribe(0)
            self._subscribed = False
        client = self._client
        channels: list[Channel] = [*client.told_channels]
        channels.extend(one for one in self._extra() if one not in client.muted)
        if channels:
            throttle = msgspec.UNSET if client.throttle_ms is None else client.throttle_ms
            spec = Subscribe(
                channels=list(dict.fromkeys(channels)),
                include=client.include,
                exclude=client.exclude,
                min_severity=client.min_severity,
                throttle_ms=throttle,
            )
            try:
                self._pump.subscribe(spec)
                self._subscribed = True
            except TooMany:  # no place for one more project: then there is nothing to be told of it either
                self._subscribed = False


def notice_of(frames: Sequence[bytes]) -> Notice | None:
    counts: Counter[Channel] = Counter()
    lines: list[bytes] = []
    for text in frames:
        frame = decode_frame(text)
        if isinstance(frame, Batch | Digest):
            counts[frame.channel] += frame.count
            lines += [bytes(line) for line in frame.events]
        elif isinstance(frame, Gap):
            counts[frame.channel] += frame.lost
    if not counts:
        return None
    worst = min((told_of(line) for line in lines), key=lambda event: RANK[event.severity], default=None)
    said = worst.said(SENTENCE_BYTES) if worst else ""
    return Notice(counts.total(), tuple(counts), worst.severity if worst else "info", said)


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
