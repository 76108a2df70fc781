"""What happens to pages: crashes, hangs, navigations, dialogs, downloads, user actions, watched selectors."""

from __future__ import annotations

from ...observer.cdp.targets import TargetClosed, TargetOpened
from ...observer.domains.accessibility import AccessibilityChecked
from ...observer.domains.inspector import TargetCrashed, TargetRevived
from ...observer.domains.page import (
    DialogClosed,
    DialogOpened,
    DownloadEnded,
    DownloadStarted,
    Navigated,
    NavigatedWithin,
)
from ...observer.domains.page_script import LoadTiming, SelectorMatches, UserAction
from ...observer.domains.watchdog import PageHangEnded
from ...observer.signal import Signal
from .finding import Descriptions, Finding, Scene, context, places, said


def activity(kind: str, summary: str, **values: str | float | bool) -> Finding:
    return Finding(kind, "activity", "activity", "info", summary, context(**values))


def crash(signal: Signal, detail: TargetCrashed, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    what = "The page" if signal.target_type == "page" else f"The {signal.target_type.replace('_', ' ')}"
    return Finding(
        "page_crash",
        "errors",
        "error",
        "critical",
        f"{what} {url} crashed",
        context(url=url, target=signal.target_type),
    )


def revived(_: Signal, detail: TargetRevived, scene: Scene) -> Finding:
    return activity(
        "crash_reloaded",
        f"{scene.url(detail.url)} was loaded again after its crash",
        url=scene.url(detail.url),
    )


def hang_ended(signal: Signal, detail: PageHangEnded, scene: Scene) -> Finding:
    return Finding(
        kind="page_hang_ended",
        channel="anomalies",
        type="anomaly",
        severity="info",
        summary=f"The page answers again after {detail.duration_ms / 1000:.1f} s",
        context=context(
            url=scene.url(detail.url),
            **places(signal.stack, scene),
            duration_ms=detail.duration_ms,
        ),
    )


def navigated(signal: Signal, detail: Navigated, scene: Scene) -> Finding:
    if detail.unreachable_url:
        return unreachable(signal, detail, scene)
    url = scene.url(detail.url)
    verb = "came back from the cache to" if detail.restored else "navigated to"
    return activity("navigation", f"The {'page' if detail.main_frame else 'frame'} {verb} {url}", url=url)


def unreachable(signal: Signal, detail: Navigated, scene: Scene) -> Finding:
    """Chrome's error page came instead. Of a document's request the id is that of its loader: one that was told is known by it."""
    url = scene.url(detail.unreachable_url)
    return Finding(
        kind="request_failed",
        channel="network_errors",
        type="network_error",
        severity="high",
        summary=f"The {'page' if detail.main_frame else 'frame'} {url} could not be loaded",
        context=context(url=url),
        key=f"{signal.browser} {signal.loader_id}",
    )


def navigated_within(_: Signal, detail: NavigatedWithin, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    return activity("navigation_within", f"The page's address became {url}", url=url, via=detail.via)


def dialog_opened(_: Signal, detail: DialogOpened, __: Scene) -> Finding:
    return activity("dialog", f"{detail.type}() is open: {said(detail.message, 120)}", dialog=detail.type)


def dialog_closed(_: Signal, detail: DialogClosed, __: Scene) -> Finding:
    verb = "accepted" if detail.accepted else "dismissed"
    return activity(
        "dialog_closed", f"The dialog was {verb} after {detail.open_ms:.0f} ms", accepted=detail.accepted
    )


def download(_: Signal, detail: DownloadStarted, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    return activity("download", f"{said(detail.filename, 80)} is being downloaded from {url}", url=url)


def download_ended(_: Signal, detail: DownloadEnded, __: Scene) -> Finding:
    return activity("download_ended", f"The download was {detail.state}", bytes=detail.received_bytes)


def action(signal: Signal, detail: UserAction, _: Scene) -> Finding:
    what = f"key {detail.key}" if detail.type == "key" else detail.type
    element = said(signal.element, 160)
    return activity("user_action", f"{what} on {element or 'the page'}", action=what, element=element)


def loaded(_: Signal, detail: LoadTiming, __: Scene) -> Finding:
    return activity(
        "page_load",
        f"Loaded in {detail.load_ms:.0f} ms, first byte after {detail.ttfb_ms:.0f} ms",
        load_ms=detail.load_ms,
        ttfb_ms=detail.ttfb_ms,
    )


def opened(_: Signal, detail: TargetOpened, scene: Scene) -> Finding | None:
    if detail.type != "page":
        return None
    by = f" by {detail.opener}" if detail.opener else ""
    return activity("page_opened", f"A page was opened{by}", url=scene.url(detail.url), opener=detail.opener)


def closed(_: Signal, detail: TargetClosed, scene: Scene) -> Finding | None:
    return (
        activity("page_closed", "The page was closed", url=scene.url(detail.url))
        if detail.type == "page"
        else None
    )


def a11y_checked(_: Signal, detail: AccessibilityChecked, __: Scene) -> Finding:
    broken = f"{detail.broken} are broken" if detail.broken else "none is broken by anything new"
    return activity(
        "a11y_checked",
        f"{detail.rules} rules of accessibility were looked at while the page rested: {broken}",
        elapsed_ms=detail.elapsed_ms,
    )


def selector(_: Signal, detail: SelectorMatches, __: Scene) -> Finding | None:
    if detail.count != -1:
        return None
    name = said(detail.selector, 120)
    return Finding(
        "selector_invalid",
        "selectors",
        "selector_broken",
        "high",
        f"{name} is not a valid selector",
        context(selector=name),
    )


DESCRIPTIONS: Descriptions = {
    TargetCrashed: crash,
    TargetRevived: revived,
    PageHangEnded: hang_ended,
    Navigated: navigated,
    NavigatedWithin: navigated_within,
    DialogOpened: dialog_opened,
    DialogClosed: dialog_closed,
    DownloadStarted: download,
    DownloadEnded: download_ended,
    UserAction: action,
    LoadTiming: loaded,
    TargetOpened: opened,
    TargetClosed: closed,
    AccessibilityChecked: a11y_checked,
    SelectorMatches: selector,
}
