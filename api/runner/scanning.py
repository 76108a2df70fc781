"""Chromiums that no Node process has started, chromedriver's above all: found among the processes that carry the command's mark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import time
from typing import Final, NamedTuple

import psutil

from .hooked import VARIABLE

BROWSER: Final = re.compile(r"chrom|msedge|edge|headless[-_]shell|brave|opera|vivaldi", re.IGNORECASE)
# A process is a copy of its parent first, and a script may become the browser that it starts.
SETTLED_S: Final = 5.0


class Found(NamedTuple):
    """A browser; `port` is 0 where it has chosen one itself, None where nobody can reach it."""

    pid: int
    profile: str
    port: int | None


class Scan:
    """`found` gives each browser once; processes that were here before are none of ours."""

    def __init__(self, folder: Path) -> None:
        self._mark = str(folder)
        self._done = set(psutil.pids())

    def found(self) -> Iterator[Found]:
        pids = set(psutil.pids())
        self._done &= pids
        for pid in pids - self._done:
            try:
                found = self._look(psutil.Process(pid))
            except psutil.Error:  # it is gone, or somebody else's
                self._done.add(pid)
                continue
            if found is not None:
                yield found

    def _look(self, process: psutil.Process) -> Found | None:
        with process.oneshot():
            arguments = process.cmdline()
            if found := browser_of(process.pid, arguments):
                self._done.add(process.pid)
                return found if process.environ().get(VARIABLE) == self._mark else None
            if is_part(arguments) or time() - process.create_time() > SETTLED_S:
                self._done.add(process.pid)
        return None


def browser_of(pid: int, arguments: Sequence[str]) -> Found | None:
    """What the arguments of a process say of it, if it is a browser that a program drives."""
    name = re.split(r"[/\\]", arguments[0])[-1] if arguments else ""
    if not BROWSER.search(name) or "driver" in name.lower() or is_part(arguments):
        return None
    port, profile = _last(arguments, "--remote-debugging-port="), _last(arguments, "--user-data-dir=")
    if port.isdecimal() and (int(port) or profile):
        return Found(pid, profile, int(port))
    return Found(pid, profile, None) if "--remote-debugging-pipe" in arguments else None


def is_part(arguments: Sequence[str]) -> bool:
    """Whether it is a renderer or another helper of a browser."""
    return any(argument.startswith("--type=") for argument in arguments)


def is_alive(pid: int) -> bool:
    """A dead one that its parent has not buried yet is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _last(arguments: Sequence[str], switch: str) -> str:
    values = [argument.removeprefix(switch) for argument in arguments if argument.startswith(switch)]
    return values[-1] if values else ""
