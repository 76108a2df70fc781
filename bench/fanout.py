"""What it costs to tell every event to many clients: CPU a delivery, latency, memory a connection, and whether any was lost."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from _rig import Must, arguments, percentile, report, spread
from _stream import (
    ROOMY,
    SEQ,
    STAMP,
    Checker,
    Child,
    Counting,
    child,
    fields_of,
    lags_ms,
    machine,
    obey,
    paced,
    pin,
    publishing,
    rounded,
    serve_ours,
)
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

SERVER_CORE, CLIENT_CORE = 0, 1
WARM_UP_S = 0.4
DRAIN_S = 1.5  # who has not delivered then is behind for good at this rate
CHECKERS = 3
SUBSCRIBE = b'{"op":"subscribe","id":1,"channels":["errors"],"throttle_ms":0}'


@dataclass(frozen=True, slots=True)
class SetUp:
    clients: int
    rate: int

    @property
    def name(self) -> str:
        return f"{self.clients}x{self.rate}"


SET_UPS = (SetUp(100, 1000), SetUp(1000, 100))
ROUNDS, QUICK_ROUNDS = (7, 5.0), (2, 1.0)  # how many, and the seconds of each


# --- what most people write --------------------------------------------------------------------------------------------


def naive_app(queues: set[asyncio.Queue[dict[str, Any]]]) -> FastAPI:
    app = FastAPI()

    @app.websocket("/v1/stream")
    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                await websocket.send_json(await queue.get())
        except WebSocketDisconnect:
            pass
        finally:
            queues.discard(queue)

    return app


def serve_naive(pipe: Pipe, core: int) -> None:
    pin(core)
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve_naive(pipe))


async def _serve_naive(pipe: Pipe) -> None:
    queues: set[asyncio.Queue[dict[str, Any]]] = set()

    def tell(index: int) -> None:
        event = fields_of(index)
        for queue in queues:
            queue.put_nowait(event)

    async def publish(rate: int, first: int, count: int) -> None:
        await paced(tell, rate, first, count)

    async def drop() -> None:
        for queue in queues:
            while not queue.empty():
                queue.get_nowait()

    # Nobody here answers pings; apart from that it is what `uvicorn app:app` does.
    config = uvicorn.Config(naive_app(queues), log_config=None, access_log=False, ws_ping_interval=None)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    serving = asyncio.create_task(uvicorn.Server(config).serve([listening]))
    await obey(pipe, listening.getsockname()[1], {"publish": publish, "drop": drop})
    serving.cancel()
    os._exit(0)  # else every one of its clients is a traceback


# --- nginx with nchan --------------------------------------------------------------------------------------------------

NCHAN = """
load_module {module};
{user}
daemon off;
master_process off;
error_log stderr crit;
pid {folder}/pid;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location = /v1/stream {{
      nchan_subscriber websocket; nchan_channel_id all; nchan_subscriber_first_message newest;
    }}
    location = /publish {{ nchan_publisher http; nchan_channel_id all; nchan_message_buffer_length 2000; }}
  }}
}}
"""


def nchan_module() -> tuple[str, Path] | None:
    """nginx and the module, where both are installed."""
    nginx = shutil.which("nginx")
    if nginx is None:
        return None
    module = Path(nginx).parents[1] / "lib/nginx/modules/ngx_nchan_module.so"
    return (nginx, module) if module.exists() else None


def serve_nchan(pipe: Pipe, core: int) -> None:
    """Publishes from here, on the core of the clients; the nginx on the other one is what is measured."""
    found = nchan_module()
    assert found
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="fc-bench-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        user = "user root;" if os.getuid() == 0 else ""
        conf = Path(folder) / "nginx.conf"
        conf.write_text(NCHAN.format(module=found[1], folder=folder, port=port, user=user))
        pinned = pin(core)
        command = [found[0], "-p", folder, "-c", str(conf), "-e", "stderr"]
        nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        if pinned:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
            pin(CLIENT_CORE)
        try:
            uvloop.run(_publish_to_nchan(pipe, port, nginx.pid))
        finally:
            nginx.kill()
            nginx.wait()


async def _publish_to_nchan(pipe: Pipe, port: int, pid: int) -> None:
    reader, writer = await _when_it_listens(port)
    reading = asyncio.create_task(_read_on(reader))

    def tell(index: int) -> None:
        body = json.dumps(fields_of(index), separators=(",", ":")).encode()
        head = b"POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)

    async def publish(rate: int, first: int, count: int) -> None:
        await paced(tell, rate, first, count)

    await obey(pipe, port, {"publish": publish}, pid)
    reading.cancel()


async def _when_it_listens(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(100):
        with suppress(ConnectionRefusedError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)
    raise TimeoutError("nginx does not listen")


async def _read_on(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


# --- clients -----------------------------------------------------------------------------------------------------------


class Close(Checker):
    """Looks closely: keeps account of every frame."""

    def __init__(self, path: str, hello: bytes, lags: list[float]) -> None:
        super().__init__(path, hello, on_batch=self._on_batch)
        self.count = 0
        self.last_ns = 0
        self.lags = lags

    def _on_batch(self, payload: bytes) -> None:
        self.count += payload.count(SEQ)
        self.last_ns = now_ns = time.monotonic_ns()
        if STAMP in payload:
            self.lags += lags_ms(payload, now_ns)


@dataclass(slots=True)
class Crowd:
    """All clients of one server; some of them look closely."""

    lags: list[float]
    clients: list[Counting | Close]

    @property
    def counts(self) -> list[int]:
        return [client.count for client in self.clients]

    @property
    def broken(self) -> list[str]:
        return [
            problem
            for client in self.clients
            if isinstance(client, Close)
            for problem in client.account.broken
        ]

    @classmethod
    async def gather(cls, port: int, size: int, checkers: int, hello: bytes) -> Crowd:
        lags: list[float] = []
        kinds = [Close] * checkers + [Counting] * (size - checkers)
        crowd = cls(lags, [])
        for first in range(0, size, 50):
            some = [kind.connect(port, "/v1/stream", hello, lags) for kind in kinds[first : first + 50]]
            crowd.clients += await asyncio.gather(*some)
        return crowd

    def begin(self) -> None:
        self.lags.clear()
        for client in self.clients:
            client.count = 0

    async def until(self, wanted: int, limit_s: float) -> bool:
        """Whether every client had so many events in time."""
        ends_s = time.monotonic() + limit_s
        while min(self.counts) < wanted:
            if time.monotonic() > ends_s or any(client.closed for client in self.clients):
                return False
            await asyncio.sleep(0.02)
        return True

    async def quiet(self) -> None:
        before = -1
        while (now := sum(self.counts)) != before:
            before = now
            await asyncio.sleep(0.3)


# --- a run -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Contender:
    """A server, its clients, and what was measured of them."""

    name: str
    server: Child
    crowd: Crowd
    kb_per_connection: float
    told: int = 0
    lost: int = 0
    rounds: list[Round] = field(default_factory=list)

    async def round(self, rate: int, length_s: float) -> Round:
        await self._window(rate, WARM_UP_S)
        measured = await self._window(rate, length_s)
        self.rounds.append(measured)
        return measured

    async def _window(self, rate: int, length_s: float) -> Round:
        crowd, count = self.crowd, int(rate * length_s)
        crowd.begin()
        cpu_s, began_ns = self.server.cpu_s, time.monotonic_ns()
        messages = await self.server.ask("publish", rate, self.told, count)
        self.told += count
        in_time = await crowd.until(count, DRAIN_S)
        cpu_s = self.server.cpu_s - cpu_s
        delivered = sum(crowd.counts)
        took_s = (max(client.last_ns for client in crowd.clients) - began_ns) / 1e9
        measured = Round(
            delivered / took_s,
            1e6 * cpu_s / max(1, delivered),
            delivered / messages if messages else 1.0,
            list(crowd.lags),
        )
        if not in_time:
            if self.name == "naive":
                await self.server.ask("drop")
            await crowd.quiet()
        self.lost += sum(count - had for had in crowd.counts)
        return measured

    def figures(self) -> dict[str, Any]:
        lags = [lag for one in self.rounds for lag in one.lags] or [float("inf")]
        return {
            "us_per_delivery": spread([one.us for one in self.rounds]),
            "events_per_message": round(statistics.median(one.events_per_message for one in self.rounds), 1),
            "deliveries_per_s": round(statistics.median(one.per_s for one in self.rounds)),
            "p50_ms": rounded(percentile(lags, 0.5)),
            "p99_ms": rounded(percentile(lags, 0.99)),
            "lost": self.lost,
            "kb_per_connection": round(self.kb_per_connection, 1),
            "chain_broken": len(self.crowd.broken),
        }


@dataclass(frozen=True, slots=True)
class Round:
    per_s: float
    us: float
    events_per_message: float
    lags: list[float]


@asynccontextmanager
async def contender(name: str, set_up: SetUp) -> AsyncGenerator[Contender]:
    if name in OTHERS:
        serving, checkers, hello = child(OTHERS[name], SERVER_CORE), 0, b""
    else:
        settings = {**ROOMY, "journal": name, "throttle_ms": 0}
        serving, checkers, hello = child(serve_ours, settings, publishing, SERVER_CORE), CHECKERS, SUBSCRIBE
    async with serving as server:
        before_mb = server.rss_mb
        crowd = await Crowd.gather(server.port, set_up.clients, checkers, hello)
        await asyncio.sleep(0.3)
        kb = (server.rss_mb - before_mb) * 1024 / set_up.clients
        yield Contender(name, server, crowd, kb)
        for client in crowd.clients:
            client.transport.abort()


OURS = ("sqlite", "memory")
OTHERS = {"naive": serve_naive, "nchan": serve_nchan}


def contenders() -> list[str]:
    return [*OURS, "naive", *(["nchan"] if nchan_module() else [])]


async def measure(rounds: int, length_s: float) -> dict[str, Any]:
    names = contenders()
    figures: dict[str, Any] = {
        "machine": machine(),
        "pinned": pin(CLIENT_CORE),
        "nchan": "measured" if "nchan" in names else "not installed",
    }
    for set_up in SET_UPS:
        async with AsyncExitStack() as stack:
            all_ = [await stack.enter_async_context(contender(name, set_up)) for name in names]
            for turn in range(rounds):
                for one in all_ if turn % 2 else reversed(all_):
                    await one.round(set_up.rate, length_s)
            figures[set_up.name] = figures_of(all_)
    return figures


def figures_of(all_: Sequence[Contender]) -> dict[str, Any]:
    by_name = {one.name: one for one in all_}
    ours = by_name[OURS[0]].rounds
    ratios = {
        f"{name}_to_{OURS[0]}": spread(
            [theirs.us / mine.us for theirs, mine in zip(one.rounds, ours, strict=True)]
        )
        for name, one in by_name.items()
        if name != OURS[0]
    }
    return {**{name: one.figures() for name, one in by_name.items()}, **ratios}


def musts_of(figures: dict[str, Any]) -> list[Must]:
    mine = {set_up.name: [figures[set_up.name][name] for name in OURS] for set_up in SET_UPS}
    return [
        *(
            Must(f"us_per_delivery_{name}", max(one["us_per_delivery"]["median"] for one in of), 3.0)
            for name, of in mine.items()
        ),
        Must("lost", sum(abs(one["lost"]) for of in mine.values() for one in of), 0),
        Must("chain_broken", sum(one["chain_broken"] for of in mine.values() for one in of), 0),
    ]


def main() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = uvloop.run(measure(*(QUICK_ROUNDS if arguments(__doc__).quick else ROUNDS)))
    for set_up in SET_UPS:
        for name in contenders():
            print(f"{set_up.name} {name}: {json.dumps(figures[set_up.name][name])}")
    return report("fanout", figures, musts_of(figures))


if __name__ == "__main__":
    sys.exit(main())
