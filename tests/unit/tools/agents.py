"""An agent without a protocol: it calls tools on a server of this process."""

from __future__ import annotations

import itertools
from typing import Any

from firstcause.api.auth import Grant
from firstcause.api.server import Server
from firstcause.api.tools.calling import call
from firstcause.api.tools.clients import Clients
from firstcause.api.tools.desk import Desk
from firstcause.correlator.event import Cause, Event

from ..streams import event

ALL = Grant(frozenset({"read", "publish", "control"}), key="all")
_numbers = itertools.count(1)


class Agent:
    def __init__(
        self, server: Server, name: str = "one", grant: Grant = ALL, clients: Clients | None = None
    ) -> None:
        self.server = server
        self.clients = clients or Clients(server.service.hub)
        self.grant = grant
        self.client = self.clients.get(name, "default")
        self.progress: list[tuple[float, float, str]] = []
        self.text = ""

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        async def note(done: float, total: float, text: str) -> None:
            self.progress.append((done, total, text))

        called = await call(tool, arguments, Desk(self.server.service, self.grant, self.client, note))
        assert not called.failed, called.answer.structured
        self.text = called.answer.text
        return called.answer.structured

    async def refused(self, tool: str, **arguments: Any) -> dict[str, str]:
        called = await call(tool, arguments, Desk(self.server.service, self.grant, self.client))
        assert called.failed, called.answer.structured
        return called.answer.structured["error"]

    async def new(self, **arguments: Any) -> dict[str, Any]:
        """What happened, without waiting for more."""
        return await self.call("wait_for_events", timeout_s=0, **arguments)


def happened(
    kind: str = "js_error", severity: Any = "medium", cause: Event | None = None, **fields: Any
) -> Event:
    """An event that follows from its cause, as the correlator tells it."""
    given: dict[str, Any] = {"id": f"01a1-{next(_numbers):08}", **fields}
    if cause is not None:
        given["cause"] = Cause(id=cause.id, via="task", confidence=0.95)
        given["correlation_id"] = cause.correlation_id or cause.id
    return event(kind, severity, **given)


async def told(server: Server, *events: Event) -> None:
    for one in events:
        server.publish(one)
    await server.service.hub.kept()


def click(selector: str = "#buy") -> Event:
    return happened(
        "click", "info", channel="activity", type="activity", summary=f"click on {selector}", page="p1"
    )


def a_failure(cause: Event | None = None) -> Event:
    return happened(
        "http_error",
        "high",
        cause,
        channel="network_errors",
        type="network_error",
        summary="POST /api/cart answered 500",
        context={"url": "/api/cart", "at": "cart.js:32:26 saveCart"},
        page="p1",
    )
