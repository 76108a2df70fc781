"""Where the server is, and what lets a client in: what is given, the environment, or what a server left in its state folder."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from platformdirs import user_state_path

from ...observer.errors import BadUrl
from ..errors import ServerUnreachable

PATH: Final = "/v1/stream"
SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
HOW_TO_START: Final = "Start one with `firstcause serve`, or name another by FIRSTCAUSE_URL."


class Address(NamedTuple):
    url: str
    token: str
    local: bool


def address_of(url: str = "", token: str = "") -> Address:
    """Read anew for every connection: a server that was started again has another port."""
    url = url or os.environ.get("FIRSTCAUSE_URL", "") or _left_url()
    stream_url, host = _stream_url(url.strip())
    local = _is_loopback(host)
    token = token or os.environ.get("FIRSTCAUSE_TOKEN", "")
    # The token in the folder is that of the server here, and nothing for another machine.
    if not token and local:
        token = _left("token").strip()
    return Address(stream_url, token, local)


def _stream_url(url: str) -> tuple[str, str]:
    """The address of the stream and its host, from an http:// or ws:// address, HOST:PORT or a port alone."""
    whole = f"127.0.0.1:{url}" if url.isdecimal() else url
    try:
        parts = urlsplit(whole if "://" in whole else f"http://{whole}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.username or parts.scheme not in SCHEMES:
        raise BadUrl(
            f"{url[:80]!r} is no address of a server.", "Write one like http://127.0.0.1:8787 or HOST:PORT."
        )
    path = parts.path.rstrip("/").removesuffix(PATH) + PATH
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, parts.query, "")), host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _left_url() -> str:
    path = _state_dir() / "server.json"
    try:
        left: Any = json.loads(_left(path.name) or "{}")
        return str(left["url"])
    except (ValueError, LookupError, TypeError):
        raise ServerUnreachable(f"No server has left its address in {path}.", HOW_TO_START) from None


def _left(name: str) -> str:
    try:
        return (_state_dir() / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _state_dir() -> Path:
    given = os.environ.get("FIRSTCAUSE_STATE_DIR", "")
    return Path(given).expanduser() if given else user_state_path("firstcause", appauthor=False)
