"""Holds what a client is told against what it was told before: ranges follow one another, and every event of a range is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from pydantic import ValidationError

from ...correlator.event import Channel, Event
from ..errors import StreamBroken
from ..position import Position
from ..wire import Batch, Digest, Fetched, Frame, Gap, Live, Pos, Subscribed

START: Final = "start"  # as a cursor: begin at the oldest event that is kept
HINT: Final = "Connect again with the cursor of this stream: it goes on after the last event that was right."


class Chain:
    """Where the client is. `follow` raises StreamBroken for a frame that does not go on exactly there."""

    def __init__(self, channels: Sequence[Channel], cursor: str) -> None:
        self.cursor = cursor
        self.life = 0
        """Counts the logs: a range of another life is about other events."""
        self._at: dict[Channel, int] = {}
        if cursor not in {"", START}:
            seqs = Position.parse(cursor).seqs
            # A channel that the cursor does not name begins with what happens next.
            self._at = {channel: seqs[channel] for channel in channels if channel in seqs}

    def begin(self, frame: Subscribed) -> None:
        resumed = frame.reason in {"complete", "evicted"}
        if resumed and self._at.items() - frame.positions.items():
            _broken(
                f"The server goes on at {_told(frame.positions)}, and this client is at {_told(self._at)}."
            )
        self.life += frame.reason == "epoch_changed"
        self._at = dict(frame.positions)
        self.cursor = frame.cursor

    def follow(self, frame: Batch | Digest | Gap | Pos | Live) -> None:
        match frame:
            case Live():
                pass
            case Pos():
                self._move(frame.positions)
            case _:
                self._step(frame)
        self.cursor = frame.cursor

    def _move(self, positions: Mapping[Channel, int]) -> None:
        if positions.keys() != self._at.keys() or any(
            positions[channel] < seq for channel, seq in self._at.items()
        ):
            _broken(f"The server is at {_told(positions)}, and this client is at {_told(self._at)}.")
        self._at = dict(positions)

    def _step(self, frame: Batch | Digest | Gap) -> None:
        at = self._at.get(frame.channel)
        if frame.prev != at or frame.upto <= frame.prev:
            _broken(
                f"A {_name(frame)} of {frame.channel} covers {frame.prev} to {frame.upto}, and this client is at {at}."
            )
        if isinstance(frame, Digest):
            if (frame.fetch.after, frame.fetch.upto) != (frame.prev, frame.upto):
                _broken(f"A digest of {frame.channel} covers another range than it says how to fetch.")
            _count(frame, frame.count - frame.omitted)
        elif isinstance(frame, Batch):
            _count(frame, frame.count)
        self._at[frame.channel] = frame.upto


def events_of(frame: Batch | Digest | Fetched, after: int) -> list[Event]:
    """The events of a frame, which are of its channel, in order and within (after, upto]."""
    try:
        events = [Event.model_validate_json(bytes(raw)) for raw in frame.events]
    except ValidationError as error:
        raise StreamBroken(
            f"An event of {frame.channel} can't be read: {error.errors()[0]['msg']}.",
            "Use the same version of firstcause here and on the server.",
        ) from error
    seq = after
    for event in events:
        if event.channel != frame.channel or not seq < event.seq <= frame.upto:
            _broken(f"Event {event.seq} of {event.channel} came after {seq} of {frame.channel}.")
        seq = event.seq
    return events


def check_page(frame: Fetched, channel: Channel, after: int, upto: int) -> None:
    """That an answer is about what was asked, and that asking for the rest gets nearer to the end."""
    nearer = after < frame.upto < upto if frame.more else frame.upto == upto
    if frame.channel != channel or frame.after != after or not nearer:
        _broken(f"Asked for {channel} from {after} to {upto}, the server answered to {frame.upto}.")
    _count(frame, frame.count)


def check_total(digest: Digest, told: int) -> None:
    if told != digest.count:
        _broken(f"A digest of {digest.channel} counted {digest.count} events, and there are {told}.")


def _count(frame: Batch | Digest | Fetched, count: int) -> None:
    if len(frame.events) != count:
        _broken(f"A {_name(frame)} of {frame.channel} announced {count} events and has {len(frame.events)}.")


def _name(frame: Frame) -> str:
    return str(frame.__struct_config__.tag)


def _told(positions: Mapping[Channel, int]) -> str:
    return ", ".join(f"{channel} {seq}" for channel, seq in positions.items()) or "no place yet"


def _broken(message: str) -> NoReturn:
    raise StreamBroken(message, HINT)
