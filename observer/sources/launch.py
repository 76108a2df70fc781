"""Launches a Chromium through Playwright, with a DevTools port beside Playwright's own pipe."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Error, Page, Playwright, async_playwright

from ..errors import BadUrl, BrowserStartFailed, BrowserUnreachable, CommandFailed
from .attach import (
    PORT_FILE,
    command_line_of,
    modified_at_ns,
    profiles_of_command_line,
    read_port_file,
    ws_url_of_command_line,
)
from .discover import find_browser, is_executable

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 5.0

# A browser that talks to its maker adds requests that the page never made.
QUIET_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

OPENABLE: Final = frozenset({"http", "https", "file", "about", "data", "chrome", "blob"})

_DOCTOR = "Run: firstcause doctor"


class SandboxUnavailable(BrowserStartFailed):
    """This machine does not let the browser set up its sandbox."""


@dataclass(frozen=True, slots=True)
class LaunchedBrowser:
    """A running browser: its DevTools address for the observer, its context for whoever drives it."""

    ws_url: str
    context: BrowserContext
    browser: Browser | None
    # A persistent context starts with an empty page: it is used up by the first open_page. Looking for a
    # page at about:blank instead would also take one whose failed navigation is still under way.
    _empty_pages: list[Page] = field(default_factory=list[Page])

    async def open_page(self, url: str) -> Page:
        """Opens `url` and returns as soon as its first bytes are there."""
        page = self._empty_pages.pop() if self._empty_pages else await self.context.new_page()
        try:
            await page.goto(url, wait_until="commit")
        except Error as error:
            raise _not_opened(url, error) from error
        return page


@asynccontextmanager
async def launch(
    *,
    executable: Path | str | None = None,
    headed: bool = False,
    profile_dir: Path | None = None,
    extra_args: Sequence[str] = (),
) -> AsyncGenerator[LaunchedBrowser]:
    """Runs a browser for the length of the block; what it stores is kept only with `profile_dir`."""
    if headed and not _has_display():
        raise BrowserStartFailed(
            "There is no display to show a browser on.", "Leave --headed away, or use xvfb-run."
        )
    path = Path(executable) if executable is not None else find_browser().path
    if not is_executable(path):
        raise BrowserStartFailed(f"There is no browser at {path}.", _DOCTOR)
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="fc-"))
    leftovers = [scratch]
    options = _options(path, headed, extra_args, scratch)
    try:
        async with _driver() as playwright, AsyncExitStack() as stack:

            def started() -> AbstractAsyncContextManager[LaunchedBrowser]:
                if profile_dir is not None:
                    return _persistent(playwright, profile_dir, options)
                return _fresh(playwright, options, leftovers)

            try:
                launched = await stack.enter_async_context(started())
            except SandboxUnavailable as error:
                # Containers and hardened distributions often have no user namespaces; Playwright's own default is no sandbox.
                log.warning("%s The browser runs without it.", error.message)
                options["chromium_sandbox"] = False
                launched = await stack.enter_async_context(started())
            yield launched
    finally:
        await asyncio.to_thread(_remove, leftovers)


def checked_url(url: str) -> str:
    """`localhost:3000` is meant as http://localhost:3000; a scheme that no browser knows is a typing mistake."""
    scheme, colon, rest = url.partition(":")
    if not colon or rest[:1].isdigit():
        scheme, rest, url = "http", f"//{url}", f"http://{url}"
    try:
        openable = scheme.lower() in OPENABLE and (urlsplit(url).netloc or rest.lstrip("/"))
    except ValueError:  # http://[
        openable = False
    if not openable:
        raise BadUrl(
            f"{url} is not an address that a browser can open.", "Start it with http:// or https://."
        )
    return url


def running_as_root() -> bool:
    """Whether the system lets this process do everything."""
    return sys.platform != "win32" and os.geteuid() == 0


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@asynccontextmanager
async def _driver() -> AsyncGenerator[Playwright]:
    try:
        playwright = await async_playwright().start()
    except OSError as error:
        raise BrowserStartFailed("Playwright's driver does not start.", _DOCTOR) from error
    try:
        yield playwright
    finally:
        await playwright.stop()


def _options(path: Path, headed: bool, extra_args: Sequence[str], scratch: Path) -> dict[str, Any]:
    options: dict[str, Any] = {
        "executable_path": path,
        "headless": not headed,
        "args": ["--remote-debugging-port=0", *QUIET_FLAGS, *extra_args],
        # Chromium refuses to run as root with its sandbox.
        "chromium_sandbox": not running_as_root() and "--no-sandbox" not in extra_args,
        # A signal belongs to the program that we run in: it decides when the browser goes.
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
        "timeout": START_TIMEOUT_S * 1000,
        "artifacts_dir": scratch,
    }
    if sys.platform == "linux":
        # A killed Chromium leaves its sockets in the temporary folder. (On macOS the name would get longer
        # than a socket's may be.)
        options["env"] = {**os.environ, "TMPDIR": str(scratch)}
    return options


@asynccontextmanager
async def _fresh(
    playwright: Playwright, options: dict[str, Any], leftovers: list[Path]
) -> AsyncGenerator[LaunchedBrowser]:
    try:
        browser = await playwright.chromium.launch(**options)
    except Error as error:
        raise _start_failed(options["executable_path"], error) from error
    try:
        command_line = await command_line_of(browser)
        ws_url = await asyncio.to_thread(ws_url_of_command_line, command_line)
        leftovers += await asyncio.to_thread(profiles_of_command_line, command_line)
        context = await browser.new_context(no_viewport=not options["headless"])
        yield LaunchedBrowser(ws_url, context, browser)
    finally:
        await _close(browser)


@asynccontextmanager
async def _persistent(
    playwright: Playwright, profile: Path, options: dict[str, Any]
) -> AsyncGenerator[LaunchedBrowser]:
    port_file = profile / PORT_FILE
    # An earlier run leaves its file behind: only a newer one tells this browser's port.
    left_at_ns = await asyncio.to_thread(modified_at_ns, port_file)
    try:
        context = await playwright.chromium.launch_persistent_context(
            profile, no_viewport=not options["headless"], **options
        )
    except Error as error:
        raise _start_failed(options["executable_path"], error) from error
    try:
        ws_url = await asyncio.to_thread(read_port_file, [port_file], newer_than_ns=left_at_ns)
        yield LaunchedBrowser(ws_url, context, context.browser, context.pages[:1])
    finally:
        await _close(context)


async def _close(running: Browser | BrowserContext) -> None:
    """Closes the browser; one that died or hangs is left to the driver, which kills it when it stops."""
    with suppress(Error, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await running.close()


def _remove(folders: list[Path]) -> None:
    """Removes what the driver did not get to, while the last processes of a killed browser may still write."""
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    for folder in folders:
        while folder.exists() and time.monotonic() < deadline:
            shutil.rmtree(folder, ignore_errors=True)


def _start_failed(path: Path, error: Error) -> BrowserStartFailed:
    told = error.message
    if "ProcessSingleton" in told:
        return BrowserStartFailed(
            "The profile folder is in use by another browser.", "Close that browser, or name another folder."
        )
    if "sandboxing failed" in told or "No usable sandbox" in told:
        return SandboxUnavailable(f"{path} can't set up its sandbox on this machine.")
    return BrowserStartFailed(f"{path} does not start: {_reason(told)}.", _DOCTOR)


def _reason(told: str) -> str:
    """The one line that matters of Playwright's message, a box and a log of hundreds of flags."""
    if "exceeded" in told.partition("\n")[0]:
        return f"it was not ready within {START_TIMEOUT_S:g} s"
    said = re.findall(r"\[pid=\d+\]\[err\] (.+)", told)
    serious = [line for line in said if re.search("error|fatal|cannot|failed", line, re.IGNORECASE)]
    for line in (*serious, *said):
        return re.sub(r"^\[[^\]]*\] ", "", line).strip().rstrip(".")
    if ended := re.search(r"process did exit: exitCode=(\w+), signal=(\w+)", told):
        how = f"exit code {ended[1]}" if ended[1] != "null" else f"signal {ended[2]}"
        return f"it ended at once with {how}"
    return told.partition("\n")[0].rpartition(": ")[2].rstrip(".")


def _not_opened(url: str, error: Error) -> Exception:
    reason = re.search(r"net::\w+|Cannot navigate to invalid URL|Timeout \d+ms", error.message)
    if reason is not None and reason[0].startswith("Cannot"):
        return BadUrl(f"{url!r} is not the address of a page.", "Give one like http://localhost:3000.")
    if urlsplit(url).scheme in {"http", "https"} and reason is not None:
        return CommandFailed(f"{url} can't be opened: {reason[0]}.", "Is its server running?")
    if "closed" in error.message:
        return BrowserUnreachable("The browser was closed before the page was open.", "Launch it again.")
    return CommandFailed(f"{url} can't be opened.", "Try the same address by hand.")
