"""What the benchmarks share: a browser of their own with its CPU time, a page server in its own process, figures and musts."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from firstcause.observer.cdp.connection import Connection, Intake
from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import QUIET_FLAGS, running_as_root

ROOT = Path(__file__).resolve().parent.parent
ITEMS = [{"id": i, "name": f"Item {i}", "price": i * 7 % 100, "tags": ["a", "b"]} for i in range(20)]
ANSWER = json.dumps({"items": ITEMS}).encode()
START_TIMEOUT_S = 30.0
STEP_TIMEOUT_S = 60.0
PROFILE = "profile"
# A tab that is not in front must run like one that is: modes are compared by what Chrome does, not by what it puts off.
FLAGS = (
    *QUIET_FLAGS,
    "--headless=new",
    "--disable-gpu",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--no-default-browser-check",
    "--remote-debugging-port=0",
)


# --- figures -----------------------------------------------------------------------------------------------------------


def arguments(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="end within 50 s; fewer rounds, so more noise")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Must:
    """A goal of the design: what was measured, and the limit that it must keep to."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def ok(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def told(self) -> dict[str, Any]:
        return {"is": self.value, "at_least" if self.at_least else "at_most": self.limit, "ok": self.ok}


def report(bench: str, figures: dict[str, Any], musts: Iterable[Must]) -> int:
    """Print the last line; the exit code is 1 when a must is missed."""
    told = {must.name: must.told() for must in musts}
    ok = all(must["ok"] for must in told.values())
    print(json.dumps({"bench": bench, "figures": figures, "must": told, "ok": ok}))
    return 0 if ok else 1


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float], digits: int = 2) -> dict[str, Any]:
    """The median, and between what the middle half of all rounds lies."""
    return {
        "median": round(statistics.median(values), digits),
        "middle_half": [round(percentile(values, 0.25), digits), round(percentile(values, 0.75), digits)],
    }


# --- the browser -------------------------------------------------------------------------------------------------------


class Chrome:
    """A browser in a session of its own, so that all its processes can be found and ended."""

    def __init__(self, process: subprocess.Popen[bytes], ws_url: str, control: Connection) -> None:
        self.ws_url = ws_url
        self._process = process
        self._control = control

    @property
    def http_url(self) -> str:
        return f"http://{urlsplit(self.ws_url).netloc}"

    async def open(self, url: str) -> str:
        """Open a tab without attaching to it; returns its target id."""
        return (await self._control.call("Target.createTarget", {"url": url}))["targetId"]

    async def close(self, target: str) -> None:
        await self._control.call("Target.closeTarget", {"targetId": target})

    def cpu_s(self) -> dict[int, float]:
        """CPU seconds so far of every process of the browser, in nanosecond steps (/proc/PID/stat has only 10 ms)."""
        used: dict[int, float] = {}
        for pid in processes_of_session(self._process.pid):
            with suppress(OSError):  # it has just ended
                used[pid] = time.clock_gettime(cpu_clock_of(pid))
        return used


def cpu_clock_of(pid: int) -> int:
    """What clock_getcpuclockid(3) answers on Linux."""
    return (~pid << 3) | 2


def processes_of_session(session: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                    found.append(int(entry.name))
    return found


def cpu_between(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(used - before.get(pid, 0.0) for pid, used in after.items())


@asynccontextmanager
async def chrome() -> AsyncGenerator[Chrome]:
    if sys.platform != "linux":
        sys.exit("The CPU time of a browser's processes is read from /proc: this benchmark needs Linux.")
    scratch = Path(tempfile.mkdtemp(prefix="fc-bench-"))
    process = await asyncio.to_thread(_start, scratch)
    try:
        ws_url = await asyncio.to_thread(_ws_url, scratch / PROFILE / "DevToolsActivePort")
        control = await Connection.open(ws_url, Intake(()))
        yield Chrome(process, ws_url, control)
        await control.close()
    finally:
        _end(process, scratch)


def _start(scratch: Path) -> subprocess.Popen[bytes]:
    flags = [*FLAGS, "--no-sandbox"] if running_as_root() else [*FLAGS]
    return subprocess.Popen(
        [find_browser().path, *flags, f"--user-data-dir={scratch / PROFILE}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(scratch)},
        start_new_session=True,
    )


def _ws_url(port_file: Path) -> str:
    ends_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends_s:
        with suppress(OSError, ValueError):
            port, path = port_file.read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(0.05)
    sys.exit(f"The browser was not ready within {START_TIMEOUT_S:g} s.")


def _end(process: subprocess.Popen[bytes], scratch: Path) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(50):
        shutil.rmtree(scratch, ignore_errors=True)
        if not scratch.exists():
            break
        time.sleep(0.1)


# --- the server --------------------------------------------------------------------------------------------------------


class PageServer:
    """A page server in a process of its own, so that its work is in nobody's figures.

    A page asks `/next?run=R` what to do and tells there what came of the last thing; `step` tells it and waits for that.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def step(self, run: str, task: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the page says next; with a task: after it was given that."""
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return json.loads(await self._post(f"/step?run={run}", json.dumps(task).encode()))

    async def _post(self, path: str, body: bytes) -> bytes:
        at = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body)
        _, answer = await _read_message(reader)
        writer.close()
        return answer


@asynccontextmanager
async def page_server(pages: dict[str, str]) -> AsyncGenerator[PageServer]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(pages, theirs), daemon=True)
    process.start()
    try:
        port = await asyncio.to_thread(ours.recv)
        yield PageServer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.join()


def serve(pages: dict[str, str], port_to: Pipe) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_Served(pages).run(port_to))


class _Served:
    def __init__(self, pages: dict[str, str]) -> None:
        self._pages = pages
        self._tasks: dict[str, asyncio.Queue[bytes]] = defaultdict(asyncio.Queue)
        self._said: dict[str, asyncio.Queue[bytes]] = defaultdict(asyncio.Queue)

    async def run(self, port_to: Pipe) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=512)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head, body = await _read_message(reader)
                target = urlsplit(head.split(" ", 2)[1])
                kind, answer = await self._answer(target.path, parse_qs(target.query), body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\nCache-Control: no-store\r\n"
                    b"Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n\r\n%b"
                    % (kind, len(answer), answer)
                )
                await writer.drain()
        writer.close()

    async def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[bytes, bytes]:
        run = query.get("run", [""])[0]
        if path == "/next":
            self._said[run].put_nowait(body)
            return b"application/json", await self._tasks[run].get()
        if path == "/step":
            if body != b"null":
                self._tasks[run].put_nowait(body)
            return b"application/json", await self._said[run].get()
        if path.startswith("/api/"):
            return b"application/json", ANSWER
        return b"text/html; charset=utf-8", self._pages.get(path, "").encode()


async def _read_message(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Head and body of a request or an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    return head, await reader.readexactly(int(fields.get("content-length", 0)))
