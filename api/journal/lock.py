"""A file that one process at a time can hold; the system lets go of it when that process dies, however it dies."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import JournalLocked

HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}

if sys.platform == "win32":
    import msvcrt

    # Windows refuses to read a locked range, so the lock is far behind the pid.
    LOCKED_AT = 1 << 30

    def _take(file: int) -> None:
        os.lseek(file, LOCKED_AT, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Holds `path`, and says in it whose pid that is. The file stays: to remove it would let two processes hold one each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises JournalLocked when another holds it. Takes it again when the file was removed meanwhile."""
        if self._file is not None and self._is_there(self._file):
            return
        self.release()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(file)
        except OSError as error:
            holder = os.read(file, 20).decode(errors="replace").strip()
            os.close(file)
            if error.errno not in HELD:
                raise
            raise JournalLocked(
                f"Process {holder or 'unknown'} already writes to the journal beside {self._path}.",
                "End it, or give this one another state folder.",
            ) from error
        self._file = file
        with suppress(OSError):  # the pid is a courtesy, and a full disk may refuse it
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except OSError:
            return False
