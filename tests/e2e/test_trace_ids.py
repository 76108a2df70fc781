"""The ids by which a backend knows a request, out of the headers that a real Chromium tells."""

from __future__ import annotations

from firstcause.observer.domains.network import RequestFailed, ResponseReceived

from .support import Answer, Site, Watch

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def test_failing_answers_have_trace_and_request_ids(site: Site, watch: Watch) -> None:
    cors = {"Access-Control-Allow-Origin": "*"}
    own, timed = (
        {"Traceparent": PARENT, "X-Request-Id": "req-1"},
        {"Server-Timing": f'traceparent;desc="{PARENT}"'},
    )
    site.routes |= {
        "/own": Answer("", "text/plain", own, "500 No"),
        "/other": Answer("", "text/plain", timed | cors, "503 No"),
        "/closed": Answer("", "text/plain", own),
        "/fine": Answer("", "text/plain", own),
    }
    fetches = f"fetch('/own'); fetch('{site.alt('/other')}'); fetch('{site.alt('/closed')}'); fetch('/fine')"
    await watch.open(site.page("/", fetches))
    found: dict[str, tuple[str, str]] = {}
    for path, kind in (
        ("/own", "response"),
        ("/other", "response"),
        ("/closed", "request_failed"),
        ("/fine", "response"),
    ):
        url = site.alt(path) if path in ("/other", "/closed") else site.url(path)
        detail = (await watch.seen.first(kind, url=url)).detail
        assert isinstance(detail, ResponseReceived | RequestFailed)
        found[path] = detail.trace_id, detail.server_request_id
    assert found == {
        "/own": (TRACE, "req-1"),
        "/other": (TRACE, ""),
        "/closed": (TRACE, "req-1"),
        "/fine": ("", ""),
    }
