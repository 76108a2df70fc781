"""Network frames and the signals they become: chains, failures, halves of requests, sockets."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.observer.domains import network
from firstcause.observer.domains.network import (
    RequestFailed,
    RequestFinished,
    RequestRedirected,
    RequestSent,
    ResponseExtra,
    ResponseReceived,
    SocketAnswered,
    SocketClosed,
    SocketFailed,
    SocketOpened,
)
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import StackFrame

from .wire import Wire, observing


def sent(wire: Wire, url: str = "http://a/x", session: str = "S1", **more: Any) -> None:
    params = {
        "requestId": "r1",
        "loaderId": "L1",
        "documentURL": "http://a/",
        "request": {"url": url, "method": more.pop("method", "GET"), "headers": {"Accept": "*/*"}},
        "timestamp": 100.0,
        "wallTime": 1_700_000_000.0,
        "initiator": {"type": "other"},
        "type": "Fetch",
        "frameId": "F1",
        "hasUserGesture": False,
        **more,
    }
    wire.event("Network.requestWillBeSent", params, session)


def response(
    wire: Wire,
    status: int = 200,
    session: str = "S1",
    request_id: str = "r1",
    at: float = 100.05,
    **more: Any,
) -> None:
    wire.event(
        "Network.responseReceived",
        {
            "requestId": request_id,
            "loaderId": "L1",
            "timestamp": at,
            "type": "Fetch",
            "frameId": "F1",
            "response": {
                "url": "http://a/x",
                "status": status,
                "mimeType": "text/plain",
                "protocol": "h2",
                **more,
            },
        },
        session,
    )


def finished(wire: Wire, session: str = "S1", size: int = 512) -> None:
    wire.event(
        "Network.loadingFinished",
        {"requestId": "r1", "timestamp": 100.08, "encodedDataLength": size},
        session,
    )


def failed(wire: Wire, session: str = "S1", **more: Any) -> None:
    params = {"requestId": "r1", "timestamp": 100.25, "type": "Fetch", "errorText": "net::ERR_FAILED", **more}
    wire.event("Network.loadingFailed", params, session)


async def test_a_request_from_start_to_end(wire: Wire) -> None:
    sent(wire, method="POST")
    response(wire)
    finished(wire)
    assert wire.details == [
        RequestSent("POST", "http://a/x", "Fetch", "other"),
        ResponseReceived("POST", "http://a/x", "Fetch", 200, 50.0, "text/plain", "h2"),
        RequestFinished("POST", "http://a/x", "Fetch", 200, 80.0, 512),
    ]
    assert {(s.request_id, s.loader_id, s.frame, s.page, s.session) for s in wire.told()} == {
        ("r1", "L1", "F1", "p1", "S1")
    }
    assert [s.wall_ms for s in wire.told()] == pytest.approx([1.7e12, 1.7e12 + 50, 1.7e12 + 80])
    assert [s.order for s in wire.told()] == [2, 3, 4]


async def test_the_initiator_says_who_asked(wire: Wire) -> None:
    call = {
        "functionName": "load",
        "scriptId": "7",
        "url": "http://a/app.js",
        "lineNumber": 9,
        "columnNumber": 4,
    }
    sent(wire, initiator={"type": "script", "stack": {"callFrames": [call]}})
    sent(wire, requestId="r2", initiator={"type": "parser", "url": "http://a/", "lineNumber": 3})
    by_script, by_parser = wire.told()
    assert by_script.stack == (StackFrame("load", "http://a/app.js", 10, 5, "7"),)
    assert by_parser.detail == RequestSent("GET", "http://a/x", "Fetch", "parser", "http://a/")


async def test_a_chain_of_redirects_is_told_link_by_link(wire: Wire) -> None:
    sent(wire, "http://a/1", method="POST")
    sent(wire, "http://a/2", timestamp=100.1, redirectResponse={"url": "http://a/1", "status": 302})
    sent(wire, "http://b/3", timestamp=100.2, redirectResponse={"url": "http://a/2", "status": 307})
    response(wire)
    assert wire.details == [
        RequestSent("POST", "http://a/1", "Fetch", "other"),
        RequestRedirected("POST", "http://a/1", "http://a/2", 302),
        RequestSent("GET", "http://a/2", "Fetch", "other"),
        RequestRedirected("GET", "http://a/2", "http://b/3", 307),
        RequestSent("GET", "http://b/3", "Fetch", "other"),
        ResponseReceived("GET", "http://b/3", "Fetch", 200, -150.0, "text/plain", "h2"),
    ]


async def test_a_redirect_whose_start_was_not_seen(wire: Wire) -> None:
    sent(wire, "http://a/2", redirectResponse={"url": "http://a/1", "status": 301})
    assert wire.details[0] == RequestRedirected("GET", "http://a/1", "http://a/2", 301)


async def test_start_and_end_come_in_different_sessions(wire: Wire) -> None:
    wire.attach("S2", "iframe", parent="S1")
    sent(wire, "http://b/frame", session="S1", type="Document")
    response(wire, session="S2")
    failed(wire, session="S2", type="Document")
    assert [s.session for s in wire.told()] == ["S1", "S2", "S2"]
    assert wire.details[1] == ResponseReceived(
        "GET", "http://b/frame", "Fetch", 200, 50.0, "text/plain", "h2"
    )
    assert wire.details[2] == RequestFailed(
        "GET", "http://b/frame", "Document", "net::ERR_FAILED", status=200, elapsed_ms=250.0
    )


async def test_a_failure_without_a_start(wire: Wire) -> None:
    failed(wire, canceled=True)
    assert wire.details == [RequestFailed("", "", "Fetch", "net::ERR_FAILED", canceled=True)]
    assert wire.last().request_id == "r1"


async def test_a_response_without_a_start_has_its_own_address(wire: Wire) -> None:
    response(wire, 404)
    assert wire.details == [ResponseReceived("", "http://a/x", "Fetch", 404, 0.0, "text/plain", "h2")]


async def test_an_end_without_a_start_says_nothing(wire: Wire) -> None:
    finished(wire)
    assert wire.details == []


async def test_a_response_needs_no_end(wire: Wire) -> None:
    sent(wire)
    response(wire)
    sent(wire, "http://a/next", requestId="r2")
    assert [d.kind for d in wire.details] == ["request", "response", "request"]


async def test_a_request_ends_once(wire: Wire) -> None:
    sent(wire)
    finished(wire)
    finished(wire)
    assert [d.kind for d in wire.details] == ["request", "request_finished"]


@pytest.mark.parametrize(
    ("flags", "source"),
    [
        ({"fromDiskCache": True}, "disk-cache"),
        ({"fromServiceWorker": True, "fromDiskCache": True}, "service-worker"),
        ({"fromPrefetchCache": True}, "prefetch-cache"),
        ({}, ""),
    ],
)
async def test_where_a_response_came_from(wire: Wire, flags: dict[str, Any], source: str) -> None:
    response(wire, **flags)
    assert wire.details[0].source == source


async def test_a_cors_failure_keeps_the_status_that_the_page_may_not_see(wire: Wire) -> None:
    sent(wire, "http://b/api")
    wire.event(
        "Network.responseReceivedExtraInfo",
        {"requestId": "r1", "statusCode": 500, "blockedCookies": [], "headers": {}},
    )
    failed(wire, corsErrorStatus={"corsError": "MissingAllowOriginHeader", "failedParameter": ""})
    assert wire.details[1:] == [
        ResponseExtra(500),
        RequestFailed(
            "GET",
            "http://b/api",
            "Fetch",
            "net::ERR_FAILED",
            cors_error="MissingAllowOriginHeader",
            elapsed_ms=250.0,
        ),
    ]


async def test_a_cors_failure_after_its_response(wire: Wire) -> None:
    sent(wire, "http://b/api")
    response(wire, 503)
    failed(
        wire,
        corsErrorStatus={"corsError": "InvalidAllowHeadersPreflightResponse", "failedParameter": "x-own"},
    )
    detail = wire.details[-1]
    assert (detail.status, detail.cors_error, detail.cors_parameter) == (
        503,
        "InvalidAllowHeadersPreflightResponse",
        "x-own",
    )


async def test_what_blocked_a_request(wire: Wire) -> None:
    sent(wire)
    failed(wire, blockedReason="csp", errorText="net::ERR_BLOCKED_BY_CSP")
    assert wire.details[-1] == RequestFailed(
        "GET", "http://a/x", "Fetch", "net::ERR_BLOCKED_BY_CSP", blocked_reason="csp", elapsed_ms=250.0
    )


async def test_blocked_cookies_are_told_with_their_reasons(wire: Wire) -> None:
    blocked = [
        {"blockedReasons": ["SameSiteNoneInsecure", "SecureOnly"], "cookieLine": "a=1", "cookie": None},
        {"blockedReasons": ["SameSiteNoneInsecure"], "cookieLine": "b=1"},
    ]
    wire.event(
        "Network.responseReceivedExtraInfo", {"requestId": "r1", "statusCode": 200, "blockedCookies": blocked}
    )
    assert wire.details == [ResponseExtra(200, ("SameSiteNoneInsecure", "SecureOnly"))]


async def test_extra_info_that_only_repeats_says_nothing(wire: Wire) -> None:
    wire.event(
        "Network.responseReceivedExtraInfo", {"requestId": "r1", "statusCode": 304, "blockedCookies": []}
    )
    assert wire.details == []


async def test_data_urls_are_cut_short_and_long_addresses_a_little(wire: Wire) -> None:
    sent(wire, "data:image/png;base64," + "A" * 5000)
    sent(wire, "http://a/?q=" + "x" * 5000, requestId="r2")
    data, long = (d.url for d in wire.details)
    assert data == "data:image/png;base64," + "A" * 57 + "…"
    assert len(long) == 2000
    assert long.endswith("x…")


async def test_the_life_of_a_socket(wire: Wire) -> None:
    call = {
        "functionName": "open",
        "scriptId": "7",
        "url": "http://a/live.js",
        "lineNumber": 0,
        "columnNumber": 0,
    }
    start = {
        "requestId": "w1",
        "url": "ws://a/live",
        "initiator": {"type": "script", "stack": {"callFrames": [call]}},
    }
    wire.event("Network.webSocketCreated", start)
    answer = {"status": 101, "statusText": "Switching Protocols", "headers": {}}
    wire.event(
        "Network.webSocketHandshakeResponseReceived",
        {"requestId": "w1", "timestamp": 10.0, "response": answer},
    )
    wire.event(
        "Network.webSocketFrameReceived", {"requestId": "w1", "timestamp": 10.5, "response": {"opcode": 1}}
    )
    wire.event(
        "Network.webSocketFrameError",
        {"requestId": "w1", "timestamp": 11.0, "errorMessage": "Invalid frame header"},
    )
    wire.event("Network.webSocketClosed", {"requestId": "w1", "timestamp": 12.5})
    assert wire.details == [
        SocketOpened("ws://a/live"),
        SocketAnswered("ws://a/live", 101),
        SocketFailed("ws://a/live", "Invalid frame header"),
        SocketClosed("ws://a/live", 2500.0),
    ]
    assert wire.told()[0].stack == (StackFrame("open", "http://a/live.js", 1, 1, "7"),)
    assert {s.request_id for s in wire.told()} == {"w1"}


async def test_a_socket_that_was_never_answered_lived_no_time(wire: Wire) -> None:
    wire.event("Network.webSocketCreated", {"requestId": "w1", "url": "ws://a/live"})
    wire.event(
        "Network.webSocketFrameError", {"requestId": "w1", "timestamp": 11.0, "errorMessage": "refused"}
    )
    wire.event("Network.webSocketClosed", {"requestId": "w1", "timestamp": 12.5})
    assert wire.details[1:] == [SocketFailed("ws://a/live", "refused"), SocketClosed("ws://a/live")]


async def test_a_socket_older_than_us(wire: Wire) -> None:
    wire.event("Network.webSocketClosed", {"requestId": "w9", "timestamp": 12.5})
    assert wire.details == [SocketClosed("")]


async def test_requests_that_never_end_are_forgotten_in_time(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "KEPT_REQUESTS", 3)
    for number in range(5):
        sent(wire, f"http://a/{number}", requestId=f"r{number}")
        wire.event("Network.webSocketCreated", {"requestId": f"w{number}", "url": f"ws://a/{number}"})
    for number in (1, 2):
        response(wire, request_id=f"r{number}")
        wire.event("Network.webSocketClosed", {"requestId": f"w{number}", "timestamp": 1.0})
    forgotten, closed, known, closed_known = wire.details[-4:]
    assert (forgotten.method, known.method) == ("", "GET")
    assert (closed.url, closed_known.url) == ("", "ws://a/2")


async def test_lean_capture_has_no_network() -> None:
    async with observing(CaptureOptions(level="lean")) as wire:
        wire.attach()
        sent(wire)
        assert wire.details == []
        assert "Network.enable" not in wire.methods()
        assert wire.observer.skipped == {"unwanted": 1}


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def extra(wire: Wire, status: int = 200, **headers: str) -> None:
    params = {"requestId": "r1", "blockedCookies": [], "headers": headers, "statusCode": status}
    wire.event("Network.responseReceivedExtraInfo", params)


def ids(wire: Wire) -> tuple[str, str]:
    detail = wire.last().detail
    assert isinstance(detail, ResponseReceived | RequestFailed)
    return detail.trace_id, detail.server_request_id


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Traceparent": PARENT, "X-Request-Id": "req-8842"}, (TRACE, "req-8842")),
        ({"server-timing": f'db;dur=12, traceparent;desc="{PARENT}"'}, (TRACE, "")),
        ({"Server-Timing": f"traceparent;dur=0;desc={PARENT}, cache"}, (TRACE, "")),
        (
            {"X-Amzn-Trace-Id": "Self=1-67891234-1;Root=1-67891233-abcdef012345678912345678;Sampled=1"},
            ("1-67891233-abcdef012345678912345678", ""),
        ),
        ({"x-cloud-trace-context": f"{TRACE}/123;o=1"}, (TRACE, "")),
        ({"X-B3-TraceId": TRACE[:16]}, (TRACE[:16], "")),
        ({"sentry-trace": f"{TRACE}-00f067aa0ba902b7-1"}, (TRACE, "")),
        ({"uber-trace-id": f"{TRACE}:00f067aa0ba902b7:0:1"}, (TRACE, "")),
        ({"x-correlation-id": "c1f2", "cf-ray": "8a1b2c3d4e5f6071-FRA"}, ("", "c1f2")),
        ({"cf-ray": "8a1b2c3d4e5f6071-FRA"}, ("", "8a1b2c3d4e5f6071-FRA")),
        # none of these is what its name says
        ({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, ("", "")),
        ({"traceparent": "<script>", "x-request-id": "a b", "cf-ray": ""}, ("", "")),
        ({"x-request-id": "x" * 81}, ("", "")),
        ({"server-timing": "traceparent, db;dur=3"}, ("", "")),
        ({"authorization": "Bearer secret", "set-cookie": "sid=secret", "x-other-id": "abcd"}, ("", "")),
        ({}, ("", "")),
    ],
)
async def test_a_failing_answer_says_by_which_ids_its_backend_knows_it(
    wire: Wire, headers: dict[str, str], found: tuple[str, str]
) -> None:
    sent(wire)
    response(wire, 500, headers=headers)
    assert ids(wire) == found


async def test_ids_that_come_apart_from_the_answer_count_too(wire: Wire) -> None:
    sent(wire)
    extra(wire, 503, traceparent=PARENT)
    response(wire, 503, headers={"content-type": "text/plain"})
    assert ids(wire) == (TRACE, "")


async def test_an_answer_that_cors_keeps_from_the_page_has_ids(wire: Wire) -> None:
    sent(wire)
    extra(wire, 200, **{"x-request-id": "req-8842"})
    failed(wire, corsErrorStatus={"corsError": "MissingAllowOriginHeader", "failedParameter": ""})
    assert ids(wire) == ("", "req-8842")


async def test_an_answer_that_breaks_off_has_ids(wire: Wire) -> None:
    sent(wire)
    response(wire, 200, headers={"traceparent": PARENT})
    assert ids(wire) == ("", "")
    failed(wire, errorText="net::ERR_INCOMPLETE_CHUNKED_ENCODING")
    assert ids(wire) == (TRACE, "")


async def test_the_ids_of_a_redirect_are_not_those_of_what_follows(wire: Wire) -> None:
    sent(wire, "http://a/1")
    sent(wire, "http://a/2", timestamp=100.1, redirectResponse={"url": "http://a/1", "status": 302})
    extra(wire, 302, traceparent=PARENT)
    failed(wire)
    assert ids(wire) == ("", "")


async def test_headers_that_are_no_texts_are_no_ids(wire: Wire) -> None:
    sent(wire)
    response(wire, 500, headers={"traceparent": 7})
    response(wire, 500, headers=[])
    assert ids(wire) == ("", "")


def bodies(wire: Wire) -> list[str]:
    return [detail.body for detail in wire.details if isinstance(detail, RequestSent)]


def post(wire: Wire, request_id: str, body: str | None, **more: Any) -> None:
    request = {"url": "http://a/x", "method": "POST", "headers": {}, "hasPostData": True, **more}
    if body is not None:
        request["postData"] = body
    sent(wire, requestId=request_id, request=request)


async def test_equal_bodies_have_equal_digests_that_say_nothing_of_them(wire: Wire) -> None:
    for number, body in enumerate(('{"pin":"1234"}', '{"pin":"1234"}', '{"pin":"1235"}', "déjà vu 😀")):
        post(wire, f"r{number}", body)
    first, same, other, last = bodies(wire)
    assert first == same
    assert len({first, other, last}) == 3
    assert all(
        len(digest) == 16 and set(digest) <= set("0123456789abcdef") for digest in (first, other, last)
    )
    assert "1234" not in repr(wire.told())


async def test_nobody_can_find_a_short_body_by_trying_all(wire: Wire) -> None:
    post(wire, "r1", "1234")
    async with observing() as another:
        another.attach()
        post(another, "r1", "1234")
        assert bodies(wire) != bodies(another)


async def test_two_equal_forms_have_equal_digests_though_their_boundaries_differ(wire: Wire) -> None:
    form = '------WebKitFormBoundary{0}\r\nContent-Disposition: form-data; name="a"\r\n\r\n{1}\r\n------WebKitFormBoundary{0}--\r\n'
    for number, (boundary, value) in enumerate((("B" * 16, 1), ("C" * 16, 1), ("D" * 16, 2))):
        post(wire, f"r{number}", form.format(boundary, value))
    first, same, other = bodies(wire)
    assert first == same != other


async def test_a_body_that_chrome_does_not_tell_is_unseen_and_none_is_nothing(wire: Wire) -> None:
    post(wire, "r1", None)
    post(wire, "r2", None, hasPostData=False)
    assert bodies(wire) == ["unseen", ""]


@pytest.mark.parametrize(
    ("behavior", "blocks"),
    [
        ("Blocking", True),
        ("InBodyParserBlocking", False),
        ("PotentiallyBlocking", False),
        ("NonBlocking", False),
    ],
)
async def test_chrome_says_what_blocks_the_first_paint(wire: Wire, behavior: str, blocks: bool) -> None:
    sent(wire, type="Script", renderBlockingBehavior=behavior)
    [detail] = wire.details
    assert isinstance(detail, RequestSent)
    assert detail.blocks_rendering is blocks


TIMING = {"requestTime": 100.2, "dnsStart": -1, "connectStart": -1, "sendStart": 450.0, "sendEnd": 451.0}


@pytest.mark.parametrize(
    ("timing", "queued_ms"),
    [
        (TIMING, 650.0),
        (TIMING | {"connectStart": 300.0}, 500.0),
        (TIMING | {"connectStart": 300.0, "dnsStart": 290.5}, 490.5),
        (TIMING | {"sendStart": -1}, 200.0),
        (TIMING | {"requestTime": 99.0, "sendStart": 0.5}, 0.0),
        (TIMING | {"requestTime": 0}, 0.0),
        ({"sendStart": "soon"}, 0.0),
    ],
)
async def test_a_long_wait_for_a_connection_is_told(
    wire: Wire, timing: dict[str, Any], queued_ms: float
) -> None:
    sent(wire, timestamp=100.0)
    response(wire, timing=timing, at=101.0)
    detail = wire.details[-1]
    assert isinstance(detail, ResponseReceived)
    assert detail.queued_ms == queued_ms


async def test_the_timing_of_a_quick_answer_is_not_looked_at(wire: Wire) -> None:
    sent(wire)
    response(wire, timing=TIMING)
    detail = wire.details[-1]
    assert isinstance(detail, ResponseReceived)
    assert detail.queued_ms == 0.0


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"encodedDataLength": 0, "timing": TIMING}, "cache"),
        ({"encodedDataLength": 0, "timing": TIMING, "fromDiskCache": True}, "disk-cache"),
        ({"encodedDataLength": 0}, ""),
        ({"encodedDataLength": 143, "timing": TIMING}, ""),
        ({"timing": TIMING}, ""),
    ],
)
async def test_an_answer_shared_with_an_equal_request_came_from_the_cache(
    wire: Wire, more: dict[str, Any], source: str
) -> None:
    sent(wire)
    response(wire, **more)
    detail = wire.details[-1]
    assert isinstance(detail, ResponseReceived)
    assert detail.source == source


@pytest.mark.parametrize("name", ["Content-Encoding", "content-encoding"])
async def test_a_large_answer_tells_what_it_holds_and_how_it_was_compressed(wire: Wire, name: str) -> None:
    sent(wire)
    response(wire, headers={name: "br", "Content-Length": "9"})
    finished(wire, size=10_000)
    assert wire.details[-1] == RequestFinished(
        "GET", "http://a/x", "Fetch", 200, 80.0, 10_000, "text/plain", "br"
    )


async def test_the_headers_of_the_wire_tell_what_the_page_does_not_see(wire: Wire) -> None:
    sent(wire)
    response(wire)
    wire.event(
        "Network.responseReceivedExtraInfo",
        {"requestId": "r1", "statusCode": 200, "headers": {"content-encoding": "gzip"}, "blockedCookies": []},
        "S1",
    )
    finished(wire, size=10_000)
    detail = wire.details[-1]
    assert isinstance(detail, RequestFinished)
    assert detail.compression == "gzip"


async def test_a_large_answer_without_compression_says_so_and_a_small_one_nothing(wire: Wire) -> None:
    sent(wire)
    response(wire, headers={"Content-Length": "9"})
    finished(wire, size=10_000)
    sent(wire)
    response(wire, headers={"Content-Encoding": "br"})
    finished(wire, size=9_999)
    large, small = [detail for detail in wire.details if isinstance(detail, RequestFinished)]
    assert (large.mime, large.compression) == ("text/plain", "")
    assert (small.mime, small.compression) == ("", "")


async def test_headers_that_are_none_cost_only_what_they_would_tell(wire: Wire) -> None:
    sent(wire)
    response(wire, headers=["no", "headers"])
    finished(wire, size=10_000)
    detail = wire.details[-1]
    assert isinstance(detail, RequestFinished)
    assert (detail.mime, detail.compression) == ("text/plain", "")
