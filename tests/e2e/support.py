"""What the end-to-end tests stand on: a tiny site, a raw Chromium, a second CDP client, and a place where signals can be awaited."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal as signals
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal
from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import QUIET_FLAGS, running_as_root

T = TypeVar("T")

PATIENCE_S = 20.0
RAW_FLAGS = ("--headless=new", "--disable-gpu", "--disable-breakpad", *QUIET_FLAGS)


class Bell:
    """Rings whenever something happened; whoever waits then looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def until(
        self, condition: Callable[[], T], timeout_s: float = PATIENCE_S, what: str | Callable[[], str] = ""
    ) -> T:
        """What `condition` gives as soon as it is true; `what` says what was missed, once it was."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := condition()):
                    await self._rung.wait()
                return found
        except TimeoutError:
            missed = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {timeout_s:g} s: {missed}") from None


class Hit(NamedTuple):
    """One request that arrived at the site."""

    path: str
    query: dict[str, str]
    host: str
    wall_ms: float


class Answer(NamedTuple):
    body: str | bytes
    type: str = "text/html"
    headers: dict[str, str] = {}
    status: str = "200 OK"


Route = str | Answer | Callable[[Hit], Awaitable[str | Answer]]


class Site:
    """A server on loopback with the routes of one test; `url` and `alt` name it as two different sites."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.hits: list[Hit] = []
        self.bell = Bell()
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def alt(self, path: str = "/") -> str:
        return f"http://localhost:{self.port}{path}"

    def page(self, path: str, script: str = "", body: str = "") -> str:
        """Serve a page that is little more than a script, and give its address."""
        self.routes[path] = (
            f"<!doctype html><title>{path}</title><link rel=icon href=data:,><body>{body}<script>{script}</script>"
        )
        return self.url(path)

    def script(self, path: str, text: str) -> str:
        self.routes[path] = Answer(text, "text/javascript", {"Cache-Control": "no-store"})
        return self.url(path)

    def all(self, path: str, **query: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path == path and query.items() <= hit.query.items()]

    async def hit(self, path: str, count: int = 1, timeout_s: float = PATIENCE_S, **query: str) -> Hit:
        """The `count`-th request for `path`, also if it has come already."""
        enough = lambda: len(self.all(path, **query)) >= count  # noqa: E731
        await self.bell.until(
            enough,
            timeout_s,
            lambda: f"{count} × {path} {query}; came: {[hit.path for hit in self.hits[-20:]]}",
        )
        return self.all(path, **query)[count - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._answer(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if length := re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE):
            await reader.readexactly(int(length[1]))
        target = head.split(b" ", 2)[1].decode()
        host = re.search(rb"host:\s*([^\r:]+)", head, re.IGNORECASE)
        asked = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        hit = Hit(asked.path, query, host[1].decode() if host else "", time.time() * 1000)
        self.hits.append(hit)
        self.bell.ring()
        route = self.routes.get(asked.path, Answer("", "text/plain", {"Access-Control-Allow-Origin": "*"}))
        answer = await route(hit) if callable(route) and not isinstance(route, Answer) else route
        if isinstance(answer, str):
            answer = Answer(answer)
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        headers = {"Content-Type": answer.type, "Content-Length": len(body), **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status}\r\n{lines}\r\n".encode() + body)
        await writer.drain()


class Chromium:
    """A Chromium of our own with nobody driving it, in a profile that goes with it."""

    def __init__(self, flags: Sequence[str] = (), port: int = 0) -> None:
        self.flags = flags
        self.port = port
        self.ws_url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        self._profile = await asyncio.to_thread(tempfile.mkdtemp, prefix="fc-e2e-")
        sandbox = ("--no-sandbox",) if running_as_root() else ()
        self._process = await asyncio.create_subprocess_exec(
            find_browser().path,
            *RAW_FLAGS,
            *sandbox,
            *self.flags,
            f"--user-data-dir={self._profile}",
            f"--remote-debugging-port={self.port}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "TMPDIR": self._profile},
            start_new_session=True,
        )
        said = self._process.stderr
        assert said is not None
        async with asyncio.timeout(PATIENCE_S):
            while not (
                told := re.search(rb"DevTools listening on (ws://\S+)", line := await said.readline())
            ):
                assert line, "Chromium ended before it listened"
        self.ws_url = told[1].decode()
        self.port = urlsplit(self.ws_url).port or 0
        self._drain = asyncio.create_task(drained(said))

    async def kill(self) -> None:
        """As `kill -9` would, with all its children."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signals.SIGKILL)
        await process.wait()
        if self._drain is not None:
            await self._drain
        await asyncio.to_thread(shutil.rmtree, self._profile, ignore_errors=True)


async def drained(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


class CdpError(Exception):
    """Chromium refused a command."""


class Cdp:
    """A second client, independent of the observer: drives tabs as a person or a test would."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())
        self.events: list[dict[str, Any]] = []
        self.bell = Bell()

    async def post(self, method: str, session: str = "", **params: Any) -> asyncio.Future[dict[str, Any]]:
        """Send; the answer may be awaited, or never come."""
        command: dict[str, Any] = {"id": next(self._ids), "method": method, "params": params}
        if session:
            command["sessionId"] = session
        answer = self._answers[command["id"]] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        await self._socket.send(json.dumps(command))
        return answer

    async def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await (await self.post(method, session, **params))

    async def event(self, method: str, session: str = "", **fields: Any) -> dict[str, Any]:
        """The parameters of the first such event, also if it has come already."""

        def find() -> list[dict[str, Any]]:
            return [event["params"] for event in self.events if is_it(event)]

        def is_it(event: dict[str, Any]) -> bool:
            named = event["method"] == method and event.get("sessionId", "") == session
            return named and fields.items() <= event["params"].items()

        return (await self.bell.until(find, what=lambda: f"{method} {fields}"))[0]

    async def open(self, url: str = "about:blank", **options: Any) -> Tab:
        """A tab that shows `url`; for an observed browser use `Watch.open`."""
        target = (await self.call("Target.createTarget", url=url, **options))["targetId"]
        return await self.tab(target)

    async def tab(self, target: str) -> Tab:
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        return Tab(self, target, session)

    async def targets(self) -> list[dict[str, Any]]:
        return (await self.call("Target.getTargets"))["targetInfos"]

    async def close(self) -> None:
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._socket:
                message = json.loads(frame)
                if answer := self._answers.pop(message.get("id", 0), None):
                    if "error" in message:
                        answer.set_exception(CdpError(message["error"]["message"]))
                    else:
                        answer.set_result(message["result"])
                else:
                    self.events.append(message)
                self.bell.ring()
        for answer in self._answers.values():
            answer.cancel()


class Tab(NamedTuple):
    """One tab, in the hands of the second client."""

    cdp: Cdp
    target: str
    session: str

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.cdp.call(method, self.session, **params)

    async def post(self, method: str, **params: Any) -> asyncio.Future[dict[str, Any]]:
        return await self.cdp.post(method, self.session, **params)

    async def goto(self, url: str, until: str = "load") -> None:
        """Navigate and wait for `until`: Chrome answers `Page.navigate` before the old document has gone."""
        await self.call("Page.enable")
        await self.call("Page.setLifecycleEventsEnabled", enabled=True)
        loader = (await self.call("Page.navigate", url=url))["loaderId"]
        await self.cdp.event("Page.lifecycleEvent", self.session, loaderId=loader, name=until)

    async def run(self, expression: str) -> Any:
        """The value of an expression; a promise is awaited, and popups are allowed."""
        reply = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    async def start(self, expression: str) -> None:
        """Have it run as a task of the page's own, and don't wait."""
        await self.post(
            "Runtime.evaluate", expression=f"void setTimeout(() => {{ {expression} }}, 0)", userGesture=True
        )

    async def close(self) -> None:
        await self.cdp.call("Target.closeTarget", targetId=self.target)


@asynccontextmanager
async def cdp_client(ws_url: str) -> AsyncGenerator[Cdp]:
    async with connect(ws_url, proxy=None, max_size=None) as socket:
        client = Cdp(socket)
        try:
            yield client
        finally:
            await client.close()


def matches(signal: Signal, kind: str, fields: dict[str, Any]) -> bool:
    """Fields are of the detail or of the signal; a compiled pattern is searched for, anything else is compared."""
    if signal.kind != kind:
        return False
    for name, wanted in fields.items():
        value = getattr(signal.detail, name) if hasattr(signal.detail, name) else getattr(signal, name)
        if not (wanted.search(value) if isinstance(wanted, re.Pattern) else wanted == value):
            return False
    return True


class Seen:
    """Every signal of an observer, in the order of arrival."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.bell = Bell()

    def __call__(self, signal: Signal) -> None:
        self.signals.append(signal)
        self.bell.ring()

    def all(self, kind: str, **fields: Any) -> list[Signal]:
        return [signal for signal in self.signals if matches(signal, kind, fields)]

    async def first(self, kind: str, timeout_s: float = PATIENCE_S, **fields: Any) -> Signal:
        """The first such signal, also if it has come already."""
        await self.count(1, kind, timeout_s, **fields)
        return self.all(kind, **fields)[0]

    async def count(
        self, count: int, kind: str, timeout_s: float = PATIENCE_S, **fields: Any
    ) -> list[Signal]:
        """The first `count` such signals."""
        await self.bell.until(
            lambda: len(self.all(kind, **fields)) >= count,
            timeout_s,
            lambda: f"{count} × {kind} {fields}; told: {[signal.kind for signal in self.signals[-30:]]}",
        )
        return self.all(kind, **fields)[:count]

    def texts(self, kind: str, **fields: Any) -> list[str]:
        """What was said, for console calls and exceptions."""
        return [signal.detail.text for signal in self.all(kind, **fields)]  # type: ignore[attr-defined]


class Watch:
    """An observer at work, what it has told, and a second client to drive the same browser."""

    def __init__(self, observer: Observer, seen: Seen, cdp: Cdp) -> None:
        self.observer = observer
        self.seen = seen
        self.cdp = cdp

    async def open(self, url: str = "about:blank", **options: Any) -> Tab:
        """A new tab, first empty until the observer is set up, because nobody sees the first request of `createTarget(url)`."""
        tab = await self.cdp.open(**options)
        await self.seen.first("lifecycle", target=tab.target, name="load")
        if url != "about:blank":
            await tab.goto(url)
        return tab

    async def barrier(self, tab: Tab) -> None:
        """All that the tab's page had to tell until now has arrived."""
        mark = f"barrier {len(self.seen.signals)}"
        await tab.run(f"console.debug({mark!r})")
        await self.seen.first("console", text=mark)


@asynccontextmanager
async def watching(
    where: str | Callable[[], Awaitable[str]], options: CaptureOptions | None = None, *, drive: str = ""
) -> AsyncGenerator[Watch]:
    """An observer on the browser at a WebSocket URL, or wherever it is found each time; the driver may go another way."""

    async def told() -> str:
        assert isinstance(where, str)
        return where

    seen = Seen()
    resolve = told if isinstance(where, str) else where
    async with Observer(resolve, seen, options) as observer, cdp_client(drive or await resolve()) as client:
        yield Watch(observer, seen, client)


def functions(signal: Signal) -> list[str]:
    """The names in a stack, innermost first."""
    return [frame.function for frame in signal.stack]
