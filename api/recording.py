"""Where recordings go: a file, gzipped if its name ends in .gz, or stdout; one whole line an event or signal, nothing half-written."""

from __future__ import annotations

import os
import select
import stat
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Self

from ..correlator.event import Event
from ..observer.errors import OutputFailed

STDOUT = "-"
GZIP_FORMAT = 31


class Recording:
    """Writes each event at once and unbuffered, so that what was told is there whatever happens next.

    An older file of that name is replaced by the first event, or by an end without one: not by a browser that was not found.
    """

    def __init__(self, out: str = STDOUT, *, activity: bool = True, head: bytes = b"") -> None:
        """`head` is a line before all others, which says what the file is; it is not counted."""
        self.name = "stdout" if out == STDOUT else out
        self.count = 0
        self.failure: OSError | None = None
        self._activity = activity
        self._head = head + b"\n" if head else b""
        self._begun = False
        self._packer = zlib.compressobj(wbits=GZIP_FORMAT) if out.endswith(".gz") else None
        try:
            self._file = (
                sys.stdout.fileno() if out == STDOUT else os.open(Path(out), os.O_WRONLY | os.O_CREAT, 0o644)
            )
        except (OSError, ValueError) as error:  # a NUL byte in the name is a ValueError
            raise self._failed(error) from error
        self._regular = stat.S_ISREG(os.fstat(self._file).st_mode)
        self._replaces = out != STDOUT and self._regular

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raises what went wrong; a reader of stdout that went away is no failure of ours."""
        if kind is None or self._begun:
            self._put(b"", last=True)
        if self.name != "stdout":
            os.close(self._file)
        if kind is None and self.failure is not None and not isinstance(self.failure, BrokenPipeError):
            raise self._failed(self.failure)

    def write(self, event: Event) -> bool:
        """Whether to go on; after a failure nothing more is written, and `failure` says why."""
        if self.failure is not None:
            return False
        if event.channel == "activity" and not self._activity:
            return True
        return self.write_line(event.line().encode())

    def write_line(self, text: bytes) -> bool:
        """Whether to go on, as `write`."""
        if not self._put(text + b"\n"):
            return False
        self.count += 1
        return True

    def _put(self, data: bytes, *, last: bool = False) -> bool:
        if self.failure is not None:
            return False
        done = 0
        try:
            if not self._begun:
                if self._replaces:
                    os.ftruncate(self._file, 0)
                data, self._begun = self._head + data, True
            data = self._packed(data, last=last)
            while done < len(data):
                done += self._write_some(data[done:])
        except OSError as error:
            self.failure = error
            if done and self._regular:
                with suppress(OSError):
                    os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR) - done)
            return False
        return True

    def _packed(self, data: bytes, *, last: bool) -> bytes:
        if self._packer is None:
            return data
        # Up to a flush everything can be unpacked, whatever becomes of us.
        return self._packer.compress(data) + self._packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)

    def _write_some(self, data: bytes) -> int:
        try:
            return os.write(self._file, data)
        except BlockingIOError:
            # Node makes the pipes that it is given non-blocking, and ours may be one of them: `2>&1 |`.
            select.select([], [self._file], [])
            return 0

    def _failed(self, error: OSError | ValueError) -> OutputFailed:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        lines = "1 line" if self.count == 1 else f"{self.count} lines"
        kept = f"; the {lines} before are whole" if self.count else ""
        return OutputFailed(
            f"{self.name} can't be written: {reason}{kept}.", "Give --out another path, or - for stdout."
        )
