"""A finding: what one signal says in public words, before it becomes an event or is folded into one that was told already."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

from ...observer.signal import Detail, Signal, StackFrame
from ..event import Channel, EventType, Severity
from ..redact import redact_text, redact_url

MAX_SUMMARY_BYTES = 240
MAX_URL_BYTES = 160
# Six bytes each as JSON, and nothing that a person could see.
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a signal plays: what its finding needs to know beside the signal itself."""

    page_url: str = ""
    wire_status: int = 0

    def url(self, url: str) -> str:
        """The address as a person would say it: short, within the page's own site without the site, without secrets."""
        if not url or url.startswith(("data:", "blob:")):
            return cut(url, 60)
        try:
            parts, page = urlsplit(url), urlsplit(self.page_url)
        except ValueError:
            return cut(redact_url(url), MAX_URL_BYTES)
        own = (parts.scheme, parts.netloc) == (page.scheme, page.netloc)
        shown = url[len(parts.scheme) + 3 + len(parts.netloc) :] if own and parts.netloc else url
        return cut(redact_url(shown) or "/", MAX_URL_BYTES)


Describe = Callable[[Signal, Any, Scene], Finding | None]
Descriptions = Mapping[type[Detail], Describe]


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes: a Chinese page's events are as small as an English page's."""
    text = INVISIBLE.sub(" ", text)
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def said(text: str, limit: int = MAX_SUMMARY_BYTES) -> str:
    """A text of the page, fit for a summary: one line, no secrets, not too long."""
    return cut(redact_text(" ".join(text.split())), limit)


def place(frame: StackFrame | None) -> str:
    """`cart.js:88:12 saveCart`"""
    if frame is None or not (frame.url or frame.function):
        return ""
    file = redact_url(frame.url).partition("?")[0].rsplit("/", 1)[-1] or ("(index)" if frame.url else "")
    spot = f"{file}:{frame.line}:{frame.column}" if file else ""
    return cut(f"{spot} {frame.function}".strip(), 120)


def context(**values: JsonValue) -> dict[str, JsonValue]:
    """The fields that say something; what is empty or zero is left out."""
    return {name: value for name, value in values.items() if value not in ("", None, 0, [], False)}
