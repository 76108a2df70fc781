"""Where recorded events go: a file or stdout, one whole line an event, nothing half-written."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from ..correlator.event import Event
from ..observer.errors import OutputFailed

STDOUT = "-"


class Recording:
    """Writes each event at once and unbuffered, so that what was told is there whatever happens next."""

    def __init__(self, out: str) -> None:
        self.name = "stdout" if out == STDOUT else out
        self.count = 0
        self.failure: OSError | None = None
        try:
            self._file = (
                sys.stdout.fileno()
                if out == STDOUT
                else os.open(Path(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            )
        except OSError as error:
            raise self._failed(error) from error
        self._regular = stat.S_ISREG(os.fstat(self._file).st_mode)

    def write(self, event: Event) -> bool:
        """Whether the line was written; after a failure nothing more is, and `failure` says why."""
        if self.failure is not None:
            return False
        line = event.line().encode() + b"\n"
        done = 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError as error:
            self.failure = error
            if done and self._regular:
                with suppress(OSError):
                    os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR) - done)
            return False
        self.count += 1
        return True

    def close(self) -> None:
        """Raises what went wrong; a reader of stdout that went away is no failure of ours."""
        if self.name != "stdout":
            os.close(self._file)
        if self.failure is not None and not isinstance(self.failure, BrokenPipeError):
            raise self._failed(self.failure)

    def _failed(self, error: OSError) -> OutputFailed:
        kept = f" The {self.count} events before are there." if self.count else ""
        return OutputFailed(
            f"{self.name} can't be written: {(error.strerror or str(error)).lower()}.{kept}",
            "Give --out another path, or - for stdout.",
        )
