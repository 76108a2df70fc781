"""Pages whose largest element is shown late."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.cdp.targets import TargetClosed
from ...observer.domains.page import Navigated
from ...observer.domains.page_script import LargestPaint, LoadTiming, UserAction
from ...observer.signal import Signal
from ..findings.finding import Scene, said
from ..kept import Kept
from ..page_loads import graded, is_of_page, seconds
from . import detector
from .detector import NEVER_S, Detector, Found
from .windows import PageKey, page_of

KEPT_PAGES = 1_000


class Options(detector.Options):
    over_ms: float = Field(default=2500, gt=0, description="The largest element is shown later than this.")
    high_ms: float = Field(default=4000, gt=0, description="Above this it is severe.")
    settle_s: float = Field(
        default=3.0, ge=0, description="Once the page has loaded, a larger element may come for so long."
    )


class Load:
    """The load of one page: the largest element so far, if it was late, and when nothing larger is awaited any more."""

    __slots__ = ("due_s", "largest", "ttfb_ms", "url")

    def __init__(self) -> None:
        self.largest: Signal | None = None
        self.url = ""
        self.due_s = NEVER_S
        self.ttfb_ms: float | None = None  # once it has loaded


class SlowLcp(Detector[Options]):
    """A larger element may follow, until the user does something, the page is left or hidden, or has loaded and settled."""

    id = "slow_lcp"
    channel = "performance"
    severity = "medium or high"
    about = "Pages whose main content is shown late, with the element"
    trigger = (
        "the largest element is painted more than `over_ms` after the navigation began; high above `high_ms`"
    )
    source = "web-vitals"
    options_type = Options
    needs = (LargestPaint, LoadTiming, UserAction, Navigated, TargetClosed)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._loads: Kept[PageKey, Load] = Kept(KEPT_PAGES)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail, page = signal.detail, page_of(signal)
        load = self._loads.get(page)
        if load is not None and self._is_final(signal):
            yield from self._told(load)
        if isinstance(detail, Navigated) and detail.main_frame:
            self._loads[page] = Load()
        elif isinstance(detail, LargestPaint | LoadTiming) and is_of_page(signal):
            if load is None:
                load = self._loads[page] = Load()
            self._note(load, signal)
        elif isinstance(detail, TargetClosed) and detail.type == "page":
            self._loads.pop(page, None)
        self._look_at_the_clock()

    def advance(self, now_s: float) -> Iterator[Found]:
        for load in list(self._loads.values()):
            if load.due_s <= now_s:
                yield from self._told(load)
        self._look_at_the_clock()

    def _is_final(self, signal: Signal) -> bool:
        match signal.detail:
            case LargestPaint(after_ms=0):  # the page has been hidden
                return is_of_page(signal)
            case Navigated(main_frame=is_main):
                return is_main
            case TargetClosed(type=what):
                return what == "page"
            case detail:
                return isinstance(detail, UserAction)

    def _note(self, load: Load, signal: Signal) -> None:
        detail = signal.detail
        if isinstance(detail, LoadTiming):
            load.ttfb_ms = detail.ttfb_ms
        elif isinstance(detail, LargestPaint) and detail.after_ms > self.options.over_ms:
            load.largest = signal
            # Now: once the page is left, its address is the next one's.
            scene = self.scene(signal)
            load.url = scene.url(detail.url or scene.page_url)
        if load.largest is not None and load.ttfb_ms is not None:
            load.due_s = signal.monotonic_s + self.options.settle_s

    def _told(self, load: Load) -> Iterator[Found]:
        signal, load.largest, load.due_s = load.largest, None, NEVER_S
        if signal is None:
            return
        paint = signal.detail
        assert isinstance(paint, LargestPaint)
        element = said(signal.element, 160)
        finding = self.finding(
            graded(paint.after_ms, self.options.high_ms),
            f"The largest element{f', {element},' if element else ''} was shown after {seconds(paint.after_ms)}",
            url=load.url,
            element=element,
            lcp_ms=paint.after_ms,
            ttfb_ms=load.ttfb_ms,
        )
        yield Found(finding, signal)

    def _look_at_the_clock(self) -> None:
        self.due_s = min((load.due_s for load in self._loads.values()), default=NEVER_S)
