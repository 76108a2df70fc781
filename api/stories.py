"""Serves one story folder on loopback: its files, its scripted answers, its expected findings."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..observer.options import CaptureOptions
from .quiet import QuietConfig, QuietServer

RouteKey = Annotated[
    str, StringConstraints(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|WS|SSE) /[^\s?#]*$")
]
NO_STORE = {"Cache-Control": "no-store"}
# The system's table of types differs from machine to machine; a module with a wrong type doesn't run.
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class StoryError(ValueError):
    """The story is missing or its story.json can't be used; the message names the bad key."""


class Answer(BaseModel):
    """What one route does; `delay_ms` and `drop` work on every kind of route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay_ms: int = Field(default=0, ge=0)
    drop: bool = False
    status: int | None = Field(default=None, ge=200, le=599)
    headers: dict[str, str] = {}
    body: JsonValue = Field(default=None, alias="json")
    text: str = ""
    chunks: tuple[str, ...] = ()
    redirect: str | None = None
    messages: int = Field(default=0, ge=0)
    interval_ms: int = Field(default=100, ge=0)
    close_after_ms: int | None = Field(default=None, ge=0)
    code: int = Field(default=1000, ge=1000, le=4999)


class Matcher(BaseModel):
    """Says which finding is meant; `url` and `text` are parts of what it tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    url: str | None = None
    text: str | None = None
    at: str | None = None


class Expected(Matcher):
    """One finding the story must produce, and its direct cause: any of a list, null if none may be claimed; judged only if given.

    `soft`: that it is the cause can be inferred but not followed.
    """

    cause: Matcher | list[Matcher] | None = None
    soft: bool = False


Step = (
    tuple[Literal["click", "double_click", "triple_click", "hover", "scroll", "run", "go"], str]
    | tuple[Literal["type", "press", "drag"], str, str]
    | tuple[Literal["dialogs"], Literal["accept", "dismiss", "leave"]]
    | tuple[Literal["wait_for"], str | Matcher]
    | tuple[Literal["expect"], str, int]
)
"""What the visitor does: click, double_click, triple_click, hover or scroll to SELECTOR (`FRAME >> SELECTOR` in a frame), type
SELECTOR TEXT, press SELECTOR KEY, drag SELECTOR SELECTOR, go back, forward, reload or to a PATH, answer all dialogs or leave them
open, run SCRIPT, wait_for a selector, a request (`GET /path`) or a finding, expect SELECTOR within MS.
"""


class Below(BaseModel):
    """How the same pages are used just below a detector's trigger; its routes replace those of the same name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: str | None = None
    routes: dict[RouteKey, Answer] = {}
    steps: list[Step] = []


class Story(BaseModel):
    """The parsed story.json; `concurrent` says that its flows overlap, `watch` names selectors to observe.

    `thresholds` and `capture` are what the observation is told to do other than by default. A story of one detector names it in
    `detects`, and in `below` what must not trigger it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    detects: str = ""
    open: str = "/"
    concurrent: bool = False
    watch: tuple[str, ...] = ()
    thresholds: dict[str, dict[str, bool | int | float]] = {}
    capture: dict[str, bool | float | str] = {}
    routes: dict[RouteKey, Answer] = {}
    steps: list[Step] = []
    expected: list[Expected]
    below: Below | None = None

    @field_validator("capture")
    @classmethod
    def _is_possible(cls, capture: dict[str, bool | float | str]) -> dict[str, bool | float | str]:
        known = CaptureOptions.__dataclass_fields__
        for name in capture:
            if name not in known:
                raise ValueError(f"{name} is not an option of capturing, which are {', '.join(known)}")
        options = TypeAdapter(CaptureOptions).validate_python(capture)
        return {name: getattr(options, name) for name in capture}

    @property
    def twin(self) -> Story:
        """The story just below its trigger, of which nothing is expected."""
        below = self.below or Below()
        return self.model_copy(
            update={
                "open": self.open if below.open is None else below.open,
                "routes": self.routes | below.routes,
                "steps": below.steps,
                "expected": [],
                "below": None,
            }
        )


def read_story(folder: Path) -> Story:
    file = folder / "story.json"
    try:
        return Story.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StoryError(f"{file}: {error.strerror}; a story folder needs a story.json") from error
    except ValidationError as error:
        problems = [
            " > ".join(map(str, (*problem["loc"], problem["msg"])))
            for problem in error.errors(include_url=False)
        ]
        raise StoryError(f"{file}: {'; '.join(problems)}") from error


def bundled_story(name: str) -> Path:
    folder = Path(str(resources.files("firstcause") / "e2e_fixtures"))
    names = sorted(file.parent.name for file in folder.glob("*/story.json"))
    if name not in names:
        raise StoryError(f"no bundled story {name!r}; there are: {', '.join(names) or 'none'}")
    return folder / name


class StoryServer:
    """Use it as `async with StoryServer(folder) as server: … server.url`.

    `story` is played instead of the one in the folder. A page finds packages at /npm/NAME/…: in `packages`, a folder like node_modules, else in the story's own npm/ folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        story: Story | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        packages: Path | None = None,
    ) -> None:
        self.story = story or read_story(folder)
        self.hits: list[str] = []
        self._folder = folder.resolve()
        self._packages = packages.resolve() if packages else None
        self._host = host
        self._port = port
        self._closing = asyncio.Event()
        routes: list[BaseRoute] = [self._route(*item) for item in self.story.routes.items()]
        self._router = Router([*routes, Route("/{path:path}", self._file)], redirect_slashes=False)

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def alt_url(self) -> str:
        """The same server as another site, for cross-site iframes and requests."""
        return f"http://localhost:{self._port}"

    async def __aenter__(self) -> Self:
        sockets = _bind(self._host, self._port)
        self._port = sockets[0].getsockname()[1]
        config = QuietConfig(
            self._app,
            http=_Protocol,
            ws="websockets-sansio",
            interface="asgi3",
            lifespan="off",
            proxy_headers=False,
        )
        self._server = QuietServer(config)
        # The sockets listen already: a client that is faster than uvicorn waits in the backlog.
        self._serving = asyncio.create_task(self._server.serve(sockets))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # uvicorn would wait for open streams and log an error for each: end them first.
        self._closing.set()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._server.should_exit = True
        await self._serving

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "WS" if scope["type"] == "websocket" else scope["method"]
        self.hits.append(f"{method} {scope['path']}")
        await self._router(scope, receive, send)

    def _route(self, key: str, answer: Answer) -> BaseRoute:
        method, path = key.split(" ", 1)

        async def respond(request: Request) -> Response:
            if not await self._begin(request, request.receive, answer):
                return Response()
            if method == "SSE":
                return StreamingResponse(
                    self._messages(answer), media_type="text/event-stream", headers=NO_STORE
                )
            if answer.chunks:
                return StreamingResponse(
                    self._chunks(answer), answer.status or 200, NO_STORE | answer.headers, "text/plain"
                )
            return _response(answer)

        async def converse(websocket: WebSocket) -> None:
            if await self._begin(websocket, websocket.receive, answer):
                with contextlib.suppress(WebSocketDisconnect):
                    await self._converse(websocket, answer)

        if method == "WS":
            return WebSocketRoute(path, converse)
        return Route(path, respond, methods=["GET" if method == "SSE" else method])

    async def _begin(self, connection: HTTPConnection, receive: Receive, answer: Answer) -> bool:
        """Waits, then resets the connection of a dropped route: False, nothing is left to answer."""
        await self._pause(answer.delay_ms)
        if not answer.drop:
            return True
        # ASGI has no way to hang up: find the transport by the client's address and port.
        transports = [peer.transport for peer in self._server.server_state.connections]
        for transport in transports:
            if (transport.get_extra_info("peername") or ())[:2] == connection.scope["client"]:
                # Lingering for zero seconds makes the kernel send RST instead of FIN.
                linger = struct.pack("ii", 1, 0)
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()
        # uvicorn logs an error for an application that returns before it noticed the reset.
        while not (await receive())["type"].endswith(".disconnect"):
            pass
        return False

    async def _messages(self, answer: Answer) -> AsyncIterator[str]:
        for number in range(1, answer.messages + 1):
            yield f'data: {{"n":{number}}}\n\n'
            await self._pause(answer.interval_ms)
        await self._pause(answer.close_after_ms)

    async def _chunks(self, answer: Answer) -> AsyncIterator[str]:
        for chunk in answer.chunks:
            yield chunk
            await self._pause(answer.interval_ms)

    async def _converse(self, websocket: WebSocket, answer: Answer) -> None:
        await websocket.accept()
        for number in range(1, answer.messages + 1):
            await websocket.send_json({"n": number})
            await self._pause(answer.interval_ms)
        if answer.close_after_ms is not None:
            await self._pause(answer.close_after_ms)
            await websocket.close(answer.code)
            return
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def _pause(self, wait_ms: int | None) -> None:
        """Sleeps that long (None: for good), but never past the end of the server."""
        wait_s = None if wait_ms is None else wait_ms / 1000
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), wait_s)

    async def _file(self, request: Request) -> Response:
        path: str = request.path_params["path"]
        if path.endswith("/") or not path:
            path += "index.html"
        file = _below(self._folder, path)
        if path.startswith("npm/") and self._packages is not None:
            file = _below(self._packages, path.removeprefix("npm/")) or file
        if file is None or file == self._folder / "story.json":
            return PlainTextResponse("Not found", 404, NO_STORE)
        return FileResponse(file, headers=NO_STORE, media_type=MEDIA_TYPES.get(file.suffix))


def _below(folder: Path, path: str) -> Path | None:
    """The file, if there is one and it is in the folder."""
    try:
        file = (folder / path).resolve()
    except ValueError:  # a NUL byte
        return None
    return file if file.is_file() and file.is_relative_to(folder) else None


def _response(answer: Answer) -> Response:
    headers = NO_STORE | answer.headers
    if answer.redirect is not None:
        return RedirectResponse(answer.redirect, answer.status or 302, headers)
    if "body" in answer.model_fields_set:
        return JSONResponse(answer.body, answer.status or 200, headers)
    return PlainTextResponse(answer.text, answer.status or 200, headers)


def _bind(host: str, port: int) -> list[socket.socket]:
    """Listens on the host, and on ::1 as well, because `localhost` is tried there first."""
    for _ in range(20):
        first = socket.create_server((host, port), backlog=128)
        if host != "127.0.0.1" or not socket.has_ipv6:
            return [first]
        try:
            second = socket.create_server(
                ("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=128
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # no IPv6 here: localhost is 127.0.0.1
                return [first]
            first.close()
            if port:
                raise
            continue
        return [first, second]
    raise StoryError("no port is free on both 127.0.0.1 and ::1; name one with port=")


class _Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.access_log = False
