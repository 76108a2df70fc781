"""Scripts and styles that keep the page white until they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from pydantic import Field

from ...observer.domains.network import RequestFinished, RequestSent
from ...observer.domains.page_script import FirstPaint
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from .data_requests import said_bytes
from .detector import Detector, Found, Options
from .requests import lasting

KEPT_DOCUMENTS = 1_000
KEPT_REQUESTS = 2_000


class BlockingOptions(Options):
    painted_after_ms: float = Field(
        default=2_000.0, ge=0, le=600_000, description="When the first paint comes no sooner than this."
    )
    painted_before_ms: float = Field(
        default=10_000.0,
        gt=0,
        le=600_000,
        description="A later paint has another reason: a tab in the background.",
    )
    at_least_bytes: int = Field(
        default=500_000, ge=1, le=1_000_000_000, description="From so many bytes of blocking resources on."
    )


class Blank(msgspec.Struct):
    """A document that has painted nothing so far, and what it waits for."""

    began_ms: float
    loader: str
    encoded_bytes: float = 0.0
    largest: Signal | None = None
    largest_bytes: float = 0.0


class RenderBlocking(Detector[BlockingOptions]):
    id = "render_blocking"
    channel = "performance"
    severity = "info"
    about = "The first paint waits for large scripts and styles in the head of the page."
    trigger = (
        "The first contentful paint comes between `painted_after_ms` and `painted_before_ms`, after `at_least_bytes` of "
        "what Chrome says blocks the rendering"
    )
    source = "Sentry's Large Render Blocking Asset"
    options_type = BlockingOptions
    needs = (RequestSent, RequestFinished, FirstPaint)

    def __init__(self, options: BlockingOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._blank: Kept[tuple[str, str], Blank] = Kept(KEPT_DOCUMENTS)
        self._blocking: Kept[tuple[str, str], Signal] = Kept(KEPT_REQUESTS)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent):
            if detail.blocks_rendering:
                self._blocking[signal.browser, signal.request_id] = signal
            elif detail.type == "Document":
                self._begun(signal)
        elif isinstance(detail, RequestFinished):
            sent = self._blocking.pop((signal.browser, signal.request_id), None)
            if sent is not None:
                self._came(sent, detail)
        elif isinstance(detail, FirstPaint):
            return self._painted(signal)
        return ()

    def _begun(self, signal: Signal) -> None:
        frame = signal.browser, signal.frame
        before = self._blank.get(frame)
        if before is None or before.loader != signal.loader_id:  # else it was redirected, and began before
            self._blank[frame] = Blank(signal.wall_ms, signal.loader_id)

    def _came(self, sent: Signal, detail: RequestFinished) -> None:
        blank = self._blank.get((sent.browser, sent.frame))
        if blank is None or blank.loader != sent.loader_id:
            return
        blank.encoded_bytes += detail.encoded_bytes
        if detail.encoded_bytes > blank.largest_bytes:
            blank.largest, blank.largest_bytes = sent, detail.encoded_bytes

    def _painted(self, signal: Signal) -> list[Found]:
        blank = self._blank.pop((signal.browser, signal.frame), None)
        options = self.options
        if blank is None or blank.largest is None or blank.encoded_bytes < options.at_least_bytes:
            return []
        waited_ms = signal.wall_ms - blank.began_ms
        if not options.painted_after_ms <= waited_ms <= options.painted_before_ms:
            return []
        largest = blank.largest
        url = self.scene(signal).url(largest.detail.url) if isinstance(largest.detail, RequestSent) else ""
        finding = self.finding(
            "info",
            said(
                f"The page was blank for {lasting(waited_ms)}, waiting for {said_bytes(blank.encoded_bytes)} of scripts and styles, "
                f"most of all {url} with {said_bytes(blank.largest_bytes)}"
            ),
            template=url.partition("?")[0],
            url=url,
            first_paint_ms=round(waited_ms),
            bytes=round(blank.encoded_bytes),
        )
        when = msgspec.structs.replace(largest, monotonic_s=signal.monotonic_s, wall_ms=signal.wall_ms)
        return [Found(finding, when)]
