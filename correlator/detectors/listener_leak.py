"""Views that leave their event listeners behind: more of them with every navigation within the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page import Navigated, NavigatedWithin
from ...observer.domains.performance import Metrics
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene
from ..kept import Kept
from ..page_loads import is_of_target
from ..templates import address_template
from . import detector
from .detector import Detector, Found
from .windows import Growth

KEPT_TARGETS = 1_000
KEPT_ROUTES = 200

TargetKey = tuple[str, str]


class Options(detector.Options):
    navigations: int = Field(
        default=5, ge=1, description="So many navigations to views that had been there before."
    )
    grown: float = Field(default=0.1, gt=0, description="The listeners grew by this part of the first.")
    rises: int = Field(
        default=2, ge=1, description="In so many samples there were more than in the one before."
    )


class Views:
    """The views of one document, and the listeners that were left after each collection since they began to rise."""

    __slots__ = ("began_ms", "first", "latest", "pending", "returns", "rises", "routes")

    def __init__(self) -> None:
        self.routes: Kept[str, None] = Kept(KEPT_ROUTES)
        self.pending = 0  # returns since the last collection
        self.begin(0, 0.0)

    def begin(self, listeners: int, wall_ms: float) -> None:
        self.first = self.latest = listeners
        self.began_ms = wall_ms
        self.returns = self.rises = 0

    def visit(self, route: str) -> None:
        """A view that is new may add listeners for good; one that was there before should not."""
        if route in self.routes:
            self.pending += 1
        self.routes[route] = None

    def collected(self, listeners: int, wall_ms: float) -> None:
        more = listeners - self.latest
        if not self.began_ms or (self.pending and more <= 0):
            self.begin(listeners, wall_ms)
        elif self.pending:
            self.latest = listeners
            self.returns += self.pending
            self.rises += 1
        else:
            # What came or went meanwhile is not the navigations': it was there from the first, so to say.
            self.first += more
            self.latest = listeners
        self.pending = 0


class ListenerLeak(Detector[Options]):
    id = "listener_leak"
    channel = "anomalies"
    severity = "medium"
    about = "Event listeners that are left behind by each navigation within the page"
    trigger = (
        "after `navigations` to addresses that had been there before there are `grown` more listeners, at least one each, "
        "and more after each collection, at least `rises` of them"
    )
    source = "fuite, which goes back and forth; the numbers: our own proposals"
    options_type = Options
    needs = (Metrics, NavigatedWithin, Navigated)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._views: Kept[TargetKey, Views] = Kept(KEPT_TARGETS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterator[Found]:
        key, detail = (signal.browser, signal.session), signal.detail
        if isinstance(detail, Navigated):
            if is_of_target(signal):
                views = self._views[key] = Views()
                views.visit(route_of(detail.url))
            return
        views = self._views.get(key)
        if views is None:
            return
        if isinstance(detail, Metrics):
            if detail.after_gc:
                views.collected(detail.listeners, signal.wall_ms)
                yield from self._look(views, signal)
        elif isinstance(detail, NavigatedWithin) and is_of_target(signal):
            views.visit(route_of(detail.url))

    def _look(self, views: Views, signal: Signal) -> Iterator[Found]:
        grown = views.latest - views.first
        is_enough = views.returns >= self.options.navigations and views.rises >= self.options.rises
        if not is_enough or grown < max(views.first * self.options.grown, views.returns):
            return
        episode = f"{self.id} {signal.browser} {signal.session} {views.began_ms}"
        if self._growth.is_due(episode, views.returns):
            yield Found(self._told(views, signal), signal, episode=episode)

    def _told(self, views: Views, signal: Signal) -> Finding:
        scene = self.scene(signal)
        return self.finding(
            "medium",
            f"{views.latest - views.first} event listeners were left behind by {views.returns} navigations within the page: "
            f"{views.first} became {views.latest}",
            count=views.returns,
            url=scene.url(scene.page_url),
            listeners=views.latest,
            before=views.first,
            times=views.returns,
        )


def route_of(url: str) -> str:
    """The address of a view, with ids open; routers may keep it behind the #."""
    address, _, fragment = url.partition("#")
    return f"{address_template(address)}#{address_template(fragment)}"
