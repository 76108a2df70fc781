"""What stays the same when a message or an address is repeated with other values; two of one template are one problem."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
HEX = r"(?=[0-9a-f]*\d)[0-9a-f]{8,}"  # with a digit in it, or it is a word
VARIABLE = re.compile(
    rf"{UUID}|\b{HEX}\b|(?<![A-Za-z_\d])\d+(?:\.\d+)?",  # number; the 2 of v2 is part of a name
    re.IGNORECASE,
)
SEGMENT = re.compile(
    rf"({UUID})|(?<![0-9a-z])({HEX})(?![0-9a-z])|(?<![0-9a-z])(\d+)(?![0-9a-z])", re.IGNORECASE
)
DIGIT = re.compile(r"\d")
MAX_SEGMENTS = 20


def template_of(text: str) -> str:
    line = text.partition("\n")[0]
    return VARIABLE.sub("#", line) if DIGIT.search(line) else line


@lru_cache(8_192)
def address_template(url: str) -> str:
    """`http://shop.test/users/{int}/orders/{uuid}?page=&sort=`: ids open, the query's names sorted and without their values."""
    if url.startswith(("data:", "blob:")):
        return url.partition(",")[0].partition("/")[0]
    address, _, query = url.partition("#")[0].partition("?")
    site, path = site_and_path(address)
    if DIGIT.search(path) or path.count("/") > MAX_SEGMENTS:
        segments = path.split("/")
        if len(segments) > MAX_SEGMENTS:
            segments = [*segments[:MAX_SEGMENTS], "…"]
        path = "/".join(SEGMENT.sub(open_value, part) if DIGIT.search(part) else part for part in segments)
    names = sorted({part.partition("=")[0] for part in query.split("&") if part})
    return f"{site}{path}?{'&'.join(f'{name}=' for name in names)}" if names else f"{site}{path}"


def site_and_path(address: str) -> tuple[str, str]:
    """`http://shop.test` and `/users/7`. By hand, because this is done for every request."""
    slashes = address.find("//")
    if slashes < 0 or (slashes and address[slashes - 1] != ":"):
        return "", address
    end = address.find("/", slashes + 2)
    return (address[:end], address[end:]) if end >= 0 else (address, "")


def open_value(found: re.Match[str]) -> str:
    return "{uuid}" if found[1] else "{hex}" if found[2] and not found[2].isdecimal() else "{int}"


@lru_cache(8_192)
def fingerprint_of(*parts: str) -> str:
    return blake2b("\0".join(template_of(part) for part in parts).encode(), digest_size=4).hexdigest()
