"""Keeps nothing: what the hub's rings hold is all there is, and a restart begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .base import ChannelKey, Opened, Record
from .epoch import new_epoch


class MemoryJournal:
    durable = False

    def open(self, tail_events: int, tail_bytes: int) -> Opened:
        return Opened(new_epoch())

    def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        pass

    def last(self) -> Mapping[ChannelKey, int]:
        return {}

    def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
        return []

    def find(self, event_id: str) -> Record | None:
        return None

    def close(self) -> None:
        pass
