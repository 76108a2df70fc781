"""What one server is made of, shared by its transports and routes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from ..correlator.engine import new_uuid7
from ..correlator.event import Event
from .auth import Grant, Keyring
from .browsers import Browsers
from .chains import chain_of
from .durations import Durations
from .hub import Hub, Limits
from .limits import Connections, Rate
from .pressure import Pressure
from .publishing import event_of
from .pump import Pump
from .settings import Settings
from .wire import Publication

MB = 1 << 20
HEARTBEAT_S = 10.0
Transport = Literal["websocket", "sse", "poll"]
TRANSPORTS: Final[tuple[Transport, ...]] = get_args(Transport)


@dataclass(frozen=True, slots=True, eq=False)
class Connected:
    """A client that reads the stream now."""

    pump: Pump
    transport: Transport
    grant: Grant


@dataclass(slots=True, eq=False)
class Service:
    settings: Settings
    hub: Hub
    keyring: Keyring
    browsers: Browsers
    pressure: Pressure
    connections: Connections
    publish_rate: Rate
    commits: Durations = field(default_factory=Durations)
    """How long the journal took to keep each group of events."""
    port: int = 0
    session: str = field(default_factory=new_uuid7)
    heartbeat_s: float = HEARTBEAT_S
    """How often an idle event stream shows that it is there."""
    started_s: float = field(default_factory=time.time)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    connected: set[Connected] = field(default_factory=set[Connected])
    agents: Counter[object] = field(default_factory=Counter[object])
    """Clients of MCP that are told things or wait for them now, each with how many of its requests do."""
    jobs: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    """What runs beside the requests; each ends by itself when `ending` is set."""
    alone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is connected."""

    def __post_init__(self) -> None:
        self.alone.set()

    @contextmanager
    def reading(self, grant: Grant, transport: Transport) -> Generator[Pump]:
        """A pump for one client, as long as it is connected. Raises TooMany."""
        with self.connections.take(grant.key):
            pump = Pump(self.hub, self.settings.project, self.settings.max_subscriptions)
            connected = Connected(pump, transport, grant)
            self.connected.add(connected)
            self.alone.clear()
            try:
                yield pump
            finally:
                self.connected.discard(connected)
                if not self.connected:
                    self.alone.set()
                pump.close()

    @property
    def readers(self) -> dict[str, int]:
        """How many clients of each kind there are now."""
        count = Counter(one.transport for one in self.connected)
        return {transport: count[transport] for transport in TRANSPORTS} | {"mcp": len(self.agents)}

    @contextmanager
    def attending(self, agent: object) -> Generator[None]:
        """An MCP client that is there, as long as the block lasts."""
        self.agents[agent] += 1
        try:
            yield
        finally:
            self.agents[agent] -= 1
            if not self.agents[agent]:
                del self.agents[agent]

    async def publish(self, grant: Grant, project: str, publication: Publication) -> tuple[Event, int]:
        """Keep and tell a client's event; the event and its place. Raises ScopeMissing, ProjectRefused, TooMany, TooLarge."""
        grant.require("publish")
        grant.require_project(project)
        self.publish_rate.take(grant.key)
        events = await self._joined(event_of(publication, project, self.session, self.settings.redactor))
        seqs = [self.hub.publish(event) for event in events]
        await self.hub.kept()
        return events[-1], seqs[-1]

    async def _joined(self, event: Event) -> list[Event]:
        """The event with the chain that it belongs to, behind those that explain it."""
        home, cause = self.browsers.home_of(event), event.cause
        if cause is not None and not event.correlation_id and not (home and home.knows(cause.id)):
            chain = await chain_of(self.hub, event.project, cause.id)
            event = event.model_copy(update={"correlation_id": chain or None})
        return home.join(event) if home else [event]

    def change(self, settings: Settings) -> None:
        """Take over what may change while the server runs."""
        self.settings = settings
        self.hub.limits = limits_of(settings)
        self.pressure.budget_bytes = int(settings.memory_budget_mb * MB)
        self.connections.limit = settings.max_connections
        self.browsers.set_thresholds(settings.detectors)
        self.publish_rate.per_s = self.publish_rate.burst = settings.publish_per_s


def limits_of(settings: Settings) -> Limits:
    return Limits(
        ring_events=settings.ring_events,
        ring_bytes=int(settings.ring_mb * MB),
        throttle_ms=settings.throttle_ms,
        inline_events=settings.inline_events,
        max_projects=settings.max_projects,
    )
