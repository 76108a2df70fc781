"""The demo app in two releases: the suite was written for the first one, and the second has other names for eight elements."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

SITE = Path(__file__).parent / "site"


class App(BaseHTTPRequestHandler):
    """`site/` is the second release; `before` has what is otherwise in the first one, by page."""

    before: ClassVar[dict[str, dict[str, str]]] = {
        "settings": {'id="save-settings"': 'id="save"'},
        "basket": {'data-testid="checkout"': 'data-testid="checkout-button"'},
        "contact": {"Send the message": "Send message"},
        "signup": {"E-mail": "Email"},
        "search": {"Search for products": "Search products"},
        "account": {"menu-orders": "nav-orders"},
        "profile": {'name="ui-language"': 'name="language"'},
        "newsletter": {'id="subscribe"': 'id="newsletter"'},
        "plan": {">Upgrade now<": ">Upgrade<", 'id="buy"': 'id="upgrade"'},
    }
    answers: ClassVar[dict[str, int]] = {"/api/payment": 500}
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.strip("/")
        file = SITE / f"{name}.html"
        if file.parent == SITE and file.is_file():
            self._send(200, self._page(name, file.read_text("utf-8")))
        else:
            self._send(self.answers.get(path, 404), "{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""

    def _page(self, name: str, text: str) -> str:
        if os.environ.get("RELEASE") == "1":
            for new, old in self.before.get(name, {}).items():
                text = text.replace(new, old)
        return text

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Ends at once: a request that nobody waits for any more holds nobody up."""

    daemon_threads = True
    block_on_close = False


def serve() -> Server:
    """At a port of its own; `serve_forever` runs it."""
    return Server(("127.0.0.1", 0), App)
