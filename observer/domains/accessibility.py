"""Accessibility: has axe look at pages by a few grave rules, only while they rest; off unless asked for, because that takes the page's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ..axe import GRAVE_RULES, UNASKED_RULES_AT_ONCE, axe_script, bring_in, groups, look_by
from ..cdp.session import Session
from ..domain import FRAMES, Domain, Listener, Params
from ..errors import CommandFailed
from ..options import CaptureOptions
from ..signal import Detail
from ..world import World

LOOK_EVERY_S = 0.5
REST_S = 2.0
CHECK_EVERY_S = 30.0
CHECK_LIMIT_S = 20.0
# A request that is not answered for so long waits for news, and a page that goes on asking for so long asks for news: both are at rest.
NEWS_S = 10.0
BOOLEAN = msgspec.json.Decoder(bool | None)


class Violation(Detail, frozen=True, tag="a11y_violation"):
    """Elements that break a rule and were not told before: how many, and the first three."""

    rule: str
    impact: str
    count: int
    nodes: tuple[str, ...] = ()
    help: str = ""


class AccessibilityChecked(Detail, frozen=True, tag="a11y_checked"):
    """A document was looked at by so many rules, and so many of them are broken by what is new in it."""

    rules: int
    broken: int = 0
    elapsed_ms: float = 0.0


class Frame(Params):
    id: str
    loader_id: str = ""


class FrameNavigated(Params):
    frame: Frame


class OfFrame(Params):
    frame_id: str


class OfRequest(Params):
    request_id: str


class Rest:
    """What is known of a page's rest without asking it."""

    def __init__(self, loader_id: str = "") -> None:
        self.loader_id = loader_id
        self.loading = False
        self.loaded_s = time.monotonic()
        self.heard_s = self.loaded_s
        self.checked_s = float("-inf")
        self.unanswered: dict[str, float] = {}

    def is_due(self, now_s: float) -> bool:
        if self.loading or now_s - self.loaded_s < REST_S or now_s - self.checked_s < CHECK_EVERY_S:
            return False
        self.unanswered = {one: at_s for one, at_s in self.unanswered.items() if now_s - at_s < NEWS_S}
        if self.unanswered:
            return False
        return now_s - self.heard_s >= REST_S or now_s - self.loaded_s >= NEWS_S


class AccessibilityDomain(Domain):
    roles = FRAMES
    details = (Violation, AccessibilityChecked)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        if options.a11y:
            axe_script()  # said now, if it is missing
        self._rests: dict[str, Rest] = {}

    def listen(self) -> list[Listener[Any]]:
        if not self.options.a11y:
            return []
        return [
            Listener("Page.frameStartedLoading", OfFrame, self._loading_started),
            Listener("Page.frameStoppedLoading", OfFrame, self._loading_stopped),
            Listener("Page.frameNavigated", FrameNavigated, self._navigated),
            Listener("Page.navigatedWithinDocument", OfFrame, self._loading_stopped),
            Listener("Network.requestWillBeSent", OfRequest, self._asked),
            Listener("Network.responseReceived", OfRequest, self._answered),
            Listener("Network.loadingFailed", OfRequest, self._answered),
        ]

    def forget(self, session: Session) -> None:
        if session.info.type == "page":
            self._rests.pop(session.page, None)

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        while self.options.a11y:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = time.monotonic()
            due = [one for one in sessions() if is_open_page(one) and self._rest(one).is_due(now_s)]
            await asyncio.gather(*(self._check(session) for session in due))

    async def _check(self, session: Session) -> None:
        world, rest = World(session, CHECK_LIMIT_S), self._rest(session)
        try:
            await world.enter()
            if not BOOLEAN.decode(await world.run("firstcause.resting?.isDue()")):
                return
            known = await bring_in(world)
            if await self._looked(session, world, [rule for rule in GRAVE_RULES if rule in known]):
                await world.run("firstcause.resting?.looked()")
        except (CommandFailed, msgspec.MsgspecError):
            rest.loaded_s = time.monotonic()  # gone, or busy after all: another time

    async def _looked(self, session: Session, world: World, rules: list[str]) -> bool:
        """Whether nobody came in between."""
        rest, began_s, broken = self._rest(session), time.monotonic(), 0
        for group in groups(rules, UNASKED_RULES_AT_ONCE):
            found = await look_by(world, group, unasked=True)
            if found is None or rest.loaded_s > began_s:
                return False
            rest.checked_s = began_s
            broken += len(found)
            for violated in found:
                self._emit(session, Violation(*msgspec.structs.astuple(violated)))
        elapsed_ms = round((time.monotonic() - began_s) * 1000, 1)
        self._emit(session, AccessibilityChecked(len(rules), broken, elapsed_ms))
        return True

    def _emit(self, session: Session, detail: Detail) -> None:
        element = detail.nodes[0] if isinstance(detail, Violation) and detail.nodes else ""
        loader_id = self._rest(session).loader_id
        session.emit(detail, frame=session.info.target_id, loader_id=loader_id, element=element)

    def _rest(self, session: Session) -> Rest:
        return self._rests.setdefault(session.page, Rest())

    def _loading_started(self, session: Session, params: OfFrame) -> None:
        if is_main(session, params.frame_id):
            self._rest(session).loading = True

    def _loading_stopped(self, session: Session, params: OfFrame) -> None:
        if is_main(session, params.frame_id):
            rest = self._rest(session)
            rest.loading, rest.loaded_s = False, time.monotonic()

    def _navigated(self, session: Session, params: FrameNavigated) -> None:
        if is_main(session, params.frame.id):
            loading = self._rest(session).loading
            rest = self._rests[session.page] = Rest(params.frame.loader_id)
            rest.loading = loading

    def _asked(self, session: Session, params: OfRequest) -> None:
        rest = self._rest(session)
        rest.unanswered[params.request_id] = rest.heard_s = time.monotonic()

    def _answered(self, session: Session, params: OfRequest) -> None:
        rest = self._rest(session)
        rest.unanswered.pop(params.request_id, None)
        rest.heard_s = time.monotonic()


def is_main(session: Session, frame_id: str) -> bool:
    return session.info.type == "page" and session.info.target_id == frame_id


def is_open_page(session: Session) -> bool:
    asleep = session.crashed or session.dialog_open or session.occupied
    return session.info.type == "page" and session.role == "frame" and session.ready and not asleep
