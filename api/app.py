"""The ASGI app: every router of the explicit list, behind the guard, with one shape for everything that is refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from firstcause import __version__

from ..observer.errors import (
    BrowserUnreachable,
    CommandFailed,
    FirstcauseError,
    PageBusy,
    UnknownPage,
    UsageError,
)
from .access import Access, told
from .errors import BadField, NotFound, RequestRefused
from .routes import ROUTERS
from .service import Service
from .wire import Publication

log = logging.getLogger(__name__)

STATUSES: Mapping[type[FirstcauseError], int] = {
    UsageError: 422,
    UnknownPage: 404,
    PageBusy: 504,
    BrowserUnreachable: 502,
    CommandFailed: 502,
    FirstcauseError: 503,
}
"""What a failure below this floor is in HTTP."""

OPEN_PATHS = frozenset({"/client.js", "/healthz", "/readyz"})

MCP_HEADERS = ("Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name")
"""What an MCP client in a page sends beside the usual."""

DESCRIPTION = "The stream of firstcause and what belongs to it. Every refusal is {code, message, hint}; codes never change."


def new_app(service: Service) -> FastAPI:
    app = FastAPI(
        title="firstcause",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # they load their scripts from elsewhere
        redoc_url=None,
    )
    app.add_exception_handler(FirstcauseError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    if service.settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.allowed_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_credentials=True,  # an EventSource comes back with its cookie
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID", *MCP_HEADERS],
            expose_headers=["Mcp-Session-Id"],
        )
    app.add_middleware(Access, service=service)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """With the schema of what is decoded by msgspec, and with the refusals that every route has."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        _, components = msgspec.json.schema_components(
            [Publication], ref_template="#/components/schemas/{name}"
        )
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        # `\Z`, which a trailing line break can't slip past, is Python's alone; JavaScript's `$` is as strict.
        schemas.update(json.loads(json.dumps(components).replace("\\\\Z", "$")))
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
        }
        schemas["Refusal"] = {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
        }
        refusal = {
            "description": "Refused: what is wrong, and what to do.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        }
        failure = {
            **refusal,
            "description": "The server, or a browser that it was to reach, can't do it now.",
        }
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if path in OPEN_PATHS else [{"token": []}, {"ticket": []}]
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = refusal
                operation["responses"]["5XX"] = failure
        app.openapi_schema = schema
    return app.openapi_schema


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, FirstcauseError)
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    if isinstance(error, RequestRefused):
        status = error.status
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(told(error), status, headers, "application/json")


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: Sequence[Any] = error.errors()
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])[:200] or "body"
    return _refused(request, BadField(f"{where}: {first['msg']}.", "/openapi.json has every field."))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, RequestRefused):  # while FastAPI was reading the body
        return _refused(request, error.__cause__)
    if error.status_code == 404:
        return _refused(
            request,
            NotFound(f"There is nothing at {request.url.path[:200]}.", "/openapi.json lists what there is."),
        )
    message = f"{request.method} {request.url.path[:200]}: {error.detail}."
    refusal = RequestRefused(message, "/openapi.json lists what there is.")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_at(request))
    return Response(told(refusal), error.status_code, headers, "application/json")


def _methods_at(request: Request) -> list[str]:
    """Starlette alone names those of the first route that fits, and an address may have several."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]
    fitting = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in fitting for method in route.methods or ()})


def _gone(_: Request, __: Exception) -> Response:
    """The client hung up within its request: there is nobody to answer, and nothing that failed."""
    return Response(status_code=400)


def _failed(_: Request, error: Exception) -> Response:
    log.error("A request failed", exc_info=error)
    body = {"code": "failed", "message": "The server failed; its log says why.", "hint": "Please report it."}
    return JSONResponse(body, 500)
