"""What the benchmarks of the stream share: the real server in a process of its own, events to publish, sockets by hand, accounting."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

import msgspec
import uvloop
from _rig import cpu_clock_of

from firstcause.api.server import Server
from firstcause.api.settings import load
from firstcause.correlator.event import Event

ANSWER_S = 300.0
SEQ = b'"seq":'
"""Once in every event on the wire, and nowhere else."""
STAMP = b'"at_ns":'
STAMP_DIGITS = 19
STAMPED = (
    17  # every so many; a prime, so that the ticks of a server do not always meet the same part of a group
)

Handler = Callable[..., Awaitable[Any]]


# --- events ------------------------------------------------------------------------------------------------------------


def fields_of(index: int, **fields: Any) -> dict[str, Any]:
    """An event like most: about 430 bytes on the wire, in the channel `errors` unless `fields` say other."""
    stamp = "at_ns" if index % STAMPED == 0 else "no_ns"
    return {
        "id": f"019aa5e2-0000-7000-8000-{index:012x}",
        "seq": 0,
        "timestamp": "2026-11-21T08:56:10.123Z",
        "project": "default",
        "session": "019aa5e1-7c2f-7b6e-8a51-5d1f0c9b3e77",
        "page": "p1",
        "channel": "errors",
        "type": "error",
        "kind": "http_5xx",
        "severity": "medium",
        "summary": "GET /api/cart/items answered 503",
        "context": {
            "url": "https://shop.example/api/cart/items",
            "status": 503,
            stamp: f"{time.monotonic_ns():0{STAMP_DIGITS}d}",
        },
        "fingerprint": "c1f9ae7d02b4",
        "count": 1,
        **fields,
    }


def lags_ms(data: bytes, now_ns: int) -> list[float]:
    """How old the stamped events in these bytes are; one that is cut off is passed over."""
    lags: list[float] = []
    at = data.find(STAMP)
    while at >= 0:
        digits = data[at + len(STAMP) + 1 : at + len(STAMP) + 1 + STAMP_DIGITS]
        if len(digits) == STAMP_DIGITS:
            lags.append((now_ns - int(digits)) / 1e6)
        at = data.find(STAMP, at + 1)
    return lags


# --- processes ---------------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """What a figure has to be read with."""
    return {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


def pin(core: int) -> bool:
    """Keep this process to one core where there are several; whether it is."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return False
    os.sched_setaffinity(0, {cores[core % len(cores)]})
    return True


class Child:
    """A process that serves, and does what it is asked."""

    def __init__(self, pid: int, pipe: Pipe, port: int) -> None:
        self.port = port
        self._pid = pid
        self._pipe = pipe

    @property
    def cpu_s(self) -> float:
        """CPU seconds so far, of all its threads."""
        return time.clock_gettime(cpu_clock_of(self._pid))

    @property
    def rss_mb(self) -> float:
        return rss_mb(self._pid)

    @property
    def sockets(self) -> int:
        count = 0
        for descriptor in Path(f"/proc/{self._pid}/fd").iterdir():
            with suppress(OSError):
                count += str(descriptor.readlink()).startswith("socket:")
        return count

    async def ask(self, what: str, *arguments: Any) -> Any:
        self._pipe.send((what, arguments))
        async with asyncio.timeout(ANSWER_S):
            return await asyncio.to_thread(self._pipe.recv)


def rss_mb(pid: int | str = "self") -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@asynccontextmanager
async def child(target: Callable[..., None], *arguments: Any) -> AsyncGenerator[Child]:
    """`target` gets a pipe and the arguments; the first that it sends is its port, and which process serves there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        port, pid = await asyncio.to_thread(ours.recv)
        yield Child(pid, ours, port)
    finally:
        ours.close()
        await asyncio.to_thread(process.join, 10)
        process.kill()
        process.join()


async def obey(pipe: Pipe, port: int, orders: Mapping[str, Handler], pid: int = 0) -> None:
    """Do what comes through the pipe until its other end is closed."""
    pipe.send((port, pid or os.getpid()))
    with suppress(EOFError, ConnectionError):
        while True:
            what, arguments = await asyncio.to_thread(pipe.recv)
            pipe.send(await orders[what](*arguments))


async def paced(tell: Callable[[int], object], rate: int, first: int, count: int) -> None:
    """Tell each event when its time has come."""
    began_s = time.perf_counter()
    told = 0
    while told < count:
        due = min(count, int((time.perf_counter() - began_s) * rate) + 1)
        for index in range(told, due):
            tell(first + index)
        told = due
        await asyncio.sleep(0.001)


# --- the server --------------------------------------------------------------------------------------------------------

ROOMY = {"max_connections": 100_000, "ring_events": 10_000, "ring_mb": 16.0, "stall_s": 3600.0}
"""So that a machine that is busy with other things makes latency worse and not the count."""

Orders = Callable[[Server], Mapping[str, Handler]]


def serve_ours(pipe: Pipe, settings: dict[str, Any], orders: Orders, core: int | None = None) -> None:
    if core is not None:
        pin(core)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="fc-bench-") as scratch:
        uvloop.run(_serve_ours(pipe, {**settings, "state_dir": scratch}, orders))


async def _serve_ours(pipe: Pipe, settings: dict[str, Any], orders: Orders) -> None:
    loaded = load({"auth": "off", **settings}, cwd=Path(settings["state_dir"]), environ={})
    async with Server(loaded.settings) as server:
        port = urlsplit(server.url).port
        assert port
        await obey(pipe, port, orders(server))


def publishing(server: Server) -> Mapping[str, Handler]:
    """The orders of a server that publishes events by itself; the answer comes when they are kept and told."""

    async def publish(rate: int, first: int, count: int) -> int:
        """Answers how many messages that took."""
        hub = server.service.hub
        before = hub.tallies["notifications"]
        await paced(lambda index: server.publish(Event(**fields_of(index))), rate, first, count)
        await hub.kept()
        return hub.tallies["notifications"] - before

    return {"publish": publish}


# --- sockets -----------------------------------------------------------------------------------------------------------


def upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A frame of a client; the mask is all zeros, which leaves the payload as it is."""
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE))
    return head + (size.to_bytes(2, "big") if size >= 126 else b"") + bytes(4) + payload


class Frames:
    """Cuts what a WebSocket server sends into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Opcode and payload of every frame that is whole."""
        data = self._rest + data
        frames: list[tuple[int, bytes]] = []
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
            frames.append((data[at] & 15, data[at + head : at + head + size]))
            at += head + size
        self._rest = data[at:]
        return frames


class Socket(asyncio.Protocol):
    """A WebSocket up to its first frame; what comes then goes to `on_data`."""

    transport: asyncio.Transport

    def __init__(self, path: str, hello: bytes = b"") -> None:
        self._path = path
        self._hello = hello
        self._head: bytes | None = b""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    @classmethod
    async def connect(cls, port: int, *arguments: Any, receive_bytes: int = 0) -> Self:
        loop = asyncio.get_running_loop()
        plug = socket.socket()
        plug.setblocking(False)
        if receive_bytes:  # else the system takes megabytes for a client that does not read
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await loop.sock_connect(plug, ("127.0.0.1", port))
        _, made = await loop.create_connection(lambda: cls(*arguments), sock=plug)
        await made.open
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.transport.write(upgrade(self._path))

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self.on_data(data)
            return
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end:
            self._head = head
        elif not head.startswith(b"HTTP/1.1 101"):
            self.open.set_exception(ConnectionError(head.decode(errors="replace")))
        else:
            self._head = None
            if self._hello:
                self.transport.write(masked(self._hello))
            self.open.set_result(None)
            self.on_data(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.open.done():
            self.open.set_exception(ConnectionError("The server has hung up."))

    def on_data(self, data: bytes) -> None:
        raise NotImplementedError


class Counting(Socket):
    """Only counts the events and reads the stamps, so that a thousand of it cost less than the server that is measured."""

    def __init__(self, path: str, hello: bytes, lags: list[float]) -> None:
        super().__init__(path, hello)
        self.count = 0
        self.last_ns = 0
        self.lags = lags
        self._tail = b""

    def on_data(self, data: bytes) -> None:
        self.count += data.count(SEQ) + (self._tail + data[:5]).count(SEQ)
        self._tail = data[-5:] if len(data) > 4 else (self._tail + data)[-5:]
        self.last_ns = now_ns = time.monotonic_ns()
        if STAMP in data:
            self.lags += lags_ms(data, now_ns)


# --- accounting --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a subscription wants, told by their seqs: those with one of these rests."""

    divisor: int = 1
    rests: tuple[int, ...] = (0,)

    def wants(self, seq: int) -> bool:
        return seq % self.divisor in self.rests

    def count(self, after: int, upto: int) -> int:
        """How many of (after, upto]."""
        return sum((upto - rest) // self.divisor - (after - rest) // self.divisor for rest in self.rests)


class Seen(msgspec.Struct):
    seq: int


class Frame(msgspec.Struct):
    """What is looked at of the frames of a server."""

    op: str
    channel: str = ""
    prev: int = 0
    upto: int = 0
    count: int = 0
    omitted: int = 0
    lost: int = 0
    recovered: bool = False
    reason: str = ""
    message: str = ""
    cursor: str = ""
    positions: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    events: list[Seen] = []


frame_of = msgspec.json.Decoder(Frame).decode


class Account:
    """Where a subscriber's chains of ranges are, and how each event that it wants was told; `broken` says what did not fit."""

    def __init__(self, wanted: Wanted = Wanted()) -> None:
        self.wanted = wanted
        self.cursor = ""
        self.told: dict[str, int] = {}
        self.inline = self.digested = self.lost = self.resumed = 0
        self.broken: list[str] = []
        self._begun: dict[str, int] = {}

    def unaccounted(self, ends: Mapping[str, int]) -> int:
        """Of the events up to these ends: how many are neither inline nor in a digest nor in a gap."""
        wanted = sum(self.wanted.count(self._begun.get(channel, 0), end) for channel, end in ends.items())
        return wanted - self.inline - self.digested - self.lost

    def take(self, frame: Frame) -> None:
        match frame.op:
            case "subscribed":
                self._subscribed(frame)
            case "batch" | "digest":
                self._events(frame)
            case "gap":
                self._gap(frame)
            case "pos":
                for channel, upto in frame.positions.items():
                    self._passes_over(channel, upto)
            case "live" | "muted" | "pong":
                pass
            case _:
                self.broken.append(f"{frame.op} {frame.message}")
        self.cursor = frame.cursor or self.cursor

    def _subscribed(self, frame: Frame) -> None:
        if not self._begun:
            self._begun = dict(frame.positions)
        elif frame.positions != self.told or frame.reason not in ("complete", "evicted"):
            self.broken.append(f"resumed at {frame.positions} after {self.told}: {frame.reason}")
        else:
            self.resumed += 1
        self.told = dict(frame.positions)

    def _events(self, frame: Frame) -> None:
        self._chains(frame)
        seqs = [event.seq for event in frame.events]
        wanted = self.wanted.count(frame.prev, frame.upto)
        if (
            frame.count != wanted
            or len(seqs) != frame.count - frame.omitted
            or seqs != sorted(set(seqs))
            or not all(frame.prev < seq <= frame.upto and self.wanted.wants(seq) for seq in seqs)
            or (frame.op == "digest" and sum(frame.by_severity.values()) != frame.count)
        ):
            self._wrong(frame, f"{len(seqs)} events, {wanted} wanted")
        self.inline += len(seqs)
        self.digested += frame.omitted

    def _gap(self, frame: Frame) -> None:
        self._chains(frame)
        looked_at = frame.upto - frame.lost
        if looked_at < frame.prev or self.wanted.count(frame.prev, looked_at):
            self._wrong(frame, f"{frame.lost} lost")
        self.lost += self.wanted.count(looked_at, frame.upto)

    def _chains(self, frame: Frame) -> None:
        if frame.prev != self.told.get(frame.channel) or frame.upto <= frame.prev:
            self._wrong(frame, f"after {self.told.get(frame.channel)}")
        self.told[frame.channel] = frame.upto

    def _passes_over(self, channel: str, upto: int) -> None:
        if passed := self.wanted.count(self.told[channel], upto):
            self.broken.append(f"pos passes over {passed} of {channel} up to {upto}")
        self.told[channel] = upto

    def _wrong(self, frame: Frame, what: str) -> None:
        self.broken.append(f"{frame.op} {frame.channel} ({frame.prev}, {frame.upto}]: {what}")


class Checker(Socket):
    """Reads every frame into an account, and answers pings."""

    def __init__(
        self,
        path: str,
        hello: bytes,
        account: Account | None = None,
        on_batch: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        super().__init__(path, hello)
        self.account = account or Account()
        self.on_batch = on_batch
        self._frames = Frames()

    def on_data(self, data: bytes) -> None:
        for opcode, payload in self._frames.feed(data):
            if opcode == 1:
                frame = frame_of(payload)
                self.account.take(frame)
                if frame.op == "batch":
                    self.on_batch(payload)
            elif opcode == 9:
                self.transport.write(masked(payload, 10))

    def say(self, message: bytes) -> None:
        self.transport.write(masked(message))


def rounded(value: float, digits: int = 2) -> float:
    return round(value, digits) if math.isfinite(value) else value
