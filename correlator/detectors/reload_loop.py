"""A page that loads itself again and again, with nobody at it doing anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.page import Navigated, NavigationRequested
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..event import Cause
from ..kept import Kept
from ..templates import address_template
from . import detector
from .detector import Detector, Found, Scenes, Told, comes_after, counted
from .failures import LOGGED, NOT_LOADED, UNCAUGHT
from .windows import Growth, PageKey, page_of

KEPT_PAGES = 300
KEPT_LOADS = 50
KEPT_FAILURES = 100
EACH_TIME = 0.75


class Options(detector.Options):
    loads: int = Field(
        default=3, ge=2, description="So many loads of one address that the page itself asked for …"
    )
    within_s: float = Field(
        default=10.0, gt=0, description="… within so many seconds, without input between."
    )


class Visit:
    """What one page did since the user last did something or a driver sent it elsewhere."""

    __slots__ = ("asked", "failures", "loads")

    def __init__(self) -> None:
        self.asked = False
        self.loads: deque[Told] = deque(maxlen=KEPT_LOADS)  # the first one is where it began
        self.failures: deque[Told] = deque(maxlen=KEPT_FAILURES)


class ReloadLoop(Detector[Options]):
    id = "reload_loop"
    channel = "anomalies"
    severity = "high"
    about = "A page loads itself again and again."
    trigger = "`loads` of one address in `within_s` that the page itself asked for, without input between."
    source = "own proposal"
    options_type = Options
    needs = (NavigationRequested, UserAction)
    hears = ("navigation", *LOGGED, *NOT_LOADED, *UNCAUGHT)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._visits: Kept[PageKey, Visit] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, UserAction):
            if detail.type != "submit":  # a script may send a form too
                self._visits.pop(page_of(signal), None)
        elif signal.frame == signal.target:
            self._visit(signal).asked = True
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        signal, detail = told.signal, told.signal.detail
        if not isinstance(detail, Navigated):
            if not signal.replayed and signal.target_type == "page":
                self._visit(signal).failures.append(told)
            return
        if not detail.main_frame or detail.unreachable_url:
            return
        visit = self._visit(signal)
        if not visit.asked or detail.restored:
            visit.loads.clear()
        visit.asked = False
        visit.loads.append(told)
        yield from self._loop(visit, told)

    def _loop(self, visit: Visit, told: Told) -> Iterable[Found]:
        address, now_s = address_of(told), told.signal.monotonic_s
        loads = list(visit.loads)[1:]
        same = [
            one
            for one in loads
            if address_of(one) == address and now_s - one.signal.monotonic_s <= self.options.within_s
        ]
        if len(same) < self.options.loads:
            return
        episode = f"{self.id} {visit.loads[0].event_id} {address}"
        if not self._growth.is_due(episode, len(same)):
            return
        took_s = now_s - same[0].signal.monotonic_s
        url = self.scene(told.signal).url(address)
        before = self._failures_before(visit, same)
        finding = self.finding(
            "high",
            f"The page loaded {url} {len(same)} times in {took_s:.1f} s by itself"
            f"{f', each time after: {before[-1].finding.summary}' if before else ''}",
            count=len(same),
            template=f"{self.id} {address}",
            url=url,
            within_ms=round(took_s * 1000),
        )
        yield Found(finding, told.signal, cause_of(before, same), episode)

    def _failures_before(self, visit: Visit, loads: list[Told]) -> list[Told]:
        """The last failure before each load, if there was one of the same kind each time.

        A rejection is told half a second late: that before the latest load may be missing.
        """
        loaded = list(visit.loads)
        found: list[Told] = []
        for load in loads:
            before = loaded[loaded.index(load) - 1]
            between = [one for one in visit.failures if is_between(one, before.signal, load.signal)]
            if between:
                found.append(between[-1])
            elif load is not loads[-1]:
                return []
        return found if len({one.finding.kind for one in found}) == 1 else []

    def _visit(self, signal: Signal) -> Visit:
        visit = self._visits.get(page_of(signal))
        if visit is None:
            visit = self._visits[page_of(signal)] = Visit()
        return visit


def is_between(failure: Told, before: Signal, load: Signal) -> bool:
    """The failure of a document's own request comes before it is shown, and is that document's."""
    request_id = failure.signal.request_id
    if request_id and request_id in (before.loader_id, load.loader_id):
        return request_id == before.loader_id
    return before.wall_ms <= failure.signal.wall_ms <= load.wall_ms


def cause_of(failures: list[Told], loads: list[Told]) -> Cause:
    if failures:
        return comes_after(failures[-1].event_id, EACH_TIME)
    return counted(loads[0].event_id)


def address_of(told: Told) -> str:
    detail = told.signal.detail
    return address_template(detail.url) if isinstance(detail, Navigated) else ""
