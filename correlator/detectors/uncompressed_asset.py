"""A script, a stylesheet or a page that is sent as it is, though compressing would make it a fraction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic import Field

from ...observer.domains.network import RequestFinished
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from .data_requests import aside, said_bytes
from .detector import Detector, Found, Options
from .requests import ASKED_BY_SCRIPT, lasting
from .windows import Growth, page_of

KEPT_DOCUMENTS = 1_000
# Text and code; pictures, films and fonts are compressed already.
SHRINKS = re.compile(r"^text/|javascript|ecmascript|json|xml|wasm|font/[ot]tf", re.IGNORECASE)


class AssetOptions(Options):
    at_least_bytes: int = Field(
        default=512_000, ge=10_000, le=1_000_000_000, description="From so many bytes on."
    )
    after_ms: float = Field(default=100.0, ge=0, le=600_000, description="When it took at least so long.")


class UncompressedAsset(Detector[AssetOptions]):
    id = "uncompressed_asset"
    channel = "performance"
    severity = "info"
    about = "A large script, stylesheet, document or the like is sent without compression."
    trigger = (
        "`at_least_bytes` of text or code that no script asked for come without a Content-Encoding and take `after_ms`; "
        "told for the first of a document, with a count"
    )
    source = "Sentry's Uncompressed Asset"
    options_type = AssetOptions
    needs = (RequestFinished,)

    def __init__(self, options: AssetOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._counts: Kept[str, int] = Kept(KEPT_DOCUMENTS)
        self._growth = Growth(KEPT_DOCUMENTS)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        options = self.options
        if (
            not isinstance(detail, RequestFinished)
            or detail.encoded_bytes < options.at_least_bytes
            or detail.elapsed_ms < options.after_ms
            or detail.compression
            or detail.type in ASKED_BY_SCRIPT  # told as large_payload
            or not SHRINKS.search(detail.mime)
        ):
            return ()
        episode = f"{self.id} {page_of(signal)} {signal.loader_id}"
        count = self._counts[episode] = self._counts.get(episode, 0) + 1
        if not self._growth.is_due(episode, count):
            return ()
        url = self.scene(signal).url(detail.url)
        finding = self.finding(
            "info",
            said(
                f"{url} came without compression: {said_bytes(detail.encoded_bytes)} in {lasting(detail.elapsed_ms)}"
            ),
            count=count,
            template=url.partition("?")[0],
            url=url,
            bytes=round(detail.encoded_bytes),
        )
        return [Found(finding, aside(signal), episode=episode)]
