"""What the plugin tells the engine, as publications: a step, a broken selector, a request without an answer, the failure itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ...correlator.engine import iso_ms
from ...correlator.findings.finding import context, cut, origin_of
from ..wire import Publication
from .failure import Failure
from .observed import Waiting
from .steps import Step, as_written

MAX_SUMMARY_CHARS: Final = 400
MAX_VALUE_BYTES: Final = 240


@dataclass(slots=True)
class Where:
    """The line of the test that failed, as `file` from the root of the project and `line`."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


def step_of(step: Step, test: str) -> Publication:
    selector = as_written(step.selector)
    return Publication(
        channel="runs",
        kind="step",
        summary=cut(f"{step.api} {selector or step.url}".strip(), MAX_SUMMARY_CHARS),
        context=context(
            test=cut(test, MAX_VALUE_BYTES),
            selector=cut(selector, MAX_VALUE_BYTES),
            url=cut(step.url, MAX_VALUE_BYTES),
            at=step.at,
        ),
        timestamp=iso_ms(step.wall_ms),
    )


def unanswered_request(one: Waiting, page_url: str, until_ms: float, left_for: str) -> Publication:
    """A fact, no failure: `left_for` is where its page went before there was an answer."""
    own = origin_of(page_url)
    url = one.url.removeprefix(own) if own and one.url.startswith(f"{own}/") else one.url
    waited_ms = round(max(0.0, (one.left_ms or until_ms) - one.sent_ms))
    end = (
        f"before the page went to {left_for or 'another one'}" if one.left_ms else f"yet after {waited_ms} ms"
    )
    return Publication(
        channel="activity",
        kind="request_unanswered",
        summary=cut(f"{one.method} {cut(url, MAX_VALUE_BYTES)} had no answer {end}", MAX_SUMMARY_CHARS),
        context=context(method=one.method, url=cut(url, MAX_VALUE_BYTES), elapsed_ms=waited_ms),
        page=one.page,
        timestamp=iso_ms(one.sent_ms),
    )


def broken_selector(failure: Failure, page: str) -> Publication:
    said_of = {
        "selector_missing": "finds nothing",
        "selector_ambiguous": f"finds {failure.matches} elements",
        "selector_invalid": "is no valid selector",
        "selector_stale": "is not in the page any more",
        "selector_blocked": f"is covered by {failure.overlay}"
        if failure.overlay
        else failure.reason or "can't be used",
    }
    locator = failure.locator or "the element"
    return Publication(
        channel="selectors",
        kind=failure.kind,
        severity="high",
        summary=cut(f"{cut(locator, MAX_VALUE_BYTES)} {said_of[failure.kind]}", MAX_SUMMARY_CHARS),
        context=context(
            selector=cut(failure.locator, MAX_VALUE_BYTES),
            reason=cut(failure.reason, MAX_VALUE_BYTES),
            overlay=cut(failure.overlay, MAX_VALUE_BYTES),
            element=cut(failure.resolved, MAX_VALUE_BYTES),
        ),
        page=page,
    )


def assertion(failure: Failure, page: str, where: Where, test: str) -> Publication:
    values: dict[str, Any] = {
        "test": cut(test, MAX_VALUE_BYTES),
        "file": cut(where.file, MAX_VALUE_BYTES),
        "line": where.line,
        "at": cut(str(where), MAX_VALUE_BYTES),
        "selector": cut(failure.locator, MAX_VALUE_BYTES),
        "matcher": failure.matcher or failure.api,
        "negated": failure.negated,
        "expected": cut(failure.expected, MAX_VALUE_BYTES),
        "received": cut(failure.received, MAX_VALUE_BYTES),
        "timeout_ms": failure.timeout_ms,
    }
    return Publication(
        channel="errors",
        kind="assertion_failed",
        severity="high",
        summary=cut(failure.headline or "The test failed", MAX_SUMMARY_CHARS),
        context=context(**values),
        page=page,
    )
