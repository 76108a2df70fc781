"""Where the server may be reached from: what it listens on, which names it answers for, which web pages may ask."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from .errors import BindRefused, HostRefused, OriginRefused
from .settings import Settings

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


def check_bind(host: str, settings: Settings) -> None:
    """Beyond this machine only with a token that somebody chose: then they know that there is one, and can give it to clients."""
    if _is_loopback(host):
        return
    if settings.auth == "off":
        raise BindRefused(
            f"{host or 'Every address'} can be reached from other machines, and auth is off.",
            "Listen on 127.0.0.1, or leave auth on and set FIRSTCAUSE_TOKEN.",
        )
    if not settings.token.get_secret_value():
        raise BindRefused(
            f"{host or 'Every address'} can be reached from other machines, and no token is set.",
            "Set FIRSTCAUSE_TOKEN to 16 characters or more, or listen on 127.0.0.1.",
        )


def check_host(host_header: str, bound_host: str, port: int, allowed_hosts: Collection[str] = ()) -> None:
    """Refuses names that are not ours: by DNS rebinding a page's own name can lead to this machine, and makes it same-origin.

    An address can't be rebound, so a server on all addresses answers for every one of them, and by whatever port: containers and
    tunnels map it. An allowed host without a port is good with any.
    """
    found = HOST.fullmatch(host_header)
    if found:
        name, told_port = _canonical(found[1]), found[2]
        bound = _canonical(bound_host)
        everywhere = bound in {"", "0.0.0.0", "::"}
        ours = name in LOCAL_NAMES or name == bound or (everywhere and _is_address(name))
        if ours and (everywhere or told_port is None or int(told_port) == port):
            return
        if not {host_header.lower(), found[1].lower()}.isdisjoint(allowed_hosts):
            return
    raise HostRefused(
        f"This server does not answer for the host {host_header[:100]!r}.",
        "If it is meant to, add the name to allowed_hosts (FIRSTCAUSE_ALLOWED_HOSTS).",
    )


def check_origin(origin: str | None, host_header: str, allowed_origins: Collection[str] = ()) -> None:
    """Lets pages of the server itself and of allowed origins ask; only browsers send an origin. Comes after `check_host`."""
    if origin is None:
        return
    written = origin.lower()
    same = {f"{scheme}://{host_header.lower()}" for scheme in ("http", "https")}
    if written != "null" and (written in same or written in allowed_origins):
        return
    if written == "null":
        raise OriginRefused(
            "A page without an origin (a file, a sandboxed frame) may not connect.",
            "Serve it over HTTP and add its origin to allowed_origins (FIRSTCAUSE_ALLOWED_ORIGINS).",
        )
    raise OriginRefused(
        f"Pages of {origin[:100]!r} may not connect.",
        "If they are meant to, add the origin to allowed_origins (FIRSTCAUSE_ALLOWED_ORIGINS).",
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _canonical(name: str) -> str:
    """One address has many spellings in IPv6, and a name in upper and lower case."""
    bare = name.strip("[]").lower()
    return ipaddress.ip_address(bare).compressed if _is_address(bare) else bare
