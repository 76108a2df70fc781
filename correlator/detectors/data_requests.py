"""What detectors of requests share: which answers are data, and which requests are a framework's own."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from ...observer.signal import Signal

DATA = re.compile(r"json|xml|graphql|^text/", re.IGNORECASE)
STREAM = re.compile(r"event-stream|ndjson|jsonl|json-seq|svg", re.IGNORECASE)
# Next, SvelteKit, Remix and Nuxt load what links lead to before anybody follows them.
AHEAD = re.compile(r"[/?&]_(?:next/data/|rsc=|_data\.json|data=|payload\.json)")


@lru_cache(256)
def is_data(mime: str) -> bool:
    """Whether it is an answer for the page's scripts: no image, tile, segment of a film, and no stream without an end."""
    return bool(DATA.search(mime)) and not STREAM.search(mime)


def is_ahead(url: str) -> bool:
    # Nearly no address has any of these; the look costs a tenth of the search.
    return ("/_" in url or "?_" in url or "&_" in url) and AHEAD.search(url) is not None


def host_of(url: str) -> str:
    """`shop.test:8000`"""
    return "/".join(url.split("/", 3)[2:3])


def said_bytes(count: float) -> str:
    """`640 bytes`, `812 kB`, `3.1 MB`"""
    if count < 1_000:
        return f"{count:.0f} bytes"
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{count / 1_000:.0f} kB"


def aside(signal: Signal) -> Signal:
    """The same, for what is found about its request without being its end: that is caused by what caused the request."""
    return msgspec.structs.replace(signal)
