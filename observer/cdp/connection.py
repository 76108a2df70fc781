"""One WebSocket to a browser: commands out with a time limit each, wanted events in, decoded into their types."""

from __future__ import annotations

import asyncio
import logging
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,  # pyright: ignore[reportUnknownVariableType]  its **kwargs have no type
)

from ..errors import CommandFailed, CommandTimeout, ConnectionLost

log = logging.getLogger(__name__)

P = TypeVar("P")
COMMAND_TIMEOUT_S = 10.0
LAST_WORDS_S = 2.0
MAX_FRAME_BYTES = 256 * 1024 * 1024
EVENT_START = b'{"method":"'
NAME_AT = len(EVENT_START)
HIGH, LOW = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
ESCAPE = re.compile(rb"\\(?:%b\\%b|(%b|%b)|.)" % (HIGH, LOW, HIGH, LOW), re.DOTALL)


class EventFrame(msgspec.Struct, Generic[P], rename="camel"):
    params: P
    session_id: str = ""


class ReplyError(msgspec.Struct):
    message: str = ""
    code: int = 0


class Reply(msgspec.Struct, rename="camel"):
    id: int = 0
    method: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: ReplyError | None = None


class Wanted(Generic[P]):
    """One CDP event somebody listens to: its name, the type of its parameters and who takes it.

    A frame without the text `holding` is left undecoded: it can't be what is wanted.
    """

    __slots__ = ("decode", "holding", "method", "take")

    def __init__(
        self, method: str, params: type[P], take: Callable[[str, P], None], holding: str = ""
    ) -> None:
        self.method = method
        self.holding = holding.encode()
        decoder: msgspec.json.Decoder[EventFrame[P]] = msgspec.json.Decoder(EventFrame[params])
        self.decode = decoder.decode
        self.take = take


def without_lone_surrogates(frame: bytes) -> bytes:
    """JavaScript strings may hold half a character (Chrome's own shortening cuts emojis in two), and JSON here may not."""
    return ESCAPE.sub(lambda found: rb"\ufffd" if found.group(1) else found.group(), frame)


class Intake:
    """Frames in, typed events out. Nothing that a frame holds can raise from here; `skipped` says what was passed over and why."""

    def __init__(self, wanted: Iterable[Wanted[Any]]) -> None:
        self.frames = 0
        self.last_frame_s = time.monotonic()
        self.skipped: Counter[str] = Counter()
        self._reply_decoder = msgspec.json.Decoder(Reply)
        self._routes: dict[bytes, list[Wanted[Any]]] = {}
        for listener in wanted:
            self._routes.setdefault(listener.method.encode(), []).append(listener)

    def take(self, frame: bytes, on_reply: Callable[[Reply], None]) -> None:
        self.frames += 1
        self.last_frame_s = time.monotonic()
        # Chrome always writes the method first; peeking at it saves decoding the two thirds of all frames that nobody wants.
        if frame.startswith(EVENT_START):
            name = frame[NAME_AT : frame.find(b'"', NAME_AT)]
        else:
            try:
                reply = self._reply_decoder.decode(frame)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.skipped["malformed"] += 1
                return
            if reply.id:
                on_reply(reply)
                return
            name = reply.method.encode()
        routes = self._routes.get(name)
        if routes is None:
            self.skipped["unwanted"] += 1
            return
        reason = "unwanted"  # a frame that two listeners pass over is still one frame
        for listener in routes:
            if listener.holding and listener.holding not in frame:
                continue
            try:
                try:
                    event = listener.decode(frame)
                except msgspec.DecodeError:
                    event = listener.decode(without_lone_surrogates(frame))
                listener.take(event.session_id, event.params)
                if reason == "unwanted":
                    reason = ""
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                reason = f"malformed {listener.method}"
            except Exception:
                # One handler's mistake must not end the connection: picows disconnects when its callback raises.
                reason = f"failed {listener.method}"
                log.exception("handler of %s failed", listener.method)
        if reason:
            self.skipped[reason] += 1


class Peer:
    """Whoever is at the other end of a socket. A write after it has gone would fail, and asyncio ends a socket then with all that
    is still to be read of it.
    """

    def __init__(self, ours: socket.socket | None = None) -> None:
        # Windows has no poll, macOS no word for an end that data stand before.
        is_open = ours is not None and ours.fileno() != -1
        self._poll = select.poll() if is_open and hasattr(select, "poll") else None
        if self._poll is not None and ours is not None:
            self._poll.register(ours, getattr(select, "POLLRDHUP", 0))

    def has_gone(self) -> bool:
        return self._poll is not None and bool(self._poll.poll(0))


class Connection(WSListener):
    """A CDP connection in flat mode: one socket, many sessions."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._loop = asyncio.get_running_loop()
        self._pending: dict[int, tuple[str, asyncio.Future[msgspec.Raw], asyncio.TimerHandle]] = {}
        self._last_id = 0
        self._partial: bytearray | None = None
        self._transport: WSTransport | None = None
        self._peer = Peer()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.refused: Counter[str] = Counter()

    @classmethod
    async def open(cls, url: str, intake: Intake, timeout_s: float = 5.0) -> Connection:
        try:
            async with asyncio.timeout(timeout_s):
                transport, listener = await ws_connect(
                    lambda: cls(intake),
                    url,
                    max_frame_size=MAX_FRAME_BYTES,
                    websocket_handshake_timeout=timeout_s,
                )
        except Exception as error:
            # Whatever it is (refused, reset, not a WebSocket, time-out), the reader's question is the same: why not?
            raise ConnectionLost(
                f"{url} does not accept a DevTools connection ({error or type(error).__name__})."
            ) from error
        # picows gives none, and no error, if the connection ends during the handshake
        if not isinstance(listener, cls):
            raise ConnectionLost(f"{url} closed the connection before it was a DevTools connection.")
        listener._peer = Peer(transport.underlying_transport.get_extra_info("socket"))
        return listener

    def post(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> asyncio.Future[msgspec.Raw]:
        """Send without waiting; commands of one session are handled in the order sent. A failure nobody awaits is only counted."""
        self._last_id += 1
        command_id = self._last_id
        answer: asyncio.Future[msgspec.Raw] = self._loop.create_future()
        answer.add_done_callback(lambda done: self._note_failure(method, done))
        if self._transport is None or self.closed.done() or self._peer.has_gone():
            answer.set_exception(
                ConnectionLost(f"{method} was not sent: the connection to the browser is closed.")
            )
            return answer
        command: dict[str, Any] = {"id": command_id, "method": method}
        if params:
            command["params"] = params
        if session:
            command["sessionId"] = session
        timer = self._loop.call_later(timeout_s, self._time_out, command_id, timeout_s)
        self._pending[command_id] = (method, answer, timer)
        self._transport.send(WSMsgType.TEXT, msgspec.json.encode(command))
        return answer

    async def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> Any:
        return msgspec.json.decode(await self.post(method, params, session, timeout_s))

    async def close(self) -> None:
        """What a browser that is gone has said last is still read."""
        if self._transport is None:
            return
        if self._peer.has_gone():
            await asyncio.wait([self.closed], timeout=LAST_WORDS_S)
        self._transport.disconnect(graceful=False)
        await asyncio.wait([self.closed])

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.TEXT and frame.fin:
            self._intake.take(frame.get_payload_as_bytes(), self._answer)
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._partial = self._partial or bytearray()
            self._partial += frame.get_payload_as_memoryview()
            if frame.fin:
                whole, self._partial = bytes(self._partial), None
                self._intake.take(whole, self._answer)
        elif kind is WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        pending, self._pending = self._pending, {}
        for method, answer, timer in pending.values():
            timer.cancel()
            if not answer.done():
                answer.set_exception(
                    ConnectionLost(f"{method} was not answered: the connection to the browser closed.")
                )

    def _answer(self, reply: Reply) -> None:
        pending = self._pending.pop(reply.id, None)
        if pending is None:
            return
        method, answer, timer = pending
        timer.cancel()
        if answer.done():
            return
        if reply.error is not None:
            answer.set_exception(CommandFailed(f"{method}: {reply.error.message}"))
        else:
            answer.set_result(reply.result)

    def _time_out(self, command_id: int, timeout_s: float) -> None:
        method, answer, _ = self._pending.pop(command_id)
        if not answer.done():
            answer.set_exception(CommandTimeout(f"{method} was not answered within {timeout_s:g} s."))

    def _note_failure(self, method: str, done: asyncio.Future[msgspec.Raw]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            self.refused[f"{method}: {type(error).__name__}"] += 1
            log.debug("%s", error)
