"""The tree of attached targets: a session on every page, frame, worker and worklet, each set up before its first script runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from ..domain import Domain
from ..options import TargetMode
from ..signal import Detail, Signal
from .connection import Connection, Wanted
from .replayed import ReplayHistory
from .session import Session, TargetInfo


class TargetOpened(Detail, frozen=True, tag="target_opened"):
    type: str
    url: str = ""
    opener: str = ""


class TargetClosed(Detail, frozen=True, tag="target_closed"):
    type: str
    url: str = ""


TARGET_DETAILS = (TargetOpened, TargetClosed)


class AttachedToTarget(msgspec.Struct, rename="camel"):
    session_id: str
    target_info: TargetInfo
    waiting_for_debugger: bool = False


class DetachedFromTarget(msgspec.Struct, rename="camel"):
    session_id: str


class TargetCreated(msgspec.Struct, rename="camel"):
    target_info: TargetInfo


class TargetInfoChanged(msgspec.Struct, rename="camel"):
    target_info: TargetInfo


def without(*types: str) -> list[dict[str, Any]]:
    return [{"type": name, "exclude": True} for name in types] + [{}]


# "browser_ui" are Chrome's own omnibox pages. Allowing both tab and page in one filter is refused by Chrome.
ROOT_FILTERS: dict[TargetMode, list[dict[str, Any]]] = {
    "page": without("browser", "browser_ui", "tab"),
    "tab": without("browser", "browser_ui", "page"),
}
# Service workers always come from the root session; offered by children too they would be attached three times.
CHILD_FILTER = without("browser", "browser_ui", "tab", "service_worker")
SETUP_WAIT_S = 2.0
DETACH_WAIT_S = 1.0
# A popup that can reach its opener shares the opener's main thread, which waits for the first release by any client. Two clients
# that release at about the same time crash the renderer or freeze it for good, so it is left to the driver, if there is one:
# ours follows long after, for a driver that never does. Alone there is no race; the short hold is for a driver not noticed yet.
DRIVER_RELEASES_WITHIN_S = 2.0
POPUP_HOLD_S = 0.05


class TargetTree:
    """Keeps `sessions` in step with the browser. Lives as long as the observer; connections come and go beneath it."""

    def __init__(
        self, browser: str, mode: TargetMode, domains: Sequence[Domain], sink: Callable[[Signal], None]
    ) -> None:
        self._browser = browser
        self._mode: TargetMode = mode
        self._domains = domains
        self._sink = sink
        self._connection: Connection | None = None
        self._histories: dict[str, ReplayHistory] = {}
        self._pages: dict[str, str] = {}
        self._pages_named = 0
        self._setups: dict[str, asyncio.Task[None]] = {}
        self._beside_driver = False
        self.sessions: dict[str, Session] = {}

    def wanted(self) -> list[Wanted[Any]]:
        return [
            Wanted("Target.attachedToTarget", AttachedToTarget, self._attached),
            Wanted("Target.detachedFromTarget", DetachedFromTarget, self._detached),
            Wanted("Target.targetCreated", TargetCreated, self._created),
            Wanted("Target.targetInfoChanged", TargetInfoChanged, self._info_changed),
        ]

    async def attach_all(self, connection: Connection) -> None:
        """Attach to all that exists now, and return when every one of them is set up (a hung page holds nobody back)."""
        self._connection = connection
        root = self._session("", TargetInfo(), None, waiting=False)
        self.sessions[""] = root
        for domain in self._domains:
            if root.role in domain.roles:
                domain.enable(root)
        await root.call("Target.setDiscoverTargets", discover=True, filter=without("browser", "browser_ui"))
        await self._auto_attach(root)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETUP_WAIT_S):
                while setups := list(
                    self._setups.values()
                ):  # the set-up of a page brings its frames and workers
                    await asyncio.wait(setups)

    async def detach_all(self) -> None:
        """Leave every target as it was, children before parents."""
        answers: list[asyncio.Future[msgspec.Raw]] = []
        for session in reversed(self.sessions.values()):
            for domain in reversed(self._domains):
                if session.role in domain.roles:
                    domain.undo(session)
            answers.append(session.post("Runtime.runIfWaitingForDebugger", DETACH_WAIT_S))
        # Only then: it ends the sessions at once, also those that have not answered.
        await asyncio.wait(answers)
        off = {"autoAttach": False, "waitForDebuggerOnStart": False, "flatten": True}
        await asyncio.wait([self.sessions[""].post("Target.setAutoAttach", DETACH_WAIT_S, **off)])

    def drop_all(self) -> None:
        """The connection is gone, and every session with it; what each target told is remembered for the replay."""
        for setup in self._setups.values():
            setup.cancel()
        self._setups.clear()
        for session in self.sessions.values():
            for domain in self._domains:
                domain.forget(session)
        self.sessions.clear()
        for history in self._histories.values():
            history.expect()

    def forget_gone(self) -> None:
        """After a reconnect: targets that did not come back never will."""
        present = {session.info.target_id for session in self.sessions.values()}
        self._histories = {
            target: history for target, history in self._histories.items() if target in present
        }
        self._pages = {target: page for target, page in self._pages.items() if target in present}

    def console_incomplete(self) -> tuple[str, ...]:
        """Pages whose replay has nothing in common with what was told: the buffer overflowed, or they navigated meanwhile."""
        pages = {s.page for s in self.sessions.values() if s.history.lost_touch}
        return tuple(sorted(pages - {""}))

    def _session(
        self, session_id: str, info: TargetInfo, parent: Session | None, *, waiting: bool
    ) -> Session:
        assert self._connection is not None
        return Session(
            session_id,
            info,
            browser=self._browser,
            page=self._page_of(info, parent),
            connection=self._connection,
            sink=self._sink,
            history=self._histories.setdefault(info.target_id, ReplayHistory()),
            parent=parent,
            waiting=waiting,
        )

    def _page_of(self, info: TargetInfo, parent: Session | None) -> str:
        if info.type == "page":
            if info.target_id not in self._pages:
                self._pages_named += 1
                self._pages[info.target_id] = f"p{self._pages_named}"
            return self._pages[info.target_id]
        return parent.page if parent is not None else ""

    def _auto_attach(self, session: Session) -> asyncio.Future[msgspec.Raw]:
        chosen = CHILD_FILTER if session.id else ROOT_FILTERS[self._mode]
        return session.post(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True, filter=chosen
        )

    def _attached(self, parent_id: str, event: AttachedToTarget) -> None:
        parent = self.sessions.get(parent_id)
        if parent is None or event.session_id in self.sessions:  # "" is the browser itself
            return
        session = self._session(
            event.session_id, event.target_info, parent, waiting=event.waiting_for_debugger
        )
        self.sessions[session.id] = session
        opener = self._pages.get(session.info.opener_id, "")
        session.emit(TargetOpened(session.info.type, session.info.url, opener))
        # All of it is pipelined, and the target handles it in this order: first its children, so that none starts unseen.
        children_known = self._auto_attach(session) if session.role != "worklet" else None
        for domain in self._domains:
            if session.role in domain.roles:
                domain.enable(session)
        setup = asyncio.create_task(self._release(session, children_known))
        self._setups[session.id] = setup
        setup.add_done_callback(lambda _: self._setups.pop(session.id, None))

    async def _release(self, session: Session, children_known: asyncio.Future[msgspec.Raw] | None) -> None:
        """Let the target run once our set-up is in its queue."""
        parent = session.parent
        if session.info.type == "tab" and children_known is not None:
            # The page below a new tab does not wait itself: the tab's wait holds its first navigation, so the page's set-up must
            # be sent before the tab goes. Its replies can't be awaited: a noopener popup has no renderer yet.
            await asyncio.wait([children_known])
        # A page below a waiting tab says waitingForDebugger=false, and its renderer (and its opener's) waits all the same.
        waits = session.waiting or (parent is not None and parent.info.type == "tab" and parent.waiting)
        if waits:
            if session.info.can_access_opener:
                await asyncio.sleep(DRIVER_RELEASES_WITHIN_S if self._beside_driver else POPUP_HOLD_S)
            session.post("Runtime.runIfWaitingForDebugger")
        if session.role != "hub":
            await asyncio.wait(
                [session.post("Runtime.getIsolateId"), *([children_known] if children_known else [])]
            )
        session.ready = True

    def _created(self, _: str, event: TargetCreated) -> None:
        # We have not attached to it yet: somebody else, who attaches to every new target, has.
        if event.target_info.type == "page" and event.target_info.attached:
            self._beside_driver = True

    def _detached(self, _: str, event: DetachedFromTarget) -> None:
        session = self.sessions.pop(event.session_id, None) if event.session_id else None
        if session is None:
            return
        if setup := self._setups.pop(session.id, None):
            setup.cancel()
        session.emit(TargetClosed(session.info.type, session.info.url))
        for domain in self._domains:
            domain.forget(session)
        if not any(other.info.target_id == session.info.target_id for other in self.sessions.values()):
            self._histories.pop(session.info.target_id, None)
            self._pages.pop(session.info.target_id, None)

    def _info_changed(self, _: str, event: TargetInfoChanged) -> None:
        for session in self.sessions.values():
            if session.info.target_id == event.target_info.target_id:
                session.info = event.target_info
