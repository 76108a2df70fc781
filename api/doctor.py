"""Looks at what firstcause needs on this machine: what is there, and what to do about what is not."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firstcause import __version__

from ..correlator import sourcemaps
from ..observer import axe
from ..observer.errors import FirstcauseError
from ..observer.sources.attach import resolve_ws_url
from ..observer.sources.discover import FoundBrowser, browser_version, find_browser
from ..observer.sources.launch import launch, running_as_root

PACKAGES: Final = ("playwright", "picows", "msgspec", "pydantic", "fastapi", "uvicorn")
SHARED_MEMORY: Final = Path("/dev/shm")
SHARED_MEMORY_MIN_MB: Final = 128


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` is empty when there is nothing to do."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def collect(port: int | None) -> list[Finding]:
    """Everything in the order in which it is needed; `port` is the one that the API would listen on."""
    findings = [_python(), *_packages(), _source_maps(), _accessibility()]
    browser = _browser()
    findings.append(browser if isinstance(browser, Finding) else _version(browser))
    if findings[-1].ok and not isinstance(browser, Finding):
        findings.append(asyncio.run(_starts(browser)))
    findings.append(_port(port or 0))
    findings += _surroundings()
    return findings


def _python() -> Finding:
    detail = (
        f"{platform.python_version()}, firstcause {__version__}, {platform.system()} {platform.machine()}"
    )
    return Finding("python", sys.version_info >= (3, 11), detail)


def _packages() -> Iterator[Finding]:
    for package in PACKAGES:
        try:
            yield Finding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                package, False, "is not installed", "Install firstcause again: pip install firstcause"
            )


def _source_maps() -> Finding:
    if sourcemaps.available():
        return Finding("source maps", True, "are read: errors are told where they were written")
    detail = "are not read: errors in compiled scripts are told where they were compiled to"
    fix = "pip install 'firstcause[sourcemaps]'" if sys.platform != "win32" else ""
    return Finding("source maps", True, detail, fix)


def _accessibility() -> Finding:
    if axe.is_installed():
        return Finding("accessibility", True, "can be checked: axe is there")
    return Finding(
        "accessibility", True, "can't be checked: axe is missing", "pip install 'firstcause[a11y]'"
    )


def _browser() -> FoundBrowser | Finding:
    try:
        return find_browser()
    except FirstcauseError as error:
        return Finding("browser", False, error.message, error.hint)


def _version(browser: FoundBrowser) -> Finding:
    try:
        version = browser_version(browser.path)
    except FirstcauseError as error:
        return Finding("browser", False, error.message, error.hint)
    return Finding("browser", True, f"{version} at {browser.path} ({browser.source})")


async def _starts(browser: FoundBrowser) -> Finding:
    try:
        async with launch(executable=browser.path) as launched:
            # Asking by HTTP shows that nothing stands between us and the port that the browser opened.
            await resolve_ws_url(launched.ws_url.removeprefix("ws://").partition("/")[0])
            await launched.open_page("about:blank")
    except FirstcauseError as error:
        # The usual hint of a failed start is to come here.
        fix = (
            error.hint
            if "doctor" not in error.hint
            else "Start it by hand to see more, or name another browser."
        )
        return Finding("browser starts", False, error.message, fix)
    return Finding("browser starts", True, "headless, and answers on its DevTools port")


def _port(port: int) -> Finding:
    try:
        with closing(socket.socket()) as listener:
            if sys.platform != "win32":
                # As a server does: a port that has only just been closed counts as free.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a port"
        return Finding(
            "port", False, f"127.0.0.1:{port} is not free: {reason}", "Choose another one with --port."
        )
    return Finding("port", True, f"127.0.0.1:{port} is free" if port else "127.0.0.1 can be listened on")


def _surroundings() -> Iterator[Finding]:
    if running_as_root():
        yield Finding(
            "user", True, "root: the browser runs without its sandbox, so open only pages you trust"
        )
    if SHARED_MEMORY.is_dir():
        size_mb = shutil.disk_usage(SHARED_MEMORY).total // 2**20
        # Not a failure: the browsers that Playwright starts are told to do without it.
        fix = (
            "" if size_mb >= SHARED_MEMORY_MIN_MB else "A browser you start yourself: --disable-dev-shm-usage"
        )
        yield Finding("shared memory", True, f"{SHARED_MEMORY} has {size_mb} MB", fix)
