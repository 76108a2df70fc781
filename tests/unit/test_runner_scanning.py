"""Browsers among the processes of a command: known by their arguments, ours by the mark in their environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firstcause.api.runner.hooked import VARIABLE
from firstcause.api.runner.scanning import Found, Scan, browser_of, is_alive

SLEEP = "import sys; print('ready', flush=True); sys.stdin.read()"
REACHABLE = ("--remote-debugging-port=0", "--user-data-dir=/p")


@contextmanager
def process(name: str, *arguments: str, mark: Path | None = None) -> Generator[int]:
    """A process that goes by that name, with its pid."""
    environment = {**os.environ, **({VARIABLE: str(mark)} if mark else {})}
    command = [name, "-c", SLEEP, *arguments]
    with subprocess.Popen(
        command, executable=sys.executable, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.kill()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["/usr/lib/chromium/chromium", *REACHABLE], Found(1, "/p", 0)),
        (["/opt/chrome", "--remote-debugging-port=9222"], Found(1, "", 9222)),
        (["chrome-headless-shell", "--remote-debugging-port=1", *REACHABLE], Found(1, "/p", 0)),
        (["C:\\Edge\\msedge.exe", *REACHABLE], Found(1, "/p", 0)),
        (["chromium", "--remote-debugging-pipe", "--user-data-dir=/p"], Found(1, "/p", None)),
        (["chromium", "--remote-debugging-port=0"], None),
        (["chromium", "--remote-debugging-port=x", "--user-data-dir=/p"], None),
        (["chromium", "--type=renderer", *REACHABLE], None),
        (["chromedriver", "--port=1", *REACHABLE], None),
        (["/bin/sh", "/usr/bin/chromium", *REACHABLE], None),
        (["chromium"], None),
        ([], None),
    ],
)
def test_a_browser_is_known_by_its_arguments(arguments: list[str], found: Found | None) -> None:
    assert browser_of(1, arguments) == found


def test_a_browser_of_the_command_is_found_once(tmp_path: Path) -> None:
    scan = Scan(tmp_path)
    with process("chromium", *REACHABLE, mark=tmp_path) as pid:
        assert list(scan.found()) == [Found(pid, "/p", 0)]
        assert list(scan.found()) == []


def test_others_browsers_are_not_ours(tmp_path: Path) -> None:
    scan = Scan(tmp_path)
    with (
        process("chromium", *REACHABLE),
        process("chromium", *REACHABLE, mark=tmp_path / "another"),
        process("sleeper", *REACHABLE, mark=tmp_path),
    ):
        assert list(scan.found()) == []


def test_what_was_there_before_is_not_looked_at(tmp_path: Path) -> None:
    with process("chromium", *REACHABLE, mark=tmp_path):
        assert list(Scan(tmp_path).found()) == []


def test_a_dead_process_is_dead_before_it_is_buried() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as started:
        assert is_alive(started.pid)
        started.kill()
        os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(started.pid)
    assert not is_alive(started.pid)
