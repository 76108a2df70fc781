"""Network: requests with their redirects, answers, failures, sizes and initiators, and the life of WebSockets.

A request may start in one session and end in another (documents of cross-site frames, worker scripts), and a fetch whose body is
never read has no end at all; so requests are known by their id alone, and nothing waits for an end.
"""

from __future__ import annotations

from hashlib import blake2b
from os import urandom
from typing import Any

import msgspec

from ..cdp.session import Session
from ..domain import LOADERS, Domain, Listener, Params, StackTrace, async_stack_of, stack_of
from ..options import CaptureOptions, Level
from ..signal import Detail
from ..tracing import HEADERS, UNKNOWN, trace_of

MAX_URL_CHARS = 2000
MAX_DATA_URL_CHARS = 80
KEPT_REQUESTS = 10_000
NO_HEADERS = msgspec.Raw(b"{}")
NO_BODY = NO_TIMING = msgspec.Raw(b"")
UNSEEN_BODY = "unseen"
# Each form has a boundary of its own in its body.
FORM_BOUNDARY = b'"------WebKitFormBoundary'
FORM_BOUNDARY_BYTES = len(FORM_BOUNDARY) + 16
# What is smaller is not worth a look at its headers, and what is faster none at its timing.
LARGE_BYTES = 10_000
LONG_MS = 300.0


class RequestSent(Detail, frozen=True, tag="request"):
    """`body` tells one body from another and says nothing of it: a digest, or `unseen` where Chrome does not tell it (files).

    `blocks_rendering`: nothing is painted before it is there.
    """

    method: str
    url: str
    type: str
    initiator: str = ""
    initiator_url: str = ""
    body: str = ""
    blocks_rendering: bool = False


class RequestRedirected(Detail, frozen=True, tag="redirect"):
    method: str
    url: str
    to_url: str
    status: int


class ResponseReceived(Detail, frozen=True, tag="response"):
    """`queued_ms` is how long it took until the browser began with it, of one that took long: the wait for a free connection."""

    method: str
    url: str
    type: str
    status: int
    elapsed_ms: float = 0.0
    mime: str = ""
    protocol: str = ""
    source: str = ""
    trace_id: str = ""
    server_request_id: str = ""
    queued_ms: float = 0.0


class ResponseExtra(Detail, frozen=True, tag="response_extra"):
    """Status and cookies as they came over the wire, before cache and CORS changed what the page sees."""

    status: int
    blocked_cookies: tuple[str, ...] = ()


class RequestFinished(Detail, frozen=True, tag="request_finished"):
    """Of a large one also what it holds and how that was compressed: `gzip`, `br`, nothing."""

    method: str
    url: str
    type: str
    status: int = 0
    elapsed_ms: float = 0.0
    encoded_bytes: float = 0
    mime: str = ""
    compression: str = ""


class RequestFailed(Detail, frozen=True, tag="request_failed"):
    method: str
    url: str
    type: str
    error: str
    canceled: bool = False
    blocked_reason: str = ""
    cors_error: str = ""
    cors_parameter: str = ""
    status: int = 0
    elapsed_ms: float = 0.0
    trace_id: str = ""
    server_request_id: str = ""


class SocketOpened(Detail, frozen=True, tag="socket_opened"):
    url: str


class SocketAnswered(Detail, frozen=True, tag="socket_answered"):
    url: str
    status: int


class SocketFailed(Detail, frozen=True, tag="socket_failed"):
    url: str
    error: str


class SocketClosed(Detail, frozen=True, tag="socket_closed"):
    url: str
    lived_ms: float = 0.0


class Request(Params):
    url: str
    method: str = "GET"
    has_post_data: bool = False
    post_data: msgspec.Raw = NO_BODY


class Initiator(Params):
    type: str = ""
    url: str = ""
    stack: StackTrace | None = None


class Response(Params):
    url: str
    status: int
    headers: msgspec.Raw = NO_HEADERS
    mime_type: str = ""
    protocol: str = ""
    from_disk_cache: bool = False
    from_service_worker: bool = False
    from_prefetch_cache: bool = False
    encoded_data_length: float = -1.0
    timing: msgspec.Raw = NO_TIMING


class Timing(Params):
    """In ms from `request_time`, which is in seconds; -1 for what did not happen."""

    request_time: float = 0.0
    dns_start: float = -1.0
    connect_start: float = -1.0
    send_start: float = -1.0


TIMING = msgspec.json.Decoder(Timing)


class RequestWillBeSent(Params):
    request_id: str
    timestamp: float
    request: Request
    wall_time: float = 0.0
    loader_id: str = ""
    frame_id: str = ""
    type: str = ""
    initiator: Initiator | None = None
    redirect_response: Response | None = None
    render_blocking_behavior: str = ""


class ResponseReceivedParams(Params):
    request_id: str
    timestamp: float
    response: Response
    loader_id: str = ""
    frame_id: str = ""
    type: str = ""


class BlockedCookie(Params):
    blocked_reasons: list[str] = []


class ExtraInfo(Params):
    request_id: str
    status_code: int = 0
    blocked_cookies: list[BlockedCookie] = []
    headers: msgspec.Raw = NO_HEADERS


class LoadingFinished(Params):
    request_id: str
    timestamp: float
    encoded_data_length: float = 0


class CorsErrorStatus(Params):
    cors_error: str = ""
    failed_parameter: str = ""


class LoadingFailed(Params):
    request_id: str
    timestamp: float
    type: str = ""
    error_text: str = ""
    canceled: bool = False
    blocked_reason: str = ""
    cors_error_status: CorsErrorStatus | None = None


class SocketCreated(Params):
    request_id: str
    url: str
    initiator: Initiator | None = None


class SocketResponse(Params):
    status: int


class SocketHandshake(Params):
    request_id: str
    timestamp: float
    response: SocketResponse


class SocketFrameError(Params):
    request_id: str
    timestamp: float
    error_message: str = ""


class SocketEnd(Params):
    request_id: str
    timestamp: float


def shorten_url(url: str) -> str:
    limit = MAX_DATA_URL_CHARS if url.startswith("data:") else MAX_URL_CHARS
    return url if len(url) <= limit else url[: limit - 1] + "…"


def source_of(response: Response) -> str:
    if response.from_service_worker:
        return "service-worker"
    if response.from_prefetch_cache:
        return "prefetch-cache"
    if response.from_disk_cache:
        return "disk-cache"
    # An answer shared with an equal request that was on its way; what a test makes up has no timing.
    return "cache" if response.encoded_data_length == 0 and response.timing is not NO_TIMING else ""


class Flight:
    """A request on its way: what its end does not repeat.

    `headers` are those of the answer, read only if the request fails; a copy, or they would keep their whole frame in memory.
    """

    __slots__ = (
        "frame",
        "headers",
        "loader",
        "method",
        "mime",
        "started",
        "status",
        "type",
        "url",
        "wall_offset_s",
    )

    def __init__(self, params: RequestWillBeSent) -> None:
        self.method = params.request.method
        self.url = shorten_url(params.request.url)
        self.type = params.type
        self.frame = params.frame_id
        self.loader = params.loader_id
        self.started = params.timestamp
        self.wall_offset_s = params.wall_time - params.timestamp
        self.status = 0
        self.mime = ""
        self.headers = NO_HEADERS


class NetworkDomain(Domain):
    roles = LOADERS
    levels = frozenset[Level]({"full"})
    details = (
        RequestSent,
        RequestRedirected,
        ResponseReceived,
        ResponseExtra,
        RequestFinished,
        RequestFailed,
        SocketOpened,
        SocketAnswered,
        SocketFailed,
        SocketClosed,
    )

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._flights: dict[str, Flight] = {}
        self._sockets: dict[str, tuple[str, float]] = {}
        self._wall_offset_s = 0.0
        # Nobody can find out a short body, a PIN, by trying all.
        self._digest_key = urandom(16)

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Network.requestWillBeSent", RequestWillBeSent, self._sent),
            Listener("Network.responseReceived", ResponseReceivedParams, self._response),
            Listener("Network.responseReceivedExtraInfo", ExtraInfo, self._extra),
            Listener("Network.loadingFinished", LoadingFinished, self._finished),
            Listener("Network.loadingFailed", LoadingFailed, self._failed),
            Listener("Network.webSocketCreated", SocketCreated, self._socket_opened),
            Listener("Network.webSocketHandshakeResponseReceived", SocketHandshake, self._socket_answered),
            Listener("Network.webSocketFrameError", SocketFrameError, self._socket_failed),
            Listener("Network.webSocketClosed", SocketEnd, self._socket_closed),
        ]

    def enable(self, session: Session) -> None:
        session.post("Network.enable")

    def undo(self, session: Session) -> None:
        session.post("Network.disable")

    def _wall_ms(self, timestamp: float, flight: Flight | None = None) -> float:
        offset_s = flight.wall_offset_s if flight is not None else self._wall_offset_s
        return (timestamp + offset_s) * 1000 if offset_s else 0.0

    def _sent(self, session: Session, params: RequestWillBeSent) -> None:
        flight = Flight(params)
        if params.wall_time:
            self._wall_offset_s = flight.wall_offset_s
        else:
            flight.wall_offset_s = self._wall_offset_s
        before = self._flights.pop(params.request_id, None)
        wall_ms = self._wall_ms(params.timestamp, flight)
        if params.redirect_response is not None:
            session.emit(
                RequestRedirected(
                    method=before.method if before else flight.method,
                    url=shorten_url(params.redirect_response.url),
                    to_url=flight.url,
                    status=params.redirect_response.status,
                ),
                wall_ms=wall_ms,
                frame=params.frame_id,
                request_id=params.request_id,
                loader_id=params.loader_id,
            )
        self._flights[params.request_id] = flight
        if len(self._flights) > KEPT_REQUESTS:
            del self._flights[next(iter(self._flights))]
        initiator = params.initiator or Initiator()
        session.emit(
            RequestSent(
                flight.method,
                flight.url,
                flight.type,
                initiator.type,
                shorten_url(initiator.url),
                self._body_digest(params.request) if params.request.has_post_data else "",
                params.render_blocking_behavior == "Blocking",
            ),
            wall_ms=wall_ms,
            frame=params.frame_id,
            request_id=params.request_id,
            loader_id=params.loader_id,
            stack=stack_of(initiator.stack),
            async_stack=async_stack_of(initiator.stack),
        )

    def _body_digest(self, request: Request) -> str:
        body = bytes(request.post_data)
        if not body:
            return UNSEEN_BODY
        if body.startswith(FORM_BOUNDARY):
            body = body.replace(body[1:FORM_BOUNDARY_BYTES], b"")
        return blake2b(body, digest_size=8, key=self._digest_key).hexdigest()

    def _response(self, session: Session, params: ResponseReceivedParams) -> None:
        flight = self._flights.get(params.request_id)
        response = params.response
        trace = trace_of(response.headers) if response.status >= 400 else UNKNOWN
        took_ms = elapsed_ms(flight, params.timestamp)
        if flight is not None:
            flight.status, flight.mime = response.status, response.mime_type
            if response.status >= 400:
                trace = trace_of(flight.headers) if trace == UNKNOWN else trace
            elif flight.headers is NO_HEADERS:
                flight.headers = response.headers.copy()
        session.emit(
            ResponseReceived(
                flight.method if flight else "",
                flight.url if flight else shorten_url(response.url),
                params.type,
                response.status,
                took_ms,
                response.mime_type,
                response.protocol,
                source_of(response),
                trace.trace_id,
                trace.request_id,
                queued_ms(flight, response.timing) if took_ms >= LONG_MS else 0.0,
            ),
            wall_ms=self._wall_ms(params.timestamp, flight),
            frame=params.frame_id,
            request_id=params.request_id,
            loader_id=params.loader_id,
        )

    def _extra(self, session: Session, params: ExtraInfo) -> None:
        # It comes before or after the response, and is all that comes of one that CORS keeps from the page.
        flight = self._flights.get(params.request_id)
        if flight is not None and not 300 <= params.status_code < 400:
            flight.headers = params.headers.copy()
        blocked = tuple(
            sorted({reason for cookie in params.blocked_cookies for reason in cookie.blocked_reasons})
        )
        if blocked or params.status_code >= 400:  # anything else only repeats the response
            session.emit(ResponseExtra(params.status_code, blocked), request_id=params.request_id)

    def _finished(self, session: Session, params: LoadingFinished) -> None:
        flight = self._flights.pop(params.request_id, None)
        if flight is None:
            return
        is_large = params.encoded_data_length >= LARGE_BYTES
        session.emit(
            RequestFinished(
                flight.method,
                flight.url,
                flight.type,
                flight.status,
                elapsed_ms(flight, params.timestamp),
                params.encoded_data_length,
                flight.mime if is_large else "",
                compression_of(flight.headers) if is_large else "",
            ),
            wall_ms=self._wall_ms(params.timestamp, flight),
            frame=flight.frame,
            request_id=params.request_id,
            loader_id=flight.loader,
        )

    def _failed(self, session: Session, params: LoadingFailed) -> None:
        flight = self._flights.pop(params.request_id, None)
        cors = params.cors_error_status or CorsErrorStatus()
        trace = trace_of(flight.headers) if flight else UNKNOWN
        session.emit(
            RequestFailed(
                method=flight.method if flight else "",
                url=flight.url if flight else "",
                type=params.type,
                error=params.error_text,
                canceled=params.canceled,
                blocked_reason=params.blocked_reason,
                cors_error=cors.cors_error,
                cors_parameter=cors.failed_parameter,
                status=flight.status if flight else 0,
                elapsed_ms=elapsed_ms(flight, params.timestamp),
                trace_id=trace.trace_id,
                server_request_id=trace.request_id,
            ),
            wall_ms=self._wall_ms(params.timestamp, flight),
            frame=flight.frame if flight else "",
            request_id=params.request_id,
            loader_id=flight.loader if flight else "",
        )

    def _socket_opened(self, session: Session, params: SocketCreated) -> None:
        url = shorten_url(params.url)
        self._sockets[params.request_id] = (url, 0.0)
        if len(self._sockets) > KEPT_REQUESTS:
            del self._sockets[next(iter(self._sockets))]
        initiator = params.initiator or Initiator()
        session.emit(
            SocketOpened(url),
            request_id=params.request_id,
            stack=stack_of(initiator.stack),
            async_stack=async_stack_of(initiator.stack),
        )

    def _socket_answered(self, session: Session, params: SocketHandshake) -> None:
        url, _ = self._sockets.get(params.request_id, ("", 0.0))
        self._sockets[params.request_id] = (url, params.timestamp)
        session.emit(
            SocketAnswered(url, params.response.status),
            wall_ms=self._wall_ms(params.timestamp),
            request_id=params.request_id,
        )

    def _socket_failed(self, session: Session, params: SocketFrameError) -> None:
        url, _ = self._sockets.get(params.request_id, ("", 0.0))
        session.emit(
            SocketFailed(url, params.error_message),
            wall_ms=self._wall_ms(params.timestamp),
            request_id=params.request_id,
        )

    def _socket_closed(self, session: Session, params: SocketEnd) -> None:
        url, opened = self._sockets.pop(params.request_id, ("", 0.0))
        lived_ms = (params.timestamp - opened) * 1000 if opened else 0.0
        session.emit(
            SocketClosed(url, round(lived_ms, 1)),
            wall_ms=self._wall_ms(params.timestamp),
            request_id=params.request_id,
        )


def elapsed_ms(flight: Flight | None, timestamp: float) -> float:
    return round((timestamp - flight.started) * 1000, 1) if flight else 0.0


def queued_ms(flight: Flight | None, raw_timing: msgspec.Raw) -> float:
    try:
        timing = TIMING.decode(raw_timing)
    except msgspec.MsgspecError:
        return 0.0
    if flight is None or timing.request_time <= 0:
        return 0.0
    steps_ms = (timing.dns_start, timing.connect_start, timing.send_start)
    began_ms = next((ms for ms in steps_ms if ms >= 0), 0.0)
    return max(0.0, round((timing.request_time - flight.started) * 1000 + began_ms, 1))


def compression_of(headers: msgspec.Raw) -> str:
    try:
        decoded = HEADERS.decode(headers)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return next((value for name, value in decoded.items() if name.lower() == "content-encoding"), "")
