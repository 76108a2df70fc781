"""What the browser itself reports: its log lines and the issues that it finds."""

from __future__ import annotations

import re

from ...observer.domains.audits import Issue
from ...observer.domains.log import LogEntry
from ...observer.signal import Signal
from ..event import Severity
from .finding import Descriptions, Finding, Scene, context, places, said
from .network import http_severity

STATUS = re.compile(r"responded with a status of (\d{3})")
NET_ERROR = re.compile(r"net::ERR_\w+")
NAMED_URL = re.compile(
    r"'((?:https?|wss?|data|blob|ftp):[^']*)'|cannot load ((?:https?|data|blob|ftp):\S*)\. "
)
INSECURE_URL = re.compile(
    r"requested an insecure [^']*'([^']*)'"
)  # the page's own address is quoted before it
DIRECTIVE = re.compile(r"directive:? [\"']?([a-z-]+(?: [^\".]*)?)")
CSP = re.compile(r"violates the (?:following|document's) Content Security Policy")
FAILURES = frozenset(
    {"cors_blocked", "csp_violation", "mixed_content", "response_blocked", "stylesheet_issue"}
)
ISSUES: dict[str, tuple[str, Severity, str]] = {
    "CorsIssue": ("cors_blocked", "high", "blocked by CORS"),
    "ContentSecurityPolicyIssue": ("csp_violation", "high", "blocked by the page's Content Security Policy"),
    "MixedContentIssue": ("mixed_content", "high", "insecure content on a secure page"),
    "CookieIssue": ("cookie_rejected", "medium", "a cookie was rejected"),
    "BlockedByResponseIssue": ("response_blocked", "high", "the response was blocked"),
    "DeprecationIssue": ("deprecation", "info", "uses a deprecated feature"),
    "QuirksModeIssue": ("quirks_mode", "info", "the page is rendered in quirks mode"),
    "StylesheetLoadingIssue": ("stylesheet_issue", "info", "a stylesheet could not be loaded"),
}


def log_entry(signal: Signal, detail: LogEntry, scene: Scene) -> Finding | None:
    # A worker tells its own errors in its own session; here they would come a second time.
    if detail.source == "worker" or detail.level not in ("error", "warning"):
        return None
    text = said(detail.text)
    socket = detail.text.startswith("WebSocket")
    url = detail.url if detail.source == "network" and not socket else named_url(detail.text)
    shown = scene.url(url) if url else ""
    kind, severity = log_kind(detail)
    network = detail.source == "network" or kind == "cors_blocked"
    status = STATUS.search(detail.text)
    error = NET_ERROR.search(detail.text)
    if detail.source == "network" and (status or error) and not socket:
        said_status = f"answered {status[1]}" if status else f"failed: {error[0] if error else ''}"
        text = f"{shown} {said_status}"
    if kind == "csp_violation" and shown and (directive := DIRECTIVE.search(detail.text)):
        text = said(f"{shown} blocked by the page's Content Security Policy: {directive[1]}")
    key, about = subject(signal, kind, url, failed=detail.level == "error")
    return Finding(
        kind=kind,
        channel="network_errors" if network else "errors",
        type="network_error" if network else "error",
        severity=severity,
        summary=text,
        context=context(
            url=shown,
            status=int(status[1]) if status else 0,
            error=error[0] if error else "",
            **places(signal.stack, scene),
            source=detail.source,
        ),
        key=key,
        about=about,
        family=f"log {detail.source}",
    )


def log_kind(detail: LogEntry) -> tuple[str, Severity]:
    if detail.source == "network":
        if status := STATUS.search(detail.text):
            return "http_error", http_severity(int(status[1]), detail.url)
        if "net::ERR_TOO_MANY_REDIRECTS" in detail.text:
            return "redirect_loop", "high"
        return ("websocket_failed" if detail.text.startswith("WebSocket") else "request_failed"), "high"
    if "blocked by CORS policy" in detail.text:
        return "cors_blocked", "high"
    if CSP.search(detail.text):
        return (
            "csp_violation",
            "info" if "Report Only" in detail.text or "report-only" in detail.text else "high",
        )
    if "Mixed Content" in detail.text:
        return "mixed_content", "high" if detail.level == "error" else "low"
    if detail.source in ("deprecation", "intervention"):
        return detail.source, "info"
    return ("browser_error", "medium") if detail.level == "error" else ("browser_warning", "low")


def named_url(text: str) -> str:
    if insecure := INSECURE_URL.search(text):
        return insecure[1]
    found = NAMED_URL.search(text)
    return (found[1] or found[2]) if found else ""


def subject(signal: Signal, kind: str, url: str, *, failed: bool) -> tuple[str, str]:
    """Key and subject. What is said about a request that went on is another matter than its failure, if it fails."""
    if kind == "deprecation":
        return "", f"deprecation in {signal.target}"  # a log line and an issue, neither names the other
    if failed:
        return "", url
    key = f"{signal.browser} {signal.request_id} {kind}" if signal.request_id else ""
    return key, f"{kind} {url}" if url else ""


def issue(signal: Signal, detail: Issue, scene: Scene) -> Finding | None:
    known = ISSUES.get(detail.code)
    if known is None:
        kind, severity, words = "browser_issue", "info", detail.code.removesuffix("Issue")
    else:
        kind, severity, words = known
    if kind == "csp_violation" and not detail.url:
        return None  # inline code; the log line that comes with it says more
    if kind in ("cors_blocked", "response_blocked") and not signal.request_id:
        return None
    network = kind in ("cors_blocked", "response_blocked", "cookie_rejected")
    url = scene.url(detail.url) if detail.url else ""
    key, about = subject(signal, kind, detail.url, failed=kind in FAILURES and not detail.warning)
    return Finding(
        kind=kind,
        channel="network_errors" if network else "errors",
        type="network_error" if network else "error",
        severity="info" if detail.warning else severity,
        summary=said(f"{url} {words}: {detail.reason}".strip().rstrip(":").strip()),
        context=context(url=url, reason=said(detail.reason, 160)),
        key=key,
        about=about,
        family="issue",
    )


DESCRIPTIONS: Descriptions = {LogEntry: log_entry, Issue: issue}
