"""Browsers launched, learned about, killed and broken, with a real Chromium."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright
from websockets.asyncio.client import connect
from websockets.sync.client import connect as connect_sync

from firstcause.observer.errors import (
    BadUrl,
    BrowserNotFound,
    BrowserStartFailed,
    BrowserUnreachable,
    CommandFailed,
    UsageError,
)
from firstcause.observer.sources.attach import resolve_ws_url, ws_url_of, ws_url_of_sync
from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import LaunchedBrowser, launch

PORT = "--remote-debugging-port=0"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>hello</title>")

    def log_message(self, *_: object) -> None:
        """Says nothing: a quiet test run."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for temporary files; its name is short, because sockets are put there."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


async def answers(ws_url: str) -> bool:
    async with connect(ws_url, proxy=None) as socket:
        await socket.send('{"id":1,"method":"Browser.getVersion"}')
        return "Chrom" in str(await socket.recv())


async def browser_pid(launched: LaunchedBrowser) -> int:
    assert launched.context.browser is not None
    session = await launched.context.browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    return next(process["id"] for process in processes if process["type"] == "browser")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed process stays in the table until its parent has asked for its exit code.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


async def test_launch_serves_playwright_and_devtools_and_leaves_nothing(site: str, temp: Path) -> None:
    async with launch() as launched:
        page = await launched.open_page(site)
        assert await page.title() == "hello"
        assert await answers(launched.ws_url)
        pid = await browser_pid(launched)
        assert list(temp.iterdir())
    assert not is_running(pid)
    assert list(temp.iterdir()) == []


async def test_two_browsers_at_once() -> None:
    async with launch() as one, launch() as other:
        assert one.ws_url != other.ws_url
        assert await answers(one.ws_url)
        assert await answers(other.ws_url)


async def test_a_profile_keeps_what_pages_stored_and_its_old_port_is_not_believed(
    site: str, tmp_path: Path
) -> None:
    profile = tmp_path / "my profile"
    async with launch(profile_dir=profile) as first:
        page = await first.open_page(site)
        await page.evaluate("localStorage.setItem('kept', 'yes')")
        assert len(first.context.pages) == 1
        assert await answers(first.ws_url)
    async with launch(profile_dir=profile) as second:
        page = await second.open_page(site)
        assert await page.evaluate("localStorage.getItem('kept')") == "yes"
        assert await answers(second.ws_url)
    assert first.ws_url != second.ws_url


async def test_a_profile_in_use_is_named_as_the_reason(tmp_path: Path) -> None:
    async with launch(profile_dir=tmp_path) as launched:
        with pytest.raises(BrowserStartFailed, match="in use by another browser"):
            async with launch(profile_dir=tmp_path):
                pass
        assert await answers(launched.ws_url)


@pytest.mark.parametrize("persistent", [False, True])
async def test_leaving_after_the_browser_was_killed(temp: Path, tmp_path: Path, persistent: bool) -> None:
    async with launch(profile_dir=tmp_path if persistent else None) as launched:
        pid = await browser_pid(launched)
        os.kill(pid, signal.SIGKILL)
    assert not is_running(pid)
    assert list(temp.iterdir()) == []
    assert bool(list(tmp_path.iterdir())) == persistent


async def test_an_error_in_the_block_closes_the_browser_and_comes_out() -> None:
    pids: list[int] = []

    async def fail() -> None:
        async with launch() as launched:
            pids.append(await browser_pid(launched))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not is_running(pids[0])


async def test_cancelling_closes_the_browser() -> None:
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def forever() -> None:
        async with launch() as launched:
            pid.set_result(await browser_pid(launched))
            await asyncio.Event().wait()

    task = asyncio.create_task(forever())
    await asyncio.wait([task, pid], return_when=asyncio.FIRST_COMPLETED)
    running = pid.result()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(running)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho cannot open shared object >&2\nexit 127\n", "cannot open shared object"),
        ("#!/bin/sh\nexit 3\n", "exit code 3"),
        ("#!/bin/sh\nkill -9 $$\n", "SIGKILL"),
        ("#!/no/such/shell\n", "ENOENT"),
    ],
)
async def test_a_broken_executable_is_told_in_one_sentence(
    temp: Path, tmp_path: Path, script: str, reason: str
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text(script)
    broken.chmod(0o755)
    with pytest.raises(BrowserStartFailed, match=reason) as caught:
        async with launch(executable=broken):
            pass
    assert "\n" not in caught.value.message
    assert "launching" not in caught.value.message
    assert "firstcause doctor" in caught.value.hint
    assert list(temp.iterdir()) == []


async def test_a_missing_executable(tmp_path: Path) -> None:
    with pytest.raises(BrowserStartFailed, match="There is no browser at"):
        async with launch(executable=tmp_path / "gone"):
            pass


async def test_a_wrongly_named_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTCAUSE_BROWSER", str(tmp_path))
    with pytest.raises(BrowserNotFound):
        async with launch():
            pass


async def test_headed_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(BrowserStartFailed, match="no display"):
        async with launch(headed=True):
            pass


async def test_pages_that_can_not_be_opened(site: str) -> None:
    async with launch() as launched:
        with pytest.raises(BadUrl):
            await launched.open_page("no address")
        with pytest.raises(CommandFailed, match="ERR_UNSAFE_PORT"):
            await launched.open_page("http://127.0.0.1:1/")
        page = await launched.open_page(site)
        assert await page.title() == "hello"


async def test_the_url_of_somebody_elses_browser() -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser().path, args=[PORT])
        ws_url = await ws_url_of(browser)
        assert await answers(ws_url)
        assert await resolve_ws_url(ws_url.split("/")[2]) == ws_url
        await browser.close()
        with pytest.raises(BrowserUnreachable, match="closed or gone"):
            await ws_url_of(browser)


async def test_somebody_elses_browser_without_a_port() -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser().path)
        with pytest.raises(UsageError) as caught:
            await ws_url_of(browser)
        assert PORT in caught.value.hint
        await browser.close()


def test_the_url_of_a_browser_of_the_sync_api() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser().path, args=[PORT])
        ws_url = ws_url_of_sync(browser)
        # The sync API keeps an event loop of its own running in this thread.
        with connect_sync(ws_url, proxy=None) as socket:
            socket.send('{"id":1,"method":"Browser.getVersion"}')
            assert "Chrom" in str(socket.recv())
        browser.close()


async def test_where_the_sandbox_is_not_allowed_the_browser_runs_without_it(
    temp: Path, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the refusal is made: it needs a machine without user namespaces.
    picky = temp / "picky"
    picky.write_text(
        '#!/bin/sh\ncase "$*" in *--no-sandbox*) exec "$REAL_BROWSER" "$@";; esac\necho "No usable sandbox!" >&2\nexit 1\n'
    )
    picky.chmod(0o755)
    monkeypatch.setenv("REAL_BROWSER", str(find_browser().path))
    monkeypatch.setattr("firstcause.observer.sources.launch.running_as_root", lambda: False)

    async with launch(executable=picky) as launched:
        page = await launched.open_page(site)
        assert await page.title() == "hello"
