"""The command, run as `env` would: our terminal and process group are its own, signals that we get are its, and it ends us as it ended."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NOT_FOUND: Final = 127
NOT_RUNNABLE: Final = 126
SIGNALLED: Final = 128
SENT_BY_KERNEL: Final = 0x80
# Faults and what the kernel tells one process about itself; these and what can't be caught stay as they are.
OWN: Final = frozenset(
    f"SIG{name}"
    for name in (
        *("KILL", "STOP", "CHLD", "SEGV", "BUS", "FPE", "ILL", "TRAP", "ABRT", "SYS"),
        *("PIPE", "TTIN", "TTOU", "URG", "XCPU", "XFSZ"),
    )
)
FROM_KEYS: Final = ("SIGINT", "SIGQUIT", "SIGTSTP", "SIGWINCH", "SIGHUP")


@dataclass(frozen=True, slots=True)
class Ended:
    """With an exit code, or by a signal."""

    code: int = 0
    signal: int = 0

    @property
    def shell_code(self) -> int:
        """As a shell would say it."""
        return SIGNALLED + self.signal if self.signal else self.code


class NotStarted(Exception):
    """There is no such command, or it can't be run; `code` is what a shell would end with."""

    def __init__(self, command: str, error: OSError) -> None:
        found = error.errno not in {errno.ENOENT, errno.ENOTDIR}
        self.code = NOT_RUNNABLE if found else NOT_FOUND
        reason = (error.strerror or str(error)).lower()
        super().__init__(f"{command} can't be run: {reason}.")


class Launched:
    """A command that runs. Start it before any thread: those would get the signals that are its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        # Where it is ignored, as whoever started us may have it, nobody learns how a child ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, forwarded() | {signal.SIGCHLD})
        try:
            self.pid = _spawned(command, environment, self._mask)
        except BaseException as error:
            self._restore()
            if isinstance(error, OSError):
                raise NotStarted(command[0], error) from error
            raise

    def wait(self) -> Ended:
        """Until it has ended; hands every signal on meanwhile."""
        watched = forwarded() | {signal.SIGCHLD}
        try:
            while True:
                number, by_kernel = _next_signal(watched)
                if number != signal.SIGCHLD:
                    # What was typed has reached the command already, as it has every process of its terminal's group.
                    if not by_kernel:
                        self._send(number)
                elif (ended := self._ended()) is not None:
                    return ended
        finally:
            self._restore()

    def _ended(self) -> Ended | None:
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                return None
            if os.WIFEXITED(status):
                return Ended(code=os.WEXITSTATUS(status))
            if os.WIFSIGNALED(status):
                return Ended(signal=os.WTERMSIG(status))
            if os.WIFSTOPPED(status):
                # The shell looks at us: it takes its terminal back, and `fg` wakes both.
                os.kill(os.getpid(), signal.SIGSTOP)

    def _send(self, number: int) -> None:
        # It is a zombie at worst: nobody else waits for it, so the pid is still its own.
        os.kill(self.pid, number)

    def _restore(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def end_as(ended: Ended) -> int:
    """The exit code; a command that a signal has ended ends us by the same one, so that a shell or CI sees no difference."""
    if ended.signal:
        import resource

        # One core dump is enough.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.stderr.flush()
        if ended.signal != signal.SIGKILL:
            signal.signal(ended.signal, signal.SIG_DFL)
        os.kill(os.getpid(), ended.signal)
    return ended.shell_code


def forwarded() -> set[int]:
    """All but those that are about one process; what whoever started us had ignored stays ignored by the command too."""
    own = {getattr(signal, name) for name in OWN if hasattr(signal, name)}
    return {number for number in signal.valid_signals() - own if signal.getsignal(number) != signal.SIG_IGN}


def _next_signal(watched: set[int]) -> tuple[int, bool]:
    """The next one, and whether keys or the terminal sent it to the whole group."""
    if sys.platform == "darwin":  # it does not tell who sent a signal
        number = signal.sigwait(watched)
        return number, signal.Signals(number).name in FROM_KEYS and _in_foreground()
    told = signal.sigwaitinfo(watched)
    return told.si_signo, told.si_code == SENT_BY_KERNEL


def _in_foreground() -> bool:
    for descriptor in (0, 1, 2):
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            continue
    return False


def _spawned(command: Sequence[str], environment: Mapping[str, str], mask: set[int]) -> int:
    # Python itself ignores these, and a command expects them as they are.
    defaults = [signal.SIGPIPE, signal.SIGXFSZ]
    try:
        return os.posix_spawnp(command[0], [*command], environment, setsigmask=mask, setsigdef=defaults)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        # A script without a first line that says what runs it is one for sh, as everywhere.
        script = shutil.which(command[0]) or command[0]
        shell = ["sh", script, *command[1:]]
        return os.posix_spawn("/bin/sh", shell, environment, setsigmask=mask, setsigdef=defaults)
