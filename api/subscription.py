"""A reader's place in a project's log, and the frames that are due to it: never a queue, so a slow reader costs no memory.

Each channel is told by chained ranges, (prev, upto]: the first news at once, then at most one notification an interval; critical and
high ones flush their channel early as long as there are tokens. What does not fit a notification is counted in a digest, what is not
kept any more in a gap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from ..correlator.event import Channel
from .filters import RANK, Filter
from .position import Position
from .ring import Entry, Ring
from .wire import Batch, Digest, Gap, Live, Pos, Range, Subscribed, encode

FLUSH_BURST: Final = 5.0
FLUSHES_PER_S: Final = 2.0
FRAME_EVENTS: Final = 100  # of a batch, when everything is told
FRAME_BYTES: Final = 64 * 1024
TAKE_BYTES: Final = 256 * 1024  # and then the reader's own buffer decides when to go on
IDLE_S: Final = 15.0
COUNTED_KINDS: Final = 40
COUNTED_CHAINS: Final = 20

Recovery = Literal["fresh", "start", "complete", "evicted", "epoch_changed"]


class Source(Protocol):
    """The project as its subscriptions see it."""

    name: str

    @property
    def epoch(self) -> str: ...

    @property
    def rings(self) -> Mapping[Channel, Ring]: ...

    @property
    def inline_events(self) -> int:
        """How many events a notification holds at most; 0 while memory is short."""
        ...

    frames: dict[object, bytes]
    """What was encoded since the last news, for readers that are at the same place."""

    tallies: Counter[str]


class _Feed:
    """One channel of a subscription: `told` is where its chain of ranges is, `seen` how far was looked for what matches."""

    __slots__ = ("channel", "looked_urgent", "muted", "next_s", "ring", "seen", "told")

    def __init__(self, channel: Channel, ring: Ring, seq: int) -> None:
        self.channel: Channel = channel
        self.ring = ring
        self.told = seq
        self.seen = seq
        self.looked_urgent = seq
        self.next_s = -math.inf
        self.muted = False


class Subscription:
    """`take` what is due whenever `due_s` has come or news woke the reader; the frames are in order and must all be sent."""

    def __init__(
        self,
        source: Source,
        sub: int,
        channels: Sequence[Channel],
        filter_: Filter,
        throttle_ms: int,
        start: tuple[Recovery, Mapping[Channel, int]],
        now_s: float,
    ) -> None:
        self.source = source
        self.sub = sub
        self.filter = filter_
        self.throttle_ms = throttle_ms
        self._feeds: dict[Channel, _Feed] = {
            channel: _Feed(channel, source.rings[channel], start[1][channel])
            for channel in dict.fromkeys(channels)
        }
        self._tokens = FLUSH_BURST
        self._tokens_s = now_s
        self._told_s = now_s
        self._live = False
        self._reason: Recovery = start[0]
        self._begun = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self._feeds)

    @property
    def cursor(self) -> str:
        return str(Position(self.source.epoch, {feed.channel: feed.told for feed in self._feeds.values()}))

    @property
    def lag(self) -> int:
        """How many events have not been looked at for this reader."""
        return sum(feed.ring.last - feed.seen for feed in self._feeds.values() if not feed.muted)

    @property
    def quiet_until_s(self) -> float:
        """Before this nothing is due, except by something urgent."""
        return min((feed.next_s for feed in self._feeds.values() if not feed.muted), default=math.inf)

    def due_s(self, now_s: float) -> float:
        """When to take again if nothing wakes the reader before."""
        due = self._told_s + IDLE_S
        for feed in self._feeds.values():
            if feed.ring.last > feed.seen and not feed.muted:
                due = min(due, feed.next_s)
        return max(due, now_s)

    def mute(self, channels: Sequence[Channel], *, muted: bool) -> list[Channel]:
        """Which channels are muted then; those that the subscription does not have are no matter."""
        for channel in channels or self._feeds:
            if channel in self._feeds:
                self._feeds[channel].muted = muted
        return [feed.channel for feed in self._feeds.values() if feed.muted]

    def update(self, filter_: Filter, throttle_ms: int, now_s: float) -> None:
        """What is not told yet is judged by the new filter, what was passed over by the old one stays so."""
        self.filter = filter_
        for feed in self._feeds.values():
            feed.looked_urgent = feed.seen
            if throttle_ms < self.throttle_ms:
                feed.next_s = min(feed.next_s, now_s + throttle_ms / 1000)
        self.throttle_ms = throttle_ms

    def take(self, now_s: float) -> list[bytes]:
        frames: list[bytes] = []
        if not self._begun:
            self._begun = True
            frames.append(self._subscribed())
        size = 0
        more = False
        for feed in self._feeds.values():
            while not feed.muted and feed.ring.last > feed.seen and self._is_due(feed, now_s):
                if size > TAKE_BYTES:
                    more = True
                    break
                for frame in self._notify(feed, now_s):
                    frames.append(frame)
                    size += len(frame)
        if not self._live and not more:
            self._live = True
            frames.append(encode(Live(sub=self.sub, cursor=self.cursor)))
        if not frames and now_s >= self._told_s + IDLE_S:
            frames.append(self._pos())
        if frames:
            self._told_s = now_s
        return frames

    def _subscribed(self) -> bytes:
        return encode(
            Subscribed(
                sub=self.sub,
                project=self.source.name,
                recovered=self._reason in ("fresh", "complete"),
                reason=self._reason,
                cursor=self.cursor,
                positions={feed.channel: feed.told for feed in self._feeds.values()},
                throttle_ms=self.throttle_ms,
            )
        )

    def _pos(self) -> bytes:
        for feed in self._feeds.values():
            feed.told = feed.seen
        positions: dict[Channel, int] = {feed.channel: feed.told for feed in self._feeds.values()}
        return encode(Pos(sub=self.sub, cursor=self.cursor, positions=positions))

    def _is_due(self, feed: _Feed, now_s: float) -> bool:
        return now_s >= feed.next_s or self._flushes(feed, now_s)

    def _flushes(self, feed: _Feed, now_s: float) -> bool:
        """Whether something urgent that matches has come, and there is a token for it."""
        ring = feed.ring
        if ring.urgent <= max(feed.seen, feed.looked_urgent):
            return False
        self._tokens = min(FLUSH_BURST, self._tokens + (now_s - self._tokens_s) * FLUSHES_PER_S)
        self._tokens_s = now_s
        if self._tokens < 1:
            return False
        fresh = [
            entry for entry in ring.after(max(feed.seen, feed.looked_urgent)) if RANK[entry.severity] <= 1
        ]
        if not self.filter.of(fresh):
            feed.looked_urgent = ring.last
            return False
        self._tokens -= 1
        return True

    def _notify(self, feed: _Feed, now_s: float) -> list[bytes]:
        """The frames of one notification; none when nothing matched."""
        ring = feed.ring
        frames: list[bytes] = []
        if ring.floor > feed.seen:
            frames.append(self._gap(feed))
        entries = ring.after(feed.seen)
        upto = ring.last
        inline = self.source.inline_events
        if not self.throttle_ms and inline:
            entries = _first(entries)
            upto = entries[-1].seq if entries else upto
        matched = self.filter.of(entries)
        feed.seen = upto
        if matched:
            whole = len(matched) <= inline or (not self.throttle_ms and inline > 0)
            frames.append(
                self._batch(feed, upto, matched) if whole else self._digest(feed, upto, matched, inline)
            )
        if frames:
            feed.next_s = now_s + self.throttle_ms / 1000
            self.source.tallies["notifications"] += 1
        return frames

    def _gap(self, feed: _Feed) -> bytes:
        ring = feed.ring
        prev, lost = feed.told, ring.floor - feed.seen
        feed.told = feed.seen = ring.floor
        self.source.tallies["gaps"] += 1
        self.source.tallies["lost"] += lost
        reason = "pressure" if ring.cause == "pressure" else "evicted"
        return encode(
            Gap(
                sub=self.sub,
                channel=feed.channel,
                prev=prev,
                upto=ring.floor,
                lost=lost,
                reason=reason,
                cursor=self.cursor,
            )
        )

    def _batch(self, feed: _Feed, upto: int, matched: list[Entry]) -> bytes:
        prev, feed.told = feed.told, upto
        cursor = self.cursor
        key = (self.sub, feed.channel, prev, cursor, self.filter)
        frame = self.source.frames.get(key)
        if frame is None:
            frame = self.source.frames[key] = encode(
                Batch(
                    sub=self.sub,
                    channel=feed.channel,
                    prev=prev,
                    upto=upto,
                    count=len(matched),
                    events=[msgspec.Raw(entry.line) for entry in matched],
                    cursor=cursor,
                )
            )
        return frame

    def _digest(self, feed: _Feed, upto: int, matched: list[Entry], inline: int) -> bytes:
        prev, feed.told = feed.told, upto
        worst = sorted(matched, key=lambda entry: (RANK[entry.severity], -entry.seq))[:inline]
        worst.sort(key=lambda entry: entry.seq)
        self.source.tallies["digests"] += 1
        return encode(
            Digest(
                sub=self.sub,
                channel=feed.channel,
                prev=prev,
                upto=upto,
                count=len(matched),
                omitted=len(matched) - len(worst),
                by_kind=_counts([entry.kind for entry in matched], COUNTED_KINDS),
                by_severity=dict(Counter(entry.severity for entry in matched)),
                by_chain=_counts([entry.chain for entry in matched if entry.chain], COUNTED_CHAINS),
                events=[msgspec.Raw(entry.line) for entry in worst],
                fetch=Range(prev, upto),
                cursor=self.cursor,
            )
        )


def _first(entries: list[Entry]) -> list[Entry]:
    """As many as fit one frame, one at least."""
    size = 0
    for index, entry in enumerate(entries[:FRAME_EVENTS]):
        size += len(entry.line)
        if size > FRAME_BYTES and index:
            return entries[:index]
    return entries[:FRAME_EVENTS]


def _counts(names: list[str], limit: int) -> dict[str, int]:
    """The most frequent ones; `other` sums up the rest."""
    counted = Counter(names).most_common()
    counts = dict(counted[:limit])
    if rest := sum(count for _, count in counted[limit:]):
        counts["other"] = rest
    return counts
