"""A stream of events from a server, as a client sees it: every event once and in order, however often the connection drops."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar, cast

import msgspec
from msgspec import UNSET

from ...correlator.event import Channel, Event, Severity
from ..errors import StreamBroken
from ..position import Position
from ..wire import (
    AnyFrame,
    AnyOp,
    Batch,
    Digest,
    Fetched,
    Gap,
    Mute,
    Muted,
    Published,
    Subscribe,
    Subscribed,
    Unmute,
    Update,
    Updated,
    decode_op,
    encode,
)
from .address import address_of
from .chain import HINT, events_of
from .digest import OpenDigest
from .session import Arrival, Outdated, Session, StreamClosed, Told

SUB: Final = 1

PatternsByField = Mapping[str, Sequence[str]]
OnGap = Callable[[Gap], object]
F = TypeVar("F", bound=AnyFrame)

log = logging.getLogger(__name__)


def connect(
    url: str = "",
    *,
    token: str = "",
    project: str = "",
    channels: Sequence[Channel] | None = None,
    include: PatternsByField | None = None,
    exclude: PatternsByField | None = None,
    min_severity: Severity = "info",
    throttle_ms: int | None = None,
    cursor: str = "",
    complete: bool = True,
    on_gap: OnGap | None = None,
    give_up_s: float | None = None,
) -> Stream:
    """`async with connect() as stream: async for event in stream: …`

    Without `url` it is FIRSTCAUSE_URL, or the server on this machine. A dropped connection is taken up again where it was, for ever
    or for `give_up_s`. What the server only counts is fetched, unless `complete` is off. `on_gap` is told what nobody has any more.
    Raises BadField at once; entering the block raises ServerUnreachable, Unauthorized and what else the server refuses.
    """
    spec = _op(
        "subscribe",
        id=SUB,
        project=project or None,
        channels=channels,
        include=include,
        exclude=exclude,
        min_severity=min_severity,
        throttle_ms=throttle_ms,
        cursor=cursor,
    )
    session = Session(lambda: address_of(url, token), cast("Subscribe", spec), give_up_s)
    return Stream(session, complete=complete, on_gap=on_gap)


class Stream:
    """Made by `connect`. Iterating may be stopped and taken up again, and is for one task at a time."""

    def __init__(self, session: Session, *, complete: bool, on_gap: OnGap | None) -> None:
        self.lost = 0
        """How many events were gone before they could be told, counted before any filter."""
        self._session = session
        self._complete = complete
        self._on_gap = on_gap
        self._cursor = session.spec.cursor
        self._frame: Batch | Digest | None = None  # which the events in `_ready` are of
        self._ready: deque[Event] = deque()
        self._digest: OpenDigest | None = None  # of which more is to be fetched
        self._last: Event | None = None
        self._broken: StreamBroken | None = None

    async def __aenter__(self) -> Self:
        await self._session.open()
        self._cursor = self._cursor or self._session.chain.cursor
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the iteration too, once it has given what is here already."""
        await self._session.close()

    @property
    def cursor(self) -> str:
        """Where a later stream goes on, right after the last event that this one gave."""
        if self._frame is None or self._last is None:
            return self._cursor
        epoch, seqs = Position.parse(self._frame.cursor)
        return str(Position(epoch, {**seqs, self._frame.channel: self._last.seq}))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._broken is not None:
            raise self._broken
        try:
            while not self._ready:
                if not await (self._fetch(self._digest) if self._digest else self._begin()):
                    raise StopAsyncIteration
        except StreamBroken as error:
            self._broken = error
            raise
        event = self._last = self._ready.popleft()
        self._settle()
        return event

    async def frames(self) -> AsyncIterator[Told]:
        """What the server tells as it tells it: batches, digests, gaps, and where the stream is."""
        while (told := await self._next()) is not None:
            self._cursor = told.frame.cursor
            yield told.frame

    async def mute(self, *channels: Channel) -> list[Channel]:
        """Hold these channels back, all without an argument; nothing is lost. Gives those that are muted then."""
        return await self._mute(Mute, channels)

    async def unmute(self, *channels: Channel) -> list[Channel]:
        return await self._mute(Unmute, channels)

    async def update(
        self,
        *,
        include: PatternsByField | None = None,
        exclude: PatternsByField | None = None,
        min_severity: Severity | None = None,
        throttle_ms: int | None = None,
    ) -> None:
        """Change what is given; what a digest counted before and is fetched later is judged anew too."""
        op = cast(
            "Update",
            _op(
                "update",
                sub=SUB,
                include=include,
                exclude=exclude,
                min_severity=min_severity,
                throttle_ms=throttle_ms,
            ),
        )
        self._session.changes += 1
        await self._ask(Updated, lambda number: encode(msgspec.structs.replace(op, id=number)))
        changed = {name: getattr(op, name) for name in ("include", "exclude", "min_severity", "throttle_ms")}
        given = {name: value for name, value in changed.items() if value is not UNSET}
        self._session.spec = msgspec.structs.replace(self._session.spec, **given)

    async def publish(self, event: Mapping[str, Any]) -> Published:
        """Tell an event of one's own: channel, kind, summary and more. The answer comes when it is kept."""
        message: dict[str, Any] = {"op": "publish", "event": event}
        if self._session.spec.project is not UNSET:
            message["project"] = self._session.spec.project
        return await self._ask(Published, lambda number: encode({**message, "id": number}), repeatable=False)

    async def _next(self) -> Arrival | None:
        arrival = await self._session.next()
        match arrival:
            case Arrival(Gap() as gap):
                self._missed(gap)
            case Arrival(Subscribed(reason="epoch_changed")):
                log.warning("The server has another log now; what the old one did not tell any more is gone.")
            case _:
                pass
        return arrival

    async def _begin(self) -> bool:
        """Take up the next frame; False at the end of the stream."""
        arrival = await self._next()
        if arrival is None:
            return False
        frame = arrival.frame
        if not isinstance(frame, Batch | Digest):
            self._cursor = frame.cursor
            return True
        self._frame, self._last = frame, None
        if isinstance(frame, Digest) and frame.omitted and self._complete:
            self._digest = OpenDigest(frame, arrival.life, arrival.changes)
        else:
            self._ready.extend(events_of(frame, frame.prev))
            self._settle()
        return True

    async def _fetch(self, digest: OpenDigest) -> bool:
        try:
            page = await self._ask(Fetched, digest.request, life=digest.life)
            events, gap = digest.take(page, self._session.changes)
        except StreamClosed:
            return False
        except Outdated:
            events, gap = digest.abandon()
        self._ready.extend(events)
        if digest.done:
            self._digest = None
        self._settle()
        if gap is not None:
            self._missed(gap)
        return True

    def _settle(self) -> None:
        """When all of a frame is given, the stream is where that ends."""
        if self._frame is not None and not self._ready and self._digest is None:
            self._cursor = self._frame.cursor
            self._frame = self._last = None

    def _missed(self, gap: Gap) -> None:
        self.lost += gap.lost
        log.warning("%d events of %s are not kept any more: %s.", gap.lost, gap.channel, gap.reason)
        if self._on_gap is not None:
            self._on_gap(gap)

    async def _mute(self, kind: type[Mute | Unmute], channels: Sequence[Channel]) -> list[Channel]:
        answer = await self._ask(
            Muted, lambda number: encode(kind(sub=SUB, id=number, channels=list(channels)))
        )
        self._session.muted = answer.channels
        return answer.channels

    async def _ask(
        self,
        kind: type[F],
        message: Callable[[int], bytes],
        *,
        life: int | None = None,
        repeatable: bool = True,
    ) -> F:
        answer = await self._session.ask(message, life=life, repeatable=repeatable)
        if not isinstance(answer, kind):
            raise StreamBroken(f"A {kind.__name__} was due, and the server sent {answer}.", HINT)
        return answer


def _op(name: str, **fields: object) -> AnyOp:
    """Checked as the server would. Raises BadField."""
    return decode_op(
        encode({"op": name, **{key: value for key, value in fields.items() if value is not None}})
    )
