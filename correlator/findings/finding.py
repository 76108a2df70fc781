"""A finding: what one signal says in public words, before it becomes an event or is folded into one that was told already."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

from ...observer.signal import Detail, Signal, StackFrame
from ..event import Channel, EventType, Severity
from ..redact import redact_text, redact_url
from ..sourcemaps import Place, SourceMaps, is_in_app

MAX_SUMMARY_BYTES = 240
MAX_URL_BYTES = 160
MAX_PLACE_BYTES = 120
# Six bytes each as JSON, and nothing that a person could see.
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


# Not frozen: that would cost more than all the rest of making one.
@dataclass(slots=True)
class Finding:
    """`key` is the identity of what happened, where it has one of its own; a signal's request id serves otherwise.
    `about` is the resource that the finding is about: a later finding about the same one may be the same failure.
    `family` names the kind of reporter, for the lines that Chrome writes about a failure without saying which request it was.
    """

    kind: str
    channel: Channel
    type: EventType
    severity: Severity
    summary: str
    context: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    key: str = ""
    about: str = ""
    family: str = ""
    template: str = ""
    count: int = 1


@dataclass(slots=True)
class Scene:
    """Where a signal plays: what its finding needs to know beside the signal itself."""

    page_url: str = ""
    wire_status: int = 0
    source_maps: SourceMaps | None = None

    def url(self, url: str) -> str:
        """The address as a person would say it: short, within the page's own site without the site, without secrets."""
        if not url or url.startswith(("data:", "blob:")):
            return cut(redact_url(url), 60)
        url, own = redact_url(url), origin_of(self.page_url)
        shown = url.removeprefix(own) or "/" if own and url[len(own) : len(own) + 1] in OWN_ENDS else url
        return cut(shown, MAX_URL_BYTES)

    def source(self, frame: StackFrame) -> Place | None:
        """Where in the sources a frame is, if a source map says that."""
        return None if self.source_maps is None else self.source_maps.place(frame)


# What may follow an origin; anything else belongs to a longer host.
OWN_ENDS = frozenset({"", "/", "?", "#"})
Describe = Callable[[Signal, Any, Scene], Finding | None]
Descriptions = Mapping[type[Detail], Describe]


@lru_cache(256)
def origin_of(url: str) -> str:
    """`http://shop.test:8000`, of the address of a page; nothing of one that has no host."""
    try:
        parts = urlsplit(redact_url(url))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes: a Chinese page's events are as small as an English page's."""
    text = INVISIBLE.sub(" ", text)
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def cut_front(text: str, limit: int) -> str:
    """As `cut`, for what says most at its end."""
    text = INVISIBLE.sub(" ", text)
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return "…" + encoded[len(encoded) - limit + 3 :].decode(errors="ignore")


def said(text: str, limit: int = MAX_SUMMARY_BYTES) -> str:
    """A text of the page, fit for a summary: one line, no secrets, not too long."""
    if not text:
        return ""
    return cut(redact_text(" ".join(text.split())), limit)


def place(frame: StackFrame | None) -> str:
    """`cart.js:88:12 saveCart`"""
    if frame is None or not (frame.url or frame.function):
        return ""
    file = redact_url(frame.url).partition("?")[0].rsplit("/", 1)[-1] or ("(index)" if frame.url else "")
    spot = f"{file}:{frame.line}:{frame.column}" if file else ""
    return cut(redact_text(f"{spot} {frame.function}".strip()), MAX_PLACE_BYTES)


def places(stack: Sequence[StackFrame], scene: Scene) -> dict[str, JsonValue]:
    """Where something happened: `at`, and the `generated` place if a source map told it."""
    frame = best_frame(stack, scene)
    maps = scene.source_maps
    source = maps.place(frame) if maps is not None and frame is not None else None
    if maps is None or frame is None or source is None:
        return {"at": place(frame)}
    spot = f"{redact_url(source.frame.url)}:{source.frame.line}:{source.frame.column}"
    function = maps.function(frame, next(iter(stack[stack.index(frame) + 1 :]), None))
    at = cut(f"{cut_front(spot, MAX_PLACE_BYTES - 40)} {function}".strip(), MAX_PLACE_BYTES)
    return {"at": at, "generated": cut_front(place(StackFrame("", frame.url, frame.line, frame.column)), 60)}


def best_frame(stack: Sequence[StackFrame], scene: Scene) -> StackFrame | None:
    """The innermost frame in the page's own code, else the innermost of all."""
    for frame in stack:
        source = scene.source(frame)
        if is_in_app(frame.url, scene.page_url) if source is None else source.in_app:
            return frame
    return stack[0] if stack else None


def context(**values: JsonValue) -> dict[str, JsonValue]:
    """The fields that say something; what is empty or zero is left out."""
    return {name: value for name, value in values.items() if value}
