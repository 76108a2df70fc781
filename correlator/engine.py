"""Signals in, events out: pure, synchronous, and the same for a live page and for a recording."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

from uuid6 import uuid7

from ..observer.domains.runtime import ExceptionRevoked, ExceptionThrown
from ..observer.signal import Signal
from .causes import Causes
from .chains import Chains
from .event import Event
from .findings.finding import Finding, context, said
from .findings.scripts import repeats_child
from .flow import Flow
from .fold import Fold
from .kept import Kept
from .nodes import Effect, Removal, Request
from .redact import BUILT_IN, Redactor
from .teller import NOTED, Teller, iso_ms

__all__ = ["HOLD_S", "LATE_S", "Engine", "iso_ms", "new_uuid7"]

# A promise that is handled a moment later was never a failure, though Chrome reports it at once; and what may be a repetition
# waits for what it repeats.
HOLD_S = 0.5
# The page hears of some failures before Chrome reports them.
LATE_S = 0.1
KEPT_REJECTIONS = 1_000
KEPT_REPORTS = 100
KEPT_SESSIONS = 10_000


def new_uuid7() -> str:
    return str(uuid7())


class Held:
    """A signal that is told later: when its time has come, or what it waits for is known."""

    __slots__ = ("due_s", "effect", "is_told", "signal")

    def __init__(self, due_s: float, signal: Signal, effect: Effect | None) -> None:
        self.due_s = due_s
        self.signal = signal
        self.effect = effect
        self.is_told = False


class Engine:
    """Turns the signals of any number of browsers into the events of one project.

    `feed` every signal; call `advance` with the monotonic time when `next_due_s` has passed: something was held back until then.
    """

    def __init__(
        self,
        project: str = "default",
        new_id: Callable[[], str] = new_uuid7,
        redactor: Redactor = BUILT_IN,
    ) -> None:
        self._teller = Teller(project, new_id, redactor)
        self._fold = Fold()
        self._flow = Flow()
        self._causes = Causes(self._flow)
        self._held: list[tuple[float, int, Held]] = []
        self._holds = 0
        self._rejections: Kept[tuple[str, int], Held | str] = Kept(KEPT_REJECTIONS)
        self._reports: Kept[tuple[str, str], deque[Held]] = Kept(KEPT_SESSIONS)
        self._orders: Kept[tuple[str, str], list[int]] = Kept(KEPT_SESSIONS)
        self.chains = Chains()
        self.source_maps = self._teller.source_maps
        self.repeats = 0

    @property
    def next_due_s(self) -> float | None:
        while self._held and self._held[0][2].is_told:
            heapq.heappop(self._held)
        return self._held[0][0] if self._held else None

    def feed(self, signal: Signal) -> list[Event]:
        """A signal that was fed before is refused: it gives nothing and is counted in `repeats`."""
        if self._is_repeat(signal):
            self.repeats += 1
            return []
        events = self.advance(signal.monotonic_s) if self._held else []
        effect = self._flow.note(signal)
        if effect is not None:
            self._causes.find(effect)
            if self._reports and effect.kind == "request":
                events += self._tell_reports(signal)
        detail = signal.detail
        if isinstance(detail, ExceptionRevoked):
            return events + self._revoke(signal, detail)
        if type(detail) in NOTED:
            self._teller.note(signal)
        if not self._teller.tells_of(detail):
            return events
        hold_s = self._hold_s(signal, effect)
        if hold_s:
            self._hold(signal, effect, hold_s)
        else:
            events += self._tell(signal, effect)
        self._teller.forget(signal)
        return events

    def advance(self, now_s: float) -> list[Event]:
        """Tell what was held back and is due."""
        events: list[Event] = []
        while self._held and self._held[0][0] <= now_s:
            events += self._release(heapq.heappop(self._held)[2])
        return events

    def finish(self) -> list[Event]:
        """Tell all that is held back: nothing more will come."""
        return self.advance(float("inf"))

    def join(self, event: Event) -> list[Event]:
        """A published event with the chain that it belongs to, behind the events that explain it and were not told so far."""
        effect = self._flow.publish(event)
        events: list[Event] = []
        if event.cause is not None:
            cause, weak = event.cause, ()
        else:
            self._causes.find(effect)
            events += self._tell_removal(effect)
            cause, weak = self._causes.of(effect)
        chain_id = event.correlation_id or (self.chains.chain_of(cause.id) if cause is not None else "")
        chain_id = self.chains.add(event.id, cause, chain_id, weak)
        self._flow.published(effect, event, chain_id)
        return [*events, event.model_copy(update={"cause": cause, "correlation_id": chain_id})]

    def _is_repeat(self, signal: Signal) -> bool:
        """The browser's own session begins anew with every connection; all others have an id that never comes again."""
        if not signal.session:
            return False
        key = signal.browser, signal.session
        latest = self._orders.get(key)
        if latest is None:
            latest = self._orders[key] = [0]
        if signal.order <= latest[0]:
            return True
        latest[0] = signal.order
        return False

    def _hold_s(self, signal: Signal, effect: Effect | None) -> float:
        detail = signal.detail
        if isinstance(detail, ExceptionThrown) and (detail.rejection or repeats_child(signal, detail)):
            return HOLD_S
        awaits = effect is not None and self._causes.awaits(effect)
        return LATE_S if awaits or self._flow.awaits_request(signal) else 0.0

    def _hold(self, signal: Signal, effect: Effect | None, hold_s: float) -> None:
        held = Held(signal.monotonic_s + hold_s, signal, effect)
        self._holds += 1
        heapq.heappush(self._held, (held.due_s, self._holds, held))
        detail = signal.detail
        if isinstance(detail, ExceptionThrown) and detail.rejection:
            self._rejections[signal.session, detail.exception_id] = held
        elif effect is not None and effect.kind != "outcome":
            self._causes.wait(effect, held)
        else:
            self._keep_report(held)

    def _tell_reports(self, sent: Signal) -> list[Event]:
        """What was reported on a request that is heard of only now."""
        events: list[Event] = []
        waiting = self._reports.pop((sent.browser, sent.session), ())
        for held in [one for one in waiting if not one.is_told]:
            held.effect = self._flow.outcome(held.signal)
            if held.effect is not None and not self._flow.awaits_request(held.signal):
                events += self._release(held)
            else:
                self._keep_report(held)
        return events

    def _keep_report(self, held: Held) -> None:
        key = held.signal.browser, held.signal.session
        self._reports.setdefault(key, deque(maxlen=KEPT_REPORTS)).append(held)

    def _release(self, held: Held) -> list[Event]:
        if held.is_told:
            return []
        held.is_told = True
        if held.effect is not None:
            self._causes.look_again(held.effect)
        return self._tell(held.signal, held.effect)

    def _revoke(self, signal: Signal, detail: ExceptionRevoked) -> list[Event]:
        rejection = self._rejections.pop((signal.session, detail.exception_id), None)
        if rejection is None:
            return []
        if isinstance(rejection, Held):
            rejection.is_told = True
            return []
        return [
            event.model_copy(update={"context": {"event": rejection}}) for event in self._tell(signal, None)
        ]

    def _tell(self, signal: Signal, effect: Effect | None) -> list[Event]:
        finding = self._teller.finding(signal)
        if finding is None:
            return []
        key = ""
        if finding.channel != "activity":
            key = finding.key or (f"{signal.browser} {signal.request_id}" if signal.request_id else "")
            told = self._fold.known(key, finding.about, finding.family, signal.monotonic_s)
            if told is not None:
                return self._repeated(effect, told.event_id)
        events = self._tell_removal(effect) if effect is not None else []
        event = self._event(signal, finding, effect)
        events.append(event)
        if finding.channel != "activity":
            self._fold.remember(key, finding.about, finding.family, signal.monotonic_s, event.id)
        if isinstance(signal.detail, ExceptionThrown) and signal.detail.rejection:
            self._rejections[signal.session, signal.detail.exception_id] = event.id
        if effect is not None and effect.node is not None:
            events += self._follow(effect, event)
        return events

    def _repeated(self, effect: Effect | None, event_id: str) -> list[Event]:
        """What was told first without its request is that request's end all the same."""
        if effect is None or effect.kind != "outcome" or effect.node is None or effect.node.told_failed:
            return []
        effect.node.tells(event_id, self.chains.chain_of(event_id), failed=True)
        return self._told_waiting(effect)

    def _follow(self, effect: Effect, event: Event) -> list[Event]:
        """Others may be waiting for what this event tells."""
        assert effect.node is not None
        failed = event.channel != "activity" or effect.node.failed
        effect.node.tells(event.id, event.correlation_id or event.id, failed=failed)
        if event.channel != "activity":
            self._flow.fails(effect.node)
        self._causes.told(effect, event)
        return self._told_waiting(effect)

    def _told_waiting(self, effect: Effect) -> list[Event]:
        assert effect.node is not None
        if effect.kind not in {"outcome", "error"} or (
            isinstance(effect.node, Request) and not effect.node.answered
        ):
            return []
        events = [event for held in self._causes.waiting(effect.node) for event in self._release(held)]
        for event, cause in self._causes.found_late(effect.node):
            if merged := self.chains.merge(event.id, cause):
                events.append(self._teller.merged(event, cause, *merged))
        return events

    def _tell_removal(self, effect: Effect) -> list[Event]:
        """An element's removal is told when it explains something."""
        best = self._causes.best(effect)
        if best is None or not isinstance(best.node, Removal) or best.node.event_id:
            return []
        removal = best.node
        finding = Finding(
            "element_removed",
            "activity",
            "activity",
            "info",
            f"{said(removal.text, 160)} was removed",
            context(element=said(removal.text, 160)),
        )
        event = self._event(removal.signal, finding, Effect("outcome", removal.signal, node=removal))
        removal.tells(event.id, event.correlation_id or event.id, failed=False)
        return [event]

    def _event(self, signal: Signal, finding: Finding, effect: Effect | None) -> Event:
        event_id = self._teller.new_id()
        cause, weak = self._causes.of(effect) if effect is not None else (None, ())
        chain_id = self.chains.add(
            event_id, cause, self.chains.chain_of(cause.id) if cause is not None else "", weak
        )
        return self._teller.event(signal, finding, event_id, chain_id, cause, effect)
