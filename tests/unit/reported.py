"""Recordings for reports: a story without tests, a run of four tests, and texts that want to be more than texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firstcause.api.reports.content import Content
from firstcause.correlator.event import Event

from .test_explain import CLICK, FAILED, GONE, SAID, SAVE, STORY, event

__all__ = [
    "ALONE",
    "CLICK",
    "FAILED",
    "GONE",
    "HOSTILE",
    "LATE",
    "LISTED",
    "RUN",
    "SAID",
    "SAVE",
    "SAVED",
    "SKIPPED",
    "STORY",
    "content",
    "event",
    "run_event",
]

ALONE = event(
    20, "console_warning", "Prices may be stale", "low", correlation_id="c2", context={"at": "prices.js:3:1"}
)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>&amp;<img src=x onerror=alert(1)>",
    "\u2028\u2029\x1b[2J\x00",
    "::error file=x::\r\n::set-output name=a::b",
    "| ` `` ``` ~~~ @somebody [a](javascript:alert(1)) **b** <b> #1",
    "{{DATA}} {{SCRIPT}} {{STYLE}}",
    "\u202e\ufffe😀",
)


def run_event(
    number: int, kind: str, test: str, severity: Any = "info", cause: int = 0, **context: Any
) -> Event:
    words = kind.replace("test.", "test ").replace("_", " ")
    return event(
        number,
        kind,
        f"{words}: {test}",
        severity,
        cause,
        channel="errors" if kind == "assertion_failed" else "runs",
        type="error" if kind == "assertion_failed" else "run",
        correlation_id="019aa4e2-5c1d-7a70-9f00-0000000000c1" if cause else None,
        context={"test": test, "file": "tests/test_order.py", "line": 12, **context},
    )


SAVED, LISTED, SKIPPED, LATE = (
    f"tests/test_order.py::test_{name}" for name in ("save", "list", "skip", "late")
)
RUN = [
    run_event(30, "test.started", LISTED),
    run_event(31, "test.passed", LISTED, duration_ms=1500),
    run_event(32, "test.started", SAVED),
    CLICK,
    SAVE,
    SAID,
    run_event(40, "assertion_failed", SAVED, "high", cause=3),
    run_event(41, "test.failed", SAVED, "high"),
    run_event(42, "test.skipped", SKIPPED),
    run_event(43, "test.started", LATE),
    ALONE,
]


def content(*events: Event, title: str = "events.ndjson") -> Content:
    return Content(events, title)


def hostile_events() -> Sequence[Event]:
    return [
        event(
            50 + number,
            "uncaught_exception",
            text,
            correlation_id=text,
            page=text,
            fingerprint=str(number),
            context={"at": f"{text}:3:4 {text}", "test": text, "file": text},
        )
        for number, text in enumerate(HOSTILE)
    ]
