"""What was not seen: the browser was lost, and the gap until it was found again."""

from __future__ import annotations

from pydantic import JsonValue

from ...observer.observer import BrowserLost, Gap
from ...observer.signal import Signal
from .finding import Descriptions, Finding, Scene, context

MAX_PAGES = 20


def lost(_: Signal, __: BrowserLost, ___: Scene) -> Finding:
    return Finding(
        "browser_lost",
        "anomalies",
        "anomaly",
        "high",
        "The connection to the browser was lost; looking for it again",
    )


def listed(pages: tuple[str, ...]) -> list[JsonValue]:
    more = len(pages) - MAX_PAGES
    return [*pages] if more <= 0 else [*pages[:MAX_PAGES], f"{more} more"]


def gap(_: Signal, detail: Gap, __: Scene) -> Finding:
    lasted_s = (detail.to_ms - detail.from_ms) / 1000
    ending = {
        "same": "the same browser is back",
        "new": "a new browser is there",
        "gone": "it did not come back",
    }
    return Finding(
        kind="capture_gap",
        channel="anomalies",
        type="anomaly",
        severity="medium",
        summary=f"Nothing was seen for {lasted_s:.1f} s: {ending[detail.browser]}",
        context=context(
            from_ms=detail.from_ms,
            to_ms=detail.to_ms,
            browser=detail.browser,
            lost=list(detail.lost),
            pages_gone=listed(detail.pages_gone),
            pages_new=listed(detail.pages_new),
            console_incomplete=listed(detail.console_incomplete),
        ),
    )


DESCRIPTIONS: Descriptions = {BrowserLost: lost, Gap: gap}
