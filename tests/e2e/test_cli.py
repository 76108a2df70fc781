"""The command line with a real Chromium: what comes out while it runs, how it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.async_api import async_playwright

from firstcause import __version__
from firstcause.api.stories import bundled_story, read_story
from firstcause.observer.sources.attach import PORT_FILE, read_port_file, ws_url_of
from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import running_as_root

from .support import PATIENCE_S, Answer, Bell, Chromium, Site, cdp_client

T = TypeVar("T")
Event = dict[str, Any]

FIRSTCAUSE = (sys.executable, "-m", "firstcause")
# Makes the terminal on its stdin its own, as a shell does, so that Ctrl-C reaches the whole group.
IN_TERMINAL = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
)
STORY_PATIENCE_S = 90.0
SERVED = re.compile(r"firstcause: events at http://127\.0\.0\.1:\d+\n")
"""All that a watch with --json says on stderr."""


class Running:
    """A firstcause at work: what it has said so far, and how it ended."""

    def __init__(
        self, process: asyncio.subprocess.Process, terminal: int | None, *, reads_out: bool = True
    ) -> None:
        self.process = process
        self.out = ""
        self.err = ""
        self.bell = Bell()
        self._terminal = terminal
        self._readers = [asyncio.create_task(self._read_err())]
        if terminal is None and reads_out:
            self._readers.append(asyncio.create_task(self._read_out()))
        elif terminal is not None:
            os.set_blocking(terminal, False)
            asyncio.get_running_loop().add_reader(terminal, self._read_terminal)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.out.splitlines(keepends=True) if line.endswith("\n")]

    def press(self, keys: bytes) -> None:
        assert self._terminal is not None
        os.write(self._terminal, keys)

    async def until(self, condition: Callable[[], T | None], timeout_s: float = PATIENCE_S) -> T:
        try:
            found = await self.bell.until(condition, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; said: {self.out[-3000:]} {self.err[-3000:]}") from None
        assert found is not None
        return found

    async def told(self, **fields: str) -> Event:
        """The first event with these fields; a field is a part of the text."""
        return await self.until(lambda: next(iter(such(self.events, **fields)), None))

    async def end(self, number: signal.Signals | None = None) -> int:
        """Its exit code, after a signal or by itself, when all that it said has been read."""
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
            await asyncio.wait(self._readers)
        if self._terminal is not None:
            self._read_terminal()
        return code

    async def close(self) -> None:
        if self._terminal is not None:
            asyncio.get_running_loop().remove_reader(self._terminal)
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await asyncio.wait(self._readers)

    async def _read_out(self) -> None:
        assert self.process.stdout is not None
        while some := await self.process.stdout.readline():
            self.out += some.decode()
            self.bell.ring()

    async def _read_err(self) -> None:
        assert self.process.stderr is not None
        while some := await self.process.stderr.readline():
            self.err += some.decode()
            self.bell.ring()

    def _read_terminal(self) -> None:
        assert self._terminal is not None
        # A terminal whose last program ended answers with EIO.
        with contextlib.suppress(BlockingIOError, OSError):
            while some := os.read(self._terminal, 65536):
                self.out += some.decode(errors="replace")
                self.bell.ring()


@asynccontextmanager
async def running(*arguments: object, **environment: str) -> AsyncGenerator[Running]:
    """`firstcause` with its output in pipes; killed at the end if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *FIRSTCAUSE,
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    started = Running(process, None)
    try:
        yield started
    finally:
        await started.close()


@asynccontextmanager
async def in_terminal(*arguments: object, **environment: str) -> AsyncGenerator[Running]:
    """`firstcause` in a terminal of its own."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    process = await asyncio.create_subprocess_exec(
        *IN_TERMINAL,
        *FIRSTCAUSE,
        *map(str, arguments),
        stdin=its,
        stdout=its,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**kept, "TERM": "xterm-256color", **environment},
    )
    os.close(its)
    started = Running(process, ours)
    try:
        yield started
    finally:
        await started.close()
        os.close(ours)


def such(events: list[Event], **fields: str) -> list[Event]:
    return [
        event for event in events if all(text in str(event.get(name, "")) for name, text in fields.items())
    ]


def whole_lines(out: Path) -> list[Event]:
    text = out.read_text() if out.exists() else ""
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


async def in_file(out: Path, **fields: str) -> Event:
    """The first such event in a file that is being written."""
    return await soon(lambda: next(iter(such(whole_lines(out), **fields)), None))


async def soon(condition: Callable[[], T | None]) -> T:
    """What `condition` gives as soon as it is true; for what rings no bell: files and processes."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := condition()):
            await asyncio.sleep(0.02)
        return found


def processes() -> Iterator[tuple[int, int, str]]:
    """pid, parent's pid and command line of all that runs here; the dead that nobody has buried are left out."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, parent, state, *command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield int(pid), int(parent), "".join(command)


def descendants(pid: int) -> dict[int, str]:
    children = [(child, parent, command) for child, parent, command in processes() if child != pid]
    family = {pid}
    while grown := {child for child, parent, _ in children if parent in family} - family:
        family |= grown
    return {child: command for child, _, command in children if child in family}


def alive(pids: set[int]) -> set[int]:
    return pids & {pid for pid, _, _ in processes()}


def profile_of_browser(pid: int) -> Path | None:
    """The profile of the browser that this firstcause launched, once it can be reached."""
    for command in descendants(pid).values():
        named = re.search(r"--user-data-dir=(\S+)", command)
        if named and (Path(named[1]) / PORT_FILE).exists():
            return Path(named[1])
    return None


async def ws_url_of_browser(pid: int) -> str:
    profile = await soon(lambda: profile_of_browser(pid))
    return await asyncio.to_thread(read_port_file, [profile / PORT_FILE])


def test_the_version_by_both_names() -> None:
    for command in (FIRSTCAUSE, (str(Path(sys.executable).with_name("firstcause")),)):
        ended = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert (ended.stdout, ended.stderr) == (f"firstcause {__version__}\n", "")


def test_the_doctor_finds_nothing_wrong_here() -> None:
    ended = subprocess.run([*FIRSTCAUSE, "doctor"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert "✔ browser starts" in ended.stdout
    assert "✖" not in ended.stdout
    assert "\x1b" not in ended.stdout


def test_the_doctor_names_a_taken_port_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*FIRSTCAUSE, "doctor", "--port", port, "--json"], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (1, "")
        wrong = [finding for line in ended.stdout.splitlines() if not (finding := json.loads(line))["ok"]]
        assert [finding["name"] for finding in wrong] == ["port"]
        assert port in wrong[0]["detail"]
        assert "--port" in wrong[0]["fix"]
        ended = subprocess.run(
            [*FIRSTCAUSE, "doctor", "--port", port], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert "✖ port" in ended.stdout
    assert "  → Choose another one with --port." in ended.stdout


def found(expected: Any, events: list[Event]) -> bool:
    """Whether one event is what the story expects, and its cause too; `at` is file … function."""
    by_id = {event["id"]: event for event in events}
    return any(
        fits(expected, event)
        and (
            expected.cause is None
            or fits(expected.cause, by_id.get(event.get("cause", {}).get("id", ""), {"kind": ""}))
        )
        for event in events
    )


def fits(expected: Any, event: Event) -> bool:
    if event["kind"] != expected.kind:
        return False
    file, _, function = (expected.at or "").partition(" … ")
    place = str(event["context"].get("at") or event["context"].get("script") or "") if expected.at else ""
    text = f"{event['summary']} {event['context']}"
    return all(part in text for part in (expected.url or "", expected.text or "")) and (
        file in place and function in place
    )


async def test_the_demo_finds_what_the_shop_does_wrong() -> None:
    story = read_story(bundled_story("shop"))

    def missing(events: list[Event]) -> list[str]:
        return [
            f"{one.kind} {one.url} {one.text} {one.at}" for one in story.expected if not found(one, events)
        ]

    async with running("demo", "--json") as demo:
        try:
            await demo.until(lambda: not missing(demo.events), STORY_PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"missing: {missing(demo.events)}") from error
        # The page hang is the last thing that the visitor does.
        await demo.told(kind="page_hang_ended")
        assert await demo.end(signal.SIGINT) == 0
    assert SERVED.fullmatch(demo.err)
    for channel in {event["channel"] for event in demo.events}:
        seqs = [event["seq"] for event in demo.events if event["channel"] == channel]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_for_ends_by_itself_and_the_summary_tells(site: Site) -> None:
    page = site.page("/", "console.error('oh no'); console.error('oh no')")
    async with running("watch", page, "--for", "1") as watch:
        assert await watch.end() == 0
    assert re.search(r"^[\d:.]+ p1  ▲ medium   oh no  at \(index\)", watch.out, re.MULTILINE)
    assert re.search(r"^\d+ findings .*in \d+ s", watch.out, re.MULTILINE)
    assert re.search(r"^▲ medium +×2  console_error +oh no$", watch.out, re.MULTILINE)
    assert "\x1b" not in watch.out
    assert watch.err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_recording_grows_while_it_runs_and_ends_well(
    chromium: Chromium, site: Site, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "events.ndjson"
    page = site.page(
        "/", "console.error('first'); onclick = () => setTimeout(() => { throw new Error('second') })"
    )
    async with (
        cdp_client(chromium.ws_url) as cdp,
        running("record", "--cdp", chromium.port, "--out", out) as record,
    ):
        tab = await cdp.open(page)
        first = await in_file(out, summary="first")
        assert record.process.returncode is None
        await tab.run("document.body.click()")
        second = await in_file(out, summary="second")
        assert await record.end(number) == 0
        # Detaching left the page as it was.
        assert await tab.run("document.title") == "/"
    assert (first["kind"], second["kind"]) == ("console_error", "uncaught_exception")
    events = whole_lines(out)
    assert record.out == ""
    assert re.fullmatch(rf"{len(events)} events? in {re.escape(str(out))}\n", record.err)


# Numbers would make it one flood, of which only the first ten are told.
IN_LETTERS = "'tick ' + [...String(n++)].map(digit => 'abcdefghij'[digit]).join('')"


async def test_a_recorder_that_is_killed_leaves_whole_lines_and_an_unharmed_page(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    out = tmp_path / "events.ndjson"
    page = site.page("/", f"let n = 0; setInterval(() => console.error({IN_LETTERS}), 1)")
    async with (
        cdp_client(chromium.ws_url) as cdp,
        running("record", "--cdp", chromium.port, "--out", out) as record,
    ):
        tab = await cdp.open(page)
        await in_file(out, summary="tick baa")
        assert await record.end(signal.SIGKILL) == -signal.SIGKILL
        assert len(whole_lines(out)) > 100
        assert await tab.run("new Promise(done => setTimeout(done, 1, 'alive'))") == "alive"
        await tab.goto(site.page("/next", "document.title = 'usable'"))
        await site.hit("/next")
        popup = await cdp.open(site.page("/other"))
        assert await popup.run("1 + 1") == 2


async def test_a_recording_of_a_launched_browser_on_stdout(site: Site) -> None:
    page = site.page("/", "fetch('/gone')")
    site.routes["/gone"] = Answer("no", "text/plain", status="410 Gone")
    async with running("record", "--url", page.removeprefix("http://"), "--json") as record:
        event = await record.told(kind="http_error")
        browser = set(descendants(record.pid))
        assert browser
        assert await record.end(signal.SIGTERM) == 0
    assert "/gone" in event["summary"]
    assert json.loads(record.err) == {"events": len(record.events), "out": "stdout"}
    await soon(lambda: not alive(browser))


async def test_a_browser_that_dies_and_comes_back_is_recorded_on_with_a_gap(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    out = tmp_path / "events.ndjson"
    page = site.page("/", "console.error(location.search)")
    async with running("record", "--cdp", chromium.port, "--out", out) as record:
        async with cdp_client(chromium.ws_url) as cdp:
            await cdp.open(f"{page}?before")
            await in_file(out, summary="?before")
        await chromium.kill()
        await in_file(out, kind="browser_lost")
        async with Chromium(port=chromium.port) as again:
            await in_file(out, kind="capture_gap")
            async with cdp_client(again.ws_url) as cdp:
                await cdp.open(f"{page}?after")
                await in_file(out, summary="?after")
            assert record.process.returncode is None
            assert await record.end(signal.SIGINT) == 0
    events = whole_lines(out)
    order = [event["summary"] for event in events if event["kind"] == "console_error"]
    assert order == ["?before", "?after"]
    (gap,) = such(events, kind="capture_gap")
    assert gap["context"]["browser"] == "new"
    assert "requests" in gap["context"]["lost"]


async def test_an_end_while_the_browser_is_gone(chromium: Chromium, tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    async with running("record", "--cdp", chromium.port, "--out", out) as record:
        async with cdp_client(chromium.ws_url) as cdp:
            tab = await cdp.open("about:blank")
            await tab.run("console.error('here')")
            await in_file(out, summary="here")
        await chromium.kill()
        await in_file(out, kind="browser_lost")
        assert await record.end(signal.SIGINT) == 0
    (gap,) = such(whole_lines(out), kind="capture_gap")
    assert gap["context"]["browser"] == "gone"


@pytest.mark.parametrize("way", ["last page", "browser", "kill -9"])
async def test_closing_the_launched_browser_ends_watching(site: Site, way: str) -> None:
    page = site.page("/", "console.error('open')")
    async with running("watch", page, "--json") as watch:
        await watch.told(summary="open")
        family = descendants(watch.pid)
        async with cdp_client(await ws_url_of_browser(watch.pid)) as cdp:
            if way == "last page":
                (shown,) = [target for target in await cdp.targets() if target["url"] == page]
                await cdp.post("Target.closeTarget", targetId=shown["targetId"])
            elif way == "browser":
                await cdp.post("Browser.close")
            else:
                (pid,) = [
                    pid for pid, line in family.items() if "--user-data-dir" in line and "--type=" not in line
                    and "run-driver" not in line and str(find_browser().path).rpartition("/")[2] in line
                ]  # fmt: skip
                os.kill(pid, signal.SIGKILL)
            assert await watch.end() == 0
    assert SERVED.fullmatch(watch.err)
    await soon(lambda: not alive(set(family)))


async def test_a_popup_that_closes_ends_nothing(site: Site) -> None:
    site.page("/popup", "console.error('popup')")
    page = site.page("/", "const popup = open('/popup')")
    async with running("watch", page, "--json") as watch:
        async with cdp_client(await ws_url_of_browser(watch.pid)) as cdp:
            await watch.told(summary="popup")
            (popup,) = [target for target in await cdp.targets() if target["url"].endswith("/popup")]
            await cdp.call("Target.closeTarget", targetId=popup["targetId"])
            (shown,) = [target for target in await cdp.targets() if target["url"] == page]
            tab = await cdp.tab(shown["targetId"])
            await tab.run("console.error('still here')")
            await watch.told(summary="still here")
        assert await watch.end(signal.SIGINT) == 0


async def test_watching_beside_playwright(site: Site) -> None:
    site.page("/next", "console.error('next')")
    page = site.page(
        "/",
        "b.onclick = () => { open('/popup'); setTimeout(() => { throw new Error('clicked') }) }",
        "<button id=b>b</button>",
    )
    site.page("/popup", "console.error('popup')")
    flags = ["--remote-debugging-port=0", *(["--no-sandbox"] if running_as_root() else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser().path, args=flags)
        tab = await browser.new_page()
        await tab.goto(site.page("/first", "console.error('before')"))
        async with running("watch", "--cdp", await ws_url_of(browser), "--json") as watch:
            await watch.told(summary="before")
            await tab.goto(page)
            async with tab.expect_popup() as opened:
                await tab.click("#b")
            popup = await opened.value
            assert await popup.title() == "/popup"
            await tab.goto(site.url("/next"))
            for summary in ("clicked", "popup", "next"):
                await watch.told(summary=summary)
            assert await watch.end(signal.SIGINT) == 0
            assert await tab.title() == "/next"
            await popup.close()
        await browser.close()
    assert SERVED.fullmatch(watch.err)
    for summary in ("before", "clicked", "popup", "next"):
        assert len(such(watch.events, channel="errors", summary=summary)) == 1


@pytest.mark.parametrize("moment", ["the driver runs", "the browser runs", "the page loads"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_end_while_the_browser_starts_leaves_none_behind(
    site: Site, moment: str, number: signal.Signals
) -> None:
    over = asyncio.Event()

    async def late(_: object) -> str:
        await over.wait()
        return ""

    site.routes["/"] = late
    signs = {"the driver runs": "run-driver", "the browser runs": "--user-data-dir"}
    # Its name is short, because sockets are put there.
    with tempfile.TemporaryDirectory(prefix="t") as temp:
        async with running("record", "--url", site.url("/"), TMPDIR=temp) as record:
            if moment in signs:
                await soon(lambda: signs[moment] in " ".join(descendants(record.pid).values()))
            else:
                await site.hit("/")
            family = set(descendants(record.pid))
            assert await record.end(number) == 0
        over.set()
        assert record.err == ""
        await soon(lambda: not alive(family))
        assert list(Path(temp).iterdir()) == []


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_reader_that_goes_away_ends_it_silently(as_json: bool, tmp_path: Path) -> None:
    page = "data:text/html,<script>setInterval(() => console.error(Math.random()+'x'), 5)</script>"
    command = [*FIRSTCAUSE, "watch", page, "--activity", *(["--json"] if as_json else [])]
    said = tmp_path / "stderr"
    script = f"{{ {shlex.join(command)} 2>{shlex.quote(str(said))}; echo $? >&2; }} | head -n 1"
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_S):
        out, code = await shell.communicate()
    assert out.count(b"\n") == 1
    assert code == b"0\n"
    assert SERVED.sub("", said.read_text()) == ""


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_full_disk_behind_stdout_is_told_in_one_line(as_json: bool) -> None:
    page = "data:text/html,<script>console.error('x')</script>"
    with Path("/dev/full").open("w") as full:
        process = await asyncio.create_subprocess_exec(
            *FIRSTCAUSE,
            "watch",
            page,
            *(["--json"] if as_json else []),
            stdout=full,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE_S):
            _, said = await process.communicate()
    assert process.returncode == 2
    told = SERVED.sub("", said.decode())
    assert re.fullmatch(r"firstcause: stdout can't be written: no space left on device\.[^\n]*\n", told)


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|9[0-7]|38;[\d;]+)m")


async def test_in_a_terminal_the_status_line_counts_and_ctrl_c_ends_it(site: Site) -> None:
    page = site.page("/", "for (let n = 0; n < 7; n++) console.error(`again ${n}`)", "<p>Hello</p>")
    async with in_terminal("watch", page) as watch:
        await watch.until(lambda: "×7" in watch.out)
        await watch.until(lambda: re.search(r"1 page.*7 medium.*Ctrl-C ends", watch.out))
        assert COLOUR.search(watch.out)
        family = set(descendants(watch.pid))
        watch.press(b"\x03")
        assert await watch.end() == 0
    assert watch.err == ""
    assert "7 findings (1 different) in " in watch.out
    assert watch.out.rindex("\x1b[?25h") > watch.out.rindex("\x1b[?25l")  # the cursor is back
    await soon(lambda: not alive(family))


async def test_no_color_is_respected_and_a_terminal_without_commands_gets_none(site: Site) -> None:
    page = site.page("/", "console.error('plain')")
    async with in_terminal("watch", page, NO_COLOR="1") as watch:
        await watch.until(lambda: "plain" in watch.out and "Ctrl-C ends" in watch.out)
        watch.press(b"\x03")
        assert await watch.end() == 0
    assert not COLOUR.search(watch.out)
    async with in_terminal("watch", page, TERM="dumb") as watch:
        await watch.until(lambda: "plain" in watch.out)
        watch.press(b"\x03")
        assert await watch.end() == 0
    assert "\x1b" not in watch.out


async def test_forced_colours_in_a_log_move_no_lines(site: Site) -> None:
    page = site.page("/", "console.error('log')")
    async with running("watch", page, FORCE_COLOR="1") as watch:
        await watch.until(lambda: "log" in watch.out)
        assert await watch.end(signal.SIGINT) == 0
    assert COLOUR.search(watch.out)
    assert "\x1b[?25l" not in watch.out
    assert not re.search(r"\x1b\[\d*[AK]", watch.out)


async def test_a_page_can_not_command_the_terminal_that_watches_it(site: Site) -> None:
    hostile = "'\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\r[red]end[/red]'"
    page = site.page("/", f"console.error({hostile}); throw new Error({hostile})")
    async with in_terminal("watch", page) as watch:
        await watch.until(lambda: watch.out.count("[red]end[/red]") >= 2)
        watch.press(b"\x03")
        assert await watch.end() == 0
    for command in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b"):
        assert command not in watch.out


async def test_a_log_that_is_sent_elsewhere_stays_out_of_the_terminal(site: Site) -> None:
    page = site.page("/", "console.error('logged')")
    async with in_terminal("watch", page, "-vv") as watch:
        await watch.until(lambda: "logged" in watch.out)
        watch.press(b"\x03")
        assert await watch.end() == 0
    assert "Started server process" in watch.err
    assert "Started server process" not in watch.out
