"""uvicorn's protocols, with what a server on a hostile network needs: limits on slow and endless requests, an end for stalled readers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

REQUEST_S: Final = 10.0
"""How long a request may take to arrive; uvicorn alone waits for ever."""
MAX_HEAD_BYTES: Final = 64 * 1024
CLOSE_S: Final = 5.0
BAD_HANDSHAKE: Final = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
EXTENSION: Final = "firstcause.connection"


class HttpProtocol(HttpToolsProtocol):
    """Ends connections whose request does not arrive whole in time, or has too long a head."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.access_log = False
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._is_idle():
            self._expect_request()
        if self._in_head and self._head_bytes + len(data) > MAX_HEAD_BYTES:
            # The body may have come along, which counts for nothing here.
            room = MAX_HEAD_BYTES - self._head_bytes
            super().data_received(data[:room])
            if self._in_head:
                self.send_400_response("The head of the request is too long.")
                return
            data = data[room:]
        elif self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        extensions = cast("dict[str, Any]", self.scope.setdefault("extensions", {}))
        extensions[EXTENSION] = self

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._request_is_here()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_is_here()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._request_is_here()
        super().handle_websocket_upgrade()

    def write_chunk(self, body: bytes) -> bool:
        """A part of a response that was begun without a length. Whether there is room for more."""
        if not self.transport.is_closing():
            self.transport.writelines((b"%x\r\n" % len(body), body, b"\r\n"))
        return not self.flow.write_paused

    def _is_idle(self) -> bool:
        cycle = getattr(self, "cycle", None)
        return cycle is None or cycle.response_complete

    def _expect_request(self) -> None:
        self._head_bytes = 0
        self._in_head = True
        self._deadline = self.loop.call_later(REQUEST_S, self._too_slow)

    def _request_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()


def _head(size: int) -> bytes:
    """Of an unmasked text message in one frame."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Can be told to end while its client does not read."""

    _left: asyncio.Event | None = None

    def data_received(self, data: bytes) -> None:
        if self._left is not None:
            return
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            # The head comes whole; of one that it does not take (long lines, very many) the library says nothing and waits.
            self.transport.write(BAD_HANDSHAKE)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions = cast("dict[str, Any]", self.scope.setdefault("extensions", {}))
            extensions[EXTENSION] = self

    def send_receive_event_to_app(self) -> None:
        """uvicorn logs a traceback for text that is no UTF-8; with that any client could fill the log."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def write_messages(self, messages: Sequence[bytes]) -> bool:
        """Past uvicorn's own `send`, which costs five times as much. Whether there is room for more.

        Whole messages may go between what the protocol itself writes (pongs, the close); after a close frame nothing may.
        """
        if not self.close_sent and not self.transport.is_closing():
            self.transport.writelines(
                [part for message in messages for part in (_head(len(message)), message)]
            )
        return self.writable.is_set()

    def close_stalled(self, code: int, reason: str) -> None:
        """The close frame waits behind what is not read yet; who still does not read is cut off."""
        if self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.close_sent = True
        self._left = asyncio.Event()
        self.stop_keepalive()
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            # Closed for good with something of the client's unread, the kernel would throw away what the client has not read either.
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()
        self.loop.call_later(CLOSE_S, self.transport.abort)

    async def left(self) -> None:
        """Until a stalled client has gone: uvicorn closes for good when the application returns."""
        if self._left is not None:
            await self._left.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._left is not None:
            self._left.set()
