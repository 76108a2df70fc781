"""An answer for the page's scripts that is so large that loading it takes time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import Field

from ...observer.domains.network import RequestFinished
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from ..templates import address_template
from .data_requests import aside, is_data, said_bytes
from .detector import Detector, Found, Options
from .requests import ASKED_BY_SCRIPT, lasting
from .windows import Growth, page_of

KEPT_ADDRESSES = 1_000


class PayloadOptions(Options):
    over_bytes: int = Field(
        default=300_000, ge=10_000, le=1_000_000_000, description="Above so many bytes on the wire."
    )
    after_ms: float = Field(default=100.0, ge=0, le=600_000, description="When it took at least so long.")


class LargePayload(Detector[PayloadOptions]):
    id = "large_payload"
    channel = "performance"
    severity = "info"
    about = "A request for data brings more than a page should need at once."
    trigger = (
        "The answer to a fetch or XHR is data, is larger than `over_bytes` on the wire and takes `after_ms`"
    )
    source = "Sentry's Large HTTP Payload"
    options_type = PayloadOptions
    needs = (RequestFinished,)

    def __init__(self, options: PayloadOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._counts: Kept[str, int] = Kept(KEPT_ADDRESSES)
        self._growth = Growth(KEPT_ADDRESSES)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        options = self.options
        if (
            not isinstance(detail, RequestFinished)
            or detail.encoded_bytes <= options.over_bytes
            or detail.elapsed_ms < options.after_ms
            or detail.type not in ASKED_BY_SCRIPT
            or not is_data(detail.mime)
        ):
            return ()
        episode = f"{self.id} {page_of(signal)} {detail.method} {address_template(detail.url)}"
        count = self._counts[episode] = self._counts.get(episode, 0) + 1
        if not self._growth.is_due(episode, count):
            return ()
        url = self.scene(signal).url(detail.url)
        uncompressed = "" if detail.compression else ", without compression"
        finding = self.finding(
            "info",
            said(
                f"{detail.method} {url} brought {said_bytes(detail.encoded_bytes)} in {lasting(detail.elapsed_ms)}{uncompressed}"
            ),
            count=count,
            template=f"{detail.method} {url.partition('?')[0]}",
            method=detail.method,
            url=url,
            bytes=round(detail.encoded_bytes),
            compression=detail.compression,
        )
        return [Found(finding, aside(signal), episode=episode)]
