"""The lives of the tests as events, and what of them is written into a report in the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

    from ...correlator.event import Event

MAX_NAME_BYTES: Final = 300
REPORT_TITLE: Final = "Failed tests"


@dataclass(slots=True)
class Run:
    """One test: when it began, how its phases ended, and what was told when it failed."""

    began_s: float
    outcome: str = "passed"
    failed: Event | None = None
    events: list[Event] = field(default_factory=list["Event"])


class Runs:
    """Without a folder nothing is kept: then a test is told by its own report alone."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._running: dict[str, Run] = {}
        self._lines: list[str] = []
        self._session = ""
        self.written = ""

    @property
    def are_kept(self) -> bool:
        return bool(self._folder)

    def begin(self, name: str) -> None:
        self._running[name] = Run(time.time())

    def failed(self, name: str, events: Sequence[Event], failed: Event) -> None:
        run = self._running.get(name)
        if run is not None and self._folder:
            run.events += events
            run.failed = failed

    def phase(self, name: str, report: pytest.TestReport) -> None:
        run = self._running.get(name)
        if run is not None and (report.failed or (report.skipped and run.outcome == "passed")):
            run.outcome = "failed" if report.failed else "skipped"

    def end(self, name: str) -> list[str]:
        """Its events, a line each, from its beginning to its end."""
        run = self._running.pop(name, None)
        if run is None or not self._folder:
            return []
        session = run.failed.session if run.failed is not None else self._own_session()
        started = _told(name, "test.started", f"{name} started", run.began_s, session)
        ended_s = time.time()
        ended = _told(
            name,
            f"test.{run.outcome}",
            f"{name} {run.outcome}",
            ended_s,
            session,
            run.failed,
            duration_ms=round((ended_s - run.began_s) * 1000),
        )
        return [event.line() for event in (started, *run.events, ended)]

    def _own_session(self) -> str:
        """Of the tests for which no browser was observed."""
        from ...correlator.engine import new_uuid7

        self._session = self._session or new_uuid7()
        return self._session

    def collect(self, lines: Iterable[str]) -> None:
        self._lines += lines

    def write(self) -> None:
        """Raises OutputFailed."""
        if not self._folder or not self._lines:
            return
        from ...correlator.event import Event
        from ..reports.folder import write_report

        folder = Path(self._folder)
        events = [Event.model_validate_json(line) for line in self._lines]
        write_report(folder, events, REPORT_TITLE)
        self.written = f"the report of this run is {folder / 'report.html'}"


def _told(
    name: str,
    kind: str,
    summary: str,
    at_s: float,
    session: str,
    failed: Event | None = None,
    **more: Any,
) -> Event:
    """A failed test goes by the chain of what failed in it; the engine is not told: another test on the same page is another
    matter.
    """
    from ...correlator.engine import iso_ms
    from ...correlator.event import Cause
    from ...correlator.findings.finding import context, cut
    from ..publishing import event_of
    from ..wire import Publication
    from .observed import PROJECT

    publication = Publication(
        channel="runs",
        kind=kind,
        summary=cut(summary, MAX_NAME_BYTES),
        severity="high" if kind == "test.failed" else "info",
        context=context(test=cut(name, MAX_NAME_BYTES), **more),
        timestamp=iso_ms(at_s * 1000),
    )
    event = event_of(publication, PROJECT, session)
    if failed is None:
        return event
    cause = Cause(id=failed.id, via="published", confidence=1.0)
    return event.model_copy(
        update={"cause": cause, "correlation_id": failed.correlation_id, "page": failed.page}
    )
