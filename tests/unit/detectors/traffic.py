"""Requests that take their time: what the detectors of requests are told about, in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from firstcause.correlator.detecting import AnyDetector
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.network import (
    RequestFailed,
    RequestFinished,
    RequestSent,
    ResponseReceived,
)
from firstcause.observer.domains.page import Navigated

from ..flows import SITE, STEP_S, Story, at


class Traffic(Story):
    """A page, watched by one detector, that asks and is answered after `took_s`."""

    def __init__(
        self,
        detector: type[AnyDetector],
        *,
        engine: Engine | None = None,
        page: str = "p1",
        **options: float,
    ) -> None:
        self.kind = detector.id
        told_by = engine or Engine("shop", detectors=(detector,), thresholds={detector.id: options})
        super().__init__(told_by, page=page, marked=False)
        self.loader = f"L{page}"
        self.sent_at_s: dict[str, float] = {}
        self.load()

    def navigate(self, loader: str, **more: Any) -> Self:
        """The page, or a frame of it, goes to another document."""
        self.loader = loader
        return self.signal(Navigated(SITE + "/next", **more), loader_id=loader)

    def send(self, path: str, *, method: str = "GET", type: str = "Fetch") -> str:  # noqa: A002
        self.requests += 1
        request_id = f"R{self.page}{self.requests}"
        self.signal(
            RequestSent(method, SITE + path, type, "script"),
            request_id=request_id,
            loader_id=self.loader,
            stack=(at("load", 10),),
        )
        self.sent_at_s[request_id] = self.sent_s = self.now_s
        return request_id

    def respond(self, request_id: str, path: str, status: int, took_s: float, **more: Any) -> Self:
        """`more`: the method, the type, what a response has beside."""
        what: dict[str, Any] = {"method": "GET", "type": "Fetch"} | more
        detail = ResponseReceived(url=SITE + path, status=status, elapsed_ms=took_s * 1_000, **what)
        return self.signal(detail, request_id=request_id, loader_id=self.loader)

    def request(self, path: str, status: int, took_s: float = 0.03, **more: Any) -> Self:
        """One that is answered."""
        asked = {name: value for name, value in more.items() if name in {"method", "type"}}
        request_id = self.send(path, **asked)
        return self.wait(took_s - STEP_S).respond(request_id, path, status, took_s, **more)

    def finish(self, path: str, took_s: float = 0.03, size: float = 100, **more: Any) -> Self:
        """One whose answer is read to its end."""
        self.request(path, 200, took_s, **more)
        what: dict[str, Any] = {"method": "GET", "type": "Fetch"} | more
        self.now_s -= STEP_S
        detail = RequestFinished(
            url=SITE + path, status=200, elapsed_ms=took_s * 1_000, encoded_bytes=size, **what
        )
        return self.signal(detail, request_id=f"R{self.page}{self.requests}", loader_id=self.loader)

    def fail(self, path: str, error: str = "net::ERR_FAILED", took_s: float = 0.03, **more: Any) -> Self:
        """One that ends without an answer."""
        request_id = self.send(path)
        return self.wait(took_s - STEP_S).end_of(request_id, path, error, took_s, **more)

    def end_of(self, request_id: str, path: str, error: str, took_s: float, **more: Any) -> Self:
        what: dict[str, Any] = {"method": "GET", "type": "Fetch"} | more
        detail = RequestFailed(url=SITE + path, error=error, elapsed_ms=took_s * 1_000, **what)
        return self.signal(detail, request_id=request_id, loader_id=self.loader)

    def pass_by(self, wait_s: float) -> Self:
        """Time passes, and what is due is told."""
        self.now_s += wait_s
        self.events += self.engine.advance(self.now_s)
        return self

    @property
    def found(self) -> list[Event]:
        """What the detector told."""
        return of_kind(self.events, self.kind)


def of_kind(events: Iterable[Event], kind: str) -> list[Event]:
    return [event for event in events if event.kind == kind]
