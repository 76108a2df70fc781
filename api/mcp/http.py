"""/mcp: streamable HTTP in both eras, behind the same guard and tokens as everything else."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from ..access import grant_of, refuse
from ..auth import Grant
from ..errors import RequestRefused, ShuttingDown, Unauthorized
from ..service import Service
from ..tools.clients import MAX_CLIENTS
from ..transports.ending import Expired, ended_by, expired
from .callers import GRANT
from .server import new_server

log = logging.getLogger(__name__)

LAST_ANSWERS_S: Final = 1.0
BLANKS: Final = b" \t"
"""Around a header's value they are no part of it; uvicorn leaves those behind it, and the package compares with what the body says."""


class Endpoint:
    """Serves one server's sessions from the first request on, until that server ends."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._manager = StreamableHTTPSessionManager(new_server(service), max_sessions=MAX_CLIENTS)
        self._ready = asyncio.Event()
        self._answering = 0
        self._rest = asyncio.Event()
        self._rest.set()
        serving = asyncio.create_task(self._serve())
        service.jobs.add(serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            grant = grant_of(HTTPConnection(scope))
            grant.require("read")
            if self._service.ending.is_set():
                raise ShuttingDown("The server is ending.", "Call again when it is back.")
        except RequestRefused as error:
            await refuse(scope, send, error)
            return
        scope[GRANT] = grant
        scope["headers"] = [(name, value.strip(BLANKS)) for name, value in scope["headers"]]
        # A session is good with the token only that it was opened with.
        scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=grant.key, scopes=[]))
        await self._ready.wait()
        self._answering += 1
        self._rest.clear()
        try:
            await self._answer(grant, scope, receive, send)
        finally:
            self._answering -= 1
            if not self._answering:
                self._rest.set()

    async def _answer(self, grant: Grant, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever is still being said when the token runs out ends with it, and a stream of notices with the server."""
        said: list[Message] = []

        async def noted(message: Message) -> None:
            said[:] = [message]
            await send(message)

        ends = [self._service.ending.wait()] if scope["method"] == "GET" else []
        try:
            await ended_by(self._manager.handle_request(scope, receive, noted), expired(grant), *ends)
        except Expired:
            if not said:
                await refuse(
                    scope,
                    send,
                    Unauthorized("The token has expired.", "Make another one: firstcause token --for 1h"),
                )
        if said and (said[0]["type"] == "http.response.start" or said[0].get("more_body")):
            await send({"type": "http.response.body", "body": b""})

    async def _serve(self) -> None:
        async with self._manager.run():
            self._ready.set()
            await self._service.ending.wait()
            try:
                async with asyncio.timeout(LAST_ANSWERS_S):
                    await self._rest.wait()
            except TimeoutError:
                log.debug("%d answers are cut off by the end of the server", self._answering)
