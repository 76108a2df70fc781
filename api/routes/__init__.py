"""The HTTP surface beside the stream: one subject a file."""

from __future__ import annotations

from ..mcp import route as mcp
from ..transports import poll, sse, websocket
from . import asking, client, config, events, health, metrics, observe, selectors, tickets

ROUTERS = (
    asking.router,
    client.router,
    config.router,
    events.router,
    health.router,
    mcp.router,
    metrics.router,
    observe.router,
    poll.router,
    selectors.router,
    sse.router,
    tickets.router,
    websocket.router,
)
