"""Clients for the stress program: a WebSocket by hand that is fast, drops hard and can be abused, a reader that resumes, HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self, cast

import msgspec
from _stress_truth import Account, Told, Truth

CUT = 1006
"""The close code of a connection that ended without one."""
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: the peer gets a reset
ANSWER_S = 15.0
ACCOUNTED = 1
"""The subscription of a reader that its account is about."""

Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})


class Refused(Exception):
    """The server did not take the WebSocket."""

    def __init__(self, head: str, body: str) -> None:
        super().__init__(head, body)
        self.status = int(head.split(" ", 2)[1])
        self.body = body


def frame(
    payload: bytes, opcode: int = 1, *, final: bool = True, mask: bool = True, reserved: int = 0
) -> bytes:
    """A client's frame. The mask is all zeros, which leaves the payload as it is."""
    size = len(payload)
    first = (0x80 if final else 0) | reserved << 4 | opcode
    masked = 0x80 if mask else 0
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 1 << 16:
        head = bytes((first, masked | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + size.to_bytes(8, "big")
    return head + (bytes(4) if mask else b"") + payload


def upgrade(port: int, path: str, headers: Headers) -> bytes:
    given = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


class Link(asyncio.Protocol):
    """One WebSocket connection; messages go to `on_message`."""

    def __init__(self, hello: bytes, on_message: Callable[[bytes], object]) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self._hello = hello
        self._on_message = on_message
        self._rest = b""
        self._head: bytes | None = b""
        self._code = CUT

    @classmethod
    async def connect(
        cls,
        port: int,
        on_message: Callable[[bytes], object] = lambda _: None,
        *,
        token: str = "",
        path: str = "/v1/stream",
        headers: Headers = NO_HEADERS,
        receive_buffer: int = 0,
    ) -> Self:
        """Raises Refused, OSError and TimeoutError."""
        plug = socket.socket()
        plug.setblocking(False)
        if receive_buffer:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_S):
                await loop.sock_connect(plug, ("127.0.0.1", port))
                hello = upgrade(port, path, {**bearer(token), **headers})
                _, link = await loop.create_connection(lambda: cls(hello, on_message), sock=plug)
                await link.opened
        except BaseException:
            plug.close()
            raise
        return link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self._frames(data)
            return
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end or not head.startswith(b"HTTP/1.1 101"):
            self._head += data  # and the body of a refusal until the server closes
            return
        self._head = None
        self.opened.set_result(None)
        self._frames(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            head, _, body = (self._head or b"").partition(b"\r\n\r\n")
            text = head.decode("latin-1")
            refused = text.startswith("HTTP/1.1 ")
            self.opened.set_exception(Refused(text, body.decode()) if refused else ConnectionError("hung up"))
            self.opened.exception()  # it may be that nobody waits for it any more
        if not self.ended.done():
            self.ended.set_result(self._code)

    def send(self, message: bytes | str | Mapping[str, Any]) -> None:
        if isinstance(message, Mapping):
            message = msgspec.json.encode(message)
        self.send_raw(frame(message.encode() if isinstance(message, str) else message))

    def send_raw(self, data: bytes) -> None:
        """Nothing happens when it has ended, which `end` tells."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def drop(self) -> None:
        """As a client that crashes: what waits on both sides is thrown away."""
        with suppress(OSError, AttributeError):  # it may have ended by itself
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    async def close(self) -> int:
        self.send_raw(frame(struct.pack("!H", 1000), 8))
        return await self.end()

    async def end(self, within_s: float = ANSWER_S) -> int:
        """How it ended; raises TimeoutError while it has not."""
        async with asyncio.timeout(within_s):
            return await asyncio.shield(self.ended)

    def _frames(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            size, head = data[at + 1] & 127, 2
            if size > 125:
                head = 4 if size == 126 else 10
                if end - at < head:
                    break
                size = int.from_bytes(data[at + 2 : at + head], "big")
            if end - at < head + size:
                break
            payload = data[at + head : at + head + size]
            match data[at] & 15:
                case 1 | 2:
                    self._on_message(payload)
                case 9:
                    self.send_raw(frame(payload, 10))
                case 8:
                    self._code = int.from_bytes(payload[:2], "big") if payload else 1005
                    self.send_raw(frame(payload[:2], 8))
                case _:
                    pass
            at += head + size
        self._rest = data[at:]


class Reader:
    """A subscription that comes back with its cursor however its connection ended."""

    def __init__(self, truth: Truth, token: str, **spec: Any) -> None:
        self.account = Account()
        self.truth = truth
        self.codes: list[int] = []
        self.link: Link | None = None
        self.paused = False
        self.receive_buffer = 0
        self.live = asyncio.Event()
        self._token = token
        self.spec: dict[str, Any] = {"throttle_ms": 0, **spec}
        self._changed = asyncio.Event()

    async def connect(self, port: int) -> None:
        self.live.clear()
        link = await Link.connect(port, self._take, token=self._token, receive_buffer=self.receive_buffer)
        self.link = link
        cursor = self.account.cursor
        spec = {**self.spec, "cursor": cursor} if cursor else self.spec
        link.send({"op": "subscribe", "id": ACCOUNTED, **spec})

    async def stay(self, port: int) -> None:
        """Reconnect for ever."""
        while True:
            with suppress(OSError, Refused, TimeoutError):
                await self.connect(port)
                assert self.link
                self.codes.append(await asyncio.shield(self.link.ended))
            await asyncio.sleep(0.02)

    def drop(self) -> None:
        if self.link is not None:
            self.link.drop()

    def pause(self) -> None:
        assert self.link
        self.paused = True
        self.link.transport.pause_reading()

    def subscribe_more(self, count: int) -> None:
        """Others with the same events, on this connection; what comes is not looked at."""
        assert self.link
        for sub in range(count):
            self.link.send({"op": "subscribe", "id": ACCOUNTED + 1 + sub, **self.spec})

    def resume(self) -> None:
        assert self.link
        self.paused = False
        self.link.transport.resume_reading()

    async def until(self, channel: str, last: int, within_s: float = ANSWER_S) -> bool:
        """Whether all up to there is accounted for in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.account.reached(channel, last):
                    self._changed.clear()
                    await self._changed.wait()
        return self.account.reached(channel, last)

    def _take(self, message: bytes) -> None:
        told = self.truth.read(message)
        if told.sub > ACCOUNTED:
            return
        self.account.take(told)
        if told.op == "live":
            self.live.set()
        self._changed.set()


class Talk:
    """A WebSocket whose messages are answered one by one."""

    def __init__(self, truth: Truth | None = None) -> None:
        self.truth = truth or Truth()
        self.got: asyncio.Queue[Told] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[Told]] = {}
        self._ids = iter(range(1, 1 << 40))

    @classmethod
    async def connect(cls, port: int, token: str = "", truth: Truth | None = None, **how: Any) -> Self:
        talk = cls(truth)
        talk.link = await Link.connect(port, talk._take, token=token, **how)
        talk.link.ended.add_done_callback(talk._over)
        return talk

    link: Link

    async def ask(self, message: Mapping[str, Any], within_s: float = ANSWER_S) -> Told:
        """The answer to it; raises ConnectionError when the connection ends before, and TimeoutError."""
        if self.link.ended.done():
            raise ConnectionError(self.link.ended.result())
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self.link.send({**message, "id": number})
            async with asyncio.timeout(within_s):
                return await answer
        finally:
            self._answers.pop(number, None)

    async def publish(self, channel: str, summary: str, **fields: Any) -> Told:
        """Told when it is kept, and then written down as a promise."""
        event = {"channel": channel, "kind": "stress", "summary": summary, **fields}
        answer = await self.ask({"op": "publish", "event": event})
        if answer.op == "published":
            self.truth.published(channel, answer.seq, answer.event, summary)
        return answer

    async def next(self, within_s: float = ANSWER_S) -> Told:
        """The next frame that is no answer to `ask`."""
        async with asyncio.timeout(within_s):
            return await self.got.get()

    def _take(self, message: bytes) -> None:
        told = self.truth.read(message)
        answer = self._answers.get(told.id) if told.id is not None else None
        if answer is not None and not answer.done():
            answer.set_result(told)
        else:
            self.got.put_nowait(told)

    def _over(self, ended: asyncio.Future[int]) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(ended.result()))


class Publishers:
    """Several connections that publish at a rate together until they are stopped; they come back when the server does."""

    def __init__(
        self,
        port: int,
        token: str,
        truth: Truth,
        rate: float,
        *,
        lines: int = 8,
        channels: Sequence[str] = ("runs",),
        pad: int = 0,
        name: str = "p",
    ) -> None:
        self.unsure = 0
        """How many were sent and not answered: kept or not, nobody was told."""
        self.refused = 0
        self.sent = 0
        self._port, self._token, self._truth = port, token, truth
        self._interval_s = lines / rate
        self._name = name
        self._channels = channels
        self._fields = {"context": {"pad": "x" * pad}} if pad else {}
        self._numbers = [0] * lines
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._line(line)) for line in range(len(self._numbers))]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """What is on its way is answered before."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _line(self, line: int) -> None:
        while not self._stop.is_set():
            with suppress(OSError, Refused, TimeoutError):
                talk = await Talk.connect(self._port, self._token, self._truth)
                try:
                    await self._publish(talk, line)
                finally:
                    talk.link.drop()
            await asyncio.sleep(0.02)

    async def _publish(self, talk: Talk, line: int) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._interval_s * line / len(self._numbers)
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            due_s = max(due_s + self._interval_s, loop.time() - 0.5)
            number = self._numbers[line]
            self._numbers[line] += 1
            self.sent += 1
            try:
                answer = await talk.publish(
                    self._channels[number % len(self._channels)],
                    f"{self._name}{line} {number}",
                    **self._fields,
                )
            except (OSError, TimeoutError):
                self.unsure += 1
                raise
            self.refused += answer.op != "published"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a refusal in our own shape, else nothing."""
        with suppress(ValueError, AttributeError, TypeError):
            told = self.json
            if all(isinstance(told.get(name), str) and told[name] for name in ("code", "message", "hint")):
                return told["code"]
        return ""


async def exchange(port: int, *parts: bytes, within_s: float = ANSWER_S, pause_s: float = 0.0) -> bytes:
    """Send the parts, and return all that comes until the server closes or the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(within_s):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(pause_s)
                while more := await reader.read(1 << 16):
                    got += more
    finally:
        writer.close()
    return got


def request(port: int, method: str, path: str, body: bytes = b"", headers: Headers = NO_HEADERS) -> bytes:
    given = {"Host": f"127.0.0.1:{port}", "Connection": "close", **headers}
    if body and "Content-Length" not in given and "Transfer-Encoding" not in given:
        given["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogatepass") + body


def answer_of(got: bytes) -> Answer:
    """Status 0 when there was none."""
    head, _, body = got.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    status = int(text.split(" ", 2)[1]) if text.startswith("HTTP/1.") else 0
    if "transfer-encoding: chunked" in text.lower():
        body = _joined(body)
    return Answer(status, text, body)


async def ask(
    port: int,
    method: str,
    path: str,
    *,
    token: str = "",
    body: Any = None,
    headers: Headers = NO_HEADERS,
    within_s: float = ANSWER_S,
) -> Answer:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {**bearer(token), **({"Content-Type": "application/json"} if data else {}), **headers}
    return answer_of(await exchange(port, request(port, method, path, data, given), within_s=within_s))


def _joined(body: bytes) -> bytes:
    """The chunks as far as they came."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        if not length:
            break
        whole += rest[:length]
        body = rest[length + 2 :]
    return whole
