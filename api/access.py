"""Who asks, and from where: every request is looked at here before a route sees it."""

from __future__ import annotations

import time
from typing import Annotated, Final

import msgspec
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..correlator.redact import redact_text
from ..observer.errors import FirstcauseError
from .auth import ANYONE, Grant
from .errors import RequestRefused, TooLarge, Unauthorized
from .origin import check_host, check_origin
from .service import Service
from .wire import FORBIDDEN, encode, refusal

COOKIE: Final = "firstcause"
COOKIE_VALID_S: Final = 12 * 3600
TOKEN_PROTOCOL: Final = "firstcause.token."
STREAM_PROTOCOL: Final = "firstcause"
PASSED_OVER_BYTES: Final = 4 << 20


def service_of(connection: HTTPConnection) -> Service:
    return connection.app.state.service


def cookie_of(service: Service) -> str:
    """Cookies know no ports: two servers on one machine need two names."""
    return f"{COOKIE}_{service.port}"


def grant_of(connection: HTTPConnection) -> Grant:
    """What the asker may do. Raises Unauthorized."""
    service = service_of(connection)
    if service.settings.auth == "off":
        return ANYONE
    query = connection.query_params
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return service.keyring.grant_of(given.strip())
    for protocol in connection.headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(TOKEN_PROTOCOL):
            return service.keyring.grant_of(protocol.strip().removeprefix(TOKEN_PROTOCOL))
    cookie = connection.cookies.get(cookie_of(service))
    if ticket := query.get("ticket"):
        try:
            grant = service.keyring.redeem(ticket)
        except Unauthorized:
            # An EventSource comes back with the address it began with, whose ticket is used up by then.
            if cookie is None:
                raise
            return service.keyring.grant_of(cookie)
        valid_s = int(min(COOKIE_VALID_S, grant.until_s - time.time()))
        if valid_s >= 1:
            cookie = service.keyring.issue(grant.scopes, grant.projects, valid_s)
            connection.scope["firstcause.cookie"] = f"{cookie}; Max-Age={valid_s}"
        return grant
    if cookie is not None:
        return service.keyring.grant_of(cookie)
    if "token" in query:
        raise Unauthorized(
            "A token in an address ends in logs and histories, so it is not taken there.",
            "Send it as `Authorization: Bearer …`, or get a one-time ticket by POST /v1/tickets.",
        )
    raise Unauthorized("There is no token.", "Send `Authorization: Bearer …`; `firstcause token` prints it.")


class Access:
    """ASGI middleware: refuses foreign hosts and origins and bodies that are too large, and sets a ticket's cookie."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        settings = self._service.settings
        try:
            # Of several, whoever stands between may have meant another one than we.
            host = ", ".join(headers.getlist("host"))
            check_host(host, settings.host, self._service.port, settings.allowed_hosts)
            check_origin(headers.get("origin"), host, settings.allowed_origins)
        except RequestRefused as error:
            await refuse(scope, send, error)
            return
        limit = settings.max_body_kb * 1024
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > limit:
            await passed_over(receive)
            await refuse(scope, send, _too_large(limit))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        seen = 0

        async def receive_bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                if message.get("more_body"):  # else there is nothing to wait for, and nothing would come
                    await passed_over(receive)
                raise _too_large(limit)
            return message

        async def send_with_cookie(message: Message) -> None:
            cookie = scope.get("firstcause.cookie")
            if cookie and message["type"] == "http.response.start":
                name = cookie_of(self._service)
                text = f"{name}={cookie}; HttpOnly; SameSite=Strict; Path=/"
                message["headers"] = [*message["headers"], (b"set-cookie", text.encode())]
            await send(message)

        await self._app(scope, receive_bounded, send_with_cookie)


async def passed_over(receive: Receive) -> None:
    """Read on for a while: a client whose body is cut off by a reset does not get to see the answer."""
    seen = 0
    while seen < PASSED_OVER_BYTES:
        message = await receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body"):
            return


async def refuse(scope: Scope, send: Send, error: RequestRefused) -> None:
    """Answer instead of the app. A WebSocket is accepted for that: a browser tells its page nothing of a handshake that fails."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": encode(refusal(error)).decode()})
        await send({"type": "websocket.close", "code": FORBIDDEN.code, "reason": FORBIDDEN.name})
        return
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": told(error)})


def told(error: FirstcauseError) -> bytes:
    texts = {"code": error.code, "message": error.message, "hint": error.hint}
    # What is quoted may be an address with a password, or out of JSON with a lone surrogate, which is no text to send.
    return msgspec.json.encode(
        {name: redact_text(text.encode(errors="replace").decode()) for name, text in texts.items()}
    )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A body has {limit} bytes at most.", "Send less, or raise max_body_kb.")


# FastAPI calls a plain function in a thread, where the hub's state must not be touched; so all of them are coroutines.
async def _asker(connection: HTTPConnection) -> Grant:
    return grant_of(connection)


async def _shared(connection: HTTPConnection) -> Service:
    return service_of(connection)


Asker = Annotated[Grant, Depends(_asker)]
Shared = Annotated[Service, Depends(_shared)]
