"""A page of literal signals whose flows can be told in a few words, and the links that an engine finds between their events."""

from __future__ import annotations

import itertools
from typing import Any, Self

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.cdp.targets import TargetOpened
from firstcause.observer.domains.network import RequestFailed, RequestSent, ResponseReceived
from firstcause.observer.domains.page import Lifecycle, Navigated
from firstcause.observer.domains.page_script import ActionEnded, UserAction
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionThrown
from firstcause.observer.domains.tasks import ActionBegan, RealmStarted, RequestMade, TaskFails, WorkerMade
from firstcause.observer.signal import Detail, Signal, StackFrame

from .signals import WALL_MS

SITE = "http://shop.test"
SCRIPT = f"{SITE}/app.js"
STEP_S = 0.0021


def at(function: str, line: int, column: int = 5) -> StackFrame:
    return StackFrame(function, SCRIPT, line, column)


class Story:
    """One page, `p1` unless told otherwise, whose clock goes on by 2.1 ms with every signal; `wait` lets more time pass.

    With `marked=False` the page does not tell its tasks, and every `context` is left out.
    """

    def __init__(self, engine: Engine | None = None, *, page: str = "p1", marked: bool = True) -> None:
        numbers = itertools.count(1)
        self.engine = engine or Engine("shop", lambda: f"id{next(numbers)}")
        self.page = page
        self.marked = marked
        self.realm = f"r{page}"
        self.session = f"S{page}"
        self.now_s = 100.0
        self.order = 0
        self.actions = 0
        self.requests = 0
        self.signals: list[Signal] = []
        self.events: list[Event] = []

    def signal(self, detail: Detail, **fields: Any) -> Self:
        self.now_s += STEP_S
        self.order += 1
        place: dict[str, Any] = {
            "browser": "b1",
            "session": self.session,
            "order": self.order,
            "page": self.page,
            "target": f"T{self.page}",
            "target_type": "page",
            "frame": f"T{self.page}",
            "monotonic_s": self.now_s,
            "wall_ms": WALL_MS + self.now_s * 1000,
        }
        told = Signal(detail=detail, **(place | fields))
        self.signals.append(told)
        self.events += self.engine.feed(told)
        return self

    def wait(self, wait_s: float) -> Self:
        self.now_s += wait_s
        return self

    def load(self, path: str = "/") -> Self:
        """The page is loaded and its load event is over."""
        self.signal(TargetOpened("page"))
        self.signal(Navigated(SITE + path), loader_id=f"L{self.page}")
        if self.marked:
            self.signal(RealmStarted(self.realm))
        return self.signal(Lifecycle("load"), loader_id=f"L{self.page}")

    def worker(self) -> Story:
        """A worker of the page, `rw`, made while the page loads; its clock is to be set by hand."""
        self.signal(WorkerMade(f"{self.realm}:w1", f"{self.realm}:0", "/worker.js"))
        worker = Story(self.engine, page=self.page)
        worker.session, worker.realm, worker.now_s = "SW", "rw", self.now_s
        worker.signal(TargetOpened("worker", SITE + "/worker.js"), target_type="worker")
        return worker.signal(RealmStarted("rw"), target_type="worker", frame="")

    def act(self, element: str, how: str = "click") -> str:
        """What the user does; gives the context."""
        self.actions += 1
        context = f"{self.realm}:a{self.actions}"
        self.signal(UserAction(how), element=element)
        self.act_wall_ms = self.signals[-1].wall_ms
        if self.marked:
            self.signal(ActionBegan(context, how), wall_ms=self.act_wall_ms)
        return context

    def acted(self) -> Self:
        return self.signal(ActionEnded())

    def ask(self, path: str, context: str = "", *stack: StackFrame, kind: str = "Fetch") -> tuple[str, str]:
        """A request is made; gives its id and the context of what follows its answer."""
        self.requests += 1
        request_id, asked = f"R{self.page}{self.requests}", f"{self.realm}:{self.requests}"
        if self.marked and kind in {"Fetch", "XHR"}:
            self.signal(RequestMade(asked, context, path))
        self.signal(
            RequestSent("GET", SITE + path, kind, "script"),
            request_id=request_id,
            loader_id=f"L{self.page}",
            stack=stack or (at("load", 10),),
        )
        return request_id, asked

    def answer(self, request_id: str, path: str, status: int, kind: str = "Fetch", mime: str = "") -> Self:
        return self.signal(
            ResponseReceived("GET", SITE + path, kind, status, 20.0, mime), request_id=request_id
        )

    def breaks(self, request_id: str, path: str, error: str = "net::ERR_FAILED", **more: Any) -> Self:
        return self.signal(RequestFailed("GET", SITE + path, "Fetch", error, **more), request_id=request_id)

    def log(self, text: str, context: str | None = None, *stack: StackFrame) -> Self:
        """console.error"""
        self._fails(context)
        return self.signal(ConsoleCalled("error", text), stack=stack or (at("show", 90),))

    def throw(self, text: str, context: str | None = None, *stack: StackFrame, **more: Any) -> Self:
        self._fails(context)
        frames = stack or (at("show", 90),)
        where = {"url": frames[0].url, "line": frames[0].line, "column": frames[0].column}
        return self.signal(ExceptionThrown(text, **(where | more)), stack=frames)

    def _fails(self, context: str | None) -> None:
        if self.marked and context is not None:
            self.signal(TaskFails(context))

    def end(self) -> Self:
        self.events += self.engine.finish()
        return self

    def event(self, text: str) -> Event:
        """The one event whose summary has the text."""
        [found] = [event for event in self.events if text in event.summary]
        return found

    def link(self, effect: str, cause: str) -> tuple[str, float] | None:
        """How the one event comes of the other, if it does."""
        found = self.event(effect).cause
        if found is None or found.id != self.event(cause).id:
            return None
        return found.via, found.confidence
