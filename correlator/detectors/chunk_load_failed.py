"""A part of the app that could not be loaded when it was wanted: most often the page is older than what the server has."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.network import RequestFailed, ResponseReceived
from ...observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene, said
from ..kept import Kept
from .detector import Detector, Found
from .renaming import RenamingOptions, Reports, failure_text, renamed
from .windows import PageKey, page_of

TEXT = re.compile(
    r"\bChunkLoadError\b|\bLoading (?:CSS )?chunk \S+ failed"  # webpack, Rspack
    r"|Failed to fetch dynamically imported module|Unable to preload CSS for",  # browsers, Vite
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?:https?://|\s/)[^\s)\"']+")
CHUNK = re.compile(r"chunk (\S+) failed", re.IGNORECASE)
PARTS = frozenset({"Script", "Stylesheet"})
GONE = frozenset({403, 404, 410})  # 403 is what a bucket says of what it does not have
STALE = "stale deploy"
KEPT_PAGES = 500
KEPT_PER_PAGE = 20


class ChunkOptions(RenamingOptions):
    failed_within_s: float = Field(
        default=10.0, gt=0, le=300, description="How long before the error its script may have failed."
    )


class Failed(NamedTuple):
    """A script or a stylesheet that could not be loaded."""

    at_ms: float
    url: str
    why: str
    is_gone: bool


class ChunkLoadFailed(Detector[ChunkOptions]):
    id = "chunk_load_failed"
    channel = "errors"
    severity = "high"
    about = "A part of the app could not be loaded when it was wanted; names the script, and a stale deploy if it is gone."
    trigger = (
        "`ChunkLoadError`, `Failed to fetch dynamically imported module` or the like; the script that failed up to "
        "`failed_within_s` before is named; reports within `within_s` are one"
    )
    source = "The messages of Chromium, webpack and Vite"
    options_type = ChunkOptions
    needs = (ResponseReceived, RequestFailed)
    renames = (ExceptionThrown, ConsoleCalled)

    def __init__(self, options: ChunkOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._reports = Reports(options.within_s)
        self._failed: Kept[PageKey, deque[Failed]] = Kept(KEPT_PAGES)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, ResponseReceived | RequestFailed) or detail.type not in PARTS:
            return ()
        failed = failed_of(signal, detail)
        if failed is not None:
            self._failed.setdefault(page_of(signal), deque(maxlen=KEPT_PER_PAGE)).append(failed)
        return ()

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        text = failure_text(signal)
        if not TEXT.search(text):
            return None
        named = ADDRESS.search(text)
        failed = self._which(signal, named[0].strip() if named else "", text)
        url = failed.url if failed else named[0].strip() if named else ""
        scene = self.scene(signal)
        what = scene.url(url) if url else "a script"
        why = f" {failed.why}" if failed else ""
        stale = f" ({STALE}: the page is older than the server)" if failed and failed.is_gone else ""
        return renamed(
            self,
            finding,
            self._reports.key(signal, f"{self.id} {url}"),
            said(f"A part of the app could not be loaded: {what}{why}{stale}"),
            url=what if url else "",
            error=said(text, 60),
        )

    def _which(self, signal: Signal, url: str, text: str) -> Failed | None:
        """The script that is named, else the one whose name has the chunk's, else the last that failed."""
        since_ms = signal.wall_ms - self.options.failed_within_s * 1000
        recent = [one for one in self._failed.get(page_of(signal), ()) if one.at_ms >= since_ms]
        if url:
            return next((one for one in reversed(recent) if one.url.endswith(url)), None)
        chunk = CHUNK.search(text)
        called = [one for one in recent if chunk and chunk[1] in one.url]
        return next(reversed(called or recent), None)


def failed_of(signal: Signal, detail: ResponseReceived | RequestFailed) -> Failed | None:
    if detail.status >= 400:
        return Failed(signal.wall_ms, detail.url, f"answered {detail.status}", detail.status in GONE)
    if isinstance(detail, ResponseReceived):
        # Servers of single-page apps answer with the page what they do not know.
        is_page = detail.mime == "text/html"
        return Failed(signal.wall_ms, detail.url, "answered with a page", is_gone=True) if is_page else None
    if detail.status:  # it was answered, and its answer was told
        return None
    return Failed(
        signal.wall_ms, detail.url, f"failed: {detail.blocked_reason or detail.error}", is_gone=False
    )
