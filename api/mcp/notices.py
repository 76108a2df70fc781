"""How notices reach a client, era by era: resources/updated for all, log messages and Claude Code's channel for sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import mcp_types as types
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated

from ...correlator.event import Channel, Severity
from ..service import Service
from ..tools.clients import Client
from .callers import Context, name_of
from .push import Notice, Pusher, stopped
from .resources import changed_by, wanted_by

CHANNEL: Final = "claude/channel"
LEVELS: Final[Mapping[Severity, types.LoggingLevel]] = {
    "critical": "critical",
    "high": "error",
    "medium": "warning",
    "low": "notice",
    "info": "info",
}
RANKS: Final[Mapping[types.LoggingLevel, int]] = {
    level: rank
    for rank, level in enumerate(
        ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
    )
}


class ChannelNotification(types.Notification[dict[str, Any], Literal["notifications/claude/channel"]]):
    """What Claude Code hands to its model while it works."""

    method: Literal["notifications/claude/channel"] = "notifications/claude/channel"
    params: dict[str, Any]


@dataclass(slots=True, eq=False)
class Session:
    """A client of the older protocol: what it wants to hear of, and the way to it that stays open between its calls."""

    session: ServerSession
    client: Client
    takes_channel: bool
    uris: set[str] = field(default_factory=set[str])
    level: types.LoggingLevel = "warning"

    async def tell(self, notice: Notice) -> None:
        for uri in changed_by(self.uris, notice.channels):
            await self._send(
                types.ResourceUpdatedNotification(params=types.ResourceUpdatedNotificationParams(uri=uri))
            )
        if not set(notice.channels) & set(self.client.channels):
            return
        level = LEVELS[notice.severity]
        if RANKS[level] >= RANKS[self.level]:
            params = types.LoggingMessageNotificationParams(
                level=level, logger="firstcause", data=notice.text
            )
            await self._send(types.LoggingMessageNotification(params=params))
        if self.takes_channel:
            meta = {"severity": notice.severity, "channels": ",".join(notice.channels)}
            await self._send(ChannelNotification(params={"content": notice.text, "meta": meta}))

    def wanted(self) -> list[Channel]:
        return wanted_by(self.uris)

    async def _send(self, notification: Any) -> None:
        await self.session.send_notification(notification)


def takes_channel(context: Context) -> bool:
    """Nothing in the protocol says so: it is known by its name, or says it among its experimental capabilities."""
    capabilities = context.session.client_capabilities
    declared = bool(capabilities and capabilities.experimental and CHANNEL in capabilities.experimental)
    return declared or name_of(context).startswith("claude-code")


async def listened(
    service: Service, client: Client, context: Context, params: types.SubscriptionsListenRequestParams
) -> types.SubscriptionsListenResult:
    """Serve one subscriptions/listen for as long as the client holds it open; it ends well when the server does."""
    bus = InMemorySubscriptionBus()
    handler = ListenHandler(bus)
    uris = params.notifications.resource_subscriptions or []

    async def tell(notice: Notice) -> None:
        for uri in changed_by(uris, notice.channels):
            await bus.publish(ResourceUpdated(uri=uri))

    async def close() -> None:
        await service.ending.wait()
        handler.close()

    pushing = asyncio.create_task(Pusher(service, client, tell, lambda: wanted_by(uris)).run())
    closing = asyncio.create_task(close())
    try:
        return await handler(context, params)
    finally:
        await stopped(pushing)
        await stopped(closing)
