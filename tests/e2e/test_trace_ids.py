"""The ids by which a backend knows a request, out of the headers that a real Chromium tells."""

from __future__ import annotations

from firstcause.observer.domains.network import RequestFailed, ResponseReceived

from .support import Answer, Site, Watch

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ROUNDS = 10


async def test_failing_answers_have_trace_and_request_ids(site: Site, watch: Watch) -> None:
    cors = {"Access-Control-Allow-Origin": "*"}
    own, timed = (
        {"Traceparent": PARENT, "X-Request-Id": "req-1"},
        {"Server-Timing": f'traceparent;desc="{PARENT}"'},
    )
    site.routes |= {
        "/own": Answer("", "text/plain", own, "500 No"),
        "/other": Answer("", "text/plain", timed | cors, "503 No"),
        "/fine": Answer("", "text/plain", own),
    }
    await watch.open(site.page("/", f"fetch('/own'); fetch('{site.alt('/other')}'); fetch('/fine')"))
    for url, ids in (
        (site.url("/own"), (TRACE, "req-1")),
        (site.alt("/other"), (TRACE, "")),
        (site.url("/fine"), ("", "")),
    ):
        detail = (await watch.seen.first("response", url=url)).detail
        assert isinstance(detail, ResponseReceived)
        assert (detail.trace_id, detail.server_request_id) == ids


async def test_an_answer_that_the_page_may_not_read_has_them_as_well(site: Site, watch: Watch) -> None:
    site.routes["/closed"] = Answer("", "text/plain", {"Traceparent": PARENT, "X-Request-Id": "req-1"})
    tab = await watch.open(site.page("/"))
    told: set[tuple[str, str]] = set()
    # A busy Chromium tells of such an answer after its failure, now and then: then nobody knows its ids in time.
    for number in range(ROUNDS):
        url = site.alt(f"/closed?{number}")
        await tab.run(f"fetch('{url}').catch(() => 0)")
        detail = (await watch.seen.first("request_failed", url=url)).detail
        assert isinstance(detail, RequestFailed)
        told.add((detail.trace_id, detail.server_request_id))
        if detail.trace_id:
            break
    assert (TRACE, "req-1") in told
    assert told <= {(TRACE, "req-1"), ("", "")}
