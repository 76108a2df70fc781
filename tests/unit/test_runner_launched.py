"""A command runs as it would without us: its input, its signals, its terminal, and how it ended."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

RUN = (
    "import os, sys\n"
    "from firstcause.api.runner.launched import Launched, NotStarted, end_as\n"
    "try:\n"
    "    ended = Launched(sys.argv[1:], dict(os.environ, MARKED='yes')).wait()\n"
    "except NotStarted as error:\n"
    "    print(error)\n"
    "    sys.exit(error.code)\n"
    "sys.exit(end_as(ended))\n"
)
LAUNCHER = [sys.executable, "-c", RUN]
TRAPS = """
import signal, sys
waited = {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGALRM}
signal.pthread_sigmask(signal.SIG_BLOCK, waited)
print("ready", flush=True)
seen = []
while not seen or seen[-1] != signal.SIGTERM:
    seen.append(signal.sigwait(waited))
    print(seen[-1].name, flush=True)
print(len(seen), "seen", flush=True)
sys.exit(5)
"""


@pytest.fixture(autouse=True)
def nothing_ignored() -> Generator[None]:
    """Whoever started the tests, with nohup or in the background, may have had these ignored, and each child would inherit that."""
    ignored = [one for one in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT) if is_ignored(one)]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


def is_ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def launched(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LAUNCHER, *command], capture_output=True, text=True, timeout=60, check=False, **options
    )


@contextmanager
def in_terminal(*command: str) -> Generator[tuple[int, int]]:
    """The pid of the launcher, whose terminal is ours to type at."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*LAUNCHER, *command])
    try:
        yield pid, terminal
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        os.close(terminal)


def until(terminal: int, text: str) -> str:
    """What was said up to and with `text`."""
    said = ""
    while text not in said:
        said += os.read(terminal, 1024).decode()
    return said


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_kept(code: int) -> None:
    assert launched("sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGUSR2])
def test_a_death_by_signal_is_one(number: int) -> None:
    assert launched("sh", "-c", f"kill -{int(number)} $$").returncode == -number


def test_input_output_environment_and_folder_are_those_of_the_command(tmp_path: Path) -> None:
    script = "cat; echo $MARKED; pwd; echo wrong >&2"
    ended = launched("sh", "-c", script, input="typed\n", cwd=tmp_path)
    assert (ended.stdout, ended.stderr) == (f"typed\nyes\n{tmp_path}\n", "wrong\n")


def test_an_open_descriptor_is_handed_down() -> None:
    ours, its = os.pipe()
    launched(sys.executable, "-c", f"import os; os.write({its}, b'through')", pass_fds=[its])
    os.close(its)
    assert os.read(ours, 100) == b"through"
    os.close(ours)


def test_what_is_not_there_and_what_can_not_be_run_end_as_in_a_shell(tmp_path: Path) -> None:
    missing = launched("no-such-command")
    assert (missing.returncode, missing.stdout) == (
        127,
        "no-such-command can't be run: no such file or directory.\n",
    )
    plain = tmp_path / "plain"
    plain.write_text("")
    assert launched(str(plain)).returncode == 126


def test_a_script_that_names_no_interpreter_is_one_for_sh(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo given $1\n")
    script.chmod(0o755)
    assert launched(str(script), "one").stdout == "given one\n"


def test_signals_are_handed_on_once_each() -> None:
    with subprocess.Popen(
        [*LAUNCHER, sys.executable, "-c", TRAPS], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for name in ("SIGHUP", "SIGUSR1", "SIGINT", "SIGALRM"):
            process.send_signal(getattr(signal, name))
            assert process.stdout.readline() == f"{name}\n"
        process.terminate()
        assert process.stdout.read() == "SIGTERM\n5 seen\n"
        assert process.wait(60) == 5


def test_the_command_finds_signals_as_without_us() -> None:
    """Python ignores SIGPIPE for itself, and we hold back what we hand on: neither is anything of the command's."""
    # The last 31 of them: two that the C library keeps for itself come after those.
    status = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status | sed -E 's/[0-9a-f]{8}([0-9a-f]{8})$/\\1/'"
    plain = subprocess.run(["sh", "-c", status], capture_output=True, text=True, check=True)
    assert len(plain.stdout.splitlines()) == 3
    assert [
        f"{int(line[8:], 16) & 0x7FFFFFFF:x}" for line in launched("sh", "-c", status).stdout.splitlines()
    ] == [f"{int(line[8:], 16) & 0x7FFFFFFF:x}" for line in plain.stdout.splitlines()]


def test_what_was_ignored_before_stays_so() -> None:
    ignoring = "trap '' HUP; exec \"$@\""
    inner = [*LAUNCHER, "sh", "-c", "kill -HUP $$; echo alive"]
    ended = subprocess.run(["sh", "-c", ignoring, "sh", *inner], capture_output=True, text=True, check=True)
    assert ended.stdout == "alive\n"


def test_ctrl_c_reaches_the_command_once() -> None:
    with in_terminal(sys.executable, "-c", TRAPS) as (pid, terminal):
        until(terminal, "ready")
        os.write(terminal, b"\x03")
        until(terminal, "SIGINT")
        os.kill(pid, signal.SIGTERM)
        until(terminal, "2 seen")


def test_a_command_that_stops_stops_us_and_goes_on_with_us() -> None:
    with subprocess.Popen([*LAUNCHER, "sh", "-c", "kill -STOP $$; exit 4"]) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 4
