"""The journal's database file: how it is opened and checked, and set aside when it is damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ServerStartFailed

SCHEMA_VERSION = 1

# `n` is where an event ends in the journal as one long text, in bytes: the bytes that are kept are a difference of two `n`, and the
# oldest events are always the first rows. That is 2.5 times as fast as a table clustered by channel and seq, which writes in as
# many places as there are channels.
SCHEMA = """
CREATE TABLE channels (id INTEGER PRIMARY KEY, project TEXT NOT NULL, channel TEXT NOT NULL, floor INTEGER NOT NULL,
    UNIQUE (project, channel));
CREATE TABLE events (n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
    stored_ms INTEGER NOT NULL, line BLOB NOT NULL);
CREATE UNIQUE INDEX events_by_seq ON events (channel, seq);
CREATE INDEX events_by_id ON events (id);
CREATE TABLE incarnations (n INTEGER PRIMARY KEY, epoch TEXT NOT NULL UNIQUE);
CREATE TABLE ends (incarnation INTEGER NOT NULL, project TEXT NOT NULL, channel TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (incarnation, project, channel)) WITHOUT ROWID;
"""

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
SQLITE_REASONS = {sqlite3.SQLITE_FULL: "the disk is full", sqlite3.SQLITE_READONLY: "the disk is read-only"}
SYSTEM_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EROFS: "the disk is read-only",
}


class Damaged(sqlite3.DatabaseError):
    """SQLite's own check found something."""


def connect(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error and OSError as they come, and ServerStartFailed for a file of a newer version."""
    # SQLite's -wal gets the rights of the file: only this user may read what pages said.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # Exclusive keeps the index of the WAL in memory instead of in a mapped -shm file, on which a full disk is a SIGBUS.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise ServerStartFailed(
            f"{path} is the journal of a newer firstcause (format {version}; this one knows {SCHEMA_VERSION}).",
            "Update firstcause, or give another state folder.",
        )
    if version == 0:
        # Pages that trimming frees are used again; only this mode can also give them back to the disk, at 1 page in 800. It has to
        # be set before the first table, and would write to a file that has some.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    # A commit is with the system, so it survives a kill -9; a power cut may take the last ones, and never damages the rest. FULL
    # would wait for the disk at every commit.
    connection.execute("PRAGMA synchronous = NORMAL")
    if version == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    # 0.2 s for a journal of 256 MB.
    with closing(connection.execute("PRAGMA quick_check(1)")) as found:
        (text,) = found.fetchone()
    if text != "ok":
        raise Damaged(text)


def is_damaged(error: Exception) -> bool:
    return isinstance(error, Damaged) or _code(error) in DAMAGED


def set_aside(path: Path, why: str) -> Path:
    """Moves the database and what belongs to it out of the way; nothing is ever deleted."""
    aside = path.with_name(f"{path.name}.{why}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside


def reason(error: Exception) -> str:
    """Why it can't be used, for a person."""
    if isinstance(error, OSError):
        return SYSTEM_REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
    if is_damaged(error):
        return "its file is damaged"
    return SQLITE_REASONS.get(_code(error)) or str(error)


def _code(error: Exception) -> int:
    """The primary one; errors that Python itself raises have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
