"""The stream without a server: literal events, a log on a clock that the test holds, and a client that checks all it is told."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from firstcause.api.filters import RANK, Filter, compiled
from firstcause.api.hub import Hub, Limits, Project
from firstcause.api.journal.base import ChannelKey, Opened, Record
from firstcause.api.position import Position
from firstcause.api.ring import Entry, entry_of
from firstcause.api.subscription import FRAME_BYTES, FRAME_EVENTS, Subscription
from firstcause.api.wire import (
    Batch,
    Digest,
    Gap,
    Live,
    Patterns,
    Pos,
    Subscribe,
    Subscribed,
    decode_frame,
)
from firstcause.correlator.event import Channel, Event, Severity

T = TypeVar("T")
ALL = Patterns()


def event(kind: str = "js_error", severity: Severity = "medium", **fields: Any) -> Event:
    given: dict[str, Any] = {
        "id": "e1",
        "seq": 0,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "project": "default",
        "session": "s1",
        "channel": "errors",
        "type": "error",
        "kind": kind,
        "severity": severity,
        "summary": "cart is undefined",
        "fingerprint": "f1",
        "count": 1,
    }
    return Event(**(given | fields))


def entry(seq: int = 1, kind: str = "js_error", severity: Severity = "medium", **fields: Any) -> Entry:
    return entry_of(event(kind, severity, **fields), seq, 0)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise AssertionError("it waits for something")


class _Jumping(selectors.DefaultSelector):
    now_s = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits, and nothing will ever happen"
            self.now_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer when there is nothing else to do."""

    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs it on a clock that jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story())


class StandIn:
    """A journal and its keeper in one, in memory; it outlives the hubs that use it."""

    def __init__(self) -> None:
        self.kept: dict[ChannelKey, list[Record]] = {}
        self.floors: dict[ChannelKey, int] = {}
        self.ends: dict[str, dict[ChannelKey, int]] = {}
        self.epoch = ""
        self._lives = 0
        self.appended: list[int] = []
        self.closed = 0

    def last(self, key: ChannelKey) -> int:
        return self.floors.get(key, 0) + len(self.kept.get(key, ()))

    def begin(self, tail_events: int) -> Opened:
        if self.epoch:
            self.ends[self.epoch] = {key: self.last(key) for key in self.kept}
        self._lives += 1
        self.epoch = f"life{self._lives}x"
        return Opened(
            self.epoch,
            {epoch: dict(ends) for epoch, ends in self.ends.items()},
            {key: self.floors.get(key, 0) for key in self.kept},
            {key: records[-tail_events:] for key, records in self.kept.items()},
        )

    def lose_tail(self, key: ChannelKey, count: int) -> None:
        """As if the disk was set back to what it held before."""
        records = self.kept.get(key, [])
        del records[max(0, len(records) - count) :]
        for ends in self.ends.values():
            if key in ends:
                ends[key] = min(ends[key], self.last(key))

    def lose_all(self) -> None:
        self.kept.clear()
        self.floors.clear()
        self.ends.clear()
        self.epoch = ""

    def forget(self, key: ChannelKey, count: int) -> None:
        """By retention: the oldest go."""
        records = self.kept.get(key, [])
        count = min(count, len(records))
        del records[:count]
        self.floors[key] = self.floors.get(key, 0) + count

    def keep(self, records: Sequence[Record]) -> None:
        self.appended.append(len(records))
        for record in records:
            key = ChannelKey(record.project, record.channel)
            kept = self.kept.setdefault(key, [])
            assert record.seq == self.last(key) + 1
            kept.append(record)

    async def open(self, tail_events: int, tail_bytes: int) -> Opened:
        return self.begin(tail_events)

    async def append(self, records: Sequence[Record]) -> None:
        self.keep(records)

    async def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
        return [record for record in self.kept.get(key, ()) if after < record.seq <= upto][:limit]

    async def find(self, event_id: str) -> Record | None:
        return None

    async def close(self) -> None:
        self.closed += 1


def hub_on(keeper: Any, clock: Callable[[], float], **limits: int) -> Hub:
    return Hub(keeper, Limits(**limits), clock=clock)


class World:
    """A server that can be restarted, its journal, and what is true: every event of every channel, by seq."""

    project = "default"

    def __init__(self, **limits: int) -> None:
        self.now_s = 1000.0
        self.limits = limits
        self.journal = StandIn()
        self.truth: dict[Channel, list[Entry]] = {}
        self._made = 0
        self.hub = self._hub()

    def _hub(self) -> Hub:
        hub = hub_on(self.journal, lambda: self.now_s, **self.limits)
        hub.take_up(self.journal.begin(hub.limits.ring_events))
        return hub

    @property
    def log(self) -> Project:
        return self.hub.project(self.project)

    def key(self, channel: Channel) -> ChannelKey:
        return ChannelKey(self.project, channel)

    def publish(self, channel: Channel, severities: Sequence[str], **fields: Any) -> None:
        for severity in severities:
            self._made += 1
            made = event(**{"severity": severity, "channel": channel, "id": f"e{self._made}", **fields})
            seq = self.hub.publish(made)
            self.truth.setdefault(channel, []).append(entry_of(made, seq, 0))
            assert seq == len(self.truth[channel])
        self.tell()

    def tell(self) -> None:
        group, self.hub._pending = self.hub._pending, []
        self.journal.keep(
            [
                Record(one.project.name, one.channel, one.entry.seq, one.entry.id, 0, one.entry.line)
                for one in group
            ]
        )
        self.hub._tell(group)

    def restart(self, lost: Mapping[Channel, int] | None = None, *, anew: bool = False) -> None:
        """With the journal as it is, without the newest events, or without the journal."""
        if anew:
            self.journal.lose_all()
            self.truth.clear()
        for channel, count in (lost or {}).items():
            self.journal.lose_tail(self.key(channel), count)
            del self.truth.get(channel, [])[self.journal.last(self.key(channel)) :]
        self.hub = self._hub()

    def events(self, channel: Channel, after: int, upto: int) -> list[Entry]:
        return self.truth.get(channel, [])[after:upto]

    def fetch(self, channel: Channel, after: int, upto: int) -> tuple[list[Entry], int]:
        """All of a range, as a client asks for it, and how many of it are gone."""
        found: list[Entry] = []
        lost = 0
        while after < upto:
            entries, complete_after = at_once(self.hub.fetch(self.project, channel, after, upto, 7))
            lost += complete_after - after
            found += entries
            if not entries:
                break
            after = entries[-1].seq
        return found, lost


class Wish(NamedTuple):
    """A filter, and the same in plain Python."""

    filter: Filter
    wants: Callable[[Entry], bool]


def wish(
    wants: Callable[[Entry], bool],
    min_severity: Severity = "info",
    include: Patterns = ALL,
    exclude: Patterns = ALL,
) -> Wish:
    return Wish(compiled(include, exclude, min_severity), wants)


WISHES = (
    wish(lambda _: True),
    wish(lambda one: RANK[one.severity] <= 2, min_severity="medium"),
    wish(lambda one: one.kind.startswith("http_"), include=Patterns(kind=["http_*"])),
    wish(lambda one: "/analytics" not in one.url, exclude=Patterns(url=["/analytics"])),
    wish(
        lambda one: one.kind == "js_error" and RANK[one.severity] <= 1,
        min_severity="high",
        include=Patterns(kind=["js_error"]),
    ),
    wish(lambda _: False, include=Patterns(text=["never told"])),
)


class Client:
    """Reads one subscription, and loses frames with its connection. Every frame is checked against what is true."""

    def __init__(self, world: World, sub: int = 1) -> None:
        self.world = world
        self.sub = sub
        self.cursor = ""
        self.upto: dict[Channel, int] = {}
        self.told: Counter[str] = Counter()
        self.subscription: Subscription | None = None
        self.stalled = False
        self.wish = WISHES[0]
        self.throttle_s = 0.0
        self.muted: set[Channel] = set()
        self._live = False
        self._begins: Mapping[Channel, int] = {}
        self._backlog: Mapping[Channel, int] = {}
        self._noted_s: dict[Channel, float] = {}
        self._tokens = 5.0
        self._tokens_s = 0.0
        self._ids: dict[tuple[Channel, int], str] = {}
        self._passed: dict[Channel, int] = {}  # what the filter before the last update has judged

    # What it does

    def connect(self, channels: Sequence[Channel], wished: Wish, throttle_ms: int) -> None:
        world = self.world
        spec = Subscribe(id=self.sub, channels=list(channels), cursor=self.cursor)
        start = world.log.start_of(spec.channels, spec.cursor)
        self.subscription = Subscription(
            world.log, self.sub, spec.channels, wished.filter, throttle_ms, start, world.now_s
        )
        self.wish = wished
        self._passed = {}
        self.throttle_s = throttle_ms / 1000
        self.stalled = self._live = False
        self.muted = set()
        self._backlog = {channel: world.log.rings[channel].last for channel in channels}
        self._begins = self._expected(channels)
        self._noted_s = {}
        self._tokens, self._tokens_s = 5.0, world.now_s

    def drop(self, got: int | None = 0) -> None:
        """The connection ends, and of what was on its way only the first `got` frames came."""
        if self.subscription is not None and not self.stalled:
            self._get(self.subscription.take(self.world.now_s)[:got])
        self.subscription = None

    def mute(self, channels: Sequence[Channel], *, muted: bool) -> None:
        assert self.subscription is not None
        has = set(self.subscription.channels)
        meant = set(channels or has) & has
        self.muted = self.muted | meant if muted else self.muted - meant
        assert set(self.subscription.mute(channels, muted=muted)) == self.muted

    def update(self, wished: Wish, throttle_ms: int) -> None:
        assert self.subscription is not None
        before = Position.parse(self.subscription.cursor).seqs
        self.subscription.update(wished.filter, throttle_ms, self.world.now_s)
        for channel, upto in Position.parse(self.subscription.cursor).seqs.items():
            assert not self._wanted(channel, before[channel], upto)
            self._passed[channel] = upto
        self.wish, self.throttle_s = wished, throttle_ms / 1000

    def take(self) -> int:
        """Reads until nothing is due; how many frames came."""
        if self.subscription is None or self.stalled:
            return 0
        now_s = self.world.now_s
        count = 0
        while frames := self.subscription.take(now_s):
            count += len(frames)
            self._get(frames)
        assert self._live
        self._check_prompt(now_s)
        return count

    def finish(self) -> None:
        """Whatever is left is told in the end, and the client is where the log is."""
        assert self.subscription is not None
        self.stalled = False
        self.mute([], muted=False)
        for _ in range(3):
            self.take()
            self.world.now_s += 4000
        self.take()
        rings = self.world.log.rings
        assert self.upto == {channel: rings[channel].last for channel in self.subscription.channels}

    # What it checks

    def _expected(self, channels: Sequence[Channel]) -> dict[Channel, int]:
        """Where the cursor has to bring it."""
        rings = self.world.log.rings
        if not self.cursor:
            return {channel: rings[channel].last for channel in channels}
        position = Position.parse(self.cursor)
        ends = {self.world.log.epoch: {key: self.world.journal.last(key) for key in self.world.journal.kept}}
        mark = self.world.log.epoch.removeprefix(self.world.journal.epoch)
        ends |= {epoch + mark: end for epoch, end in self.world.journal.ends.items()}
        end = ends.get(position.epoch, {})
        return {
            channel: min(position.seqs[channel], end.get(self.world.key(channel), 0))
            if channel in position.seqs
            else rings[channel].last
            for channel in channels
        }

    def _get(self, frames: Sequence[bytes]) -> None:
        noted: dict[Channel, bool] = {}
        for text in frames:
            frame = decode_frame(text)
            self.told[str(frame.__struct_config__.tag)] += 1
            match frame:
                case Subscribed():
                    self._begin(frame)
                case Live():
                    self._lives()
                case Pos():
                    self._moves(frame)
                case Gap():
                    noted.setdefault(frame.channel, False)
                    self._misses(frame)
                case Batch() | Digest():
                    urgent = self._reads(frame, len(text))
                    noted[frame.channel] = noted.get(frame.channel, False) or urgent
                case _:
                    raise AssertionError(frame)
            assert frame.sub == self.sub
            if not isinstance(frame, Batch | Digest | Gap | Pos | Live | Subscribed):
                continue
            self.cursor = frame.cursor
            assert Position.parse(frame.cursor) == Position(self.world.log.epoch, self.upto)
        for channel, urgent in noted.items():
            self._note(channel, urgent=urgent)

    def _begin(self, frame: Subscribed) -> None:
        before = self.upto
        self.upto = dict(frame.positions)
        assert self.upto == self._begins
        rings = self.world.log.rings
        if frame.recovered and before:
            for channel, upto in self.upto.items():
                assert channel not in Position.parse(self.cursor).seqs or upto == before[channel]
                assert rings[channel].floor <= upto
        if not self.cursor:
            assert (frame.recovered, frame.reason) == (True, "fresh")
        for (channel, seq), told in list(self._ids.items()):
            if seq > self.upto.get(channel, 0):
                # The log goes on from an earlier place, so what was there is told anew.
                del self._ids[channel, seq]
            elif frame.recovered:
                assert self.world.truth[channel][seq - 1].id == told

    def _lives(self) -> None:
        assert not self._live
        self._live = True
        for channel, last in self._backlog.items():
            if channel not in self.muted:
                assert not self._wanted(channel, self.upto[channel], last)

    def _moves(self, frame: Pos) -> None:
        for channel, upto in frame.positions.items():
            assert upto >= self.upto[channel]
            assert not self._wanted(channel, max(self.upto[channel], self._passed.get(channel, 0)), upto)
        self.upto = dict(frame.positions)

    def _misses(self, frame: Gap) -> None:
        channel = frame.channel
        assert frame.prev == self.upto[channel]
        assert 0 < frame.lost <= frame.upto - frame.prev
        assert frame.upto == self.world.log.rings[channel].floor
        assert not self._wanted(channel, frame.prev, frame.upto - frame.lost)
        self.upto[channel] = frame.upto
        self.told["lost"] += frame.lost

    def _reads(self, frame: Batch | Digest, size: int) -> bool:
        channel = frame.channel
        assert channel not in self.muted
        assert frame.prev == self.upto[channel] < frame.upto
        wanted = self._wanted(channel, frame.prev, frame.upto)
        assert frame.count == len(wanted) > 0
        told = [msgspec.json.decode(one) for one in frame.events]
        inline = self.world.log.inline_events
        if isinstance(frame, Digest):
            assert inline == 0 or (self.throttle_s and frame.count > inline)
            worst = sorted(wanted, key=lambda one: (RANK[one.severity], -one.seq))[:inline]
            assert [one["id"] for one in told] == [one.id for one in sorted(worst, key=lambda one: one.seq)]
            self._checks_counts(frame, wanted)
            self._fetches(frame, wanted)
        else:
            assert [one["id"] for one in told] == [one.id for one in wanted]
            if self.throttle_s:
                assert frame.count <= inline
            else:
                assert frame.count <= FRAME_EVENTS
                assert frame.count == 1 or size < FRAME_BYTES + 1000
        for one in told:
            assert (channel, one["seq"]) not in self._ids
            self._ids[channel, one["seq"]] = one["id"]
        self.upto[channel] = frame.upto
        return any(RANK[one.severity] <= 1 for one in wanted)

    def _checks_counts(self, frame: Digest, wanted: list[Entry]) -> None:
        assert frame.omitted == frame.count - len(frame.events)
        assert frame.by_severity == Counter(one.severity for one in wanted)
        assert frame.by_kind == Counter(one.kind for one in wanted)
        assert frame.by_chain == Counter(one.chain for one in wanted if one.chain)
        assert (frame.fetch.after, frame.fetch.upto) == (frame.prev, frame.upto)

    def _fetches(self, frame: Digest, wanted: list[Entry]) -> None:
        channel, after, upto = frame.channel, frame.fetch.after, frame.fetch.upto
        found, lost = self.world.fetch(channel, after, upto)
        floor = self.world.log.rings[channel].floor
        gone = min(self.world.journal.floors.get(self.world.key(channel), 0), floor)
        assert lost == max(0, min(gone, upto) - after)
        assert [one.id for one in self.wish.filter.of(found)] == [
            one.id for one in wanted if one.seq > after + lost
        ]

    def _wanted(self, channel: Channel, after: int, upto: int) -> list[Entry]:
        return [one for one in self.world.events(channel, after, upto) if self.wish.wants(one)]

    def _note(self, channel: Channel, *, urgent: bool) -> None:
        """At most one notification an interval, unless there is a token for something urgent."""
        now_s = self.world.now_s
        before_s = self._noted_s.get(channel)
        if before_s is not None and now_s < before_s + self.throttle_s:
            assert urgent
            self._refill(now_s)
            assert self._tokens >= 1 - 1e-5
            self._tokens -= 1
        self._noted_s[channel] = now_s

    def _refill(self, now_s: float) -> None:
        self._tokens = min(5.0, self._tokens + (now_s - self._tokens_s) * 2)
        self._tokens_s = now_s

    def _check_prompt(self, now_s: float) -> None:
        """What is not told after a take is held back by its interval, and urgent news by the lack of a token; and it has its time."""
        assert self.subscription is not None
        self._refill(now_s)
        for channel in self.subscription.channels:
            waiting = self._wanted(channel, self.upto[channel], self.world.log.rings[channel].last)
            if not waiting or channel in self.muted:
                continue
            due_s = self._noted_s[channel] + self.throttle_s
            assert now_s < due_s
            if any(
                RANK[one.severity] <= 1 for one in waiting if one.seq > self.world.log.rings[channel].floor
            ):
                assert self._tokens < 1
                due_s = min(due_s, now_s + (1 - self._tokens) / 2)
            assert now_s <= self.subscription.due_s(now_s) <= due_s + 1e-5
