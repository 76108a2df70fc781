"""Watchdog: a heartbeat to every page; a page that stops answering is a hang, told with the function that keeps it busy.

The stack comes from pauses, and a pause is only answered if Debugger was enabled before the hang began. That must not make a
`debugger` statement of the page stop it: breakpoints are switched off, and where that did not hold the page is resumed at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from ..cdp.session import Session, TargetInfo
from ..domain import FRAMES, MAX_STACK_FRAMES, OWN_SCRIPT_URL, Domain, Listener, Params
from ..errors import CommandFailed
from ..options import CaptureOptions
from ..signal import Detail, StackFrame
from .network import shorten_url
from .performance import Metrics, read_metrics

BEAT_EVERY_S = 0.25
PROBE_AFTER_S = 0.7
TELL_AFTER_S = (1.0, 5.0, 15.0)
PAUSES = 3
PAUSE_EVERY_S = 0.08
ANSWER_WITHIN_S = 0.15
LATE_S = 0.2
WITHIN_DOCUMENT = frozenset({"sameDocument", "historySameDocument"})
KEPT_SCRIPTS = 5_000
UNLIMITED_S = 24 * 3600.0

BusyWith = Literal["script", "layout", "native"]


class PageHang(Detail, frozen=True, tag="hang"):
    """`busy_with` is what the page spends its time on; inside one long native call nobody can look, so that has no stack."""

    duration_ms: float
    busy_with: BusyWith
    url: str = ""


class PageHangEnded(Detail, frozen=True, tag="hang_ended"):
    duration_ms: float
    url: str = ""


class Location(Params):
    script_id: str = ""
    line_number: int = 0
    column_number: int = 0


class PausedFrame(Params):
    location: Location
    function_location: Location | None = None
    function_name: str = ""
    url: str = ""

    @property
    def identity(self) -> tuple[str, int, int]:
        """Which function this is, wherever in it the pause fell."""
        at = self.function_location or self.location
        return at.script_id, at.line_number, at.column_number


class StartedNavigating(Params):
    frame_id: str
    navigation_type: str = ""


class StoppedLoading(Params):
    frame_id: str


class NavigatedFrame(Params):
    id: str


class Navigated(Params):
    frame: NavigatedFrame


class ScriptParsed(Params):
    script_id: str
    url: str


class Paused(Params):
    call_frames: list[PausedFrame] = []


class TargetCreated(Params):
    target_info: TargetInfo


class TargetDestroyed(Params):
    target_id: str


class IsolateReply(msgspec.Struct):
    id: str = ""


ISOLATE = msgspec.json.Decoder(IsolateReply)


class Pulse:
    """What the watchdog knows of one page."""

    def __init__(self) -> None:
        self.beat_sent_s = 0.0
        self.beat: asyncio.Future[msgspec.Raw] | None = None
        self.probe: asyncio.Task[None] | None = None
        self.pause_asked = False
        self.pauses = 0
        self.paused_by_another = False
        self.script_urls: dict[str, str] = {}
        self.samples: list[list[PausedFrame]] = []
        self.sampled = asyncio.Event()

    @property
    def unanswered_s(self) -> float:
        waiting = self.beat is not None and not self.beat.done()
        return time.monotonic() - self.beat_sent_s if waiting else 0.0


class WatchdogDomain(Domain):
    roles = FRAMES
    details = (PageHang, PageHangEnded)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._pulses: dict[str, Pulse] = {}
        self._devtools: set[str] = set()
        self._navigating: set[str] = set()

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Debugger.paused", Paused, self._paused),
            Listener("Debugger.scriptParsed", ScriptParsed, self._script_parsed),
            Listener("Debugger.resumed", Params, self._resumed),
            Listener("Page.frameStartedNavigating", StartedNavigating, self._navigation_started),
            Listener("Page.frameNavigated", Navigated, self._navigated),
            Listener("Page.frameStoppedLoading", StoppedLoading, self._loading_stopped),
            Listener("Target.targetCreated", TargetCreated, self._target_created),
            Listener("Target.targetDestroyed", TargetDestroyed, self._target_destroyed),
        ]

    def enable(self, session: Session) -> None:
        if self.options.hang_stacks:
            self._be_quiet(session)
        # Known from the start: a popup may hang with its opener before its first beat.
        session.post("Runtime.getIsolateId").add_done_callback(lambda reply: self._answered(session, reply))

    def _be_quiet(self, session: Session) -> None:
        """Enable the debugger so that no `debugger` statement stops.

        Chrome keeps that for most navigations within a process and forgets it where the page moves to another process, that is
        to another isolate; there it believes breakpoints off already, so that only off after on takes effect.
        """
        session.post("Debugger.enable")
        switch_breakpoints_off(session)

    def undo(self, session: Session) -> None:
        if self.options.hang_stacks:
            session.post("Debugger.disable")

    def forget(self, session: Session) -> None:
        self._navigating.discard(session.info.target_id)
        pulse = self._pulses.pop(session.id, None)
        if pulse is not None and pulse.probe is not None:
            pulse.probe.cancel()

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        woke_s = time.monotonic()
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            now_s = time.monotonic()
            # If we ourselves were held up, answers may still lie unread in the socket: judge in the next round.
            late = now_s - woke_s > BEAT_EVERY_S + LATE_S
            woke_s = now_s
            watched = [session for session in sessions() if session.role == "frame" and session.ready]
            if not late:
                self._judge(watched)
            for session in watched:
                if not session.crashed:
                    self._beat(session)

    def _beat(self, session: Session) -> None:
        pulse = self._pulses.setdefault(session.id, Pulse())
        if pulse.beat is None or pulse.beat.done():
            pulse.beat_sent_s = time.monotonic()
            # The isolate's id answers "are you there?" and "which main thread are you?" in one.
            pulse.beat = session.post("Runtime.getIsolateId", UNLIMITED_S)
            pulse.beat.add_done_callback(lambda beat: self._answered(session, beat))

    def _answered(self, session: Session, beat: asyncio.Future[msgspec.Raw]) -> None:
        if isolate := isolate_of(beat):
            moved = session.isolate not in ("", isolate)
            session.isolate = isolate
            if moved and self.options.hang_stacks:
                self._be_quiet(session)

    def _judge(self, watched: list[Session]) -> None:
        """Start a probe for every main thread that does not answer; pages that share one hang together and are told once."""
        pulses = [(session, self._pulses.setdefault(session.id, Pulse())) for session in watched]
        waiting = {
            s.isolate for s, pulse in pulses if s.dialog_open or s.occupied or pulse.paused_by_another
        } - {""}
        for session, pulse in pulses:
            if session.dialog_open or session.occupied or session.isolate in waiting:
                # Once it ends, the next answer may come after the next judgement: only silence from then on counts.
                pulse.beat_sent_s = time.monotonic()
        excused = waiting | {s.isolate for s, pulse in pulses if pulse.probe} - {""}
        for session, pulse in pulses:
            silent = pulse.unanswered_s >= PROBE_AFTER_S
            if (
                silent
                and pulse.probe is None
                and not self._excused(session)
                and session.isolate not in excused
            ):
                excused.add(session.isolate)
                sharing = [s for s in watched if s is not session and s.isolate == session.isolate != ""]
                pulse.probe = asyncio.create_task(self._probe(session, pulse, sharing))

    async def _probe(self, session: Session, pulse: Pulse, sharing: list[Session]) -> None:
        end: asyncio.Task[None] | None = None
        try:
            hung_since_s = pulse.beat_sent_s
            until_s = hung_since_s + TELL_AFTER_S[0]
            before = await self._metrics(session)
            if self.options.hang_stacks:
                session, pulse = await self._busy_one([session, *sharing], until_s, pulse)
            answers = before is not None or bool(pulse.samples)
            patience_s = max(ANSWER_WITHIN_S if answers else 0.0, until_s - time.monotonic())
            after = await self._metrics(session, patience_s)
            stack = common_stack(pulse.samples, pulse.script_urls)
            # Chrome counts layout that a script asks for as layout alone.
            if before and after and after.layout_s - before.layout_s > after.script_s - before.script_s:
                busy_with: BusyWith = "layout"
            else:
                # Counters are read between two steps of a script, never inside a native call.
                busy_with = "script" if stack or after else "native"
            end = asyncio.create_task(self._answering(session, pulse))
            told = False
            for tell_after_s in TELL_AFTER_S:
                await asyncio.wait([end], timeout=max(0.0, hung_since_s + tell_after_s - time.monotonic()))
                if end.done() or self._excused(session):
                    break
                told = True
                lasted_ms = round((time.monotonic() - hung_since_s) * 1000)
                session.emit(PageHang(lasted_ms, busy_with, session.info.url), stack=stack)
            await asyncio.wait([end])
            if told:
                lasted_ms = round((time.monotonic() - hung_since_s) * 1000)
                session.emit(PageHangEnded(lasted_ms, session.info.url), stack=stack)
        finally:
            pulse.probe = None
            if end is not None:
                end.cancel()

    async def _answering(self, session: Session, pulse: Pulse) -> None:
        """The page answers again. A paused page answers all that has piled up, so an answer counts only if no pause fell meanwhile."""
        pauses = -1
        while pauses != pulse.pauses:
            pauses = pulse.pauses
            await asyncio.wait([session.post("Runtime.getIsolateId", UNLIMITED_S)])

    async def _metrics(self, session: Session, within_s: float = ANSWER_WITHIN_S) -> Metrics | None:
        try:
            return await read_metrics(session, within_s)
        except (CommandFailed, msgspec.MsgspecError):
            return None

    async def _busy_one(self, suspects: list[Session], until_s: float, pulse: Pulse) -> tuple[Session, Pulse]:
        """Which of the pages on one main thread keeps it busy: a pause falls only in the code of the page it was asked of."""
        for suspect in suspects:
            found = self._pulses.setdefault(suspect.id, Pulse())
            await self._sample(suspect, found, until_s)
            if found.samples:
                # The page that is told of owns the probe, which ends with it.
                pulse.probe, found.probe = None, pulse.probe
                return suspect, found
            if len(suspects) > 1:
                # A main thread takes one pause at a time; switching breakpoints off again takes this one back.
                found.pause_asked = False
                switch_breakpoints_off(suspect)
            if time.monotonic() > until_s:
                break
        return suspects[0], pulse

    async def _sample(self, session: Session, pulse: Pulse, until_s: float) -> None:
        pulse.samples = []
        for _ in range(PAUSES):
            pulse.sampled.clear()
            pulse.pause_asked = True
            asked = session.post("Debugger.pause")
            await asyncio.wait([asked], timeout=max(ANSWER_WITHIN_S, until_s - time.monotonic()))
            if not asked.done():
                return  # inside a native call; the pause stays asked for and is undone when it falls
            try:
                await asyncio.wait_for(pulse.sampled.wait(), ANSWER_WITHIN_S / 3)
            except TimeoutError:
                return  # asked of the wrong page
            await asyncio.sleep(PAUSE_EVERY_S)

    def _paused(self, session: Session, params: Paused) -> None:
        pulse = self._pulses.setdefault(session.id, Pulse())
        pulse.pauses += 1
        if pulse.pause_asked:
            pulse.pause_asked = False
            session.post("Debugger.resume")
            pulse.samples.append(params.call_frames)
            pulse.sampled.set()
            return
        if self._devtools:
            pulse.paused_by_another = True  # a person debugs in this browser: theirs to resume
            return
        session.post("Debugger.resume")
        self._be_quiet(session)

    def _target_created(self, _: Session, params: TargetCreated) -> None:
        if params.target_info.url.startswith("devtools://"):
            self._devtools.add(params.target_info.target_id)

    def _target_destroyed(self, _: Session, params: TargetDestroyed) -> None:
        self._devtools.discard(params.target_id)

    # While the document of a frame is being fetched Chrome holds back every command to it: no answer then means nothing.
    def _navigation_started(self, _: Session, params: StartedNavigating) -> None:
        if params.navigation_type not in WITHIN_DOCUMENT:
            self._navigating.add(params.frame_id)

    def _navigated(self, session: Session, params: Navigated) -> None:
        self._navigation_ended(session, params.frame.id)

    def _loading_stopped(self, session: Session, params: StoppedLoading) -> None:
        self._navigation_ended(session, params.frame_id)

    def _navigation_ended(self, session: Session, frame_id: str) -> None:
        if frame_id in self._navigating:
            self._navigating.discard(frame_id)
            if pulse := self._pulses.get(session.id):
                pulse.beat_sent_s = time.monotonic()

    def _excused(self, session: Session) -> bool:
        held = session.dialog_open or session.occupied > 0
        return held or session.crashed or session.info.target_id in self._navigating

    def _script_parsed(self, session: Session, params: ScriptParsed) -> None:
        # The frames of a pause name their script by id only.
        if params.url:
            urls = self._pulses.setdefault(session.id, Pulse()).script_urls
            urls[params.script_id] = shorten_url(params.url)
            if len(urls) > KEPT_SCRIPTS:
                del urls[next(iter(urls))]

    def _resumed(self, session: Session, _: Params) -> None:
        self._pulses.setdefault(session.id, Pulse()).paused_by_another = False


def switch_breakpoints_off(session: Session) -> None:
    session.post("Debugger.setBreakpointsActive", active=True)
    session.post("Debugger.setBreakpointsActive", active=False)


def isolate_of(reply: asyncio.Future[msgspec.Raw]) -> str:
    if reply.cancelled() or reply.exception():
        return ""
    try:
        return ISOLATE.decode(reply.result()).id
    except msgspec.MsgspecError:
        return ""


def common_stack(samples: list[list[PausedFrame]], script_urls: Mapping[str, str]) -> tuple[StackFrame, ...]:
    """The frames that every pause found, innermost first: below them the work varies, they are what does not end."""
    if not samples:
        return ()
    shared = 0
    outermost_first = [list(reversed(frames)) for frames in samples]
    for frames in zip(*outermost_first, strict=False):
        if len({frame.identity for frame in frames}) > 1:
            break
        shared += 1
    frames = outermost_first[0][:shared] or outermost_first[0]
    stack = (
        StackFrame(
            f.function_name,
            f.url or script_urls.get(f.location.script_id, ""),
            f.location.line_number + 1,
            f.location.column_number + 1,
            f.location.script_id,
        )
        for f in reversed(frames[-MAX_STACK_FRAMES:])
    )
    return tuple(frame for frame in stack if frame.url != OWN_SCRIPT_URL)
