"""The HTTP surface beside the stream: one subject a file."""

from __future__ import annotations

from ..transports import poll, sse, websocket
from . import client, config, events, health, metrics, observe, tickets

ROUTERS = (
    client.router,
    config.router,
    events.router,
    health.router,
    metrics.router,
    observe.router,
    poll.router,
    sse.router,
    tickets.router,
    websocket.router,
)
