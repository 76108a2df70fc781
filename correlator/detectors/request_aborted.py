"""A request that was cancelled; one that nobody wanted any more is only told as activity."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from pydantic import Field

from ...observer.cdp.targets import TargetClosed
from ...observer.domains.network import RequestFailed, RequestSent
from ...observer.domains.page import Navigated, NavigatedWithin
from ...observer.signal import Signal
from ..findings.finding import Finding, said
from ..kept import Kept
from ..templates import address_template
from . import detector
from .detector import Detector, Found, Scenes
from .windows import PageKey, page_of

# Chrome tells so late at most that it was cancelled: what was asked for before that was wanted beside it, not instead.
TOLD_LATE_MS = 500.0
# What was cancelled at the same time was not wanted any more either.
TOGETHER_MS = 50.0
KEPT_CANCELLED = 1_000
KEPT_FRAMES = 2_000
KEPT_PAGES = 1_000
KEPT_PER_PAGE = 200


class Options(detector.Options):
    within_s: float = Field(
        default=1.0, gt=0, description="What cancelled it came at most so long before or after."
    )
    patience_s: float = Field(
        default=1.0,
        gt=0,
        description="A request that waited for so long and is made again just the same had timed out.",
    )


class Left(NamedTuple):
    """When a frame went to another document, and which."""

    at_ms: float
    loader_id: str


class RequestAborted(Detector[Options]):
    id = "request_aborted"
    channel = "network_errors"
    severity = "low"
    about = "A request was cancelled; as activity if its page was left or a newer request took its place"
    trigger = (
        "Any cancelled request; activity with `why` if its document or view was left within `within_s`, or if it was cancelled for another "
        "request of the same method and address template, made at most `within_s` later, as in a search while typing"
    )
    source = "proposal"
    options_type = Options
    needs = (Navigated, NavigatedWithin, RequestFailed, RequestSent, TargetClosed)
    renames = (RequestFailed,)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._sent: Kept[PageKey, deque[Signal]] = Kept(KEPT_PAGES)
        self._cancelled_ms: Kept[tuple[str, str], float] = Kept(KEPT_CANCELLED)
        self._left: Kept[tuple[str, str], Left] = Kept(KEPT_FRAMES)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if isinstance(detail, RequestSent) and detail.type != "Document":
            sent = self._sent.get(page_of(signal))
            if sent is None:
                sent = self._sent[page_of(signal)] = deque(maxlen=KEPT_PER_PAGE)
            sent.append(signal)
            return ()
        match detail:
            case RequestSent() | Navigated(main_frame=False):
                self._left[signal.browser, signal.frame] = Left(signal.wall_ms, signal.loader_id)
            case RequestFailed(canceled=True):
                self._cancelled_ms[signal.browser, signal.request_id] = signal.wall_ms
            case Navigated() | TargetClosed(type="page"):
                self._left[page_of(signal)] = Left(signal.wall_ms, signal.loader_id)
            case NavigatedWithin():  # to another view of the same document
                self._left[page_of(signal)] = Left(signal.wall_ms, "")
            case _:
                pass
        return ()

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        detail = signal.detail
        if finding.kind != self.id or finding.channel == "activity" or not isinstance(detail, RequestFailed):
            return None
        what = f"{detail.method} {self.scene(signal).url(detail.url)}".strip()
        if self._was_left(signal, detail):
            return unwanted(finding, f"{what} was cancelled when its page was left", why="navigation")
        newer = self._newer(signal, detail)
        if not newer:
            return None
        shown = self.scene(signal).url(newer)
        return unwanted(
            finding, f"{what} was cancelled for a newer request, {shown}", why="superseded", newer=shown
        )

    def _was_left(self, signal: Signal, detail: RequestFailed) -> bool:
        """Whether its page or its frame went on to another document or view, or was about to."""
        began_ms = signal.wall_ms - detail.elapsed_ms
        left = (self._left.get(key) for key in (page_of(signal), (signal.browser, signal.frame)))
        return any(
            one is not None
            and (not one.loader_id or one.loader_id != signal.loader_id)
            and one.at_ms >= began_ms
            and self._is_near(one.at_ms, signal)
            for one in left
        )

    def _newer(self, signal: Signal, detail: RequestFailed) -> str:
        """The address of the request that took its place."""
        began_ms = signal.wall_ms - detail.elapsed_ms
        waited = detail.elapsed_ms >= self.options.patience_s * 1_000
        for sent in self._sent.get(page_of(signal), ()):
            newer = sent.detail
            if (
                isinstance(newer, RequestSent)
                and newer.method == detail.method
                and sent.request_id != signal.request_id
                and sent.wall_ms >= max(began_ms, signal.wall_ms - TOLD_LATE_MS)
                and self._is_near(sent.wall_ms, signal)
                and address_template(newer.url) == address_template(detail.url)
                and not (waited and newer.url == detail.url)
                and not self._is_cancelled_with(sent, signal)
            ):
                return newer.url
        return ""

    def _is_cancelled_with(self, sent: Signal, signal: Signal) -> bool:
        cancelled_ms = self._cancelled_ms.get((sent.browser, sent.request_id))
        return cancelled_ms is not None and abs(cancelled_ms - signal.wall_ms) <= TOGETHER_MS

    def _is_near(self, at_ms: float, signal: Signal) -> bool:
        return abs(at_ms - signal.wall_ms) <= self.options.within_s * 1_000


def unwanted(finding: Finding, summary: str, **why: str) -> Finding:
    """The same as activity: nothing failed."""
    return replace(
        finding,
        channel="activity",
        type="activity",
        severity="info",
        summary=said(summary),
        context={**finding.context, **why},
    )
