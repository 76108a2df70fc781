"""Who sent a message: what they may do, and which client they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from starlette.requests import HTTPConnection

from ..auth import SCOPES, Grant
from ..service import Service
from ..tools.clients import Client, Clients
from ..tools.desk import Desk

Context = ServerRequestContext[Any, Any]

LOCAL: Final = Grant(frozenset(SCOPES), key="stdio")
"""Who starts a server on its own standard input may do everything with it."""
GRANT: Final = "firstcause.grant"
"""Where the route leaves a request's grant, in its scope."""
CLIENT_HEADER: Final = "firstcause-client"
"""Tells apart two clients without a session that have the same token and name; the bridge sends it."""


class Callers:
    """Makes the desk for each call. A session has its own wishes and place; without one, a token's clients are told apart by name."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.clients = Clients(service.hub)

    def desk(self, context: Context) -> Desk:
        grant = grant_of(context)
        return Desk(self._service, grant, self.client(context), context.session.report_progress)

    def client(self, context: Context) -> Client:
        return self.clients.get(key_of(context), self._project(grant_of(context)))

    def forgetting(self, context: Context) -> Callable[[], None]:
        """For the end of a session, when the message that it began with is long gone."""
        key = key_of(context)
        return lambda: self.clients.forget(key)

    def _project(self, grant: Grant) -> str:
        own = self._service.settings.project
        return own if not grant.projects or own in grant.projects else grant.projects[0]


def grant_of(context: Context) -> Grant:
    connection = context.request
    return connection.scope[GRANT] if isinstance(connection, HTTPConnection) else LOCAL


def key_of(context: Context) -> str:
    connection = context.request
    if not isinstance(connection, HTTPConnection):
        return LOCAL.key
    key = connection.scope[GRANT].key
    headers = connection.headers
    if session := headers.get("mcp-session-id", ""):
        return f"{key} session {session}"
    return f"{key} {headers.get(CLIENT_HEADER, '')[:64]} {name_of(context)}"


def name_of(context: Context) -> str:
    params = context.session.client_params
    return f"{params.client_info.name[:64]} {params.client_info.version[:32]}" if params else ""
