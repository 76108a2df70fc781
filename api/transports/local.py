"""Readers inside the server's own process: a function that takes frames, or a file that gets a line an event."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from ..hub import Hub
from ..pump import Pump
from ..recording import Recording
from ..wire import Subscribe
from ..worker import Worker

log = logging.getLogger(__name__)

LAST_S: Final = 2.0
"""How long a reader may take for what is left at the end."""

TakeFrames = Callable[[Sequence[bytes]], object]


@asynccontextmanager
async def subscribed(hub: Hub, spec: Subscribe, take: TakeFrames) -> AsyncGenerator[None]:
    """Hand the frames of a subscription to `take`, which may be a coroutine function, those of one moment together.

    One that is slow is told digests and gaps like every client; one that fails is not asked again.
    """
    pump = Pump(hub, spec.project if isinstance(spec.project, str) else "default")
    pump.subscribe(spec)
    ending = asyncio.Event()

    async def read() -> None:
        try:
            while True:
                if frames := pump.take():
                    taken = take(frames)
                    if inspect.isawaitable(taken):
                        await taken
                elif ending.is_set():
                    return
                else:
                    await pump.wait()
        except Exception:
            log.exception("a reader of the stream failed, and is told nothing more")

    reading = asyncio.create_task(read())
    try:
        yield
        await hub.kept()
    finally:
        ending.set()
        pump.wake()
        await asyncio.wait({reading}, timeout=LAST_S)
        reading.cancel()
        await asyncio.wait({reading})
        pump.close()


class _Told(msgspec.Struct):
    events: list[msgspec.Raw] = []
    omitted: int = 0
    lost: int = 0


_told = msgspec.json.Decoder(_Told).decode


def events_of(frames: Sequence[bytes]) -> list[bytes]:
    """The lines of the events in frames of several channels, in the order in which the events were made: a line begins with its id."""
    return sorted(bytes(event) for frame in frames for event in _told(frame).events)


def missing_in(frames: Sequence[bytes]) -> int:
    """How many events the frames only count."""
    told = [_told(frame) for frame in frames]
    return sum(one.omitted + one.lost for one in told)


class LineWriter:
    """Writes events as lines in a thread, so that a full pipe stops nobody else. What is not told whole is a line too: the frame of
    its digest or gap.
    """

    def __init__(self, recording: Recording, on_end: Callable[[], object]) -> None:
        self._recording = recording
        self._on_end = on_end
        self._worker = Worker("lines")

    async def take(self, frames: Sequence[bytes]) -> None:
        short = [frame for frame in frames if frame.startswith((b'{"op":"gap"', b'{"op":"digest"'))]
        lines = short + events_of([frame for frame in frames if frame not in short])
        if lines and not await self._worker.run(self._write, lines):
            self._on_end()

    def close(self) -> None:
        self._worker.stop(0.1)

    def _write(self, lines: list[bytes]) -> bool:
        return all(self._recording.write_line(line) for line in lines)
