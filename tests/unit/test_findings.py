"""How every signal reads as an event: its kind, its severity, its words; short, without secrets, and within the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from firstcause.correlator.event import Event, Severity
from firstcause.correlator.findings import (
    DESCRIPTIONS,
    browser,
    capture,
    network,
    pages,
    scripts,
)
from firstcause.observer.cdp.targets import TargetClosed, TargetOpened
from firstcause.observer.domains.accessibility import AccessibilityChecked
from firstcause.observer.domains.audits import Issue
from firstcause.observer.domains.inspector import TargetCrashed, TargetRevived
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import (
    RequestFailed,
    ResponseReceived,
    SocketClosed,
    SocketFailed,
    SocketOpened,
)
from firstcause.observer.domains.page import (
    DialogClosed,
    DialogOpened,
    DownloadEnded,
    DownloadStarted,
    Navigated,
    NavigatedWithin,
)
from firstcause.observer.domains.page_script import (
    LoadTiming,
    ResourceTiming,
    SelectorMatches,
    UserAction,
)
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionRevoked, ExceptionThrown
from firstcause.observer.domains.scripts import SourceMapMissing
from firstcause.observer.domains.watchdog import PageHangEnded
from firstcause.observer.observer import BrowserLost, Gap, Observer
from firstcause.observer.signal import Detail, StackFrame

from .signals import AT, only, signal, told

MAX_BYTES = 2048
USUAL_BYTES = 500
URL = "http://shop.test/api/cart"


def failed(error: str = "net::ERR_FAILED", type: str = "Fetch", **more: Any) -> RequestFailed:  # noqa: A002
    return RequestFailed("GET", URL, type, error, **more)


def log(text: str, source: str = "other", level: str = "error", url: str = "") -> LogEntry:
    return LogEntry(source, level, text, url)


CSP_TEXT = "Loading the script 'http://cdn.test/a.js' violates the following Content Security Policy directive: \"script-src 'self'\"."
MIXED_TEXT = (
    "Mixed Content: The page at 'https://shop.test/' was loaded over HTTPS, but requested an insecure {}."
)
EVENTS: list[tuple[Detail, str, str, Severity]] = [
    # scripts
    (ExceptionThrown("TypeError: x is undefined"), "uncaught_exception", "errors", "high"),
    (ExceptionThrown("Error: no", rejection=True), "unhandled_rejection", "errors", "high"),
    (ConsoleCalled("error", "no stock"), "console_error", "errors", "medium"),
    (ConsoleCalled("assert", "no stock"), "console_assert", "errors", "medium"),
    (ConsoleCalled("warning", "low stock"), "console_warning", "errors", "low"),
    (ConsoleCalled("log", "stock: 3"), "console_message", "activity", "info"),
    (
        SourceMapMissing("http://shop.test/app.js", "http://shop.test/app.js.map", "answered 404"),
        "sourcemap_missing",
        "errors",
        "info",
    ),
    # requests
    (ResponseReceived("GET", URL, "Fetch", 200), "request", "activity", "info"),
    (ResponseReceived("GET", URL, "Fetch", 399), "request", "activity", "info"),
    (
        ResponseReceived("GET", "http://shop.test/favicon.ico", "Other", 404),
        "http_error",
        "network_errors",
        "info",
    ),
    (
        ResponseReceived("GET", "http://shop.test/favicon.ico", "Other", 500),
        "http_error",
        "network_errors",
        "high",
    ),
    (ResponseReceived("GET", URL, "Fetch", 400), "http_error", "network_errors", "medium"),
    (ResponseReceived("GET", URL, "Document", 404), "http_error", "network_errors", "medium"),
    (ResponseReceived("GET", URL, "XHR", 500), "http_error", "network_errors", "high"),
    (ResponseReceived("GET", URL, "Script", 500), "resource_failed", "network_errors", "medium"),
    (ResponseReceived("GET", URL, "Image", 404), "resource_failed", "network_errors", "medium"),
    (ResponseReceived("GET", URL, "EventSource", 200, 2500), "request", "activity", "info"),
    (failed(), "request_failed", "network_errors", "high"),
    (failed(type="Script"), "resource_failed", "network_errors", "medium"),
    (failed("net::ERR_ABORTED", canceled=True), "request_aborted", "network_errors", "low"),
    (failed("net::ERR_ABORTED", canceled=True, status=204), "request_aborted", "activity", "info"),
    (failed("net::ERR_CONNECTION_RESET", status=200), "request_failed", "network_errors", "high"),
    (failed("net::ERR_TIMED_OUT"), "request_timeout", "network_errors", "high"),
    (failed("net::ERR_CONNECTION_TIMED_OUT", "Image"), "request_timeout", "network_errors", "high"),
    (failed("net::ERR_TOO_MANY_REDIRECTS"), "redirect_loop", "network_errors", "high"),
    (failed(cors_error="MissingAllowOriginHeader"), "cors_blocked", "network_errors", "high"),
    (failed("", "Script", blocked_reason="csp"), "csp_violation", "errors", "high"),
    (failed("", blocked_reason="mixed-content"), "mixed_content", "network_errors", "high"),
    (
        failed(blocked_reason="coep-frame-resource-needs-coep-header"),
        "response_blocked",
        "network_errors",
        "high",
    ),
    (failed(status=404), "http_error", "network_errors", "medium"),
    (SocketOpened("ws://shop.test/live"), "websocket_opened", "activity", "info"),
    (SocketFailed("ws://shop.test/live", "refused"), "websocket_failed", "network_errors", "high"),
    (SocketClosed("ws://shop.test/live", 1200), "websocket_closed", "activity", "info"),
    (ResourceTiming(URL, "fetch", 404, 12), "request", "activity", "info"),
    # what the browser says
    (
        log(
            "Failed to load resource: the server responded with a status of 404 (Not Found)",
            "network",
            url=URL,
        ),
        "http_error",
        "network_errors",
        "medium",
    ),
    (
        log("Failed to load resource: the server responded with a status of 503 ()", "network", url=URL),
        "http_error",
        "network_errors",
        "high",
    ),
    (
        log("Failed to load resource: net::ERR_CONNECTION_REFUSED", "network", url=URL),
        "request_failed",
        "network_errors",
        "high",
    ),
    (
        log("Failed to load resource: net::ERR_TOO_MANY_REDIRECTS", "network", url=URL),
        "redirect_loop",
        "network_errors",
        "high",
    ),
    (
        log("WebSocket connection to 'ws://shop.test/live' failed: ", "network"),
        "websocket_failed",
        "network_errors",
        "high",
    ),
    (
        log(
            f"Access to fetch at '{URL}' from origin 'http://a.test' has been blocked by CORS policy: …",
            "javascript",
        ),
        "cors_blocked",
        "network_errors",
        "high",
    ),
    (log(CSP_TEXT, "security"), "csp_violation", "errors", "high"),
    (
        log(f"{CSP_TEXT} The policy is report-only, so the violation has been logged.", "security"),
        "csp_violation",
        "errors",
        "info",
    ),
    (
        log("The Content Security Policy directive 'upgrade-insecure-requests' is ignored.", "security"),
        "browser_error",
        "errors",
        "medium",
    ),
    (log(MIXED_TEXT.format("script 'http://cdn.test/a.js'"), "security"), "mixed_content", "errors", "high"),
    (
        log(MIXED_TEXT.format("element 'http://cdn.test/a.png'"), "security", "warning"),
        "mixed_content",
        "errors",
        "low",
    ),
    (log("Unload handlers are deprecated", "deprecation", "warning"), "deprecation", "errors", "info"),
    (
        log("Ignored attempt to cancel a touchmove", "intervention", "warning"),
        "intervention",
        "errors",
        "info",
    ),
    (log("Something is wrong"), "browser_error", "errors", "medium"),
    (log("Something is odd", level="warning"), "browser_warning", "errors", "low"),
    (Issue("CorsIssue", "MissingAllowOriginHeader", URL), "cors_blocked", "network_errors", "high"),
    (Issue("CorsIssue", "PreflightMissing", URL, warning=True), "cors_blocked", "network_errors", "info"),
    (Issue("ContentSecurityPolicyIssue", "script-src", URL), "csp_violation", "errors", "high"),
    (Issue("MixedContentIssue", "MixedContentBlocked", URL), "mixed_content", "errors", "high"),
    (Issue("CookieIssue", "ExcludeSameSiteNoneInsecure", URL), "cookie_rejected", "network_errors", "medium"),
    (Issue("BlockedByResponseIssue", "CorpNotSameOrigin", URL), "response_blocked", "network_errors", "high"),
    (Issue("DeprecationIssue", "UnloadHandler"), "deprecation", "errors", "info"),
    (Issue("QuirksModeIssue"), "quirks_mode", "errors", "info"),
    (Issue("StylesheetLoadingIssue", "LateImportRule", URL), "stylesheet_issue", "errors", "info"),
    (Issue("BrandNewIssue", "Unknown"), "browser_issue", "errors", "info"),
    # pages
    (TargetCrashed(URL), "page_crash", "errors", "critical"),
    (TargetRevived(URL), "crash_reloaded", "activity", "info"),
    (PageHangEnded(2500, URL), "page_hang_ended", "anomalies", "info"),
    (Navigated(URL), "navigation", "activity", "info"),
    (
        Navigated("chrome-error://chromewebdata/", unreachable_url=URL),
        "request_failed",
        "network_errors",
        "high",
    ),
    (NavigatedWithin(URL, "fragment"), "navigation_within", "activity", "info"),
    (DialogOpened("alert", "Are you there?"), "dialog", "activity", "info"),
    (DialogClosed(True, 900), "dialog_closed", "activity", "info"),
    (DownloadStarted(URL, "bill.pdf"), "download", "activity", "info"),
    (DownloadEnded("completed", 1000), "download_ended", "activity", "info"),
    (UserAction("click"), "user_action", "activity", "info"),
    (LoadTiming(12, 80, 120, 200, "navigate"), "page_load", "activity", "info"),
    (AccessibilityChecked(23, 2, 180), "a11y_checked", "activity", "info"),
    (TargetOpened("page", URL, "p1"), "page_opened", "activity", "info"),
    (TargetClosed("page", URL), "page_closed", "activity", "info"),
    (SelectorMatches("#buy", 0, 1), "selector_missing", "selectors", "high"),
    (SelectorMatches("#buy", 2, 1), "selector_ambiguous", "selectors", "high"),
    (SelectorMatches("#[", -1), "selector_invalid", "selectors", "high"),
    # capture
    (BrowserLost("ws://127.0.0.1/"), "browser_lost", "anomalies", "high"),
    (Gap(1000, 2500, "same", ("requests",)), "capture_gap", "anomalies", "medium"),
]
SILENT: list[Detail] = [
    log("Uncaught Error: in a worker", "worker"),
    log("all is well", level="info"),
    log("Forced reflow while executing JavaScript took 48ms", "violation", "verbose"),
    Issue("ContentSecurityPolicyIssue", "script-src"),
    TargetOpened("worker", URL),
    TargetClosed("iframe", URL),
    SelectorMatches("#buy", 1, 0),
    SelectorMatches("#buy", 0),
    ResourceTiming(URL),
]
TYPES = {
    "errors": "error",
    "network_errors": "network_error",
    "performance": "performance",
    "selectors": "selector_broken",
    "anomalies": "anomaly",
    "activity": "activity",
}


@pytest.mark.parametrize(
    ("detail", "kind", "channel", "severity"),
    EVENTS,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_is(detail: Detail, kind: str, channel: str, severity: Severity) -> None:
    event = only(signal(detail, request_id="R1"))
    assert (event.kind, event.channel, event.severity) == (kind, channel, severity)
    assert event.type == TYPES[channel]
    assert event.summary == event.summary.strip() != ""
    assert "\n" not in event.summary


@pytest.mark.parametrize("detail", SILENT, ids=str)
def test_what_is_nothing_to_tell(detail: Detail) -> None:
    assert told(signal(detail)) == []


def test_the_table_above_has_every_detail_that_is_described() -> None:
    assert {type(detail) for detail, *_ in EVENTS} | {ExceptionRevoked} == set(DESCRIPTIONS)


def test_every_description_is_of_something_that_is_observed() -> None:
    assert set(DESCRIPTIONS) <= set(Observer.details)


def test_no_two_files_describe_the_same() -> None:
    files = (browser, capture, network, pages, scripts)
    assert sum(len(file.DESCRIPTIONS) for file in files) == len(DESCRIPTIONS)


# What the summaries say, in the words that a person reads.


def summary(detail: Detail, **fields: Any) -> str:
    return only(signal(detail, **fields)).summary


def test_a_page_that_answers_again_says_so() -> None:
    assert summary(PageHangEnded(2500, URL)) == "The page answers again after 2.5 s"


def test_requests_say_who_what_and_how_long() -> None:
    assert (
        summary(ResponseReceived("POST", URL, "Fetch", 500, 41.4)) == f"POST {URL} answered 500 after 41 ms"
    )
    assert (
        summary(ResponseReceived("GET", URL, "Image", 404, 9)) == f"Image GET {URL} answered 404 after 9 ms"
    )
    assert summary(failed()) == f"GET {URL} failed: net::ERR_FAILED"
    assert (
        summary(failed(cors_error="HeaderDisallowed", cors_parameter="x-any"))
        == f"GET {URL} blocked by CORS: HeaderDisallowed x-any"
    )
    assert summary(failed("net::ERR_TOO_MANY_REDIRECTS")) == f"GET {URL} redirects in a loop"
    assert summary(RequestFailed("", "", "Fetch", "net::ERR_FAILED")) == "Fetch failed: net::ERR_FAILED"


def test_scripts_say_what_was_thrown_and_where() -> None:
    event = only(
        signal(ExceptionThrown("TypeError: x is undefined", url="http://shop.test/js/cart.js"), stack=AT)
    )
    assert event.summary == "Uncaught TypeError: x is undefined"
    assert event.context == {"at": "cart.js:88:12 saveCart", "url": "http://shop.test/js/cart.js"}
    assert summary(ExceptionThrown("Uncaught no stock")) == "Uncaught no stock"
    assert (
        summary(ExceptionThrown("Uncaught (in promise) no stock", rejection=True))
        == "Unhandled rejection: no stock"
    )
    assert summary(ConsoleCalled("assert", "console.assert")) == "Assertion failed: console.assert"
    assert summary(ConsoleCalled("assert", "Assertion failed: no stock")) == "Assertion failed: no stock"
    assert summary(ConsoleCalled("error", "")) == "console.error without a text"
    assert summary(ConsoleCalled("error", "two\n  lines")) == "two lines"


@pytest.mark.parametrize("kind", ["worker", "shared_worker", "service_worker", "worklet"])
def test_workers_are_named(kind: str) -> None:
    event = only(signal(ExceptionThrown("Error: no"), target_type=kind))
    assert (event.kind, event.context["target"]) == ("worker_error", kind)
    assert only(signal(ConsoleCalled("error", "no"), target_type=kind)).context["target"] == kind


def test_a_crash_names_what_crashed() -> None:
    assert summary(TargetCrashed(URL)) == f"The page {URL} crashed"
    assert summary(TargetCrashed(URL), target_type="service_worker") == f"The service worker {URL} crashed"


def test_fingerprints_tell_problems_apart_but_not_their_repetitions() -> None:
    def fingerprint(detail: Detail, **fields: Any) -> str:
        return only(signal(detail, **fields)).fingerprint

    def order(number: int, path: str = "orders") -> str:
        return fingerprint(
            ResponseReceived("GET", f"http://shop.test/{path}/{number}?t={number}", "Fetch", 500, number)
        )

    def thrown(line: int, function: str = "saveCart") -> str:
        return fingerprint(
            ExceptionThrown(f"Error: item {line}"),
            stack=(StackFrame(function, "http://a.test/x.js", line, line),),
        )

    assert order(1) == order(22) != order(1, "carts")
    assert thrown(1) == thrown(22) != thrown(1, "loadCart")
    assert fingerprint(ConsoleCalled("error", "item 1")) == fingerprint(ConsoleCalled("error", "item 22"))
    assert fingerprint(ConsoleCalled("error", "item 1")) != fingerprint(ConsoleCalled("warning", "item 1"))


# Every detail at its worst: whatever a page makes of its texts, the event is small and keeps the page's secrets.

SECRET = "CANARY7secret"
LONG = "lorem ipsum dolor " * 200
HOSTILE = {
    "long": LONG,
    "quotes": '"\\' * 3000,
    "controls": "\x00\x1b\x7f\n" * 1000,
    "chinese": "購物車裡沒有東西" * 500,
    "emoji": "🛒🧨" * 1500,
    "a word": "x" * 5000,
    "a url": "http://shop.test/" + "a/" * 900 + "?q=" + "%F0%9F%9B%92" * 300,
    "a broken url": "http://[shop.test/" + "a" * 2000,
    "data": "data:text/html," + "購" * 2000,
    "empty": "",
}
SECRETS = {
    "query": f"http://shop.test/x?access_token={SECRET}&page=2",
    "user info": f"http://ann:{SECRET}@shop.test/x",
    "header": f"Authorization: Bearer {SECRET}",
    "cookie": f"Cookie: id={SECRET}; theme=dark",
    "json": f'{{"user":"ann","password":"{SECRET} and more"}}',
    "assignment": f"api_key={SECRET}",
    "late": "x" * 100 + f" token={SECRET}",
    "cut": "x" * 220 + f" token={SECRET}",
}


def extreme(hint: Any, text: str) -> Any:
    """A value of the hinted type that holds as much of the text as it can."""
    if get_origin(hint) is tuple:
        return (extreme(get_args(hint)[0], text),) * 50
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint(**{name: extreme(each, text) for name, each in get_type_hints(hint).items()})
    return {str: text, int: 10**9, float: 12345.678, bool: False}[hint]


# Fields whose values are Chrome's own words or the observer's, never a page's.
WORDS = {
    "level": ("error", "assert", "warning", "log"),
    "source": ("network", "security", "javascript", "other"),
    "browser": ("same", "new", "gone"),
    "status": (404, 200, 0),
    "code": ("CorsIssue", "ContentSecurityPolicyIssue", "CookieIssue", "NewIssue"),
    "cors_error": ("", "MissingAllowOriginHeader"),
    "blocked_reason": ("", "csp"),
    "unreachable_url": ("",),
    "count": (0, 3),
    "type": ("page", "key", "Fetch", "Script"),
    "error": ("net::ERR_FAILED",),
    "name": ("click",),
    "key": ("Enter",),
    "state": ("completed",),
    "via": ("fragment",),
    "method": ("GET",),
    "opener": ("p1",),
    "lost": (("requests", "navigations"),),
    "pages_gone": (("p1234",) * 500,),
    "pages_new": (("p1234",) * 500,),
    "console_incomplete": (("p1234",) * 500,),
    "elapsed_ms": (12.5, 2500.5),
}


def variants(kind: type[Detail], text: str, url: str) -> Iterator[Detail]:
    """Details of a kind that hold the text wherever a page's text may be, and the address wherever one may be."""
    hints = get_type_hints(kind)
    values = {
        name: extreme(hint, url if "url" in name else text) for name, hint in hints.items() if name != "kind"
    }
    worded = {name: WORDS[name] for name in values if name in WORDS}
    for n in range(max((len(words) for words in worded.values()), default=1)):
        yield kind(**values | {name: words[n % len(words)] for name, words in worded.items()})


def all_told(text: str, url: str, function: str) -> Iterator[Event]:
    stack = (StackFrame(function, url, 10**6, 10**6),) * 30
    for detail in (each for kind in DESCRIPTIONS for each in variants(kind, text, url)):
        for target in ("page", "worker"):
            yield from told(
                signal(detail, request_id="R1", loader_id="L1", stack=stack, element=text, target_type=target)
            )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_event_is_longer_than_two_kilobytes(text: str) -> None:
    for event in all_told(text, text, text):
        line = event.line()
        assert len(line.encode()) <= MAX_BYTES, line
        assert Event.model_validate_json(line) == event


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_event_tells_a_secret(text: str) -> None:
    url = text if text.startswith("http") else f"http://shop.test/x?page=2&sig={SECRET}#top"
    for event in all_told(text, url, "saveCart"):
        assert not re.search("CANARY|7secret", event.line()), event.line()


def test_usual_events_are_short() -> None:
    lines = [only(signal(detail, request_id="R1", stack=AT, element="#buy")).line() for detail, *_ in EVENTS]
    sizes = sorted(len(line.encode()) for line in lines)
    assert sizes[len(sizes) // 2] < USUAL_BYTES * 0.9
    assert max(sizes) < MAX_BYTES / 2
    assert sum(sizes) / len(sizes) < USUAL_BYTES
