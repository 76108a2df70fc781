"""Passes what a run tells on to a server: failures with what led to them, under the ids that it gives them."""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import threading
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from ...correlator.event import Event
from ...correlator.explanation import PROVEN
from ...correlator.kept import Kept
from ..client.address import PATH, address_of

TIMEOUT_S: Final = 5.0
END_S: Final = 10.0
AGAIN_S: Final = 0.1
PATIENCE_S: Final = 5.0
MAX_KEPT: Final = 20_000
TOO_MANY: Final = 429
TAKEN: Final = 201
FIELDS: Final = ("channel", "type", "kind", "severity", "summary", "context", "page", "session", "timestamp")


class Sender:
    """Takes events from any thread and never keeps anybody waiting; `problem` says why something did not arrive.

    What is not wrong is sent only where it led to something that is. Raises BadUrl and ServerUnreachable.
    """

    def __init__(self, url: str, project: str = "") -> None:
        address = address_of(url)
        parts = urlsplit(address.url)
        secure = parts.scheme == "wss"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        more: dict[str, Any] = {"context": ssl.create_default_context()} if secure else {}
        self._connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_S, **more)
        query = f"?{urlencode({'project': project})}" if project else ""
        self._path = parts.path.removesuffix(PATH) + "/v1/events" + query
        self._headers = {"Content-Type": "application/json"}
        if address.token:
            self._headers["Authorization"] = f"Bearer {address.token}"
        self.problem = ""
        self.lost = 0
        self._kept: Kept[str, Event] = Kept(MAX_KEPT)
        self.ids: Kept[str, str] = Kept(MAX_KEPT)
        """What the server calls the events that it has."""
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, name="firstcause sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, event: Event) -> None:
        self._events.put(event)

    def stop(self, timeout_s: float = END_S) -> None:
        """When all is sent, or the time is over."""
        self._events.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.lost += self._events.qsize()
            self.problem = self.problem or "the server is too slow"

    def _send_all(self) -> None:
        while (event := self._events.get()) is not None:
            if event.severity == "info" and event.channel != "runs":
                self._kept[event.id] = event
                continue
            for each in self._with_causes(event):
                self._send(each)
        self._connection.close()

    def _with_causes(self, event: Event) -> Iterator[Event]:
        """What led to it and was not sent so far, first."""
        path = [event]
        while (cause := path[-1].cause) is not None and (kept := self._kept.pop(cause.id, None)):
            path.append(kept)
        return reversed(path)

    def _send(self, event: Event) -> None:
        if self.problem:
            self.lost += 1
            return
        try:
            answer = self._posted(self._said(event))
            self.ids[event.id] = json.loads(answer)["event"]
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            self.problem = str(error) or type(error).__name__
            self.lost += 1

    def _said(self, event: Event) -> bytes:
        told = event.model_dump(mode="json", include={*FIELDS, "correlation_id"}, exclude_defaults=True)
        # The server takes a cause that is named for proven.
        if event.cause is not None and event.cause.confidence >= PROVEN and event.cause.id in self.ids:
            told["cause"] = self.ids[event.cause.id]
        return json.dumps(told).encode()

    def _posted(self, body: bytes) -> bytes:
        deadline_s = monotonic() + PATIENCE_S
        while True:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status == TAKEN:
                return said
            if answer.status != TOO_MANY or monotonic() > deadline_s:
                raise ValueError(_reason(said, answer.status))
            sleep(AGAIN_S)


def _reason(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):
        return f"it answered {status}"
