"""The hub: every project's log in memory, kept by a journal before anybody is told, and the readers that are woken by news."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from zlib import crc32

from msgspec import UnsetType

from ..correlator.event import Channel, Event
from .errors import ShuttingDown, TooMany
from .filters import compiled
from .journal.base import ChannelKey, Opened, Record
from .journal.keeper import Keeper
from .position import Position
from .ring import Entry, Ring, entry_of, entry_of_line
from .subscription import Move, Recovery, Subscription
from .wire import CHANNELS, Subscribe

# Between two groups: what comes meanwhile is kept and told together. Waking a reader costs more than telling it one event more.
MIN_TICK_S: Final = 0.002
MAX_TICK_S: Final = 0.06
TICK_PER_READER_S: Final = 0.0001
GROUP_EVENTS: Final = 500
START: Final = "start"
COUNTED_KINDS: Final = 1_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept and told; all of it may change while the hub runs."""

    ring_events: int = 2_000
    ring_bytes: int = 2 << 20
    throttle_ms: int = 1_000
    inline_events: int = 20
    max_projects: int = 100


class Reader(Protocol):
    """Who is woken when there is news."""

    def nudge(self, now_s: float, *, urgent: bool) -> None: ...


class Project:
    """One project's log: a ring a channel, and who reads them."""

    def __init__(self, name: str, hub: Hub) -> None:
        self.name = name
        self.rings: dict[Channel, Ring] = {
            channel: Ring(hub.floor_of(ChannelKey(name, channel))) for channel in CHANNELS
        }
        self.readers: Counter[Reader] = Counter()
        self.frames: dict[object, bytes] = {}
        self.moves: dict[object, Move] = {}
        self.tallies: Counter[str] = hub.tallies
        self.digest_only = False
        self._hub = hub
        self._mark = f"{crc32(name.encode()):08x}"

    @property
    def epoch(self) -> str:
        """Of this log alone: a cursor of another project's log must not fit."""
        return self._hub.epoch + self._mark

    @property
    def inline_events(self) -> int:
        return 0 if self.digest_only or self._hub.digest_only else self._hub.limits.inline_events

    @property
    def size_bytes(self) -> int:
        return sum(ring.size_bytes for ring in self.rings.values())

    def start_of(self, channels: Sequence[Channel], cursor: str) -> tuple[Recovery, Mapping[Channel, int]]:
        """Where a subscription begins, and whether that is right after its cursor. Raises BadCursor."""
        if not cursor:
            return "fresh", {channel: self.rings[channel].last for channel in channels}
        if cursor == START:
            return "start", {channel: self.rings[channel].floor for channel in channels}
        position = Position.parse(cursor)
        given: dict[Channel, int] = {
            channel: position.seqs.get(channel, self.rings[channel].last) for channel in channels
        }
        ends = self._ends_of(position.epoch)
        within: dict[Channel, int] = {
            channel: min(seq, ends(channel) if ends else 0, self.rings[channel].last)
            for channel, seq in given.items()
            if channel in position.seqs
        }
        if ends is None or not within.items() <= given.items():
            return "epoch_changed", given | within
        evicted = any(self.rings[channel].floor > seq for channel, seq in given.items())
        return ("evicted" if evicted else "complete"), given

    def _ends_of(self, epoch: str) -> Callable[[Channel], int] | None:
        """How far cursors of an epoch are good; None when it is no epoch of this log."""
        if epoch == self.epoch:
            return lambda channel: self.rings[channel].last
        if not epoch.endswith(self._mark):
            return None
        kept = self._hub.ends.get(epoch.removesuffix(self._mark))
        return None if kept is None else lambda channel: kept.get(ChannelKey(self.name, channel), 0)


@dataclass(slots=True)
class _Pending:
    project: Project
    channel: Channel
    entry: Entry


class Hub:
    """`publish` from the loop that `start` was awaited in; nothing of it blocks."""

    def __init__(
        self, keeper: Keeper, limits: Limits | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self.projects: dict[str, Project] = {}
        self.tallies: Counter[str] = Counter()
        self.events: Counter[tuple[Channel, str]] = Counter()
        self.digest_only = False
        self.epoch = ""
        self.ends: Mapping[str, Mapping[ChannelKey, int]] = {}
        self.after_group: Callable[[], object] = lambda: None
        """Called after every group of news; memory is watched there."""
        self.keeper = keeper
        self.clock = clock
        self._floors: Mapping[ChannelKey, int] = {}
        self._pending: list[_Pending] = []
        self._published = 0
        self._told = 0
        self._news = asyncio.Event()
        self._bell = asyncio.Event()  # rings once: whoever waits longer takes the next one
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    async def start(self) -> Opened:
        """Take up what the journal kept, and go on."""
        opened = await self.keeper.open(self.limits.ring_events, self.limits.ring_bytes)
        self.take_up(opened)
        self._task = asyncio.create_task(self._run())
        return opened

    def take_up(self, opened: Opened) -> None:
        """Be where the journal is."""
        self.epoch, self.ends, self._floors = opened.epoch, opened.ends, opened.floors
        for name in dict.fromkeys(key.project for key in opened.floors):
            project = self.projects[name] = Project(name, self)
            for channel in CHANNELS:
                tail = opened.tails.get(ChannelKey(name, channel), ())
                if tail:
                    ring = project.rings[channel] = Ring(tail[0].seq - 1)
                    for record in tail:
                        ring.append(entry_of_line(record.line, record.stored_ms))

    async def stop(self) -> None:
        """What was published before is kept and told."""
        self._ending = True
        self._news.set()
        if self._task is not None:
            await self._task
        await self.keeper.close()

    @property
    def size_bytes(self) -> int:
        return sum(project.size_bytes for project in self.projects.values())

    def floor_of(self, key: ChannelKey) -> int:
        return self._floors.get(key, 0)

    def project(self, name: str) -> Project:
        project = self.projects.get(name)
        if project is None:
            if len(self.projects) >= self.limits.max_projects:
                self._forget_unused()
            if len(self.projects) >= self.limits.max_projects:
                raise TooMany(
                    f"This server keeps {self.limits.max_projects} projects, and all are in use.",
                    "Use one of them, or raise max_projects.",
                )
            project = self.projects[name] = Project(name, self)
        return project

    def publish(self, event: Event) -> int:
        """Give the event its place in its channel; it is told as soon as it is kept. The place is what comes back."""
        if self._ending:
            raise ShuttingDown("The server is ending.", "Publish again when it is back.")
        project = self.project(event.project)
        ring = project.rings[event.channel]
        entry = entry_of(event, ring.given + 1, int(time.time() * 1000))
        ring.given = entry.seq
        self._pending.append(_Pending(project, event.channel, entry))
        self._published += 1
        self._news.set()
        return entry.seq

    async def kept(self) -> None:
        """Return when all that was published until now is kept and told."""
        wanted = self._published
        while self._told < wanted:
            await self._bell.wait()

    def subscribe(self, spec: Subscribe, reader: Reader, default_project: str = "default") -> Subscription:
        """Raises BadFilter, BadCursor, TooMany."""
        filter_ = compiled(spec.include, spec.exclude, spec.min_severity)
        project = self.project(default_project if isinstance(spec.project, UnsetType) else spec.project)
        throttle_ms = self.limits.throttle_ms if isinstance(spec.throttle_ms, UnsetType) else spec.throttle_ms
        start = project.start_of(spec.channels, spec.cursor)
        subscription = Subscription(
            project, spec.id, spec.channels, filter_, throttle_ms, start, self.clock()
        )
        project.readers[reader] += 1
        return subscription

    def unsubscribe(self, subscription: Subscription, reader: Reader) -> None:
        readers = self.projects[subscription.source.name].readers
        readers[reader] -= 1
        if not readers[reader]:
            del readers[reader]

    async def fetch(
        self, project: str, channel: Channel, after: int, upto: int, limit: int
    ) -> tuple[list[Entry], int]:
        """The oldest entries of (after, upto], from memory or the journal, and the seq after which they are complete. They may be fewer
        than `limit` although there are more: ask again after the last one.
        """
        ring = self.project(project).rings[channel]
        upto = min(upto, ring.last)
        # The ring moves on while the journal is asked.
        while after < (until := min(ring.floor, upto)):
            records = await self.keeper.read(ChannelKey(project, channel), after, until, limit)
            if records:
                entries = [entry_of_line(record.line, record.stored_ms) for record in records]
                return entries, entries[0].seq - 1
            after = until
        return ring.after(after, upto)[:limit], after

    async def find(self, event_id: str) -> tuple[str, bytes] | None:
        """An event's project and its line, as long as it is kept."""
        for project in self.projects.values():
            for ring in project.rings.values():
                for entry in ring.after(ring.floor):
                    if entry.id == event_id:
                        return project.name, entry.line
        record = await self.keeper.find(event_id)
        return record and (record.project, record.line)

    def held(self, last: Mapping[ChannelKey, int]) -> tuple[list[Record], dict[ChannelKey, int]]:
        """What a journal that has `last` is missing: the records that are here, and where it has to begin anew because they are not."""
        records: list[Record] = []
        floors: dict[ChannelKey, int] = {}
        for project in self.projects.values():
            for channel, ring in project.rings.items():
                key = ChannelKey(project.name, channel)
                has = last.get(key, 0)
                if ring.floor > has:
                    floors[key] = has = ring.floor
                records += [_record(key, entry) for entry in ring.after(has)]
        return records, floors

    async def _run(self) -> None:
        while self._pending or not self._ending:
            await self._news.wait()
            group, self._pending = self._pending[:GROUP_EVENTS], self._pending[GROUP_EVENTS:]
            if not self._pending and not self._ending:
                self._news.clear()
            if not group:
                continue
            began_s = self.clock()
            await self.keeper.append(
                [_record(ChannelKey(item.project.name, item.channel), item.entry) for item in group]
            )
            self._tell(group)
            try:
                self.after_group()
            except Exception:
                log.exception("what is done after a group of events failed")
            if not self._ending:
                await asyncio.sleep(max(0.0, self._tick_s() - (self.clock() - began_s)))

    def _tick_s(self) -> float:
        readers = sum(len(project.readers) for project in self.projects.values())
        return min(MAX_TICK_S, max(MIN_TICK_S, TICK_PER_READER_S * readers))

    def _tell(self, group: Sequence[_Pending]) -> None:
        urgent: dict[Project, bool] = {}
        limits = self.limits
        for item in group:
            ring = item.project.rings[item.channel]
            ring.append(item.entry)
            ring.trim(limits.ring_events, limits.ring_bytes)
            counted = (item.channel, item.entry.kind)
            # Publishers choose the names of their kinds.
            if counted not in self.events and len(self.events) >= COUNTED_KINDS:
                counted = (item.channel, "other")
            self.events[counted] += 1
            urgent[item.project] = urgent.get(item.project, False) or ring.urgent == item.entry.seq
        now_s = self.clock()
        for project, is_urgent in urgent.items():
            project.frames.clear()
            project.moves.clear()
            for reader in list(project.readers):
                try:
                    reader.nudge(now_s, urgent=is_urgent)
                except Exception:
                    log.exception("a reader can't be told; it goes on when it takes again")
        self._told += len(group)
        self._bell.set()
        self._bell = asyncio.Event()

    def _forget_unused(self) -> None:
        for name, project in list(self.projects.items()):
            unused = not project.readers and not any(ring.given for ring in project.rings.values())
            if unused:
                del self.projects[name]


def _record(key: ChannelKey, entry: Entry) -> Record:
    return Record(key.project, key.channel, entry.seq, entry.id, entry.stored_ms, entry.line)
