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

KEPT_BURSTS = 1_000
KEPT_REQUESTS = 5_000
KEPT_ADDRESSES = 100
KEPT_UNSORTED = 20
KEPT_GROUPS = 50  # of a burst, which may never end

Site = tuple[str, int, int]
BurstKey = tuple[PageKey, str, Site]


class NPlusOneOptions(Options):
    at_least: int = Field(default=5, ge=2, le=1000, description="From so many requests on.")
    apart_ms: float = Field(
        default=15.0, gt=0, le=10_000, description="The next one begins before this time is over."
    )
    total_ms: float = Field(
        default=300.0, ge=0, le=600_000, description="From so much time on, of all of them together."
    )


class Asked:
    """One request; its group is known once its burst was sorted."""

    __slots__ = ("group", "is_data", "signal", "took_ms", "url")

    def __init__(self, signal: Signal, url: str) -> None:
        self.signal = signal
        self.url = url
        self.took_ms = 0.0
        self.is_data = True
        self.group: Group | None = None


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

    def add(self, asked: Asked) -> None:
        self.last_ms = asked.signal.wall_ms
        self.sent += 1
        if len(self.addresses) < KEPT_ADDRESSES:
            self.addresses.add(asked.url)
        asked.group = self
        self.answered(asked)

    def answered(self, asked: Asked) -> None:
        self.total_ms += asked.took_ms
        self.is_data = self.is_data and asked.is_data


class Burst:
    """Requests from one place, each soon after the one before. Only a burst that takes long is sorted by template: most are not."""

    __slots__ = ("groups", "last_ms", "sent", "total_ms", "unsorted")

    def __init__(self) -> None:
        self.last_ms = 0.0
        self.sent = 0
        self.total_ms = 0.0
        self.unsorted: list[Asked] = []
        self.groups: Kept[str, Group] = Kept(KEPT_GROUPS)

    def sort(self, apart_ms: float) -> None:
        for asked in self.unsorted:
            template = address_template(asked.url)
            group = self.groups.get(template)
            if group is None or asked.signal.wall_ms - group.last_ms >= apart_ms:
                group = self.groups[template] = Group(asked.signal, template)
            group.add(asked)
        self.unsorted.clear()


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
        self._bursts: Kept[BurstKey, Burst] = Kept(KEPT_BURSTS)
        self._asked: Kept[tuple[str, str], tuple[Burst, Asked]] = Kept(KEPT_REQUESTS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent):
            if detail.type in ASKED_BY_SCRIPT and detail.method == "GET" and not is_ahead(detail.url):
                self._sent(signal, detail.url)
            return ()
        if not isinstance(detail, ResponseReceived) or detail.type not in ASKED_BY_SCRIPT:
            return ()
        known = self._asked.pop((signal.browser, signal.request_id), None)
        return self._answered(*known, detail) if known is not None else ()

    def _sent(self, signal: Signal, url: str) -> None:
        request = signal.browser, signal.request_id
        if request in self._asked:  # redirected
            return
        key = page_of(signal), signal.loader_id, site_of(signal)
        burst = self._bursts.get(key)
        if burst is None or signal.wall_ms - burst.last_ms >= self.options.apart_ms:
            burst = self._bursts[key] = Burst()
        burst.last_ms = signal.wall_ms
        burst.sent += 1
        asked = Asked(signal, url)
        burst.unsorted.append(asked)
        if len(burst.unsorted) >= KEPT_UNSORTED:
            burst.sort(self.options.apart_ms)
        self._asked[request] = burst, asked

    def _answered(self, burst: Burst, asked: Asked, detail: ResponseReceived) -> Iterable[Found]:
        asked.took_ms, asked.is_data = detail.elapsed_ms, is_data(detail.mime)
        burst.total_ms += asked.took_ms
        if asked.group is not None:
            asked.group.answered(asked)
        options = self.options
        if burst.sent < options.at_least or burst.total_ms < options.total_ms:
            return ()
        burst.sort(options.apart_ms)
        group = asked.group
        assert group is not None
        if len(group.addresses) < options.at_least or group.total_ms < options.total_ms or not group.is_data:
            return ()
        return self._found(group)

    def _found(self, group: Group) -> Iterable[Found]:
        first = group.first
        episode = f"{self.id} {page_of(first)} {first.loader_id} {group.template} {site_of(first)}"
        if not self._growth.is_due(episode, group.sent):
            return ()
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
        return (Found(finding, first, episode=episode),)


def site_of(signal: Signal) -> Site:
    """The place in the code that asks."""
    stack = signal.stack or signal.async_stack
    return (stack[0].url, stack[0].line, stack[0].column) if stack else ("", 0, 0)
