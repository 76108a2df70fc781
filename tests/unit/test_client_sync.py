"""The client without asyncio: the same stream, in the thread of whoever reads it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from typing import Any, TypeVar

import pytest

from firstcause.api.client.sync import SyncStream, connect_sync
from firstcause.api.errors import BadFilter, ServerUnreachable, StreamBroken
from firstcause.api.hub import Limits
from firstcause.api.wire import AnyFrame, Batch, Gap, Live, Subscribed
from firstcause.correlator.event import Event

from .stream_server import StreamServer, event

T = TypeVar("T")


class Elsewhere:
    """A server on another thread, which this one can ask for things."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = self.run(self._start())

    async def _start(self) -> StreamServer:
        return await StreamServer(Limits(throttle_ms=0, ring_events=20)).__aenter__()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def tell(self, count: int, **fields: Any) -> list[str]:
        return self.run(self.server.tell(count, **fields))

    def end(self) -> None:
        self.run(self.server.__aexit__())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def elsewhere() -> Generator[Elsewhere]:
    elsewhere = Elsewhere()
    yield elsewhere
    elsewhere.end()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "firstcause stream"]


def test_events_come_in_order_and_the_cursor_goes_with_them(elsewhere: Elsewhere) -> None:
    with connect_sync(elsewhere.server.url) as stream:
        told = elsewhere.tell(10)
        assert [next(stream).id for _ in range(4)] == told[:4]
        cursor = stream.cursor
    assert threads() == []
    with connect_sync(elsewhere.server.url, cursor=cursor) as stream:
        assert [next(stream).id for _ in range(6)] == told[4:]
    assert list(stream) == []


def test_a_plain_iterator_opens_itself(elsewhere: Elsewhere) -> None:
    elsewhere.tell(3)
    stream = connect_sync(elsewhere.server.url, cursor="start")
    for one in stream:
        if one.seq == 3:
            stream.close()
    assert threads() == []


def test_everything_that_can_be_asked(elsewhere: Elsewhere) -> None:
    with connect_sync(elsewhere.server.url) as stream:
        assert stream.mute("errors") == ["errors"]
        assert stream.unmute() == []
        stream.update(min_severity="medium")
        elsewhere.tell(1, severity="low")
        published = stream.publish(
            {"channel": "errors", "kind": "custom", "summary": "mine", "severity": "high"}
        )
        assert next(stream).id == published.event
        with pytest.raises(BadFilter):
            stream.update(include={"url": ["/(/"]})
    with pytest.raises(ServerUnreachable):
        stream.mute()


def test_frames(elsewhere: Elsewhere) -> None:
    with connect_sync(elsewhere.server.url) as stream:
        frames = stream.frames()
        assert [type(next(frames)) for _ in range(2)] == [Subscribed, Live]


def test_a_gap_is_told_in_the_readers_thread(elsewhere: Elsewhere) -> None:
    told: list[tuple[Gap, threading.Thread]] = []
    with connect_sync(elsewhere.server.url) as stream:
        elsewhere.tell(1)
        next(stream)
        cursor = stream.cursor
    ids = elsewhere.tell(50)
    with connect_sync(
        elsewhere.server.url,
        cursor=cursor,
        on_gap=lambda gap: told.append((gap, threading.current_thread())),
    ) as stream:
        assert next(stream).id == ids[30]
        assert stream.lost == 30
    assert [(gap.lost, thread) for gap, thread in told] == [(30, threading.current_thread())]


def test_an_error_ends_the_block_and_its_thread(elsewhere: Elsewhere) -> None:
    elsewhere.server.fault = lambda frame: (frame, frame) if isinstance(frame, Batch) else (frame,)
    with connect_sync(elsewhere.server.url) as stream:
        elsewhere.tell(1)
        with pytest.raises(StreamBroken):
            list(stream)
    with pytest.raises(ServerUnreachable):
        connect_sync("127.0.0.1:1").__enter__()
    assert threads() == []


def test_closing_from_another_thread_ends_the_iteration(elsewhere: Elsewhere) -> None:
    with connect_sync(elsewhere.server.url) as stream:
        elsewhere.tell(1)
        next(stream)
        closing = threading.Thread(target=stream.close)
        closing.start()
        assert list(stream) == []
        closing.join()


def after(happens: Callable[[], object], elsewhere: Elsewhere, stream: SyncStream) -> Iterator[Event]:
    elsewhere.loop.call_soon_threadsafe(happens)
    yield from stream


def test_an_interrupt_loses_nothing(elsewhere: Elsewhere) -> None:
    interrupted = threading.Event()

    def interrupt(frame: AnyFrame) -> Iterable[AnyFrame]:
        if isinstance(frame, Batch) and not interrupted.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            interrupted.wait(10)
        return (frame,)

    with connect_sync(elsewhere.server.url) as stream:
        elsewhere.server.fault = interrupt
        before = stream.cursor
        with pytest.raises(KeyboardInterrupt):
            list(after(lambda: elsewhere.server.hub.publish(event(0)), elsewhere, stream))
        interrupted.set()
        assert stream.cursor == before
        assert next(stream).id == "errors-0"
        assert stream.cursor != before
    assert threads() == []
