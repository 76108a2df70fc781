"""Keeps events beyond the life of the server: one backend a file, all behind one protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .base import Journal
from .memory import MemoryJournal
from .retention import Retention
from .sqlite import SqliteJournal

BACKENDS: Mapping[str, Callable[[Path, Retention], Journal]] = {
    "memory": lambda _path, _retention: MemoryJournal(),
    "sqlite": SqliteJournal,
}
