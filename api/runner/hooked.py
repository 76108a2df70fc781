"""What the hook in Node processes and the observer tell each other: files in a folder that only this user can read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

VARIABLE: Final = "_FIRSTCAUSE_RUN"
"""Every process below the command has it, which is how others of them are known. It begins so as not to look like a setting."""
HOOK: Final = Path(__file__).with_name("hook.cjs")
REPORTER: Final = Path(__file__).with_name("reporter.cjs")
OBSERVER: Final = "observer"
# The driver ends a browser that does not close with SIGKILL; these nobody sends.
CRASHES: Final = frozenset({"SIGSEGV", "SIGABRT", "SIGTRAP", "SIGILL", "SIGBUS", "SIGFPE", "SIGSYS"})


class Announced(msgspec.Struct, frozen=True):
    """A browser that a Node process has started; `port` is 0 where Chromium was to choose it."""

    pid: int
    profile: str
    port: int = 0
    worker: str = ""
    """The number of the test runner's process, where there is one."""
    name: str = ""


class Exit(msgspec.Struct, frozen=True):
    code: int | None = None
    signal: str | None = None

    @property
    def crashed(self) -> bool:
        """Whether it ended as no driver ends a browser."""
        return self.signal in CRASHES


class Failure(msgspec.Struct, frozen=True):
    message: str = ""
    line: str = ""


class Told(msgspec.Struct, frozen=True):
    """What the reporter says of a test."""

    what: str
    test: str
    test_id: str = ""
    at: str = ""
    worker: str = ""
    retry: int = 0
    title: str = ""
    status: str = ""
    errors: list[Failure] = []
    ms: float = 0.0
    at_ms: float = 0.0


class Exchange:
    """The folder, from the start of the command to the end of the observation."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="firstcause-run-"))
        self._announced: set[str] = set()
        self._read: dict[Path, int] = {}
        # Whoever starts a browser waits for us only while this process lives.
        (self.folder / OBSERVER).write_text(str(os.getpid()))

    def close(self) -> None:
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """That of the command: the hook for Node, and the mark by which its processes are known."""
        options = f"{given.get('NODE_OPTIONS', '')} --require {_quoted(HOOK)}".strip()
        return {**given, VARIABLE: str(self.folder), "NODE_OPTIONS": options}

    def end(self) -> None:
        """From now on nobody waits for the observer."""
        with suppress(OSError):
            (self.folder / OBSERVER).unlink(missing_ok=True)

    def announced(self) -> Iterator[Announced]:
        """Each browser once."""
        for name in self._names(".browser"):
            if name in self._announced:
                continue
            self._announced.add(name)
            with suppress(OSError, msgspec.MsgspecError):
                read = msgspec.json.decode((self.folder / name).read_bytes(), type=Announced)
                yield msgspec.structs.replace(read, name=name.removesuffix(".browser"))

    def release(self, name: str) -> None:
        """Its launcher may go on."""
        with suppress(OSError):
            (self.folder / f"{name}.ready").touch()

    def exit_of(self, name: str) -> Exit | None:
        """How the browser has ended, once its launcher knows."""
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((self.folder / f"{name}.exit").read_bytes(), type=Exit)
        return None

    def told(self) -> Iterator[Told]:
        """What reporters have said since the last time."""
        for name in self._names(".told"):
            path = self.folder / name
            with suppress(OSError), path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                lines = file.read()
                whole = lines[: lines.rfind(b"\n") + 1]
                self._read[path] = self._read.get(path, 0) + len(whole)
                for line in whole.splitlines():
                    with suppress(msgspec.MsgspecError):
                        yield msgspec.json.decode(line, type=Told)

    def _names(self, ending: str) -> list[str]:
        with suppress(OSError):
            return sorted(name for name in os.listdir(self.folder) if name.endswith(ending))  # noqa: PTH208  thousands of times
        return []


def _quoted(path: Path) -> str:
    """As Node reads its options."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
