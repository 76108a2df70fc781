"""What a long session costs: very many events to 20 subscribers of every kind, each of which accounts for every event that it wants."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
import uvloop
from _rig import Must, arguments, report
from _stream import (
    Account,
    Checker,
    Child,
    Frame,
    Handler,
    Wanted,
    child,
    fields_of,
    frame_of,
    machine,
    pin,
    rss_mb,
    serve_ours,
)

from firstcause.api.server import Server
from firstcause.correlator.event import Event

EVENTS, QUICK_EVENTS = 1_000_000, 60_000
CHANNELS = ("errors", "network_errors", "activity")
PACED = 1
"""The id of the subscriptions that the publisher waits for: they want every event at once, and shall lose none."""
PACE_EVENTS = 60
SAMPLES = 120
SETTLE_S = 30.0
PAUSE_S, READ_S = 2.0, 1.0  # of the reader that stalls, and the one that mutes
STAY_S = 2.0  # of the one that comes back
WARM_UP = 0.4  # the share of all events after which memory has to be flat

# An event that is kept by mistake takes 900 bytes and more, 86 MB per 100,000. The limit is that of forgetting five bytes an
# event; in the quick form one step of the allocator weighs 3 MB, so there it is a ninth of an event.
SLOPE_MB, QUICK_SLOPE_MB = 0.5, 10.0
RSS_MB = 150.0


# --- events ------------------------------------------------------------------------------------------------------------

KINDS = ("http_5xx", "http_4xx", "uncaught_error", "console_error", "slow_request")


def event_at(index: int) -> Event:
    """What it is follows from its seq in its channel, so that every subscriber knows what it has to get."""
    seq = index // len(CHANNELS) + 1
    fields = fields_of(index, channel=CHANNELS[index % len(CHANNELS)], kind=KINDS[seq % len(KINDS)])
    fields["severity"] = "critical" if seq % 1000 == 0 else "medium" if seq % 2 == 0 else "low"
    fields["context"]["url"] = (
        "https://shop.example/api/cart" if seq % 10 == 0 else "https://shop.example/api/items"
    )
    return Event(**fields)


def ends_after(events: int) -> dict[str, int]:
    return {
        channel: (events - at + len(CHANNELS) - 1) // len(CHANNELS) for at, channel in enumerate(CHANNELS)
    }


FILTERS: tuple[tuple[dict[str, Any], Wanted], ...] = (
    ({"include": {"url": ["/api/cart"]}}, Wanted(10, (0,))),
    ({"include": {"kind": ["http_*"]}}, Wanted(5, (0, 1))),
    ({"min_severity": "medium"}, Wanted(2, (0,))),
)


# --- the server --------------------------------------------------------------------------------------------------------


def soaking(server: Server) -> Mapping[str, Handler]:
    hub = server.service.hub

    def behind() -> int:
        return max(
            (
                subscription.lag
                for connected in server.service.connected
                for subscription in connected.pump.subscriptions
                if subscription.sub == PACED
            ),
            default=0,
        )

    async def rush(count: int) -> list[tuple[int, float]]:
        """Publish as fast as the paced readers read; how much memory was taken after how many events."""
        samples: list[tuple[int, float]] = []
        for first in range(0, count, PACE_EVENTS):
            for index in range(first, min(count, first + PACE_EVENTS)):
                server.publish(event_at(index))
            await hub.kept()
            while behind() > hub.limits.ring_events // 2:  # noqa: ASYNC110 - nobody says when that changes
                await asyncio.sleep(0.001)
            if len(samples) * count <= first * SAMPLES:
                samples.append((first, rss_mb()))
        return samples

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    return {"rush": rush, "tasks": tasks}


# --- subscribers -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Subscriber:
    """One of the twenty: its account, and what it does until it is told to end."""

    name: str
    account: Account
    act: Callable[[Subscriber, int], Coroutine[Any, Any, None]]
    spec: dict[str, Any]
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def hello(self, sub: int, cursor: str = "") -> bytes:
        return json.dumps(
            {"op": "subscribe", "id": sub, "channels": CHANNELS, **self.spec, "cursor": cursor}
        ).encode()

    def query(self, **more: Any) -> str:
        return urlencode({"channels": ",".join(CHANNELS), "throttle_ms": self.spec["throttle_ms"], **more})

    async def for_s(self, seconds: float) -> bool:
        """Whether it goes on after that time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ending.wait(), seconds)
        return not self.ending.is_set()

    async def socket(self, port: int, sub: int = 2, receive_bytes: int = 0) -> Checker:
        hello = self.hello(sub, self.account.cursor)
        return await Checker.connect(port, "/v1/stream", hello, self.account, receive_bytes=receive_bytes)


async def read(one: Subscriber, port: int) -> None:
    paced = one.spec["throttle_ms"] == 0 and len(one.spec) == 1
    socket = await one.socket(port, PACED if paced else 2)
    await one.ending.wait()
    socket.transport.abort()


async def stall(one: Subscriber, port: int) -> None:
    socket = await one.socket(port, receive_bytes=16 * 1024)
    while await one.for_s(READ_S):
        socket.transport.pause_reading()
        await one.for_s(PAUSE_S)
        socket.transport.resume_reading()
    socket.transport.abort()


async def mute(one: Subscriber, port: int) -> None:
    socket = await one.socket(port)
    while await one.for_s(READ_S):
        socket.say(b'{"op":"mute","sub":2}')
        await one.for_s(PAUSE_S)
        socket.say(b'{"op":"unmute","sub":2}')
    socket.transport.abort()


async def come_back(one: Subscriber, port: int) -> None:
    going_on = True
    while going_on:
        socket = await one.socket(port)
        going_on = await one.for_s(STAY_S)
        socket.transport.abort()


async def sse(one: Subscriber, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/v1/stream?" + one.query()))
    reading = asyncio.create_task(read_sse(reader, one.account))
    await one.ending.wait()
    reading.cancel()
    await asyncio.wait({reading})
    writer.transport.abort()


async def read_sse(reader: asyncio.StreamReader, account: Account) -> None:
    await reader.readuntil(b"\r\n\r\n")
    rest = b""
    while size := int(await reader.readline(), 16):
        *events, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n\n")
        for event in events:
            _, data, text = event.partition(b"data: ")
            if data:
                account.take(frame_of(text))


class Polled(msgspec.Struct):
    cursor: str
    frames: list[Frame]


polled_of = msgspec.json.Decoder(Polled).decode


async def poll(one: Subscriber, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not one.ending.is_set():
        writer.write(request("/v1/events?" + one.query(cursor=one.account.cursor, wait=1)))
        answer = polled_of(await body_of(reader))
        for frame in answer.frames:
            one.account.take(frame)
        one.account.cursor = answer.cursor
    writer.close()


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def body_of(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(size)


async def stats(port: int) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/v1/stats"))
    answer = json.loads(await body_of(reader))
    writer.close()
    return answer


def twenty() -> list[Subscriber]:
    """3 + 2 + 3 WebSockets by throttle, 3 with filters, one each that stalls, mutes and comes back, 3 SSE, 3 long-poll."""
    throttles = (0, 0, 0, 100, 100, 1000, 1000, 1000)
    plain = [Subscriber(f"websocket_{ms}", Account(), read, {"throttle_ms": ms}) for ms in throttles]
    filtered = [
        Subscriber(f"filter_{ms}", Account(wanted), read, {"throttle_ms": ms, **spec})
        for ms, (spec, wanted) in zip((0, 100, 1000), FILTERS, strict=True)
    ]
    odd = [
        Subscriber("stalls", Account(), stall, {"throttle_ms": 0}),
        Subscriber("mutes", Account(), mute, {"throttle_ms": 100}),
        Subscriber("comes_back", Account(), come_back, {"throttle_ms": 0}),
    ]
    others = [
        Subscriber(f"{act.__name__}_{ms}", Account(), act, {"throttle_ms": ms})
        for act in (sse, poll)
        for ms in (0, 100, 1000)
    ]
    return [*plain, *filtered, *odd, *others]


@asynccontextmanager
async def subscribed(port: int, everyone: Sequence[Subscriber]) -> AsyncGenerator[None]:
    acts = [asyncio.create_task(one.act(one, port)) for one in everyone]
    while not all(one.account.cursor for one in everyone):
        await asyncio.sleep(0.05)
        for act in acts:
            if act.done():
                act.result()
    yield
    for one in everyone:
        one.ending.set()
    await asyncio.gather(*acts)


async def until(is_so: Callable[[], bool], limit_s: float = SETTLE_S) -> None:
    ends_s = time.monotonic() + limit_s
    while not is_so() and time.monotonic() < ends_s:  # noqa: ASYNC110 - nobody says when that changes
        await asyncio.sleep(0.1)


# --- a run -------------------------------------------------------------------------------------------------------------


async def measure(events: int) -> dict[str, Any]:
    pin(1)
    everyone = twenty()
    ends = ends_after(events)
    loaded = machine()
    async with child(serve_ours, {}, soaking, 0) as server:
        await stats(server.port)
        await asyncio.sleep(0.5)
        before = (await server.ask("tasks"), server.sockets)
        async with subscribed(server.port, everyone):
            began_s, cpu_s = time.monotonic(), server.cpu_s
            samples: list[tuple[int, float]] = await server.ask("rush", events)
            took_s = time.monotonic() - began_s
            cpu_s = server.cpu_s - cpu_s
            await until(lambda: not any(one.account.unaccounted(ends) for one in everyone))
        after = await settled(server, before)
        told = await stats(server.port)
    return {
        "machine": loaded,
        "events": events,
        "events_per_s": round(events / took_s),
        "server_cpu_us_per_event": round(1e6 * cpu_s / events, 1),
        "rss_mb": {"start": round(samples[0][1], 1), "max": round(max(mb for _, mb in samples), 1)},
        "slope_mb_per_100k": round(slope([one for one in samples if one[0] >= WARM_UP * events]), 3),
        "subscribers": {
            f"{at:02d}_{one.name}": account_figures(one.account, ends) for at, one in enumerate(everyone)
        },
        "broken": [problem for one in everyone for problem in one.account.broken][:10],
        "tasks_left": after[0] - before[0],
        "sockets_left": after[1] - before[1],
        "subscribers_left": sum(told["subscribers"].values()) + told["subscriptions"],
        "journal": told["journal"],
    }


async def settled(server: Child, before: tuple[int, int]) -> tuple[int, int]:
    """Tasks and sockets of the server, as soon as they are no more than before."""
    after = before
    for _ in range(50):
        after = (await server.ask("tasks"), server.sockets)
        if after[0] <= before[0] and after[1] <= before[1]:
            break
        await asyncio.sleep(0.2)
    return after


def account_figures(account: Account, ends: Mapping[str, int]) -> dict[str, int]:
    figures = {
        "inline": account.inline,
        "digested": account.digested,
        "in_gaps": account.lost,
        "unaccounted": account.unaccounted(ends),
        "broken": len(account.broken),
        "resumed": account.resumed,
    }
    return {name: count for name, count in figures.items() if count}


def slope(samples: Sequence[tuple[int, float]]) -> float:
    """MB per 100,000 events, as the median of the slopes between all pairs: one step of the allocator does not tilt it."""
    return statistics.median(
        (mb - earlier_mb) / (count - earlier) * 100_000
        for at, (count, mb) in enumerate(samples)
        for earlier, earlier_mb in samples[:at]
    )


def musts_of(figures: dict[str, Any], slope_mb: float) -> list[Must]:
    accounts = figures["subscribers"].values()
    return [
        Must("rss_mb", figures["rss_mb"]["max"], RSS_MB),
        Must("slope_mb_per_100k", figures["slope_mb_per_100k"], slope_mb),
        Must("unaccounted", sum(abs(one.get("unaccounted", 0)) for one in accounts), 0),
        Must("broken", sum(one.get("broken", 0) for one in accounts), 0),
        *(Must(name, figures[name], 0) for name in ("tasks_left", "sockets_left", "subscribers_left")),
    ]


def main() -> int:
    quick = arguments(__doc__).quick
    figures = uvloop.run(measure(QUICK_EVENTS if quick else EVENTS))
    for name, account in figures["subscribers"].items():
        print(f"{name}: {account}")
    return report("soak", figures, musts_of(figures, QUICK_SLOPE_MB if quick else SLOPE_MB))


if __name__ == "__main__":
    sys.exit(main())
