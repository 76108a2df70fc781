"""One request for each of many things, all at once, where one for all of them would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import Field

from ...observer.domains.network import RequestSent, ResponseReceived
from ...observer.signal import Signal
from ..findings.finding import Scene, context, places, said
from ..kept import Kept
from ..templates import address_template
from .data_requests import is_ahead, is_data
from .detector import Detector, Found, Options
from .requests import ASKED_BY_SCRIPT, lasting
from .windows import Growth, PageKey, page_of

KEPT_GROUPS = 1_000
KEPT_REQUESTS = 5_000
KEPT_ADDRESSES = 100

Site = tuple[str, int, int]
GroupKey = tuple[PageKey, str, str, Site]


class NPlusOneOptions(Options):
    at_least: int = Field(default=5, ge=2, le=1000, description="From so many requests on.")
    apart_ms: float = Field(
        default=15.0, gt=0, le=10_000, description="The next one begins before this time is over."
    )
    total_ms: float = Field(
        default=300.0, ge=0, le=600_000, description="From so much time on, of all of them together."
    )


class Group:
    """Requests of one template from one place, each soon after the one before."""

    __slots__ = ("addresses", "first", "is_data", "last_ms", "sent", "template", "total_ms")

    def __init__(self, first: Signal, template: str) -> None:
        self.first = first
        self.template = template
        self.last_ms = first.wall_ms
        self.sent = 0
        self.addresses: set[str] = set()
        self.total_ms = 0.0
        self.is_data = True


class NPlusOneApi(Detector[NPlusOneOptions]):
    id = "n_plus_one_api"
    channel = "anomalies"
    severity = "medium"
    about = (
        "The page asks for many things one by one, from one place and at once, where one request would do."
    )
    trigger = (
        "`at_least` GETs for data with one address template but different values, made at one place, each less than "
        "`apart_ms` after the one before, that take `total_ms` together"
    )
    source = "Sentry's N+1 API Calls"
    options_type = NPlusOneOptions
    needs = (RequestSent, ResponseReceived)

    def __init__(self, options: NPlusOneOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._groups: Kept[GroupKey, Group] = Kept(KEPT_GROUPS)
        self._of: Kept[tuple[str, str], Group] = Kept(KEPT_REQUESTS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent):
            if detail.type in ASKED_BY_SCRIPT and detail.method == "GET" and not is_ahead(detail.url):
                self._sent(signal, detail.url)
            return ()
        if not isinstance(detail, ResponseReceived) or detail.type not in ASKED_BY_SCRIPT:
            return ()
        group = self._of.pop((signal.browser, signal.request_id), None)
        return self._answered(group, detail) if group is not None else ()

    def _sent(self, signal: Signal, url: str) -> None:
        request = signal.browser, signal.request_id
        if request in self._of:  # redirected
            return
        template = address_template(url)
        key = page_of(signal), signal.loader_id, template, site_of(signal)
        group = self._groups.get(key)
        if group is None or signal.wall_ms - group.last_ms >= self.options.apart_ms:
            group = self._groups[key] = Group(signal, template)
        group.last_ms = signal.wall_ms
        group.sent += 1
        if len(group.addresses) < KEPT_ADDRESSES:
            group.addresses.add(url)
        self._of[request] = group

    def _answered(self, group: Group, detail: ResponseReceived) -> list[Found]:
        group.total_ms += detail.elapsed_ms
        group.is_data = group.is_data and is_data(detail.mime)
        options = self.options
        if len(group.addresses) < options.at_least or group.total_ms < options.total_ms or not group.is_data:
            return []
        first = group.first
        episode = f"{self.id} {page_of(first)} {first.loader_id} {group.template} {site_of(first)}"
        if not self._growth.is_due(episode, group.sent):
            return []
        scene = self.scene(first)
        url = scene.url(group.template)
        within_ms = group.last_ms - first.wall_ms
        finding = self.finding(
            "medium",
            said(
                f"GET {url} was asked for {group.sent} times within {lasting(within_ms)}, each for another value: "
                "one request could bring them all"
            ),
            count=group.sent,
            template=f"GET {url}",
            method="GET",
            url=url,
            total_ms=round(group.total_ms),
        )
        finding.context |= context(**places(first.stack or first.async_stack, scene))
        return [Found(finding, first, episode=episode)]


def site_of(signal: Signal) -> Site:
    """The place in the code that asks."""
    frame = next(iter(signal.stack or signal.async_stack), None)
    return (frame.url, frame.line, frame.column) if frame is not None else ("", 0, 0)
