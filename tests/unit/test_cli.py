"""The command line without a browser: what it says of itself, and to a user's mistakes."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog
from typer.main import get_command

from firstcause import __version__
from firstcause.api.cli import EXIT_CODES, app, main
from firstcause.api.logs import TALKATIVE
from firstcause.observer.errors import BadUrl
from firstcause.observer.sources.launch import checked_url

NOBODY = 65534
COMMANDS = sorted(getattr(get_command(app), "commands"))  # noqa: B009  click's groups have them, its base class has not
REFERENCE = (Path(__file__).parents[2] / "docs/cli.md").read_text()


class Ended(NamedTuple):
    code: object
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """`run("watch", "--cdp", "9222")`: as the shell would, in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    libraries = {name: logging.getLogger(name).level for name in TALKATIVE}

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["firstcause", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return Ended(ended.value.code, said.out, said.err)

    yield run
    root.handlers, root.level = handlers, level
    for name, library_level in libraries.items():
        logging.getLogger(name).setLevel(library_level)
    structlog.reset_defaults()


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may not write to; root may write everywhere, so it becomes somebody else."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield folder
    os.seteuid(user)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Says nothing: a quiet test run."""


@pytest.fixture
def web_server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def assert_refused(ended: Ended, *words: str) -> None:
    """One line on stderr that says it, exit code 2, and nothing beside that could be taken for a result."""
    assert ended.code == 2
    assert re.fullmatch(r"firstcause: [^\n]+\n", ended.err), ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err
    assert "Nothing wrong" not in ended.out


def assert_misused(ended: Ended, *words: str) -> None:
    """typer's own words: how to use the command, and what was wrong."""
    assert ended.code == 2
    assert re.search(r"^Error: .+$", ended.err, re.MULTILINE), ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err
    assert ended.out == ""


def test_the_version(run: Run) -> None:
    assert run("--version") == (0, f"firstcause {__version__}\n", "")


def test_the_commands() -> None:
    assert COMMANDS == [
        "config",
        "demo",
        "detectors",
        "doctor",
        "explain",
        "mcp",
        "record",
        "replay",
        "report",
        "reporter-path",
        "run",
        "serve",
        "token",
        "watch",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_that_uses_what_exists_and_is_in_the_reference(
    command: str, run: Run
) -> None:
    ended = run(command, "--help")
    assert ended.code == 0
    examples = re.findall(r"^ +(firstcause .+)", ended.out.partition("Example:")[2], re.MULTILINE)
    assert examples
    section = REFERENCE.partition(f"## `firstcause {command}`\n")[2].partition("\n## ")[0]
    for example in examples:
        assert example.startswith(f"firstcause {command}")
        assert f"    {example}\n" in section
        for option in re.findall(r"--[\w-]+", example):
            assert f"`{option}" in section
    assert "--json" in ended.out


def test_exit_codes_are_documented() -> None:
    assert sorted(EXIT_CODES) == [0, 1, 2, 3]
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in REFERENCE


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1:80/x?y=1", "http://127.0.0.1:80/x?y=1"),
        ("example.test", "http://example.test"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("HTTPS://example.test", "HTTPS://example.test"),
        ("about:blank", "about:blank"),
        ("data:text/html,x", "data:text/html,x"),
        ("file:///tmp/x.html", "file:///tmp/x.html"),
    ],
)
def test_what_an_address_means(given: str, meant: str) -> None:
    assert checked_url(given) == meant


@pytest.mark.parametrize("url", ["htp://x", "http://", "http://[x", ":", "javascript:alert(1)", "ftp://x/y"])
def test_what_no_browser_opens(url: str) -> None:
    with pytest.raises(BadUrl, match="can open"):
        checked_url(url)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["watch", "htp://x"], ["htp://x", "http://"]),
        (["watch", "http://[x"], ["http://[x"]),
        (["watch"], ["nothing to observe", "--cdp"]),
        (["watch", "http://x", "--cdp", "9222"], ["can't be combined"]),
        (["record"], ["nothing to observe"]),
        (["record", "--cdp", "9222", "--url", "http://x"], ["can't be combined"]),
        (["watch", "--cdp", "9222", "--headed"], ["--headed"]),
        (["record", "--cdp", "9222", "--profile", "."], ["--profile"]),
        (["watch", "--cdp", "htp://x"], ["htp://x", "is not the address of a browser"]),
        (["watch", "--cdp", "0"], ["Port 0"]),
        (["watch", "--cdp", "99999"], ["99999", "is not the address of a browser"]),
        (["watch", "--cdp", "ws://127.0.0.1:1/devtools/page/AB"], ["one page", "whole browsers"]),
        (["record", "--cdp", "9222", "--out", "."], [". can't be written: is a directory", "--out"]),
        (["record", "--cdp", "9222", "--out", "no/such/folder/x"], ["no such file or directory"]),
        (["record", "--cdp", "9222", "--out", "/proc/firstcause.ndjson"], ["no such file or directory"]),
        (["watch", "about:blank", "--profile", __file__], ["can't be a profile", "file exists"]),
        (["watch", "about:blank", "--profile", f"{__file__}/x"], ["can't be a profile", "not a directory"]),
    ],
    ids=lambda value: " ".join(value).replace(__file__, "FILE"),
)
def test_a_mistake_is_told_in_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run(*arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_not_ours(run: Run, unwritable: Path) -> None:
    assert_refused(run("record", "--cdp", 9222, "--out", unwritable / "x"), "permission denied")
    assert_refused(run("watch", "about:blank", "--profile", unwritable / "x"), "permission denied")


def test_a_port_where_nobody_listens(run: Run, free_port: int) -> None:
    assert_refused(run("watch", "--cdp", free_port), str(free_port), "nothing listens there")
    assert_refused(run("watch", "--cdp", free_port, "--json"), str(free_port), "nothing listens there")
    ended = run("watch", "--cdp", f"ws://127.0.0.1:{free_port}/devtools/browser/AB")
    assert_refused(ended, "does not accept a DevTools connection")


def test_a_recording_of_before_outlives_a_browser_that_is_not_there(
    run: Run, free_port: int, tmp_path: Path
) -> None:
    out = tmp_path / "events.ndjson"
    out.write_text("precious\n")
    assert_refused(run("record", "--cdp", free_port, "--out", out), "nothing listens there")
    assert out.read_text() == "precious\n"


def test_a_server_that_is_no_browser(run: Run, web_server: int) -> None:
    assert_refused(run("watch", "--cdp", web_server), "is not a Chromium with DevTools")
    ended = run("watch", "--cdp", f"ws://127.0.0.1:{web_server}/devtools/browser/AB")
    assert_refused(ended, "does not accept a DevTools connection")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["watch", "--nope"], ["No such option", "--nope"]),
        (["wotch"], ["No such command", "wotch"]),
        (["watch", "about:blank", "--cdp"], ["--cdp", "requires an argument"]),
        (["watch", "about:blank", "--level", "huge"], ["huge"]),
        (["watch", "about:blank", "--for", "-1"], ["--for"]),
        (["watch", "one", "two"], ["two"]),
        (["doctor", "--port", "x"], ["--port"]),
    ],
)
def test_typer_says_how_a_command_is_used(run: Run, arguments: list[str], words: list[str]) -> None:
    assert_misused(run(*arguments), *words)


def test_nothing_at_all_shows_the_help(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert "Usage: firstcause" in ended.out + ended.err
    for command in COMMANDS:
        assert command in ended.out + ended.err


@pytest.mark.parametrize("command", [["watch", "about:blank"], ["record", "--url", "about:blank"], ["demo"]])
def test_a_browser_that_is_not_where_it_was_said_to_be(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_BROWSER", str(tmp_path / "gone"))
    assert_refused(run(*command), "FIRSTCAUSE_BROWSER", "not an executable file")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_browser_that_can_not_start(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra: list[str]
) -> None:
    broken = tmp_path / "chromium"
    # What it says is shown, but can't command the terminal.
    broken.write_text("#!/bin/sh\nprintf 'fatal: \\033[31mno GPU\\n' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("FIRSTCAUSE_BROWSER", str(broken))
    ended = run("watch", "about:blank", *extra)
    assert_refused(ended, "does not start", "no GPU", "firstcause doctor")
    assert "\x1b" not in ended.err


def test_a_log_line_goes_to_whoever_is_stderr_now(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run("watch")
    logging.getLogger("firstcause.test").warning("the browser %s", "sulks")
    logging.getLogger("firstcause.test").info("not asked for")
    told = capfd.readouterr().err
    assert "the browser sulks" in told
    assert "not asked for" not in told
