"""The place of /mcp among the routes: the protocol's package is looked for when somebody asks."""

from __future__ import annotations

import asyncio
from importlib import import_module

from fastapi import APIRouter
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..access import refuse
from .extra import McpMissing, require_mcp


class McpRoute:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["app"].state
        if not hasattr(state, "mcp"):
            try:
                require_mcp()
            except McpMissing as error:
                await refuse(scope, send, error)
                return
            # It takes a second, in which the stream goes on.
            module = await asyncio.to_thread(import_module, f"{__package__}.http")
            if not hasattr(state, "mcp"):  # two asked at once
                state.mcp = module.Endpoint(state.service)
        await state.mcp(scope, receive, send)


router = APIRouter()
router.routes.append(Route("/mcp", McpRoute(), include_in_schema=False))
