"""Signals in, events out: pure, synchronous, and the same for a live page and for a recording."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

from uuid6 import uuid7

from ..observer.domains.network import RequestFailed
from ..observer.domains.runtime import ExceptionRevoked, ExceptionThrown
from ..observer.signal import Signal
from .causes import Causes
from .chains import Chains
from .detecting import Detectors, Kinds, Thresholds
from .detectors import DETECTORS
from .detectors.detector import NEVER_S, Found, Told
from .event import Cause, Event
from .findings.finding import Finding, context, said
from .findings.network import was_cancelled
from .findings.scripts import repeats_child
from .flow import Flow
from .fold import Fold, Moment
from .kept import Kept
from .nodes import Effect, Node, Removal, Request
from .redact import BUILT_IN, Redactor
from .storms import Storm, Storms
from .teller import NOTED, Teller, iso_ms

__all__ = ["HOLD_S", "LATE_S", "Engine", "iso_ms", "new_uuid7"]

# A promise that is handled a moment later was never a failure, though Chrome reports it at once; and what may be a repetition
# waits for what it repeats.
HOLD_S = 0.5
# What somebody outside misses on the page is not there for another reason than that the page was slow.
NO_FAILURES = frozenset({"activity", "performance"})
# The page hears of some failures before Chrome reports them.
LATE_S = 0.1
# A request that was cancelled may be one that nobody wants any more: what takes its place comes a moment later.
ABORT_S = 1.0
KEPT_REJECTIONS = 1_000
KEPT_ABORTS = 1_000
KEPT_REPORTS = 100
KEPT_SESSIONS = 10_000
KEPT_EPISODES = 2_000
KEPT_SIGNALS = 1_000


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
        thresholds: Thresholds | None = None,
        detectors: Kinds = DETECTORS,
    ) -> None:
        self._teller = Teller(project, new_id, redactor)
        self._detectors = Detectors(self._teller.scene, thresholds, detectors)
        self._episodes: Kept[str, Event] = Kept(KEPT_EPISODES)
        self._signals: Kept[str, Signal] = Kept(KEPT_SIGNALS)
        self._activity: Kept[str, Signal] = Kept(KEPT_SIGNALS)
        self._storms = Storms()
        self._fold = Fold()
        self._flow = Flow()
        self._causes = Causes(self._flow)
        self._held: list[tuple[float, int, Held]] = []
        self._holds = 0
        self._rejections: Kept[tuple[str, int], Held | str] = Kept(KEPT_REJECTIONS)
        self._aborts: Kept[Node, Held] = Kept(KEPT_ABORTS)
        self._reports: Kept[tuple[str, str], deque[Held]] = Kept(KEPT_SESSIONS)
        self._orders: Kept[tuple[str, str], list[int]] = Kept(KEPT_SESSIONS)
        self.chains = Chains()
        self.source_maps = self._teller.source_maps
        self.repeats = 0

    @property
    def next_due_s(self) -> float | None:
        while self._held and self._held[0][2].is_told:
            heapq.heappop(self._held)
        due_s = min(self._detectors.due_s, self._storms.due_s)
        if self._held and self._held[0][0] < due_s:
            return self._held[0][0]
        return due_s if due_s < NEVER_S else None

    def signal_of(self, event_id: str) -> Signal | None:
        """What one of the latest events was made of, as it was fed: with whatever secrets there are in it."""
        return self._signals.get(event_id) or self._activity.get(event_id)

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Other thresholds for the detectors from now on. Raises ThresholdRefused."""
        self._detectors.set(thresholds)

    def feed(self, signal: Signal) -> list[Event]:
        """A signal that was fed before is refused: it gives nothing and is counted in `repeats`."""
        if self._is_repeat(signal):
            self.repeats += 1
            return []
        due_s = self.next_due_s
        is_due = due_s is not None and due_s <= signal.monotonic_s
        events = self.advance(signal.monotonic_s) if is_due else []
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
        if self._teller.tells_of(detail):
            hold_s = self._hold_s(signal, effect)
            if hold_s:
                self._hold(signal, effect, hold_s)
            else:
                events += self._tell(signal, effect)
        if self._detectors.wants(detail):
            events += self._detect(self._teller.shown(signal), effect)
        self._teller.forget(signal)
        return events

    def advance(self, now_s: float) -> list[Event]:
        """Tell what was held back and is due."""
        events: list[Event] = []
        while self._held and self._held[0][0] <= now_s:
            events += self._release(heapq.heappop(self._held)[2])
        if self._detectors.due_s <= now_s:
            for found in self._detectors.advance(now_s):
                events += self._tell_found(found, None)
        if self._storms.due_s <= now_s:
            events += [self._counted(storm) for storm in self._storms.over(now_s)]
        return events

    def finish(self) -> list[Event]:
        """Tell all that is held back: nothing more will come, and time does not go on."""
        events: list[Event] = []
        while self._held:
            events += self._release(heapq.heappop(self._held)[2])
        return events + [self._counted(storm) for storm in self._storms.over(NEVER_S)]

    def join(self, event: Event) -> list[Event]:
        """A published event with the chain that it belongs to, behind the events that explain it and were not told so far."""
        effect = self._flow.publish(event)
        events: list[Event] = []
        if event.cause is not None:
            cause, weak = event.cause, ()
        else:
            self._causes.find(effect)
            events += self._tell_cause(effect)
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
        if isinstance(detail, RequestFailed):
            return ABORT_S if was_cancelled(detail) and not self._is_awaited(effect) else 0.0
        awaits = effect is not None and self._causes.awaits(effect)
        if awaits:
            return LATE_S
        # A busy browser tells the line of a failed load long before the failure itself.
        return HOLD_S if self._flow.awaits_request(signal) else 0.0

    def _is_awaited(self, effect: Effect | None) -> bool:
        return effect is None or effect.node is None or self._causes.is_awaited(effect.node)

    def _hold(self, signal: Signal, effect: Effect | None, hold_s: float) -> None:
        held = Held(signal.monotonic_s + hold_s, signal, effect)
        self._holds += 1
        heapq.heappush(self._held, (held.due_s, self._holds, held))
        detail = signal.detail
        if isinstance(detail, ExceptionThrown) and detail.rejection:
            self._rejections[signal.session, detail.exception_id] = held
        elif isinstance(detail, RequestFailed) and effect is not None and effect.node is not None:
            self._aborts[effect.node] = held
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
        shown = self._teller.shown(signal)
        finding = self._teller.finding(shown)
        if finding is None:
            return []
        finding = self._detectors.rename(shown, finding)
        return self._tell_finding(signal, finding, effect)

    def _detect(self, signal: Signal, effect: Effect | None) -> list[Event]:
        """What the detectors find in the signal."""
        events: list[Event] = []
        for found in self._detectors.see(signal):
            events += self._tell_found(found, effect if found.signal is signal else None)
        return events

    def _tell_found(self, found: Found, effect: Effect | None) -> list[Event]:
        signal, finding = found.signal, found.finding
        told = self._episodes.get(found.episode) if found.episode else None
        if told is not None:
            chain_id = self.chains.chain_of(told.id) or told.correlation_id or told.id
            grown = self._teller.grown(told, finding, signal, chain_id)
            self.chains.add(grown.id, told.cause, chain_id)
            return [grown]
        if not finding.key and signal.request_id:
            finding.key = (
                f"{signal.browser} {signal.request_id} {finding.kind}"  # or it repeats the request's failure
            )
        if effect is not None and found.because is None:
            events = self._tell_finding(signal, finding, effect)
        else:
            events = [self._found_event(found)]
        if found.episode:
            for event in events:
                if event.kind == finding.kind:
                    self._episodes[found.episode] = event
        return events

    def _found_event(self, found: Found) -> Event:
        """Of what was found beside the signal that is being told: it comes of what the detector says, or of its request's cause."""
        cause, weak = found.because, ()
        if cause is None and (request := self._flow.request(found.signal)) is not None:
            cause, weak = self._causes.of(Effect("outcome", found.signal, node=request))
        return self._linked_event(found.signal, found.finding, None, cause, weak)

    def _tell_finding(self, signal: Signal, finding: Finding, effect: Effect | None) -> list[Event]:
        key = ""
        if finding.channel != "activity":
            key = finding.key or (f"{signal.browser} {signal.request_id}" if signal.request_id else "")
            told = self._fold.known(key, finding.about, finding.family, Moment.of(signal))
            if told is not None:
                return self._repeated(effect, told.event_id)
        events = self._tell_cause(effect) if effect is not None else []
        cause, weak = self._causes.of(effect) if effect is not None else (None, ())
        storm = self._storms.find(signal, finding, cause.id if cause is not None else "")
        if storm is not None:
            self._remember(key, signal, finding, storm.event)
            return events + self._count(storm, signal, effect) + self._heard(signal, finding, storm.event)
        event = self._linked_event(signal, finding, effect, cause, weak)
        events.append(event)
        self._storms.begin(signal, finding, cause.id if cause is not None else "", event)
        self._remember(key, signal, finding, event)
        if effect is not None and effect.node is not None:
            events += self._follow(effect, event)
        return events + self._heard(signal, finding, event)

    def _remember(self, key: str, signal: Signal, finding: Finding, event: Event) -> None:
        """What a later report of the same is to be told by."""
        if finding.channel != "activity":
            self._fold.remember(key, finding.about, finding.family, Moment.of(signal), event.id)
        if isinstance(signal.detail, ExceptionThrown) and signal.detail.rejection:
            self._rejections[signal.session, signal.detail.exception_id] = event.id

    def _heard(self, signal: Signal, finding: Finding, event: Event) -> list[Event]:
        """What the detectors find in that this was told."""
        events: list[Event] = []
        for found in self._detectors.hear(Told(finding, signal, event.id)):
            events += self._tell_found(found, None)
        return events

    def _count(self, storm: Storm, signal: Signal, effect: Effect | None) -> list[Event]:
        """One more of a flood: the event that told the first stands for it."""
        events = [self._counted(storm)] if self._storms.count(storm, signal) else []
        if effect is None or effect.node is None:
            return events
        effect.node.tells(storm.event.id, self.chains.chain_of(storm.event.id), failed=True)
        if storm.event.channel not in NO_FAILURES:
            self._flow.fails(effect.node)
        return events + self._told_waiting(effect)

    def _counted(self, storm: Storm) -> Event:
        """What a flood has come to."""
        self._storms.told(storm)
        chain_id = self.chains.chain_of(storm.event.id) or storm.event.correlation_id or storm.event.id
        within = f"{storm.last.monotonic_s - storm.began_s:.1f} s"
        more = (
            f"and {storm.count - 1} like it in {within}"
            if storm.is_mixed
            else f"({storm.count} times in {within})"
        )
        event = self._teller.counted(storm.event, storm.count, more, storm.last, chain_id)
        self.chains.add(event.id, storm.event.cause, chain_id)
        return event

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
        if event.channel not in NO_FAILURES:
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

    def _tell_cause(self, effect: Effect) -> list[Event]:
        """What explains something is told before that: the removal of an element, a cancelled request that was held back."""
        best = self._causes.best(effect)
        if best is None:
            return []
        if self._aborts and (held := self._aborts.pop(best.node, None)) is not None:
            return self._release(held)
        if not isinstance(best.node, Removal) or best.node.event_id:
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
        cause, weak = self._causes.of(effect) if effect is not None else (None, ())
        return self._linked_event(signal, finding, effect, cause, weak)

    def _linked_event(
        self,
        signal: Signal,
        finding: Finding,
        effect: Effect | None,
        cause: Cause | None,
        weak: tuple[Cause, ...],
    ) -> Event:
        event_id = self._teller.new_id()
        # Facts are many: they push out one another, not failures.
        (self._activity if finding.channel == "activity" else self._signals)[event_id] = signal
        chain_id = self.chains.add(
            event_id, cause, self.chains.chain_of(cause.id) if cause is not None else "", weak
        )
        return self._teller.event(signal, finding, event_id, chain_id, cause, effect)
