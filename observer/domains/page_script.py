"""The in-page script: installs observer/page/*.js in an isolated world of every frame, and takes what it tells."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from .. import page
from ..cdp.session import Session
from ..domain import FRAMES, OWN_SCRIPT_URL, Domain, Listener, Params
from ..fingerprint import NOTHING, Fingerprint
from ..options import CaptureOptions
from ..signal import Detail
from ..world import WORLD

BINDING = "firstcauseTell"
PARTS = (
    "vitals.js",
    "actions.js",
    "clicks.js",
    "mutations.js",
    "elements.js",
    "candidates.js",
    "blocked.js",
    "selectors.js",
    "resting.js",
)


class FrameScript(msgspec.Struct, frozen=True, omit_defaults=True):
    """One script of a long frame: who called it, what it ran, for how long."""

    invoker: str = ""
    type: str = ""
    url: str = ""
    function: str = ""
    char: int = -1
    duration_ms: float = 0
    forced_layout_ms: float = 0
    pause_ms: float = 0


class LongFrame(Detail, frozen=True, tag="long_frame"):
    duration_ms: float
    blocking_ms: float = 0
    render_ms: float = 0
    style_ms: float = 0
    presentation_ms: float = 0
    scripts: tuple[FrameScript, ...] = ()


class LongTask(Detail, frozen=True, tag="long_task"):
    duration_ms: float


class Interaction(Detail, frozen=True, tag="interaction"):
    name: str
    interaction: int
    duration_ms: float
    input_delay_ms: float = 0
    processing_ms: float = 0


class LayoutShift(Detail, frozen=True, tag="layout_shift"):
    """`moved_px` is how far each of the nodes went."""

    value: float
    nodes: tuple[str, ...] = ()
    moved_px: tuple[float, ...] = ()


class FirstPaint(Detail, frozen=True, tag="first_paint"):
    """`after_ms`: since the navigation began, or a prerendered page was activated; 0 if it was in the background meanwhile."""

    after_ms: float = 0


class LargestPaint(Detail, frozen=True, tag="largest_paint"):
    """One that is larger than all before; `after_ms` as with the first one."""

    size: float = 0
    url: str = ""
    after_ms: float = 0


class LoadTiming(Detail, frozen=True, tag="load_timing"):
    ttfb_ms: float = 0
    dom_ms: float = 0
    load_ms: float = 0
    status: int = 0
    type: str = ""


class ResourceTiming(Detail, frozen=True, tag="resource"):
    url: str
    initiator: str = ""
    status: int = 0
    duration_ms: float = 0
    transfer_bytes: float = 0


class UserAction(Detail, frozen=True, tag="action"):
    """`x` and `y` say where in the window a click fell."""

    type: str
    key: str = ""
    x: float = 0
    y: float = 0


class ActionEnded(Detail, frozen=True, tag="action_ended"):
    """The task that handled the user's action is over."""


SelectorState = Literal["", "healthy", "missing", "ambiguous", "stale", "blocked", "invalid"]


class ClickQuiet(Detail, frozen=True, tag="click_quiet"):
    """Nothing had followed a click by then, as far as the page shows it: no change, scrolling, playing, selecting, typing.

    The signal's time is that of the click. `clickable`: it fell on what looks as if it could be clicked.
    """

    after_ms: float
    clickable: bool = False


class MutationBatch(Detail, frozen=True, tag="mutation_batch"):
    """Many nodes came and went in one task; the signal's element is where most of them did."""

    added: int
    removed: int


class BodyEmptied(Detail, frozen=True, tag="body_emptied"):
    """Most elements of the page went at once, and a second later there were no more; `shows`: there is something to see."""

    before: int
    left: int
    shows: bool = False


class BodyEmpty(Detail, frozen=True, tag="body_empty"):
    """Nothing can be seen of the page so long after its load; it may hold elements and scripts all the same."""

    after_ms: float
    elements: int = 0
    scripts: int = 0


class SelectorMatches(Detail, frozen=True, tag="selector"):
    """A watched selector finds another number of elements than before, or its element became another or can't be used.

    A count of -1 is "not a valid selector" or "not looked yet". `was` is the element as it was while the selector found it alone,
    `candidates` are those that may be it now, `removed` is the part of the page that went with it. `moved` says that the page shows
    another view since. Blocked: `reason` is covered (by `overlay`), outside or disabled; `free` that it could be used before.
    """

    selector: str
    count: int
    before: int = -1
    state: SelectorState = ""
    was: Fingerprint = NOTHING
    candidates: tuple[Fingerprint, ...] = ()
    removed: str = ""
    moved: bool = False
    reason: str = ""
    overlay: str = ""
    free: bool = False


class SelectorsWatched(Detail, frozen=True, tag="selectors_watched"):
    """What a document watches from now on."""

    selectors: tuple[str, ...] = ()


Told = (
    LongFrame
    | LongTask
    | Interaction
    | LayoutShift
    | FirstPaint
    | LargestPaint
    | LoadTiming
    | ResourceTiming
    | UserAction
    | ActionEnded
    | ClickQuiet
    | MutationBatch
    | BodyEmptied
    | BodyEmpty
    | SelectorMatches
    | SelectorsWatched
)


class Entry(msgspec.Struct):
    detail: Told
    t: float = 0
    element: str = ""


class Batch(msgspec.Struct):
    origin: float
    entries: list[Entry]


class BindingCalled(Params):
    name: str
    payload: str
    execution_context_id: int = 0


class AuxData(Params):
    frame_id: str = ""


class Context(Params):
    id: int
    name: str = ""
    unique_id: str = ""
    aux_data: AuxData | None = None


class ContextCreated(Params):
    context: Context


class ContextDestroyed(Params):
    execution_context_id: int


class NavigatedFrame(Params):
    id: str


class Navigated(Params):
    frame: NavigatedFrame


class InstalledReply(msgspec.Struct):
    identifier: str = ""


BATCH = msgspec.json.Decoder(Batch)
INSTALLED = msgspec.json.Decoder(InstalledReply)


def page_script(options: CaptureOptions) -> str:
    """The whole script as one expression: the core, called with its parts and what they need to know."""
    folder = files(page)

    def source(name: str) -> str:
        return folder.joinpath(name).read_text("utf-8")

    config = {
        "binding": BINDING,
        "own": OWN_SCRIPT_URL,
        "resources": options.level == "lean",
        "selectors": options.watched_selectors,
        "a11y": options.a11y,
    }
    parts = ",\n".join(f"({source(name)})" for name in PARTS)
    # By its name it is told apart from the page's own scripts, in stacks and in long frames.
    named = f"//# sourceURL={OWN_SCRIPT_URL}"
    return f"({source('core.js')})([{parts}], {msgspec.json.encode(config).decode()});\n{named}"


class PageScriptDomain(Domain):
    roles = FRAMES
    details = (
        LongFrame,
        LongTask,
        Interaction,
        LayoutShift,
        FirstPaint,
        LargestPaint,
        LoadTiming,
        ResourceTiming,
        UserAction,
        ActionEnded,
        ClickQuiet,
        MutationBatch,
        BodyEmptied,
        BodyEmpty,
        SelectorMatches,
        SelectorsWatched,
    )

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._watched = options.watched_selectors
        self._script = page_script(options)
        # Weak: the answer that brings an id may come after its session went.
        self._script_ids: WeakKeyDictionary[Session, str] = WeakKeyDictionary()
        self._installed_selectors: WeakKeyDictionary[Session, tuple[str, ...]] = WeakKeyDictionary()
        self._worlds: dict[str, dict[int, Context]] = {}

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Runtime.bindingCalled", BindingCalled, self._told, BINDING),
            Listener("Runtime.executionContextCreated", ContextCreated, self._context_created),
            Listener("Runtime.executionContextDestroyed", ContextDestroyed, self._context_destroyed),
            Listener("Runtime.executionContextsCleared", Params, self._contexts_cleared),
            Listener("Page.frameNavigated", Navigated, self._rearm),
        ]

    def enable(self, session: Session) -> None:
        # Only after Runtime.enable has the isolated world a binding: the list of domains keeps that order.
        session.post("Runtime.addBinding", name=BINDING, executionContextName=WORLD)
        self._installed_selectors[session] = self._watched
        installed = session.post(
            "Page.addScriptToEvaluateOnNewDocument", source=self._script, worldName=WORLD, runImmediately=True
        )
        installed.add_done_callback(lambda done: self._installed(session, done))

    def undo(self, session: Session) -> None:
        for context in self._worlds.get(session.id, {}).values():
            session.post(
                "Runtime.evaluate",
                expression="globalThis.firstcause?.stop()",
                uniqueContextId=context.unique_id,
            )
        if script_id := self._script_ids.get(session):
            session.post("Page.removeScriptToEvaluateOnNewDocument", identifier=script_id)
        session.post("Runtime.removeBinding", name=BINDING)

    def forget(self, session: Session) -> None:
        self._worlds.pop(session.id, None)

    def watch(self, selectors: tuple[str, ...], sessions: Iterable[Session]) -> None:
        """Exactly these from now on, in every document that is there and in those that come."""
        self._watched = selectors
        self._script = page_script(replace(self.options, watched_selectors=selectors))
        for session in sessions:
            for context in self._worlds.get(session.id, {}).values():
                self._post_watched(session, context)

    def _post_watched(self, session: Session, context: Context) -> None:
        session.post(
            "Runtime.evaluate",
            expression=f"globalThis.firstcause?.watch?.({msgspec.json.encode(self._watched).decode()})",
            uniqueContextId=context.unique_id,
            silent=True,
        )

    def _installed(self, session: Session, done: Any) -> None:
        if not done.cancelled() and done.exception() is None:
            with suppress(msgspec.MsgspecError):
                self._script_ids[session] = INSTALLED.decode(done.result()).identifier

    def _told(self, session: Session, params: BindingCalled) -> None:
        if params.name != BINDING:
            return
        batch = BATCH.decode(params.payload)
        context = self._worlds.get(session.id, {}).get(params.execution_context_id)
        frame = context.aux_data.frame_id if context and context.aux_data else ""
        for entry in batch.entries:
            session.emit(entry.detail, wall_ms=batch.origin + entry.t, frame=frame, element=entry.element)

    def _context_created(self, session: Session, params: ContextCreated) -> None:
        if params.context.name == WORLD:
            self._worlds.setdefault(session.id, {})[params.context.id] = params.context
            # What Chrome was given for new documents of this session is what was watched when it was attached.
            if self._watched != self._installed_selectors.get(session):
                self._post_watched(session, params.context)

    def _context_destroyed(self, session: Session, params: ContextDestroyed) -> None:
        self._worlds.get(session.id, {}).pop(params.execution_context_id, None)

    def _contexts_cleared(self, session: Session, _: Params) -> None:
        self._worlds.pop(session.id, None)

    def _rearm(self, session: Session, params: Navigated) -> None:
        for context in self._worlds.get(session.id, {}).values():
            if context.aux_data and context.aux_data.frame_id == params.frame.id:
                session.post(
                    "Runtime.evaluate",
                    expression="globalThis.firstcause?.arm()",
                    uniqueContextId=context.unique_id,
                    silent=True,
                )
