"""Requests with all that the detectors of how a page loads look at: bodies, sizes, queues, and when exactly each was made."""

from __future__ import annotations

from typing import Any, Self

from firstcause.correlator.detecting import AnyDetector
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.network import (
    RequestFailed,
    RequestFinished,
    RequestSent,
    ResponseReceived,
)
from firstcause.observer.signal import StackFrame

from ..flows import SITE, STEP_S, at
from ..signals import WALL_MS
from .traffic import Traffic

BEGAN_S = 200.0


class Loading(Traffic):
    """A page, watched by one detector; what a request was is remembered until its end."""

    def __init__(
        self,
        detector: type[AnyDetector],
        *,
        engine: Engine | None = None,
        page: str = "p1",
        **options: float,
    ) -> None:
        self.begun: dict[str, tuple[tuple[str, str, str], float]] = {}
        super().__init__(detector, engine=engine, page=page, **options)

    def at_ms(self, ms: float) -> Self:
        """The next signal comes so long after the story began."""
        self.now_s = BEGAN_S + ms / 1000 - STEP_S
        return self

    def begin(
        self,
        path: str,
        method: str = "GET",
        type: str = "Fetch",  # noqa: A002
        stack: tuple[StackFrame, ...] = (at("load", 10),),
        **more: Any,
    ) -> str:
        """A request is made; gives its id."""
        self.requests += 1
        request_id = f"R{self.page}{self.requests}"
        what = method, SITE + path, type
        self.signal(
            RequestSent(*what, "script", **more), request_id=request_id, loader_id=self.loader, stack=stack
        )
        self.begun[request_id] = what, self.signals[-1].wall_ms
        return request_id

    def answered(
        self, request_id: str, status: int = 200, mime: str = "application/json", **more: Any
    ) -> Self:
        what, took_ms = self._until_now(request_id)
        return self._of(request_id, ResponseReceived(*what, status, took_ms, mime, **more))

    def finished(self, request_id: str, size: float = 100, status: int = 200, **more: Any) -> Self:
        """Its answer is read to the end."""
        what, took_ms = self._until_now(request_id)
        return self._of(request_id, RequestFinished(*what, status, took_ms, size, **more))

    def given_up(self, request_id: str) -> Self:
        what, _ = self._until_now(request_id)
        return self._of(request_id, RequestFailed(*what, "net::ERR_ABORTED", canceled=True))

    def _of(self, request_id: str, detail: Any) -> Self:
        return self.signal(detail, request_id=request_id, loader_id=self.loader)

    def _until_now(self, request_id: str) -> tuple[tuple[str, str, str], float]:
        what, began_ms = self.begun[request_id]
        return what, round(WALL_MS + (self.now_s + STEP_S) * 1000 - began_ms, 2)
