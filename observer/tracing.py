"""Under which ids a backend knows a request: read from the headers of its answer, from names that are listed, in forms that are known."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

# What links to a trace, the best first: W3C, Amazon, Google, Zipkin, Sentry, Jaeger, and what people make themselves.
TRACE_IDS = {
    "traceparent": re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"),
    "server-timing": re.compile(
        r"traceparent\s*;(?:[^,;]*;)*\s*desc=\"?[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b"
    ),
    "x-amzn-trace-id": re.compile(r"\bRoot=(1-[0-9a-f]{8}-[0-9a-f]{24})\b"),
    "x-cloud-trace-context": re.compile(r"([0-9a-f]{32})(?:/\d+)?(?:;o=\d)?\Z"),
    "x-b3-traceid": re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})\Z"),
    "sentry-trace": re.compile(r"([0-9a-f]{32})-[0-9a-f]{16}"),
    "uber-trace-id": re.compile(r"([0-9a-f]{16,32}):[0-9a-f]+:"),
    "x-trace-id": re.compile(r"([0-9A-Za-z][\w-]{7,63})\Z"),
}
SEARCHED = frozenset({"server-timing", "x-amzn-trace-id"})
NO_TRACE = re.compile(r"0+")

# What finds one request in a log.
REQUEST_IDS = (
    "x-request-id",
    "x-correlation-id",
    "request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-ms-request-id",
    "x-goog-request-id",
    "x-github-request-id",
    "x-vercel-id",
    "fly-request-id",
    "cf-ray",
    "x-azure-ref",
    "x-amz-cf-id",
)
REQUEST_ID = re.compile(r"[0-9A-Za-z][\w.:/+=@-]{3,79}")
MAX_HEADER_CHARS = 4_000

NAMES = frozenset(TRACE_IDS) | frozenset(REQUEST_IDS)
HEADERS = msgspec.json.Decoder(dict[str, str])


class Trace(NamedTuple):
    """`trace_id` is shared by all that a request led to, `request_id` belongs to it alone."""

    trace_id: str = ""
    request_id: str = ""


UNKNOWN = Trace()


def trace_of(headers: msgspec.Raw) -> Trace:
    """What the headers say of it."""
    try:
        decoded = HEADERS.decode(headers)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return UNKNOWN
    given = {
        name: value[:MAX_HEADER_CHARS].strip()
        for name, value in ((name.lower(), value) for name, value in decoded.items())
        if name in NAMES
    }
    return Trace(trace_id_of(given), request_id_of(given)) if given else UNKNOWN


def trace_id_of(headers: dict[str, str]) -> str:
    for name, form in TRACE_IDS.items():
        value = headers.get(name, "")
        found = form.search(value) if name in SEARCHED else form.match(value)
        if found and not NO_TRACE.fullmatch(found[1]):
            return found[1]
    return ""


def request_id_of(headers: dict[str, str]) -> str:
    return next((headers[name] for name in REQUEST_IDS if REQUEST_ID.fullmatch(headers.get(name, ""))), "")
