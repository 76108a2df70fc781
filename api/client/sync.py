"""The stream for programs without asyncio: the same one, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Self, TypeVar

from ...correlator.event import Channel, Event, Severity
from ..errors import ServerUnreachable
from ..wire import Gap, Published
from .session import Told
from .stream import OnGap, PatternsByField, Stream, connect

T = TypeVar("T")


def connect_sync(
    url: str = "",
    *,
    token: str = "",
    project: str = "",
    channels: Sequence[Channel] | None = None,
    include: PatternsByField | None = None,
    exclude: PatternsByField | None = None,
    min_severity: Severity = "info",
    throttle_ms: int | None = None,
    cursor: str = "",
    complete: bool = True,
    on_gap: OnGap | None = None,
    give_up_s: float | None = None,
) -> SyncStream:
    """`with connect_sync() as stream: for event in stream: …`, with the arguments of `connect`. `on_gap` is called in your thread."""
    gaps: deque[Gap] = deque()
    stream = connect(
        url,
        token=token,
        project=project,
        channels=channels,
        include=include,
        exclude=exclude,
        min_severity=min_severity,
        throttle_ms=throttle_ms,
        cursor=cursor,
        complete=complete,
        on_gap=gaps.append if on_gap else None,
        give_up_s=give_up_s,
    )
    return SyncStream(stream, gaps, on_gap)


class SyncStream:
    """Made by `connect_sync`; for one thread at a time, except `close`. Iterating opens it where `with` did not."""

    def __init__(self, stream: Stream, gaps: deque[Gap], on_gap: OnGap | None) -> None:
        self._stream = stream
        self._gaps = gaps
        self._on_gap = on_gap
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = threading.Lock()
        self._taking = asyncio.Lock()
        self._taken: deque[tuple[Event | None, str]] = deque()
        self._cursor = ""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        # A daemon: whoever forgets to close the stream can still end the program.
        self._thread = threading.Thread(target=self._loop.run_forever, name="firstcause stream", daemon=True)
        self._thread.start()
        try:
            self._run(self._stream.__aenter__)
            self._cursor = self._stream.cursor
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """From any thread; ends an iteration that waits."""
        with self._closing:
            if self._loop is None or self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def cursor(self) -> str:
        """Where a later stream goes on, right after the last event that this one gave."""
        return self._cursor

    @property
    def lost(self) -> int:
        return self._stream.lost

    def __iter__(self) -> Self:
        return self if self._loop is not None else self.__enter__()

    def __next__(self) -> Event:
        if self._loop is not None and self._loop.is_closed():
            raise StopIteration
        self._run(self._take)
        event, self._cursor = self._taken.popleft()
        if event is None:
            raise StopIteration
        return event

    def frames(self) -> Iterator[Told]:
        """What the server tells as it tells it: batches, digests, gaps, and where the stream is."""
        frames = self._stream.frames()
        while (frame := self._run(lambda: anext(frames, None))) is not None:
            self._cursor = frame.cursor
            yield frame

    def mute(self, *channels: Channel) -> list[Channel]:
        return self._run(lambda: self._stream.mute(*channels))

    def unmute(self, *channels: Channel) -> list[Channel]:
        return self._run(lambda: self._stream.unmute(*channels))

    def update(
        self,
        *,
        include: PatternsByField | None = None,
        exclude: PatternsByField | None = None,
        min_severity: Severity | None = None,
        throttle_ms: int | None = None,
    ) -> None:
        self._run(
            lambda: self._stream.update(
                include=include, exclude=exclude, min_severity=min_severity, throttle_ms=throttle_ms
            )
        )

    def publish(self, event: Mapping[str, Any]) -> Published:
        return self._run(lambda: self._stream.publish(event))

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        future = self._start(work)
        try:
            return self._result(future)
        finally:
            future.cancel()

    def _start(self, work: Callable[[], Awaitable[T]]) -> Future[T]:
        async def awaited() -> T:
            return await work()

        if self._loop is None or self._loop.is_closed():
            raise ServerUnreachable("The stream is closed.", "Use it within its block.")
        return asyncio.run_coroutine_threadsafe(awaited(), self._loop)

    def _result(self, future: Future[T]) -> T:
        result = future.result()
        while self._gaps and self._on_gap is not None:
            self._on_gap(self._gaps.popleft())
        return result

    async def _take(self) -> None:
        """An interrupt may come at any point of the other thread: what is taken stays here until it is given."""
        async with self._taking:
            if not self._taken:
                event = await anext(self._stream, None)
                self._taken.append((event, self._stream.cursor))

    async def _end(self) -> None:
        await self._stream.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()
