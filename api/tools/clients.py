"""Who calls tools: what each client wants to be told, what it has muted, and where it is in the log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...correlator.event import Channel, Severity
from ..filters import Filter, compiled
from ..hub import Hub
from ..position import Position
from ..wire import CHANNELS, DIAGNOSTICS, Patterns

MAX_CLIENTS: Final = 500
NO_PATTERNS: Final = Patterns()


@dataclass(slots=True, eq=False)
class Client:
    """One client's wishes and its place; a client without a session is known by its token and its name."""

    project: str
    seqs: dict[Channel, int]
    epoch: str
    channels: tuple[Channel, ...] = DIAGNOSTICS
    include: Patterns = NO_PATTERNS
    exclude: Patterns = NO_PATTERNS
    min_severity: Severity = "info"
    throttle_ms: int | None = None
    """Between two notices that nobody asked for; the server's own while it is None."""
    muted: set[Channel] = field(default_factory=set[Channel])
    on_change: set[Callable[[], object]] = field(default_factory=set[Callable[[], object]])
    """Called when it wants something else."""

    @property
    def filter(self) -> Filter:
        return compiled(self.include, self.exclude, self.min_severity)

    @property
    def told_channels(self) -> tuple[Channel, ...]:
        return tuple(channel for channel in self.channels if channel not in self.muted)

    @property
    def cursor(self) -> str:
        """All channels are in it: one that is muted or not wanted now goes on at its place when it is wanted again."""
        return str(Position(self.epoch, self.seqs))

    def changed(self) -> None:
        for call in tuple(self.on_change):
            call()

    def stands_at(self, epoch: str, seqs: Mapping[Channel, int]) -> None:
        self.epoch, self.seqs = epoch, dict(seqs)


class Clients:
    """The latest clients by their keys; one that was away for long begins anew, at what happens then."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._clients: OrderedDict[str, Client] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clients)

    def get(self, key: str, project: str) -> Client:
        client = self._clients.get(key)
        if client is None:
            while len(self._clients) >= MAX_CLIENTS:
                self._clients.popitem(last=False)
            log = self._hub.project(project)
            client = self._clients[key] = Client(
                project, {channel: log.rings[channel].last for channel in CHANNELS}, log.epoch
            )
        self._clients.move_to_end(key)
        return client

    def forget(self, key: str) -> None:
        self._clients.pop(key, None)
