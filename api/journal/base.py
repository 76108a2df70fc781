"""What every journal does: keep each channel's events in order, so that a stream goes on where it was after the server is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec


class ChannelKey(NamedTuple):
    project: str
    channel: str


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event as it is stored. `seq` counts up by one per project and channel, without holes."""

    project: str
    channel: str
    seq: int
    id: str
    stored_ms: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What a journal holds when it is opened.

    Every opening begins an incarnation with an `epoch` of its own. A cursor of an earlier incarnation is good as far as that one's
    events were kept: `ends` has, by epoch and channel, the last seq that was in the journal when the next incarnation began (a
    channel that is missing there had none). This way an event that was told and then lost with its disk can't be taken for another
    one that got the same seq later.

    `floors` has, for every channel, the seq up to which events are gone; the journal holds all after it up to its last one.
    `tails` has the newest records of every channel, oldest first and without holes, as many as were asked for.
    `repaired` says in one sentence what had to be set aside, empty when all was well.
    """

    epoch: str
    ends: Mapping[str, Mapping[ChannelKey, int]] = field(default_factory=dict[str, Mapping[ChannelKey, int]])
    floors: Mapping[ChannelKey, int] = field(default_factory=dict[ChannelKey, int])
    tails: Mapping[ChannelKey, Sequence[Record]] = field(default_factory=dict[ChannelKey, Sequence[Record]])
    repaired: str = ""


class JournalFailed(Exception):
    """The journal can't be read or written now; the text says why, in words for a person."""


class Journal(Protocol):
    """Blocking; one thread uses it. Every method but `close` may raise JournalFailed."""

    durable: bool
    """Whether it outlives the process; one that does not is never asked to append."""

    def open(self, tail_events: int, tail_bytes: int) -> Opened:
        """Begin an incarnation. `tail_*` bound what is given back of each channel. May be called again after a failure."""
        ...

    def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        """All of it or nothing, there when the process is killed right after. `floors` first: forget a channel up to that seq."""
        ...

    def last(self) -> Mapping[ChannelKey, int]:
        """The last seq of every channel that the journal knows."""
        ...

    def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
        """The oldest `limit` records with after < seq <= upto that are still there."""
        ...

    def find(self, event_id: str) -> Record | None: ...

    def close(self) -> None: ...
