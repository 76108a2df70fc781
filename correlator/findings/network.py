"""Requests: those that failed and how, those that were answered, and the life of WebSockets."""

from __future__ import annotations

from ...observer.domains.network import (
    RequestFailed,
    ResponseReceived,
    SocketClosed,
    SocketFailed,
    SocketOpened,
)
from ...observer.domains.page_script import ResourceTiming
from ...observer.signal import Signal
from ..event import Severity
from .finding import Descriptions, Finding, Scene, context, said

RESOURCES = frozenset({"Script", "Stylesheet", "Image", "Font", "Media", "Manifest", "TextTrack"})
ABORTED = "request_aborted"
MAX_ID_BYTES = 80
TIMEOUTS = frozenset({"net::ERR_TIMED_OUT", "net::ERR_CONNECTION_TIMED_OUT"})


def http_severity(status: int, url: str) -> Severity:
    if status == 404 and url.partition("?")[0].endswith("/favicon.ico"):
        return "info"  # the browser asks for it by itself
    return "high" if status >= 500 else "medium"


def response(signal: Signal, detail: ResponseReceived, scene: Scene) -> Finding:
    url, after = scene.url(detail.url), f"after {detail.elapsed_ms:.0f} ms" if detail.elapsed_ms else ""
    summary = f"{detail.method} {url} answered {detail.status} {after}".strip()
    where = context(
        method=detail.method,
        url=url,
        status=detail.status,
        resource=detail.type.lower() if detail.type in RESOURCES else "",
        elapsed_ms=detail.elapsed_ms,
        initiator=said(signal.element, 160),
        trace_id=said(detail.trace_id, MAX_ID_BYTES),
        request_id=said(detail.server_request_id, MAX_ID_BYTES),
    )
    if detail.status < 400:
        template = f"{detail.method} {url.partition('?')[0]} {detail.status}"
        return Finding("request", "activity", "activity", "info", summary, where, template=template)
    resource = detail.type in RESOURCES
    return Finding(
        kind="resource_failed" if resource else "http_error",
        channel="network_errors",
        type="network_error",
        severity="medium" if resource else http_severity(detail.status, detail.url),
        summary=f"{detail.type} {summary}" if resource else summary,
        context=where,
        about=detail.url,
        template=f"{detail.method} {url.partition('?')[0]} {detail.status}",
    )


def failed(_: Signal, detail: RequestFailed, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    if detail.canceled and 0 < detail.status < 400:
        # Chrome says this of every answer without a body that the page does not read: it got what it wanted.
        summary = f"{detail.method} {url} answered {detail.status} and was not read to its end"
        where = context(method=detail.method, url=url, status=detail.status, elapsed_ms=detail.elapsed_ms)
        return Finding(ABORTED, "activity", "activity", "info", summary, where)
    kind, severity, why = failure(detail)
    what = f"{detail.method} {url}".strip() or detail.type or "A request"
    return Finding(
        kind=kind,
        channel="errors" if kind == "csp_violation" else "network_errors",
        type="error" if kind == "csp_violation" else "network_error",
        severity=severity,
        summary=said(f"{what} {why}"),
        context=context(
            method=detail.method,
            url=url,
            error=detail.error,
            status=detail.status or scene.wire_status,
            blocked=detail.blocked_reason,
            resource=detail.type.lower() if detail.type in RESOURCES else "",
            elapsed_ms=detail.elapsed_ms,
            trace_id=said(detail.trace_id, MAX_ID_BYTES),
            request_id=said(detail.server_request_id, MAX_ID_BYTES),
        ),
        about=detail.url,
        template=f"{detail.method} {url.partition('?')[0]} {detail.error}",
    )


def was_cancelled(detail: RequestFailed) -> bool:
    """Before there was an answer, by the page or the browser."""
    return not detail.status and failure(detail)[0] == ABORTED


def failure(detail: RequestFailed) -> tuple[str, Severity, str]:
    """Which kind of failure it is, how bad, and why in words."""
    if detail.status >= 400:  # the answer was the failure, and came unseen
        resource = detail.type in RESOURCES
        severity: Severity = "medium" if resource else http_severity(detail.status, detail.url)
        return "resource_failed" if resource else "http_error", severity, f"answered {detail.status}"
    if detail.cors_error:
        what = f"{detail.cors_error} {detail.cors_parameter}".strip()
        return "cors_blocked", "high", f"blocked by CORS: {what}"
    if detail.blocked_reason == "csp":
        return "csp_violation", "high", "blocked by the page's Content Security Policy"
    if detail.blocked_reason == "mixed-content":
        return "mixed_content", "high", "blocked: insecure content on a secure page"
    if detail.blocked_reason:
        return "response_blocked", "high", f"blocked: {detail.blocked_reason}"
    if detail.error == "net::ERR_TOO_MANY_REDIRECTS":
        return "redirect_loop", "high", "redirects in a loop"
    if detail.canceled or detail.error == "net::ERR_ABORTED":
        return ABORTED, "low", "was aborted"
    if detail.error in TIMEOUTS:
        return "request_timeout", "high", "timed out"
    if detail.type in RESOURCES:
        return "resource_failed", "medium", f"failed to load: {detail.error}"
    return "request_failed", "high", f"failed: {detail.error}"


def resource(_: Signal, detail: ResourceTiming, scene: Scene) -> Finding | None:
    # Never a failure of its own: the log tells that, and this comes whenever the page has time, by the address before redirects.
    if not detail.status:
        return None
    url = scene.url(detail.url)
    summary = f"{url} answered {detail.status} after {detail.duration_ms:.0f} ms"
    where = context(url=url, status=detail.status, elapsed_ms=detail.duration_ms)
    return Finding("request", "activity", "activity", "info", summary, where)


def socket_opened(_: Signal, detail: SocketOpened, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    return Finding(
        "websocket_opened", "activity", "activity", "info", f"WebSocket {url} opened", context(url=url)
    )


def socket_failed(_: Signal, detail: SocketFailed, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    return Finding(
        kind="websocket_failed",
        channel="network_errors",
        type="network_error",
        severity="high",
        summary=said(f"WebSocket {url} failed: {detail.error}"),
        context=context(url=url, error=said(detail.error, 120)),
        about=detail.url,
    )


def socket_closed(_: Signal, detail: SocketClosed, scene: Scene) -> Finding:
    url = scene.url(detail.url)
    summary = (
        f"WebSocket {url} closed after {detail.lived_ms:.0f} ms"
        if detail.lived_ms
        else f"WebSocket {url} closed"
    )
    return Finding(
        "websocket_closed",
        "activity",
        "activity",
        "info",
        summary,
        context(url=url, lived_ms=detail.lived_ms),
    )


DESCRIPTIONS: Descriptions = {
    ResponseReceived: response,
    RequestFailed: failed,
    ResourceTiming: resource,
    SocketOpened: socket_opened,
    SocketFailed: socket_failed,
    SocketClosed: socket_closed,
}
