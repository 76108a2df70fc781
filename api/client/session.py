"""Keeps a subscription alive over one connection after another: frames wait here for the user, requests for their answers."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ...correlator.event import Channel
from ..errors import RequestRefused, ServerUnreachable, StreamBroken
from ..wire import (
    AnyFrame,
    Batch,
    Digest,
    Error,
    Gap,
    Live,
    Mute,
    Pos,
    Subscribe,
    Subscribed,
    Updated,
    decode_frame,
    encode,
)
from .address import Address
from .chain import HINT, Chain
from .link import SILENCE_S, ConnectionEnded, connection, delays_s, refused

WAITING_FRAMES: Final = 16  # what is more is left with the server, which sums it up
COMING_BACK_HELPS: Final = ("too_many", "shutting_down")

Told = Subscribed | Batch | Digest | Gap | Live | Pos


class Arrival(NamedTuple):
    """A frame, the life of the log that it is about, and how often the filter had been changed before it."""

    frame: Told
    life: int
    changes: int


log = logging.getLogger(__name__)


class Outdated(Exception):
    """What was asked for is of a log that the server does not have any more."""


class StreamClosed(ServerUnreachable):
    """By whoever opened it."""

    def __init__(self) -> None:
        super().__init__("The stream is closed.", "Use it within its block.")


@dataclass(slots=True)
class Request:
    """`life` is that of the log it is about, None for any; what may not be done twice is not sent twice."""

    message: str
    life: int | None
    repeatable: bool
    sent: bool = False
    answer: asyncio.Future[AnyFrame] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Session:
    """One subscription, from `open` to `close`."""

    def __init__(self, find: Callable[[], Address], spec: Subscribe, give_up_s: float | None) -> None:
        self.spec = spec
        """As it is asked for by the next connection, but for the cursor."""
        self.muted: list[Channel] = []
        self.changes = 0
        """Counts twice for each change of the filter, when it is asked for and when it is done: between, either one may hold."""
        self.chain = Chain(spec.channels, spec.cursor)
        self._find = find
        self._give_up_s = give_up_s
        self._ids = itertools.count(spec.id + 1)
        self._requests: dict[int, Request] = {}
        self._frames: deque[Arrival] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._begun = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._last_words: RequestRefused | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Returns when the subscription stands; only after that a lost connection is taken up again."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)
        try:
            await self._begun.wait()
            if self._task.done():
                self._task.result()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def next(self) -> Arrival | None:
        """The next frame; None when the stream was closed. Raises what ended it."""
        while not self._frames:
            if self._task is None:
                raise RuntimeError("A stream is used within its block: async with connect(…) as stream.")
            if self._task.done():
                return None if self._task.cancelled() else self._task.result()
            self._news.clear()
            await self._news.wait()
        self._room.set()
        return self._frames.popleft()

    async def ask(
        self, message: Callable[[int], bytes], *, life: int | None = None, repeatable: bool = True
    ) -> AnyFrame:
        """The answer, over as many connections as it takes. Raises what the server refused."""
        if self._task is None or self._task.cancelled():
            raise StreamClosed
        if self._task.done():
            self._task.result()
        if life not in {None, self.chain.life}:
            raise Outdated
        number = next(self._ids)
        request = self._requests[number] = Request(message(number).decode(), life, repeatable)
        self._room.set()  # the answer may be behind more frames than wait otherwise
        try:
            await self._send(request)
            return await request.answer
        finally:
            del self._requests[number]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        delays, lost_s = delays_s(), loop.time()
        while True:
            self._last_words = None
            try:
                await self._connection()
            except ConnectionEnded as ended:
                reason = self._last_words or ended.reason
                if ended.lasting or not self._begun.is_set():
                    raise reason from ended
                if self._disconnected():
                    delays, lost_s = delays_s(), loop.time()
                if self._give_up_s is not None and loop.time() - lost_s >= self._give_up_s:
                    raise reason from ended
                log.info("Coming back to the stream: %s", reason)
            await asyncio.sleep(next(delays))

    async def _connection(self) -> None:
        await self._until_room()
        try:
            address = self._find()
        except ServerUnreachable as error:  # it may be starting anew
            raise ConnectionEnded(error) from error
        async with connection(address) as socket:
            with suppress(ConnectionClosed):  # what the server said before it closed is still to be read
                await socket.send(
                    encode(msgspec.structs.replace(self.spec, cursor=self.chain.cursor)).decode()
                )
                if self.muted:
                    await socket.send(encode(Mute(sub=self.spec.id, channels=self.muted)).decode())
            while True:
                await self._until_room()
                async with asyncio.timeout(SILENCE_S):
                    message = await socket.recv(decode=False)
                await self._take(message, socket)

    async def _until_room(self) -> None:
        while len(self._frames) >= WAITING_FRAMES and not self._requests:
            self._room.clear()
            await self._room.wait()

    async def _take(self, message: bytes, socket: ClientConnection) -> None:
        try:
            frame = decode_frame(message)
        except msgspec.MsgspecError as error:
            raise StreamBroken(f"A frame can't be read: {error}.", HINT) from error
        match frame:
            case Subscribed():
                self.chain.begin(frame)
                self._put(frame)
                self._socket = socket
                self._begun.set()
                await self._ask_again()
            case Batch() | Digest() | Gap() | Live() | Pos():
                self.chain.follow(frame)
                self._put(frame)
            case Error():
                self._refused(frame)
            case _:
                self.changes += isinstance(frame, Updated)
                if request := self._requests.get(frame.id):
                    _answer(request, frame)

    def _put(self, frame: Told) -> None:
        self._frames.append(Arrival(frame, self.chain.life, self.changes))
        self._news.set()

    def _refused(self, frame: Error) -> None:
        reason = refused(frame.code, frame.message, frame.hint)
        if frame.id is UNSET:
            self._last_words = reason
        elif frame.id == self.spec.id:
            raise ConnectionEnded(reason, lasting=frame.code not in COMING_BACK_HELPS)
        elif request := self._requests.get(frame.id):
            _answer(request, reason)

    async def _ask_again(self) -> None:
        for request in list(self._requests.values()):
            if request.life not in {None, self.chain.life}:
                _answer(request, Outdated())
            else:
                await self._send(request)

    async def _send(self, request: Request) -> None:
        if self._socket is not None and not request.answer.done():
            request.sent = True
            with suppress(ConnectionClosed):  # then it is sent by the next connection
                await self._socket.send(request.message)

    def _disconnected(self) -> bool:
        """Whether the subscription stood."""
        stood, self._socket = self._socket is not None, None
        for request in self._requests.values():
            if request.sent and not request.repeatable:
                _answer(
                    request,
                    ServerUnreachable(
                        "The connection ended before the answer.",
                        "Look whether it was done before doing it again.",
                    ),
                )
        return stood

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        for request in self._requests.values():
            _answer(request, error or StreamClosed())
        self._begun.set()
        self._news.set()


def _answer(request: Request, answer: AnyFrame | BaseException) -> None:
    if request.answer.done():
        return
    if isinstance(answer, BaseException):
        request.answer.set_exception(answer)
    else:
        request.answer.set_result(answer)
