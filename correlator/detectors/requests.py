"""What the detectors of requests share: which request something is about, and which requests are the same again."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from ...observer.domains.network import RequestFailed, ResponseReceived
from ...observer.signal import Signal
from ..kept import Kept
from ..templates import address_template
from .detector import Told
from .windows import KEPT_KEYS

K = TypeVar("K")
ASKED_BY_SCRIPT = frozenset({"Fetch", "XHR"})


class Ended(NamedTuple):
    """A request that failed; times are Chrome's own."""

    method: str
    url: str
    template: str
    began_ms: float
    ended_ms: float


def failed_request(told: Told) -> Ended | None:
    """The request whose failure was told; what is said of one in the log names neither its method nor when it began."""
    signal, finding = told.signal, told.finding
    if finding.channel == "activity" or signal.replayed:
        return None
    detail = signal.detail
    if isinstance(detail, RequestFailed | ResponseReceived):
        began_ms = signal.wall_ms - detail.elapsed_ms
        return Ended(detail.method, detail.url, address_template(detail.url), began_ms, signal.wall_ms)
    if not finding.about:
        return None
    return Ended("", finding.about, address_template(finding.about), signal.wall_ms, signal.wall_ms)


class Episodes(Generic[K]):
    """Names for episodes: those of one key have the same name until one begins anew."""

    def __init__(self, keys: int = KEPT_KEYS) -> None:
        self._names: Kept[K, str] = Kept(keys)

    def name(self, key: K, signal: Signal, *, begins: bool) -> str:
        found = self._names.get(key)
        if begins or found is None:
            found = self._names[key] = f"{key} {signal.monotonic_s}"
        return found


def lasting(duration_ms: float) -> str:
    """`340 ms`, `2.1 s`"""
    return f"{duration_ms:.0f} ms" if duration_ms < 1_000 else f"{duration_ms / 1_000:.1f} s"
