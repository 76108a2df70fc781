"""An answer that took long to come."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.network import ResponseReceived
from ...observer.signal import Signal
from ..findings.network import RESOURCES
from . import detector
from .detector import Detector, Found


class Options(detector.Options):
    after_ms: float = Field(default=2_000.0, gt=0, description="An answer that takes longer is slow.")


class SlowResponse(Detector[Options]):
    id = "slow_response"
    channel = "network_errors"
    severity = "medium"
    about = "An answer came late"
    trigger = "A successful answer later than `after_ms`; not of an EventSource"
    source = "proposal"
    options_type = Options
    needs = (ResponseReceived,)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, ResponseReceived) or detail.elapsed_ms <= self.options.after_ms:
            return ()
        if detail.status >= 400 or detail.type == "EventSource":
            return ()
        url = self.scene(signal).url(detail.url)
        finding = self.finding(
            "medium",
            f"{detail.method} {url} took {detail.elapsed_ms / 1_000:.1f} s to answer {detail.status}",
            key=f"{signal.browser} {signal.request_id} slow",  # its own: the body may still fail
            template=f"{detail.method} {url.partition('?')[0]}",
            method=detail.method,
            url=url,
            status=detail.status,
            resource=detail.type.lower() if detail.type in RESOURCES else "",
            elapsed_ms=detail.elapsed_ms,
        )
        return (Found(finding, signal),)
