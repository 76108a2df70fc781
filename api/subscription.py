"""A reader's place in a project's log, and the frames that are due to it: never a queue, so a slow reader costs no memory.

Each channel is told by chained ranges, (prev, upto]: the first news at once, then at most one notification an interval; critical and
high ones flush their channel early as long as there are tokens. What does not fit a notification is counted in a digest, what is not
kept any more in a gap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from ..correlator.event import Channel
from .filters import RANK, Filter
from .position import place
from .ring import URGENT, Entry, Ring
from .wire import Batch, Digest, Gap, Live, Pos, Range, Subscribed, encode

FLUSH_BURST: Final = 5.0
FLUSHES_PER_S: Final = 2.0
FRAME_EVENTS: Final = 100  # of a batch, when everything is told
SURELY_FIT: Final = 25  # events of two kB, which is the most that one has
FRAME_BYTES: Final = 64 * 1024
TAKE_BYTES: Final = 256 * 1024  # and then the reader's own buffer decides when to go on
IDLE_S: Final = 15.0
COUNTED_KINDS: Final = 40
COUNTED_CHAINS: Final = 20
SHARED_FRAMES: Final = 64

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

    moves: dict[object, Move]
    """How readers that were told everything before went on since the last news, for others who go on with them."""

    frames: dict[object, bytes]
    """What was encoded since the last news and ends with them, for readers that are at the same place."""

    tallies: Counter[str]


class _Feed:
    """One channel of a subscription: `told` is where its chain of ranges is, `seen` how far was looked for what matches."""

    __slots__ = ("channel", "looked_urgent", "muted", "place", "ring", "seen", "told", "told_s")

    def __init__(self, channel: Channel, ring: Ring, seq: int) -> None:
        self.channel: Channel = channel
        self.ring = ring
        self.tell(seq)
        self.looked_urgent = seq
        self.told_s = -math.inf
        self.muted = False

    @property
    def has_news(self) -> bool:
        return self.ring.last > self.seen and not self.muted

    @property
    def has_urgent(self) -> bool:
        """Whether something urgent came that was not looked at; it may not match."""
        return self.ring.urgent > max(self.seen, self.looked_urgent)

    def tell(self, upto: int) -> None:
        self.told = self.seen = upto
        self.place = place(self.channel, upto)


class Move(NamedTuple):
    """One step of all readers that want the same and stand at the same place."""

    frames: list[bytes]
    seqs: list[int]
    cursor: str


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
        self._placed_s = now_s
        self._owes_place = False
        self._live = False
        self._reason: Recovery = start[0]
        self._begun = False
        self._settled_at = ""

    @property
    def is_settled(self) -> bool:
        """Whether everything was told at the last `take`, and what comes will be told at once."""
        return bool(self._settled_at)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self._feeds)

    @property
    def cursor(self) -> str:
        return f"{self.source.epoch}.{''.join([feed.place for feed in self._feeds.values()])}"

    @property
    def lag(self) -> int:
        """How many events have not been looked at for this reader."""
        return sum(feed.ring.last - feed.seen for feed in self._feeds.values() if not feed.muted)

    @property
    def quiet_until_s(self) -> float:
        """Before this nothing is due, except by something urgent."""
        if self._settled_at:
            return -math.inf
        told_s = min((feed.told_s for feed in self._feeds.values() if not feed.muted), default=math.inf)
        return told_s + self._interval_s

    @property
    def _interval_s(self) -> float:
        return self.throttle_ms / 1000

    def due_s(self, now_s: float) -> float:
        """When to take again if nothing wakes the reader before."""
        if not self._live or self._owes_place:
            return now_s
        due = self._told_s + IDLE_S
        for feed in self._feeds.values():
            if feed.has_news:
                due = min(due, feed.told_s + self._interval_s)
                if feed.has_urgent:
                    due = min(due, self._tokens_s + (1 - self._tokens) / FLUSHES_PER_S)
        return max(due, now_s)

    def mute(self, channels: Sequence[Channel], *, muted: bool) -> list[Channel]:
        """Which channels are muted then; those that the subscription does not have are no matter."""
        self._settled_at = ""
        for channel in channels or self._feeds:
            if channel in self._feeds:
                self._feeds[channel].muted = muted
        return [feed.channel for feed in self._feeds.values() if feed.muted]

    def update(self, filter_: Filter, throttle_ms: int, now_s: float) -> None:
        """What is not looked at yet is judged by the new filter, what was passed over by the old one stays so."""
        self.throttle_ms = throttle_ms
        self._settled_at = ""
        if filter_ is self.filter:
            return
        self.filter = filter_
        self._placed_s = now_s
        for feed in self._feeds.values():
            feed.looked_urgent = feed.seen
            if feed.seen > feed.told:
                # Else the next range would begin with what another filter has judged, and fetching it would give something else.
                feed.tell(feed.seen)
                self._owes_place = True

    def take(self, now_s: float) -> list[bytes]:
        settled_at, moves = self._settled_at, self.source.moves
        together = (settled_at, self.sub, self.filter, self.source.inline_events)
        if settled_at and (move := moves.get(together)) is not None:
            return self._follow(move, now_s)
        told = [feed.told for feed in self._feeds.values()]
        frames = self._take(now_s)
        self._settled_at = self.cursor if self._has_settled else ""
        if settled_at and self._settled_at and frames:
            seqs = [feed.told for feed in self._feeds.values()]
            if len(frames) == sum(before != seq for before, seq in zip(told, seqs, strict=True)):
                # A frame a channel: news, and nothing that is between this reader and the server alone.
                moves[together] = Move(frames, seqs, self._settled_at)
        return frames

    def _follow(self, move: Move, now_s: float) -> list[bytes]:
        """Working it out once is what lets a thousand readers be told in milliseconds."""
        for feed, seq in zip(self._feeds.values(), move.seqs, strict=True):
            if feed.told != seq:
                feed.tell(seq)
                feed.told_s = now_s
        self._told_s = now_s
        self._settled_at = move.cursor
        self.source.tallies["notifications"] += len(move.frames)
        return move.frames

    @property
    def _has_settled(self) -> bool:
        if self.throttle_ms or not self._live or self._owes_place:
            return False
        return all(
            feed.told == feed.seen == feed.ring.last and not feed.muted for feed in self._feeds.values()
        )

    def _take(self, now_s: float) -> list[bytes]:
        frames: list[bytes] = []
        if not self._begun:
            self._begun = True
            frames.append(self._subscribed())
        if self._owes_place:
            frames.append(self._pos(now_s))
        behind = self._tell_news(frames, now_s)
        if not self._live and not behind:
            self._live = True
            frames.append(encode(Live(sub=self.sub, cursor=self.cursor)))
        idle = not frames and now_s >= self._told_s + IDLE_S
        if idle or (now_s >= self._placed_s + IDLE_S and self._has_passed_over):
            frames.append(self._pos(now_s))
        if frames:
            self._told_s = now_s
        return frames

    def _tell_news(self, frames: list[bytes], now_s: float) -> bool:
        """Whether there is more than one take may hold. A notification of each channel in turn, so that none starves the others."""
        size = 0
        due = [feed for feed in self._feeds.values() if feed.ring.last > feed.seen]
        while due and (due := [feed for feed in due if feed.has_news and self._is_due(feed, now_s)]):
            for feed in due:
                told = self._notify(feed, now_s)
                size += sum(map(len, told))
                frames += told
            if size > TAKE_BYTES:
                return any(feed.has_news for feed in due)
        return False

    def settle(self, now_s: float) -> list[bytes]:
        """For a reader that comes back with its cursor: what it need not look at again, if there is such."""
        return [self._pos(now_s)] if self._has_passed_over else []

    @property
    def _has_passed_over(self) -> bool:
        """Whether the cursor names places before what was looked at, from where a resuming client might find a gap."""
        return any(feed.seen > feed.told for feed in self._feeds.values())

    def _subscribed(self) -> bytes:
        if self._reason == "complete" and any(feed.ring.floor > feed.seen for feed in self._feeds.values()):
            self._reason = "evicted"  # while the reader was waiting for its client
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

    def _pos(self, now_s: float) -> bytes:
        self._owes_place = False
        self._placed_s = now_s
        for feed in self._feeds.values():
            feed.tell(feed.seen)
        positions: dict[Channel, int] = {feed.channel: feed.told for feed in self._feeds.values()}
        return encode(Pos(sub=self.sub, cursor=self.cursor, positions=positions))

    def _is_due(self, feed: _Feed, now_s: float) -> bool:
        return now_s >= feed.told_s + self._interval_s or self._flushes(feed, now_s)

    def _flushes(self, feed: _Feed, now_s: float) -> bool:
        """Whether something urgent that matches has come, and there is a token for it."""
        if not feed.has_urgent:
            return False
        self._tokens = min(FLUSH_BURST, self._tokens + (now_s - self._tokens_s) * FLUSHES_PER_S)
        self._tokens_s = now_s
        if self._tokens < 1 - 1e-6:  # so little is only rounding, and waiting for it would be waiting for now
            return False
        ring = feed.ring
        fresh = ring.after(max(feed.seen, feed.looked_urgent))
        if not self.filter.of([entry for entry in fresh if entry.severity in URGENT]):
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
        inline = self.source.inline_events
        all_inline = not self.throttle_ms and inline > 0
        entries = (
            _first(ring.after(feed.seen, feed.seen + FRAME_EVENTS)) if all_inline else ring.after(feed.seen)
        )
        upto = entries[-1].seq if entries else ring.last
        matched = self.filter.of(entries)
        feed.seen = upto
        if matched:
            whole = all_inline or len(matched) <= inline
            frames.append(
                self._batch(feed, upto, matched) if whole else self._digest(feed, upto, matched, inline)
            )
        if frames:
            feed.told_s = now_s
            self.source.tallies["notifications"] += 1
        return frames

    def _gap(self, feed: _Feed) -> bytes:
        ring = feed.ring
        prev, lost = feed.told, ring.floor - feed.seen
        feed.tell(ring.floor)
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
        prev = feed.told
        feed.tell(upto)
        cursor = self.cursor
        return self._shared(
            (self.sub, feed.channel, prev, cursor, self.filter),
            feed,
            lambda: Batch(
                sub=self.sub,
                channel=feed.channel,
                prev=prev,
                upto=upto,
                count=len(matched),
                events=[msgspec.Raw(entry.line) for entry in matched],
                cursor=cursor,
            ),
        )

    def _digest(self, feed: _Feed, upto: int, matched: list[Entry], inline: int) -> bytes:
        prev = feed.told
        feed.tell(upto)
        cursor = self.cursor
        self.source.tallies["digests"] += 1
        return self._shared(
            (self.sub, feed.channel, prev, cursor, self.filter, inline),
            feed,
            lambda: _digest(self.sub, feed.channel, Range(prev, upto), matched, inline, cursor),
        )

    def _shared(self, key: object, feed: _Feed, make: Callable[[], Batch | Digest]) -> bytes:
        """The frame, as another reader at the same place got it. The cursor in the key says where the range ends; what a range holds
        never changes, because no filter but the one in the key has judged a part of it.
        """
        frames = self.source.frames
        frame = frames.get(key)
        if frame is None:
            frame = encode(make())
            if feed.told == feed.ring.last and len(frames) < SHARED_FRAMES:
                frames[key] = frame
        return frame


def _digest(
    sub: int, channel: Channel, fetch: Range, matched: list[Entry], inline: int, cursor: str
) -> Digest:
    worst = sorted(matched, key=lambda entry: (RANK[entry.severity], -entry.seq))[:inline]
    worst.sort(key=lambda entry: entry.seq)
    return Digest(
        sub=sub,
        channel=channel,
        prev=fetch.after,
        upto=fetch.upto,
        count=len(matched),
        omitted=len(matched) - len(worst),
        by_kind=_counts([entry.kind for entry in matched], COUNTED_KINDS),
        by_severity=dict(Counter(entry.severity for entry in matched)),
        by_chain=_counts([entry.chain for entry in matched if entry.chain], COUNTED_CHAINS),
        events=[msgspec.Raw(entry.line) for entry in worst],
        fetch=fetch,
        cursor=cursor,
    )


def _first(entries: list[Entry]) -> list[Entry]:
    """As many as fit one frame, one at least."""
    if len(entries) <= SURELY_FIT:
        return entries
    size = 0
    for index, entry in enumerate(entries):
        size += len(entry.line)
        if size > FRAME_BYTES and index:
            return entries[:index]
    return entries


def _counts(names: list[str], limit: int) -> dict[str, int]:
    """The most frequent ones; `other` sums up the rest."""
    counted = Counter(names).most_common()
    counts = dict(counted[:limit])
    if rest := sum(count for _, count in counted[limit:]):
        counts["other"] = counts.get("other", 0) + rest
    return counts
