"""One failure is one event, however often and in whatever order Chrome reports it; two failures stay two."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from firstcause.correlator.findings.finding import MAX_SUMMARY_BYTES
from firstcause.correlator.fold import (
    KEPT_ADDRESSES,
    KEPT_KEYS,
    KEPT_PER_ADDRESS,
    SAME_FAILURE_S,
    Fold,
    Moment,
)
from firstcause.observer.domains.audits import Issue
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import RequestFailed, ResponseReceived, SocketFailed
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.runtime import ExceptionThrown
from firstcause.observer.signal import Detail

from .signals import failures, signal, told

URL = "http://shop.test/api/cart"
SCRIPT = "http://cdn.test/app.js"
NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"

Report = tuple[Detail, str]  # and the id of the request, if it names one

HTTP_404: list[Report] = [
    (ResponseReceived("GET", URL, "Fetch", 404, 12.5), "R1"),
    (LogEntry("network", "error", NOT_FOUND, URL), "R1"),
    (RequestFailed("GET", URL, "Fetch", "net::ERR_ABORTED", canceled=True, status=404), "R1"),
]
CORS: list[Report] = [
    (Issue("CorsIssue", "MissingAllowOriginHeader", URL), "R1"),
    (
        LogEntry(
            "javascript",
            "error",
            f"Access to fetch at '{URL}' from origin 'http://a.test' has been blocked by CORS policy: No …",
        ),
        "",
    ),
    (RequestFailed("GET", URL, "Fetch", "net::ERR_FAILED", cors_error="MissingAllowOriginHeader"), "R1"),
    (LogEntry("network", "error", "Failed to load resource: net::ERR_FAILED", URL), "R1"),
]
CSP: list[Report] = [
    (Issue("ContentSecurityPolicyIssue", "script-src-elem", SCRIPT), ""),
    (
        LogEntry(
            "security",
            "error",
            f"Loading the script '{SCRIPT}' violates the following Content Security Policy directive: \"script-src 'self'\". The action has been blocked.",
        ),
        "",
    ),
    (RequestFailed("GET", SCRIPT, "Script", "net::ERR_BLOCKED_BY_CSP", blocked_reason="csp"), "R1"),
]
CSP_CONNECT: list[Report] = [
    (
        LogEntry(
            "security",
            "error",
            f"Connecting to '{URL}' violates the following Content Security Policy directive: \"connect-src 'self'\". The action has been blocked.",
        ),
        "",
    ),
    (
        LogEntry(
            "javascript",
            "error",
            f"Fetch API cannot load {URL}. Refused to connect because it violates the document's Content Security Policy.",
        ),
        "",
    ),
    (Issue("ContentSecurityPolicyIssue", "connect-src", URL), ""),
]
MIXED: list[Report] = [
    (Issue("MixedContentIssue", "MixedContentBlocked", SCRIPT), ""),
    (
        LogEntry(
            "security",
            "error",
            f"Mixed Content: The page at 'https://shop.test/' was loaded over HTTPS, but requested an insecure script '{SCRIPT}'. This request has been blocked.",
        ),
        "",
    ),
    (RequestFailed("GET", SCRIPT, "Script", "", blocked_reason="mixed-content"), "R1"),
]
STYLE = "http://shop.test/sale.css"
STYLESHEET: list[Report] = [
    (ResponseReceived("GET", STYLE, "Stylesheet", 404, 12.5), "R1"),
    (Issue("StylesheetLoadingIssue", "RequestFailed", STYLE), ""),
]
DEPRECATED: list[Report] = [
    (LogEntry("deprecation", "warning", "Unload event listeners are deprecated."), ""),
    (Issue("DeprecationIssue", "UnloadHandler"), ""),
]
SOCKET: list[Report] = [
    (
        SocketFailed(
            "ws://shop.test/live", "Error during WebSocket handshake: Unexpected response code: 404"
        ),
        "R1",
    ),
    (
        LogEntry(
            "network",
            "error",
            "WebSocket connection to 'ws://shop.test/live' failed: Error during WebSocket handshake",
        ),
        "",
    ),
]
UNREACHABLE: list[Report] = [
    (RequestFailed("GET", URL, "Document", "net::ERR_CONNECTION_REFUSED"), "L1"),
    (LogEntry("network", "error", "Failed to load resource: net::ERR_CONNECTION_REFUSED", URL), "L1"),
    (Navigated("chrome-error://chromewebdata/", unreachable_url=URL), ""),
]


@pytest.mark.parametrize(
    ("reports", "kinds"),
    [
        pytest.param(HTTP_404, {"http_error"}, id="404"),
        pytest.param(CORS, {"cors_blocked", "request_failed"}, id="cors"),
        pytest.param(CSP, {"csp_violation"}, id="csp script"),
        pytest.param(CSP_CONNECT, {"csp_violation"}, id="csp connect"),
        pytest.param(MIXED, {"mixed_content"}, id="mixed content"),
        pytest.param(SOCKET, {"websocket_failed"}, id="websocket"),
        pytest.param(STYLESHEET, {"resource_failed", "stylesheet_issue"}, id="stylesheet"),
        pytest.param(DEPRECATED, {"deprecation"}, id="deprecation"),
        pytest.param(UNREACHABLE, {"request_failed"}, id="unreachable page"),
    ],
)
def test_one_failure_is_one_event_in_any_order(reports: list[Report], kinds: set[str]) -> None:
    for order in permutations(reports):
        events = told(
            *(
                signal(detail, n * 0.01, request_id=request, loader_id="L1")
                for n, (detail, request) in enumerate(order)
            )
        )
        assert [event.kind in kinds for event in failures(events)] == [True], order


@pytest.mark.parametrize("reports", [HTTP_404, CORS, CSP, CSP_CONNECT, MIXED, SOCKET])
def test_two_failures_of_one_address_within_50_ms_stay_two(reports: list[Report]) -> None:
    for order in permutations(reports):
        events = told(
            *(signal(detail, n * 0.005, request_id=request) for n, (detail, request) in enumerate(order)),
            *(
                signal(detail, 0.03 + n * 0.005, request_id=request and "R2")
                for n, (detail, request) in enumerate(order)
            ),
        )
        assert len(failures(events)) == 2, order


def test_two_failures_whose_reports_interleave_stay_two() -> None:
    events = told(
        *(
            signal(detail, n * 0.01, request_id=request)
            for n, (detail, r) in enumerate(CORS)
            for request in (r, r and "R2")
        )
    )
    assert len(events) == 2


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([(CORS[2], "R1"), (CORS[3], "R2")], id="two that name their requests"),
        pytest.param(
            [(CORS[1], ""), (CORS[2], "R1"), (CORS[3], "R2")], id="a line, its request, another request"
        ),
        pytest.param([(CORS[2], "R1"), (CORS[1], ""), (CORS[1], "")], id="a request, its line, another line"),
        pytest.param([(CORS[1], ""), (CORS[1], ""), (CORS[2], "R1")], id="two lines, one request"),
    ],
)
def test_a_report_that_cannot_be_about_the_same_is_about_another(reports: list[tuple[Report, str]]) -> None:
    events = told(
        *(signal(report[0], n * 0.01, request_id=request) for n, (report, request) in enumerate(reports))
    )
    assert len(events) == 2


def test_a_request_that_was_answered_may_still_fail() -> None:
    answered, failed = (
        ResponseReceived("GET", URL, "Fetch", 200),
        RequestFailed("GET", URL, "Fetch", "net::ERR_FAILED", status=200),
    )
    events = told(*(signal(detail, n, request_id="R1") for n, detail in enumerate([answered, failed])))
    assert [event.kind for event in events] == ["request", "request_failed"]


def test_a_stylesheet_that_is_not_found_is_then_aborted_by_chrome() -> None:
    sheet = "http://shop.test/site.css"
    [event] = told(
        signal(ResponseReceived("GET", sheet, "Stylesheet", 404), request_id="R1"),
        signal(LogEntry("network", "error", NOT_FOUND, sheet), 0.01, request_id="R1"),
        signal(
            RequestFailed("GET", sheet, "Stylesheet", "net::ERR_ABORTED", status=404), 0.02, request_id="R1"
        ),
    )
    assert (event.kind, event.context["status"]) == ("resource_failed", 404)


def test_a_line_without_a_request_that_comes_much_later_is_another_failure() -> None:
    line, failed = CSP[1][0], CSP[2][0]
    near = told(signal(failed, request_id="R1"), signal(line, SAME_FAILURE_S - 0.01))
    far = told(signal(failed, request_id="R1"), signal(line, SAME_FAILURE_S + 0.01))
    assert (len(near), len(far)) == (1, 2)


def test_a_line_that_comes_late_is_about_what_happened_at_its_time() -> None:
    line, failed = signal(CSP[1][0], 0.01), signal(CSP[2][0], request_id="R1")
    late = msgspec.structs.replace(line, monotonic_s=line.monotonic_s + 2 * SAME_FAILURE_S)
    assert len(told(failed, late)) == 1


def test_requests_of_two_browsers_have_nothing_to_do_with_each_other() -> None:
    detail = HTTP_404[0][0]
    assert len(told(signal(detail, request_id="R1"), signal(detail, request_id="R1", browser="b2"))) == 2


@pytest.mark.parametrize(
    "warning",
    [
        Issue("CookieIssue", "ExcludeSameSiteUnspecifiedTreatedAsLax", URL),
        Issue("CorsIssue", "InsecurePrivateNetwork", URL, warning=True),
        LogEntry("network", "warning", "The resource was preloaded but not used", URL),
        ResponseReceived("GET", URL, "Fetch", 200, 2500.0),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_said_of_a_request_does_not_swallow_its_failure(warning: Detail, first: bool) -> None:
    failure = RequestFailed("GET", URL, "Fetch", "net::ERR_CONNECTION_RESET", status=200)
    order = [warning, failure] if first else [failure, warning]
    events = failures(told(*(signal(detail, n * 0.01, request_id="R1") for n, detail in enumerate(order))))
    assert len(events) == 2
    assert "request_failed" in {event.kind for event in events}


def test_a_worker_repeats_what_the_worker_that_it_started_has_thrown() -> None:
    place = {"url": "http://shop.test/nested.js", "line": 8, "column": 28}
    own = signal(
        ExceptionThrown("Error: no stock", exception_id=1, **place), target_type="worker", session="child"
    )
    again = ExceptionThrown("Uncaught null", exception_id=1, **place)
    for at_s in (-0.01, 0.01):
        repeated = signal(again, at_s, target_type="worker", session="parent")
        events = told(*sorted([own, repeated], key=lambda each: each.monotonic_s))
        assert [event.summary for event in events] == ["Uncaught Error: no stock"]


def test_a_worker_that_throws_null_is_heard() -> None:
    thrown = ExceptionThrown("Uncaught null", exception_id=1, url="http://shop.test/w.js", line=1, column=1)
    [event] = told(signal(thrown, target_type="worker"))
    assert (event.kind, event.summary) == ("worker_error", "Uncaught null")


def test_two_workers_with_one_script_fail_twice() -> None:
    thrown = ExceptionThrown("Error: no stock", exception_id=1, url="http://shop.test/w.js", line=1, column=1)
    assert (
        len(told(*(signal(thrown, target_type="worker", session=session) for session in ("W1", "W2")))) == 2
    )


def test_a_log_line_about_a_worker_repeats_the_workers_own_exception() -> None:
    assert (
        told(signal(LogEntry("worker", "error", "Uncaught Error: no stock", "http://shop.test/w.js", 1)))
        == []
    )


def test_the_memory_of_a_fold_is_bounded() -> None:
    fold = Fold()
    for n in range(2 * KEPT_KEYS):
        for key, about, family, now_s in (
            (f"R{n}", f"http://shop.test/{n}", "", n * 0.001),
            ("", "http://shop.test/busy", f"family {n}", n * 10.0),
        ):
            now = Moment(now_s, now_s)
            assert fold.known(key, about, family, now) is None
            fold.remember(key, about, family, now, f"e{n}")
    assert len(fold._keys) == KEPT_KEYS
    assert len(fold._told) <= KEPT_ADDRESSES
    assert max(map(len, fold._told.values())) <= KEPT_PER_ADDRESS


def test_the_summary_of_a_folded_failure_is_the_first_reports() -> None:
    [event] = told(
        *(signal(detail, n * 0.01, request_id=request) for n, (detail, request) in enumerate(HTTP_404))
    )
    assert event.summary == f"GET {URL} answered 404 after 12 ms"
    assert len(event.summary) <= MAX_SUMMARY_BYTES
