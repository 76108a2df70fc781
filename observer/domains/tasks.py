"""Tasks: which task of a page made a request, is about to fail, navigates or removes an element; told by observer/page/tasks.js.

A context names what a task belongs to: `` (not known), `realm:0` (the document's own scripts while it loads), or the id of a
request, action, element or message below, with the hops that led from there to the task: `r1:7~t` (through a timer),
`r1:0~i3.12` (tick 12 of interval 3).
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from .. import page
from ..cdp.session import Session
from ..domain import LOADERS, OWN_SCRIPT_URL, Domain, Listener, Params, StackTrace
from ..options import CaptureOptions
from ..signal import Detail

MAX_PAYLOAD_CHARS = 200_000
MAX_TEXT_CHARS = 2000
WALL_MS = re.compile(r"\d{1,15}(\.\d{1,9})?")


class RealmStarted(Detail, frozen=True, tag="task_realm"):
    """A document or worker whose tasks are told; the signal's frame is the document's."""

    realm: str


class RequestMade(Detail, frozen=True, tag="task_request"):
    """Comes just before the signal of the request itself, a fetch, XHR, WebSocket or EventSource, of the same session."""

    id: str
    context: str
    url: str


class TaskFails(Detail, frozen=True, tag="task_fails"):
    """What fails next in this session (exception, rejection, console error, warning, assertion) fails in this context."""

    context: str


class TaskNavigates(Detail, frozen=True, tag="task_navigates"):
    """A navigation, or a window that is opened."""

    context: str
    url: str


class ActionBegan(Detail, frozen=True, tag="task_action"):
    """The context of a user's action, or of a message from another site (`message@https://a.example`), told when something happens
    in it; the signal's time is that of the action.
    """

    id: str
    type: str


class ElementFailed(Detail, frozen=True, tag="task_element"):
    """An image, script or style did not load: the context of its error handler."""

    id: str
    url: str


class ElementHandled(Detail, frozen=True, tag="task_element_handled"):
    """The task of that error handler is over: what is loaded from now on, it has not asked for."""

    id: str


class WorkerMade(Detail, frozen=True, tag="task_worker"):
    """Comes before the worker's target opens. A task of the page in which its error arrives is `id.e`."""

    id: str
    context: str
    url: str


class MessageSent(Detail, frozen=True, tag="task_message"):
    """To a worker (`channel` is its id) or out of a worker (`out`); numbered from 0. Its task is `realm:m5` there, `id.5` here.

    A port that went along with message 2 to a worker is `id` + `p2_0` here and `realm:p2_0` there (`q` if it came out of the
    worker); the task of its message 5 is `.5` behind that.
    """

    channel: str
    number: int
    context: str


class ElementRemoved(Detail, frozen=True, tag="task_removed"):
    context: str
    selector: str


class FetchIntercepted(Detail, frozen=True, tag="task_intercepted"):
    """A service worker handles a page's request: the context of that."""

    id: str
    url: str


LINES: dict[str, type[Detail]] = {
    "o": RealmStarted,
    "q": RequestMade,
    "f": TaskFails,
    "n": TaskNavigates,
    "a": ActionBegan,
    "e": ElementFailed,
    "h": ElementHandled,
    "w": WorkerMade,
    "m": MessageSent,
    "r": ElementRemoved,
    "s": FetchIntercepted,
}
"""What the first word of a line means; after it come the wall time and the detail's fields in their order."""


class BindingCalled(Params):
    name: str
    payload: str
    execution_context_id: int = 0


class AuxData(Params):
    is_default: bool = False
    frame_id: str = ""


class Context(Params):
    id: int
    unique_id: str = ""
    aux_data: AuxData | None = None


class ContextCreated(Params):
    context: Context


class ContextDestroyed(Params):
    execution_context_id: int


class FrameId(Params):
    id: str


class InFrame(Params):
    frame: FrameId


class Redirected(Params):
    status: int = 0


class Request(Params):
    url: str


class Initiator(Params):
    stack: StackTrace | None = None


class RequestWillBeSent(Params):
    request: Request
    wall_time: float = 0.0
    frame_id: str = ""
    initiator: Initiator | None = None
    redirect_response: Redirected | None = None


class InstalledReply(msgspec.Struct):
    identifier: str = ""


PAYLOAD = msgspec.json.Decoder(list[list[str | int | float]])
INSTALLED = msgspec.json.Decoder(InstalledReply)


def decoded(line: list[str | int | float]) -> tuple[float, Detail]:
    """The wall time and the detail of one line; raises when it is none of the script's."""
    detail = LINES.get(str(line[0])) if line else None
    if detail is None or len(line) != len(detail.__struct_fields__) + 2 or isinstance(line[1], str):
        raise msgspec.ValidationError(f"not a line: {str(line)[:100]}")
    told = (value[:MAX_TEXT_CHARS] if isinstance(value, str) else value for value in line[2:])
    return line[1], msgspec.convert(dict(zip(detail.__struct_fields__, told, strict=True)), detail)


def carried(name: str, url: str) -> list[tuple[float, Detail]]:
    """What a function of ours in the stack of a request says by its name; a time of 0 is that of the request."""
    match name.split(" "):
        case [_, made, context]:
            began: list[tuple[float, Detail]] = []
        case [_, made, context, action, wall_ms] if WALL_MS.fullmatch(wall_ms):
            began = [(float(wall_ms), ActionBegan(context.partition("~")[0], action))]
        case _:
            return []
    return [*began, (0.0, RequestMade(made, context, url[:MAX_TEXT_CHARS]))]


class TasksDomain(Domain):
    roles = LOADERS
    details = tuple(LINES.values())

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        # Both differ from observer to observer: two may watch one page, and no page can guess them.
        self._key = secrets.token_hex(12)
        self._binding = f"f{secrets.token_hex(8)}"
        config = {"key": self._key, "binding": self._binding, "rides": options.level == "full"}
        source = files(page).joinpath("tasks.js").read_text("utf-8")
        self._script = f"({source})({msgspec.json.encode(config).decode()});\n//# sourceURL={OWN_SCRIPT_URL}"
        # Weak: the answer that brings an id may come after its session went.
        self._script_ids: WeakKeyDictionary[Session, str] = WeakKeyDictionary()
        self._contexts: dict[str, dict[int, Context]] = {}

    def listen(self) -> list[Listener[Any]]:
        if not self.options.markers:
            return []
        rides = [Listener("Network.requestWillBeSent", RequestWillBeSent, self._requested, self._binding)]
        return [
            *(rides if self.options.level == "full" else ()),
            Listener("Runtime.bindingCalled", BindingCalled, self._told, self._binding),
            Listener("Runtime.executionContextCreated", ContextCreated, self._context_created),
            Listener("Runtime.executionContextDestroyed", ContextDestroyed, self._context_destroyed),
            Listener("Runtime.executionContextsCleared", Params, self._contexts_cleared),
            Listener("Page.documentOpened", InFrame, self._rearm),
            Listener("Page.frameNavigated", InFrame, self._rearm),
        ]

    def enable(self, session: Session) -> None:
        if not self.options.markers:
            return
        session.post("Runtime.addBinding", name=self._binding)
        if session.role == "worker":
            if session.info.type == "service_worker" and not session.waiting:
                return  # Chrome warns of every listener that comes after a service worker's first evaluation
            session.post("Runtime.evaluate", expression=self._script, silent=True)
            return
        installed = session.post(
            "Page.addScriptToEvaluateOnNewDocument", source=self._script, runImmediately=True
        )
        installed.add_done_callback(lambda done: self._installed(session, done))

    def undo(self, session: Session) -> None:
        if not self.options.markers:
            return
        for context in self._contexts.get(session.id, {}).values():
            self._ask(session, context, "stop")
        if script_id := self._script_ids.get(session):
            session.post("Page.removeScriptToEvaluateOnNewDocument", identifier=script_id)
        session.post("Runtime.removeBinding", name=self._binding)

    def forget(self, session: Session) -> None:
        self._contexts.pop(session.id, None)

    def _installed(self, session: Session, done: Any) -> None:
        if not done.cancelled() and done.exception() is None:
            with suppress(msgspec.MsgspecError):
                self._script_ids[session] = INSTALLED.decode(done.result()).identifier

    def _told(self, session: Session, params: BindingCalled) -> None:
        if params.name != self._binding or len(params.payload) > MAX_PAYLOAD_CHARS:
            return
        context = self._contexts.get(session.id, {}).get(params.execution_context_id)
        frame = context.aux_data.frame_id if context and context.aux_data else ""
        for line in PAYLOAD.decode(params.payload):
            wall_ms, detail = decoded(line)
            session.emit(detail, wall_ms=wall_ms, frame=frame)

    def _requested(self, session: Session, params: RequestWillBeSent) -> None:
        """What a function of ours says by its name, in the stack of the request that it makes."""
        if params.initiator is None or params.initiator.stack is None or params.redirect_response:
            return
        for frame in params.initiator.stack.call_frames:
            if frame.url != OWN_SCRIPT_URL:
                return
            if frame.function_name.startswith(self._binding):
                for wall_ms, detail in carried(frame.function_name, params.request.url):
                    at_ms = wall_ms or params.wall_time * 1000
                    session.emit(detail, wall_ms=at_ms, frame=params.frame_id)

    def _ask(self, session: Session, context: Context, what: str) -> None:
        """Have the script of a realm do something; it can be reached through any of its functions that the page left in place."""
        carriers = "[globalThis.postMessage, globalThis.setTimeout, Function.prototype.toString]"
        session.post(
            "Runtime.evaluate",
            expression=f'{carriers}.find((one) => one?.["{self._key}"])?.["{self._key}"].{what}()',
            uniqueContextId=context.unique_id,
            silent=True,
        )

    def _context_created(self, session: Session, params: ContextCreated) -> None:
        aux = params.context.aux_data
        if session.role == "worker" or (aux and aux.is_default):
            self._contexts.setdefault(session.id, {})[params.context.id] = params.context

    def _context_destroyed(self, session: Session, params: ContextDestroyed) -> None:
        self._contexts.get(session.id, {}).pop(params.execution_context_id, None)

    def _contexts_cleared(self, session: Session, _: Params) -> None:
        self._contexts.pop(session.id, None)

    def _rearm(self, session: Session, params: InFrame) -> None:
        """`document.open`, and a document that takes the place of another in its window, take every listener off it."""
        for context in self._contexts.get(session.id, {}).values():
            if context.aux_data and context.aux_data.frame_id == params.frame.id:
                self._ask(session, context, "arm")
