"""For GitLab: a code quality report, whose fingerprints stay the same from run to run."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from ...correlator.event import Event, Severity
from ..terminal import printable
from .content import Content
from .places import Place, Sources

SEVERITIES: Final[dict[Severity, str]] = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "info": "info",
}
NOWHERE: Final = Place(".")
"""GitLab wants a path of everything."""


def render(content: Content, sources: Sources) -> str:
    issues: dict[str, dict[str, Any]] = {}
    for case in content.failed_tests:
        said = f"{case.name} failed: {case.first.summary}"
        # A test keeps its mark while only the words of its failure change.
        names = ("test", case.name, case.first.kind)
        place = sources.place(case.event, case.run.events[-1], case.run.events[0], case.first)
        issue = _issue("test_failed", said, names, case.severity, place)
        issues.setdefault(issue["fingerprint"], issue)
    for failure in content.failures:
        place = sources.place(failure.first, failure.event)
        names = (failure.first.kind, failure.first.fingerprint, _path(place), failure.event.kind)
        issue = _issue(
            failure.first.kind, _said(failure.first, failure.event), names, failure.severity, place
        )
        issues.setdefault(issue["fingerprint"], issue)
    return json.dumps([*issues.values()], indent=1, ensure_ascii=False) + "\n"


def _issue(
    check: str, said: str, names: tuple[str, ...], severity: Severity, place: Place | None
) -> dict[str, Any]:
    return {
        "description": printable(" ".join(said.split())),
        "check_name": printable(check),
        "fingerprint": hashlib.sha256("\0".join(names).encode(errors="replace")).hexdigest()[:32],
        "severity": SEVERITIES[severity],
        "location": {"path": _path(place), "lines": {"begin": (place or NOWHERE).line}},
    }


def _said(first: Event, event: Event) -> str:
    return first.summary if first.id == event.id else f"{first.summary}; it led to: {event.summary}"


def _path(place: Place | None) -> str:
    return printable((place or NOWHERE).path)
