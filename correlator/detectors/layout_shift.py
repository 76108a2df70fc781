"""A page that moves under the reader's eyes: shifts that follow on each other are summed as Chrome's CLS does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page import Navigated
from ...observer.domains.page_script import LayoutShift
from ...observer.signal import Signal
from ..event import Severity
from ..findings.finding import Finding, Scene, said
from ..kept import Kept
from . import detector
from .detector import Detector, Found

KEPT_DOCUMENTS = 1_000
MAX_NODES = 3

DocumentKey = tuple[str, str, str]


class Options(detector.Options):
    shift: float = Field(
        default=0.1, gt=0, description="Shifts of one session that sum up to more than this."
    )
    high_shift: float = Field(default=0.25, gt=0, description="Above this it is severe, and told again.")
    gap_s: float = Field(default=1.0, gt=0, description="A session ends when nothing shifted for so long.")
    span_s: float = Field(default=5.0, gt=0, description="No session is longer than this.")


class Session:
    """Shifts that follow on each other; `nodes` are those that the largest of them moved, with how far."""

    __slots__ = ("began_ms", "count", "largest", "last_ms", "nodes", "severity", "value")

    def __init__(self, began_ms: float) -> None:
        self.began_ms = self.last_ms = began_ms
        self.value = self.largest = 0.0
        self.count = 0
        self.nodes: list[tuple[str, float]] = []
        self.severity: Severity = "info"

    def add(self, wall_ms: float, shift: LayoutShift) -> None:
        self.last_ms = wall_ms
        self.value = round(self.value + shift.value, 4)
        self.count += 1
        if shift.value > self.largest:
            far = [*shift.moved_px, *(0.0,) * len(shift.nodes)]
            self.largest, self.nodes = shift.value, [*zip(shift.nodes, far, strict=False)]


class LayoutShifts(Detector[Options]):
    id = "layout_shift"
    channel = "performance"
    severity = "medium or high"
    about = "Content that moves without the user having done anything"
    trigger = (
        "the shifts of one session, at most `gap_s` apart and within `span_s`, sum up to more than `shift`; "
        "high above `high_shift`"
    )
    source = "web-vitals (CLS)"
    options_type = Options
    needs = (LayoutShift, Navigated)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._sessions: Kept[DocumentKey, Session] = Kept(KEPT_DOCUMENTS)

    def see(self, signal: Signal) -> Iterator[Found]:
        key = signal.browser, signal.page, signal.frame
        if isinstance(signal.detail, Navigated):
            self._sessions.pop(key, None)
        elif isinstance(signal.detail, LayoutShift):
            session = self._session(key, signal.wall_ms)
            session.add(signal.wall_ms, signal.detail)
            severity = self._severity(session.value)
            if severity not in {"info", session.severity}:
                session.severity = severity
                yield Found(
                    self._told(session), signal, episode=f"{self.id} {' '.join(key)} {session.began_ms}"
                )

    def _session(self, key: DocumentKey, wall_ms: float) -> Session:
        session = self._sessions.get(key)
        if (
            session is None
            or wall_ms - session.last_ms >= self.options.gap_s * 1000
            or wall_ms - session.began_ms >= self.options.span_s * 1000
        ):
            session = self._sessions[key] = Session(wall_ms)
        return session

    def _severity(self, value: float) -> Severity:
        if value <= self.options.shift:
            return "info"
        return "high" if value > self.options.high_shift else "medium"

    def _told(self, session: Session) -> Finding:
        nodes = [(said(node, 100), round(far)) for node, far in session.nodes[:MAX_NODES]]
        summary = f"The layout shifted by {session.value:.2f}"
        if session.count > 1:
            summary += f" in {session.count} shifts"
        if nodes:
            node, far = nodes[0]
            summary += f", moving {node}" + (f" by {far} px" if far else "")
        return self.finding(
            session.severity,
            summary,
            count=session.count,
            value=session.value,
            nodes=[node for node, _ in nodes],
            moved_px=[far for _, far in nodes] if any(far for _, far in nodes) else [],
        )
