"""Turns an address, or a browser that Playwright runs, into the WebSocket URL of its DevTools."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict, cast
from urllib.parse import SplitResult, urlsplit

import msgspec

from ..errors import BadUrl, BrowserUnreachable, FirstcauseError, UsageError

if TYPE_CHECKING:
    from playwright.async_api import Browser
    from playwright.sync_api import Browser as SyncBrowser

ANSWER_TIMEOUT_S: Final = 5.0
PORT_FILE_TIMEOUT_S: Final = 5.0
PORT_FILE_POLL_S: Final = 0.02
PORT_FILE: Final = "DevToolsActivePort"
MAX_ANSWER_BYTES: Final = 65536

_EXAMPLES = "Give a port (9222), host:port, http://host:port or ws://host:port/devtools/browser/…"
_START_WITH_PORT = "Start the browser with --remote-debugging-port=0 among its arguments."


class SystemInfo(TypedDict):
    """What is read of CDP's SystemInfo.getInfo."""

    commandLine: str


class Version(msgspec.Struct):
    """What is read of a browser's answer to /json/version."""

    webSocketDebuggerUrl: str


class Address(NamedTuple):
    """Where to ask for the browser's WebSocket URL."""

    host: str
    port: int
    secure: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


async def resolve_ws_url(address: str | int, *, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    """The WebSocket URL of the browser at `address`; a WebSocket URL of a browser is returned as it is."""
    parsed = _parse(address)
    if isinstance(parsed, str):
        return parsed
    try:
        # The socket's own time-out starts anew with every byte: this one bounds the whole answer.
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(_ask, parsed, timeout_s)
    except TimeoutError as error:
        raise _unreachable(parsed, f"did not answer within {timeout_s:g} s") from error


async def ws_url_of(browser: Browser) -> str:
    """The WebSocket URL of a browser that Playwright's async API runs."""
    return await asyncio.to_thread(ws_url_of_command_line, await command_line_of(browser))


async def command_line_of(browser: Browser) -> str:
    """How a browser that Playwright's async API runs was started."""
    from playwright.async_api import Error

    try:
        session = await browser.new_browser_cdp_session()
        info = cast("SystemInfo", await session.send("SystemInfo.getInfo"))  # pyright: ignore[reportUnknownMemberType]
        await session.detach()
    except Error as error:
        raise _no_answer(browser.browser_type.name) from error
    return info["commandLine"]


def ws_url_of_sync(browser: SyncBrowser) -> str:
    """The WebSocket URL of a browser that Playwright's sync API runs."""
    from playwright.sync_api import Error

    try:
        session = browser.new_browser_cdp_session()
        info = cast("SystemInfo", session.send("SystemInfo.getInfo"))  # pyright: ignore[reportUnknownMemberType]
        session.detach()
    except Error as error:
        raise _no_answer(browser.browser_type.name) from error
    return ws_url_of_command_line(info["commandLine"])


def _parse(address: str | int) -> Address | str:
    text = str(address).strip()
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError as error:
        raise BadUrl(f"{text!r} is not the address of a browser: {error}.", _EXAMPLES) from error
    if url.scheme not in {"http", "https", "ws", "wss"} or not url.hostname:
        raise BadUrl(f"{text!r} is not the address of a browser.", _EXAMPLES)
    secure = url.scheme in {"https", "wss"}
    if port is None and "://" not in text:
        raise BadUrl(f"{text!r} names no port.", _EXAMPLES)
    if port == 0:
        raise BadUrl("Port 0 is not a port that a browser can listen on.", _EXAMPLES)
    if url.scheme in {"ws", "wss"} and (url.path.strip("/") or url.query):
        return _browser_ws_url(text, url)
    return Address(url.hostname, port or (443 if secure else 80), secure)


def _browser_ws_url(text: str, url: SplitResult) -> str:
    # Services that rent browsers use paths of their own; Chromium's other endpoints hold one target only.
    endpoint = re.match(r"/devtools/(?!browser/)(\w+)", url.path)
    if endpoint:
        raise BadUrl(
            f"This is the address of one {endpoint[1]}, and firstcause observes whole browsers.",
            f"Give the browser's own: ws://{url.netloc}/devtools/browser/…, or only {url.netloc}.",
        )
    return text


def _ask(address: Address, timeout_s: float) -> str:
    """Asks every address that the host's name stands for until one answers, because a browser may listen
    on 127.0.0.1 while localhost means ::1 first.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unreachable(address, "has a host name that can't be resolved") from error
    failure: OSError | None = None
    for *_, (ip, *_) in found:
        try:
            return _ask_one(address, str(ip), timeout_s)
        except OSError as error:
            failure = error
    raise _unreachable(address, _why(failure)) from failure


def _why(failure: OSError | None) -> str:
    match failure:
        case TimeoutError():
            return "did not answer in time"
        case ConnectionRefusedError():
            return "refuses connections: nothing listens there"
        case ssl.SSLError():
            return "does not answer with a certificate that can be trusted"
        case _:
            return "can't be reached"


def _ask_one(address: Address, ip: str, timeout_s: float) -> str:
    # http.client takes no proxy from the environment; Chromium answers only to an IP or localhost as Host.
    asked = address if address.secure else Address(ip, address.port)
    connect = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
    connection = connect(asked.host, asked.port, timeout=timeout_s)
    try:
        connection.request("GET", "/json/version", headers={"Accept": "application/json"})
        body = connection.getresponse().read(MAX_ANSWER_BYTES)
    except http.client.HTTPException as error:
        raise _unreachable(address, "answers, but not in HTTP") from error
    finally:
        connection.close()
    try:
        path = urlsplit(msgspec.json.decode(body, type=Version).webSocketDebuggerUrl).path
    except (ValueError, msgspec.MsgspecError) as error:
        raise _unreachable(address, "answers, but is not a Chromium with DevTools") from error
    # The answer repeats a Host that a forwarded port would not know: only its path is to be trusted.
    return f"{'wss' if address.secure else 'ws'}://{asked}{path}"


def ws_url_of_command_line(command_line: str) -> str:
    """The WebSocket URL of a browser on this machine that was started with `command_line`."""
    ports = re.findall(r"--remote-debugging-port=(\d+)", command_line)
    if not ports:
        raise UsageError("This browser was started without a DevTools port.", _START_WITH_PORT)
    if port := int(ports[-1]):
        # Chromium writes its port to a file only when it could choose it.
        return _ask(Address("127.0.0.1", port), ANSWER_TIMEOUT_S)
    return read_port_file(_port_files(command_line))


def profiles_of_command_line(command_line: str) -> list[Path]:
    """The folder in which the browser keeps its profile, if it is on this machine."""
    return [path.parent for path in _port_files(command_line) if modified_at_ns(path)]


def _port_files(command_line: str) -> list[Path]:
    """Where the file with the port may be, likeliest first.

    Chromium joins its arguments with blanks and no quotes, so where a folder's name ends is a guess.
    """
    value = command_line.rpartition("--user-data-dir=")[2]
    if not value:
        return []
    ends = [*(match.start() for match in re.finditer(r"\s--", value)), len(value)]
    ends += [match.start() for match in re.finditer(r"\s", value)]
    return [Path(value[:end].strip("\"'")) / PORT_FILE for end in dict.fromkeys(ends)]


def read_port_file(candidates: list[Path], *, newer_than_ns: int = 0) -> str:
    """The URL that Chromium leaves in its profile; waits, because it is written while the browser starts."""
    deadline = time.monotonic() + PORT_FILE_TIMEOUT_S
    while True:
        for lines in _written(candidates, newer_than_ns):
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        if time.monotonic() > deadline:
            raise BrowserUnreachable(
                "The browser's DevTools port can't be learned: its profile folder is not readable from here.",
                "Give the address of its DevTools instead.",
            )
        time.sleep(PORT_FILE_POLL_S)


def _written(candidates: list[Path], newer_than_ns: int) -> Iterator[list[str]]:
    for path in candidates:
        if modified_at_ns(path) > newer_than_ns:
            # Two lines, once all is written: the port and the path.
            lines = path.read_text().split()
            if len(lines) == 2:
                yield lines


def modified_at_ns(path: Path) -> int:
    """When `path` was last written; 0 when there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        # A guess at a folder may also be too long to be a name.
        return 0


def _unreachable(address: Address, why: str) -> BrowserUnreachable:
    return BrowserUnreachable(
        f"{address} {why}.",
        f"Start the browser with --remote-debugging-port={address.port}, or correct the address.",
    )


def _no_answer(browser_name: str) -> FirstcauseError:
    if browser_name != "chromium":
        return UsageError(
            f"firstcause observes Chromium, and this is {browser_name}.", "Use Playwright's chromium."
        )
    return BrowserUnreachable("The browser does not answer: it is closed or gone.", "Launch it again.")
