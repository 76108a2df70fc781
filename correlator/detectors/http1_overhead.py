"""Requests that wait for a free connection, because HTTP/1.1 serves only six at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.network import ResponseReceived
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from .data_requests import aside, host_of
from .detector import Detector, Found, Options
from .requests import lasting
from .windows import Growth, page_of

KEPT_HOSTS = 500
KEPT_PER_HOST = 100
OLD_PROTOCOLS = frozenset({"http/1.1", "http/1.0"})
# A development server serves every module by itself, and nobody but its developer waits for them.
MODULES = frozenset({"Script", "Stylesheet"})
OWN_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class OverheadOptions(Options):
    at_least: int = Field(default=6, ge=1, le=1000, description="So many others occupy the connections.")
    queued_ms: float = Field(
        default=500.0,
        gt=0,
        le=600_000,
        description="When a request waits longer than this for a connection; less than 300 ms is not measured.",
    )


class Spent(NamedTuple):
    """When a request was made and when its answer came."""

    made_ms: float
    answered_ms: float


class Http1Overhead(Detector[OverheadOptions]):
    id = "http1_overhead"
    channel = "performance"
    severity = "info"
    about = "Requests to one host wait for each other, because it speaks HTTP/1.1."
    trigger = (
        "A request over HTTP/1.1 waits for a connection for more than `queued_ms`, while `at_least` others to its host "
        "are on their way; told for the first of a host, with a count"
    )
    source = "Sentry's HTTP/1.1 Overhead"
    options_type = OverheadOptions
    needs = (ResponseReceived,)

    def __init__(self, options: OverheadOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._spent: Kept[tuple[str, str, str], deque[Spent]] = Kept(KEPT_HOSTS)
        self._counts: Kept[str, int] = Kept(KEPT_HOSTS)
        self._growth = Growth(KEPT_HOSTS)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, ResponseReceived) or detail.protocol not in OLD_PROTOCOLS or detail.source:
            return ()
        host = host_of(detail.url)
        if detail.type in MODULES and host.startswith(OWN_MACHINE):
            return ()
        key = *page_of(signal), host
        spent = self._spent.get(key)
        if spent is None:
            spent = self._spent[key] = deque(maxlen=KEPT_PER_HOST)
        made_ms = signal.wall_ms - detail.elapsed_ms
        found: list[Found] = []
        if detail.queued_ms > self.options.queued_ms:
            served_ms = made_ms + detail.queued_ms
            # Those that were answered while this one waited had the connections.
            before = sum(one.answered_ms >= made_ms and one.made_ms <= served_ms for one in spent)
            found = self._queued(signal, detail, host, before)
        spent.append(Spent(made_ms, signal.wall_ms))
        return found

    def _queued(self, signal: Signal, detail: ResponseReceived, host: str, before: int) -> list[Found]:
        if before < self.options.at_least:
            return []
        episode = f"{self.id} {page_of(signal)} {signal.loader_id} {host}"
        count = self._counts[episode] = self._counts.get(episode, 0) + 1
        if not self._growth.is_due(episode, count):
            return []
        url = self.scene(signal).url(detail.url)
        finding = self.finding(
            "info",
            said(
                f"{detail.method} {url} waited {lasting(detail.queued_ms)} for a connection: HTTP/1.1 has six to {host}, and {before} "
                "others came before"
            ),
            count=count,
            template=host,
            method=detail.method,
            url=url,
            queued_ms=detail.queued_ms,
        )
        return [Found(finding, aside(signal), episode=episode)]
