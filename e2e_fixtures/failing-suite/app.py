"""The demo app: the pages of `site/`, and an API of which much is broken."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

SITE = Path(__file__).parent / "site"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript"}
SLOW_S = 5.0
SAVING_S = 1.0


class App(BaseHTTPRequestHandler):
    """Status and body by method and path; whatever is not named here is a file, or not found."""

    answers: ClassVar[dict[str, tuple[int, str]]] = {
        "GET /api/orders": (500, '{"error": "relation \\"orders\\" does not exist"}'),
        "GET /api/visits": (404, "{}"),
        "POST /api/cart": (500, '{"error": "cart is locked"}'),
        "GET /api/stock": (503, "{}"),
        "GET /api/statement": (401, "{}"),
        "GET /api/search": (200, '["Teapot"]'),
        "PUT /api/address": (200, "{}"),
        "GET /api/receipt": (500, "{}"),
        "GET /api/payment-methods": (503, "{}"),
    }
    delays_s: ClassVar[dict[str, float]] = {"GET /api/search": SLOW_S, "PUT /api/address": SAVING_S}
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""

    def _answer(self, method: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        time.sleep(self.delays_s.get(f"{method} {path}", 0))
        if f"{method} {path}" in self.answers:
            status, text = self.answers[f"{method} {path}"]
            self._send(status, text.encode(), "application/json")
            return
        file = SITE / (path.strip("/") if "." in path else f"{path.strip('/') or 'index'}.html")
        if file.parent == SITE and file.is_file():
            self._send(200, file.read_bytes(), TYPES[file.suffix])
        else:
            self._send(404, b"not found", "text/plain")

    def _send(self, status: int, body: bytes, media_type: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Ends at once: a request that nobody waits for any more holds nobody up."""

    daemon_threads = True
    block_on_close = False


def serve() -> Server:
    """At a port of its own; `serve_forever` runs it."""
    return Server(("127.0.0.1", 0), App)
