"""One connection after another to the stream: what ends it for good, and after what a client only comes back."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ...observer.errors import FirstcauseError
from ..errors import Forbidden, RequestRefused, ServerUnreachable, TooLarge, TooMany, Unauthorized
from ..wire import CLOSES, FORBIDDEN, FRAME_TOO_LARGE, TOO_MANY, UNAUTHORIZED, Error
from .address import HOW_TO_START, Address

BACKOFF_S = (0.1, 5.0)
SILENCE_S = 45.0  # an idle server speaks every 15 s
OPEN_S: Final = 10.0
CLOSE_S: Final = 1.0
MAX_FRAME_BYTES: Final = 64 << 20
HELD_FRAMES: Final = 8  # beside those that wait for the user

TOKEN_HINT: Final = (
    "Give `token` or set FIRSTCAUSE_TOKEN; on the server's machine `firstcause token` prints it."
)
REASONS: Final[dict[int, tuple[type[RequestRefused], str, str]]] = {
    UNAUTHORIZED.code: (Unauthorized, UNAUTHORIZED.when, TOKEN_HINT),
    FORBIDDEN.code: (Forbidden, FORBIDDEN.when, "Use a token that may do this, from a place that may."),
    TOO_MANY.code: (TooMany, TOO_MANY.when, "Close another connection, or raise max_connections."),
    FRAME_TOO_LARGE.code: (TooLarge, FRAME_TOO_LARGE.when, "Send less at once, or raise max_body_kb."),
}
CODE_OF_STATUS: Final = {401: UNAUTHORIZED.code, 403: FORBIDDEN.code, 429: TOO_MANY.code}


class ConnectionEnded(Exception):
    """Says why, and whether it would end the same way again."""

    def __init__(self, reason: FirstcauseError, *, lasting: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.lasting = lasting


@asynccontextmanager
async def connection(address: Address) -> AsyncGenerator[ClientConnection]:
    """A connection to the stream; when it is refused or ends by itself, ConnectionEnded is raised."""
    opening = connect(
        address.url,
        additional_headers={"Authorization": f"Bearer {address.token}"} if address.token else None,
        # A proxy is of no use on this machine, and must not see its token.
        proxy=None if address.local else True,
        compression=None if address.local else "deflate",
        # While the user is slow nothing is read, pongs neither: a dead connection is known by its silence instead.
        ping_interval=None,
        open_timeout=OPEN_S,
        close_timeout=CLOSE_S,
        max_size=MAX_FRAME_BYTES,
        max_queue=HELD_FRAMES,
    )
    try:
        async with opening as socket:
            try:
                yield socket
            finally:  # as a goodbye, also when this task is cancelled: the library would call that an error
                await socket.close()
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd else 1006
        lasting = any(close.code == code and not close.resumable for close in CLOSES)
        reason = _reason(code) or _unreachable(address, f"the connection ended, {code}")
        raise ConnectionEnded(reason, lasting=lasting) from error
    except InvalidStatus as error:
        status = error.response.status_code
        reason = _told_by(error.response.body) or _reason(CODE_OF_STATUS.get(status, 0))
        reason = reason or _unreachable(address, f"HTTP status {status}")
        raise ConnectionEnded(reason, lasting=400 <= status < 500 and status != 429) from error
    except (OSError, InvalidHandshake) as error:
        raise ConnectionEnded(_unreachable(address, str(error).lower())) from error


def refused(code: str, message: str, hint: str) -> RequestRefused:
    """What a server refused, as the exception that it had there."""
    kinds: list[type[RequestRefused]] = [RequestRefused]
    for kind in kinds:
        kinds += kind.__subclasses__()
    error = next((kind for kind in kinds if kind.code == code), RequestRefused)(message, hint)
    error.code = code
    return error


def delays_s() -> Iterator[float]:
    """How long to wait before each attempt to come back; the jitter keeps many clients apart."""
    delay_s, most_s = BACKOFF_S
    while True:
        yield delay_s * random.uniform(0.5, 1.0)
        delay_s = min(delay_s * 2, most_s)


def _reason(code: int) -> RequestRefused | None:
    if code not in REASONS:
        return None
    kind, message, hint = REASONS[code]
    return kind(message, hint)


def _told_by(body: bytes | bytearray | None) -> RequestRefused | None:
    try:
        told = msgspec.json.decode(body or b"", type=Error)
    except msgspec.MsgspecError:
        return None
    return refused(told.code, told.message, told.hint)


def _unreachable(address: Address, reason: str) -> ServerUnreachable:
    return ServerUnreachable(
        f"No firstcause answers at {address.url.partition('?')[0]}: {reason}.", HOW_TO_START
    )
