"""Keeps events in an SQLite database of this process alone."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...observer.errors import FirstcauseError
from .base import ChannelKey, JournalFailed, Opened, Record
from .epoch import new_epoch
from .lock import FileLock
from .retention import Retention
from .sqlite_file import connect, is_damaged, reason, set_aside

INCARNATIONS = 100
OVERHEAD_BYTES = 140
"""What an event takes in the file besides its line, measured with ids of 36 characters."""

# Trimming takes 1 ms for 512 events, so it goes along with a commit every so often and never has much to do at once.
TRIM_EVENTS = 256
TRIM_S = 60.0
CHUNK_EVENTS = 512
# Free pages are for the events to come; only when they are many, after a burst or a lowered limit, some go back to the disk each time.
SPARE_PAGES = 1024
GIVE_BACK_PAGES = 256

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Channel:
    id: int
    floor: int
    last: int


class SqliteJournal:
    """What was appended survives a kill -9 of this process; see sqlite_file on power cuts.

    A lost connection is made anew by the next call, within the same incarnation. If the file was removed meanwhile, or is found
    damaged, a new one takes over the epochs and their ends, so that cursors stay good for whatever is appended again.
    """

    durable = True

    def __init__(self, path: Path, retention: Retention) -> None:
        self._path = path
        self._retention = retention
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))
        self._epoch = ""
        self._past: dict[str, Mapping[ChannelKey, int]] = {}
        self._db: sqlite3.Connection | None = None
        self._registered = False
        self._damaged = False
        self._file = (0, 0)
        self._channels: dict[ChannelKey, _Channel] = {}
        self._end = 0
        self._untrimmed = 0
        self._trimmed_s = 0.0

    def open(self, tail_events: int, tail_bytes: int) -> Opened:
        """Begins an incarnation even when the disk refuses: then the next append says why, and joins it to the file once it can."""
        self._drop()
        self._epoch, self._past = new_epoch(), {}
        try:
            repaired = self._connect()
            self._past = self._stored_ends()
            self._tidy()
            return Opened(
                self._epoch,
                dict(self._past),
                {key: channel.floor for key, channel in self._channels.items()},
                {key: self._tail(key, tail_events, tail_bytes) for key in self._channels},
                repaired,
            )
        except (sqlite3.Error, OSError) as error:
            log.warning("the journal %s can't be read: %s", self._path, reason(error))
            self._give_up(error)
            # Another epoch than one that may have got into the file: what is begun here does not follow on from what is in there.
            self._epoch, self._past = new_epoch(), {}
            return Opened(self._epoch)

    def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        with self._failing():
            self._ready()
            self._write(records, floors)

    def last(self) -> Mapping[ChannelKey, int]:
        with self._failing():
            self._ready()
            return {key: channel.last for key, channel in self._channels.items()}

    def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
        with self._failing():
            db = self._ready()
            if (channel := self._channels.get(key)) is None:
                return []
            rows = db.execute(
                "SELECT seq, id, stored_ms, line FROM events WHERE channel = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (channel.id, max(after, channel.floor), upto, max(limit, 0)),
            )
            return [Record(*key, *row) for row in rows]

    def find(self, event_id: str) -> Record | None:
        with self._failing():
            row = (
                self._ready()
                .execute(
                    "SELECT project, c.channel, seq, e.id, stored_ms, line FROM events e JOIN channels c ON c.id = e.channel "
                    "WHERE e.id = ? AND seq > floor ORDER BY n DESC LIMIT 1",
                    (event_id,),
                )
                .fetchone()
            )
            return Record(*row) if row else None

    def close(self) -> None:
        self._drop()
        self._lock.release()

    @contextmanager
    def _failing(self) -> Generator[None]:
        """After any failure the connection is given up: what it and this object believe may no longer be what the file holds."""
        try:
            yield
        except (sqlite3.Error, OSError, FirstcauseError, JournalFailed) as error:
            self._give_up(error)
            if isinstance(error, JournalFailed):
                raise
            raise JournalFailed(
                str(error) if isinstance(error, FirstcauseError) else reason(error)
            ) from error

    def _ready(self) -> sqlite3.Connection:
        if self._db is None:
            if repaired := self._connect():
                log.warning(repaired)
            self._check_descent()
        elif self._identity() != self._file:
            # SQLite goes on in a file that was unlinked, and every commit would be lost with it.
            raise JournalFailed("its file was removed or replaced")
        return self._connected

    @property
    def _connected(self) -> sqlite3.Connection:
        assert self._db is not None
        return self._db

    def _connect(self) -> str:
        """What had to be set aside, in one sentence, or nothing."""
        self._lock.acquire()
        if not self._damaged:
            try:
                self._load()
            except sqlite3.DatabaseError as error:
                self._give_up(error)
                if not self._damaged:
                    raise
            else:
                return ""
        aside = set_aside(self._path, "corrupt")
        self._damaged = False
        self._load()
        return f"The journal was damaged; it was set aside as {aside} and a new one begun."

    def _give_up(self, error: Exception) -> None:
        """What SQLite finds damaged while it works may pass its own check, so it is not asked again."""
        self._drop()
        self._damaged |= is_damaged(error)

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
            self._registered = False

    def _identity(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_dev, found.st_ino)

    def _load(self) -> None:
        db = self._db = connect(self._path)
        self._file = self._identity()
        self._channels = {
            ChannelKey(project, channel): _Channel(key, floor, max(floor, last or 0))
            for key, project, channel, floor, last in db.execute(
                "SELECT id, project, channel, floor, (SELECT max(seq) FROM events e WHERE e.channel = c.id) FROM channels c"
            )
        }
        (self._end,) = db.execute("SELECT coalesce(max(n), 0) FROM events").fetchone()

    def _epochs(self) -> list[str]:
        return [epoch for (epoch,) in self._connected.execute("SELECT epoch FROM incarnations ORDER BY n")]

    def _stored_ends(self) -> dict[str, Mapping[ChannelKey, int]]:
        """Of every incarnation in the file, oldest first; the newest ends where the file ends now."""
        ends: dict[str, dict[ChannelKey, int]] = {epoch: {} for epoch in self._epochs()}
        for epoch, project, channel, seq in self._connected.execute(
            "SELECT epoch, project, channel, seq FROM ends JOIN incarnations ON n = incarnation"
        ):
            ends[epoch][ChannelKey(project, channel)] = seq
        if ends:
            ends[next(reversed(ends))] = {key: channel.last for key, channel in self._channels.items()}
        return dict(list(ends.items())[1 - INCARNATIONS :])

    def _check_descent(self) -> None:
        """Sets aside what could not be read when this incarnation began: its seqs do not follow on from what is in there."""
        newest = next(reversed(self._epochs()), self._epoch)
        if newest != self._epoch and newest not in self._past:
            self._drop()
            log.warning("the journal %s was set aside as %s", self._path, set_aside(self._path, "unread"))
            self._load()

    def _register(self) -> None:
        """Makes this incarnation the newest of the file, which may be a new one.

        An end beyond what is in there would let a cursor pass for a good one when its seqs are given out again.
        """
        self._registered = True
        if next(reversed(self._epochs()), None) == self._epoch:
            return
        db = self._connected
        last = {key: channel.last for key, channel in self._channels.items()}
        db.execute("DELETE FROM ends")
        db.execute("DELETE FROM incarnations")
        db.executemany("INSERT INTO incarnations VALUES (?, ?)", enumerate([*self._past, self._epoch]))
        db.executemany(
            "INSERT INTO ends VALUES (?, ?, ?, ?)",
            (
                (n, *key, min(seq, last.get(key, 0)))
                for n, ends in enumerate(self._past.values())
                for key, seq in ends.items()
            ),
        )

    def _write(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        self._untrimmed += len(records)
        trims = self._untrimmed >= TRIM_EVENTS or time.monotonic() - self._trimmed_s > TRIM_S
        if trims:
            self._give_back()
        with self._transaction():
            for key, floor in floors.items():
                self._raise_floor(key, floor)
            self._insert(records)
            if not self._registered:
                self._register()
            if trims:
                self._trim(max(CHUNK_EVENTS, 2 * self._untrimmed))

    def _tidy(self) -> None:
        """What has to be written at the start; a disk that only lets itself be read is no reason to begin from nothing."""
        try:
            self._write([], {})
            while self._trim_chunk():
                self._give_back()
        except sqlite3.Error as error:
            if is_damaged(error):
                raise
            log.warning("the journal %s can't be written: %s", self._path, reason(error))
            self._drop()
            self._connect()

    def _trim_chunk(self) -> bool:
        with self._transaction():
            return self._trim(CHUNK_EVENTS)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """There is no rollback: whoever fails drops the connection, and what was not committed goes with it."""
        self._connected.execute("BEGIN IMMEDIATE")
        yield
        self._connected.execute("COMMIT")

    def _tail(self, key: ChannelKey, tail_events: int, tail_bytes: int) -> list[Record]:
        channel = self._channels[key]
        rows = self._connected.execute(
            "SELECT seq, id, stored_ms, line FROM events WHERE channel = ? AND seq > ? ORDER BY seq DESC LIMIT ?",
            (channel.id, channel.floor, tail_events),
        )
        tail: list[Record] = []
        for row in rows:
            record = Record(*key, *row)
            tail_bytes -= len(record.line)
            if tail_bytes < 0:
                break
            tail.append(record)
        rows.close()
        return tail[::-1]

    def _channel(self, key: ChannelKey) -> _Channel:
        if (channel := self._channels.get(key)) is None:
            made = self._connected.execute(
                "INSERT INTO channels (project, channel, floor) VALUES (?, ?, 0)", key
            )
            channel = self._channels[key] = _Channel(made.lastrowid or 0, 0, 0)
        return channel

    def _raise_floor(self, key: ChannelKey, floor: int) -> None:
        """The events below stay in the file, unseen, until trimming gets to them: to delete them all at once could take long."""
        channel = self._channel(key)
        if floor > channel.floor:
            channel.floor = floor
            channel.last = max(channel.last, floor)
            self._connected.execute("UPDATE channels SET floor = ? WHERE id = ?", (floor, channel.id))

    def _insert(self, records: Sequence[Record]) -> None:
        rows: list[tuple[int, int, int, str, int, bytes]] = []
        for record in records:
            channel = self._channel(ChannelKey(record.project, record.channel))
            if record.seq != channel.last + 1:
                raise JournalFailed(
                    f"event {record.seq} of {record.project}/{record.channel} does not follow on {channel.last}"
                )
            channel.last = record.seq
            self._end += len(record.line) + OVERHEAD_BYTES
            rows.append((self._end, channel.id, record.seq, record.id, record.stored_ms, record.line))
        self._connected.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _trim(self, limit: int) -> bool:
        """Forgets up to `limit` of the oldest events; whether there were any to forget."""
        self._untrimmed, self._trimmed_s = 0, time.monotonic()
        cut, floors = self._due(limit)
        if not floors:
            return False
        db = self._connected
        db.execute("DELETE FROM events WHERE n <= ?", (cut,))
        for key, floor in floors.items():
            self._raise_floor(key, floor)
        return True

    def _due(self, limit: int) -> tuple[int, dict[ChannelKey, int]]:
        """Up to which `n` events are to go, and what the floors are then.

        Age is the order in which events came, which is that of `stored_ms` unless the clock was set back: that way a channel's
        events go in the order of their seqs, and no hole is left behind.
        """
        retention = self._retention
        if retention.policy == "none":
            return 0, {}
        excess = (
            sum(channel.last - channel.floor for channel in self._channels.values()) - retention.max_events
        )
        by_bytes = self._end - retention.max_bytes
        by_age_ms = (time.time() - retention.max_age_s) * 1000
        cut = 0
        floors: dict[ChannelKey, int] = {}
        keys = {channel.id: key for key, channel in self._channels.items()}
        rows = self._connected.execute(
            "SELECT n, channel, seq, stored_ms FROM events ORDER BY n LIMIT ?", (limit,)
        )
        for n, channel, seq, stored_ms in rows:
            key = keys[channel]
            if not (stored_ms < by_age_ms if retention.policy == "time" else excess > 0 or n <= by_bytes):
                break
            excess -= seq > self._channels[key].floor
            cut, floors[key] = n, seq
        rows.close()
        return cut, floors

    def _give_back(self) -> None:
        db = self._connected
        (free,), (pages,) = (
            db.execute("PRAGMA freelist_count").fetchone(),
            db.execute("PRAGMA page_count").fetchone(),
        )
        if free > max(SPARE_PAGES, pages // 4):
            # execute() would free one page: it steps once through what has no columns. A script steps to the end, outside of any
            # transaction.
            db.executescript(f"PRAGMA incremental_vacuum({GIVE_BACK_PAGES})")
