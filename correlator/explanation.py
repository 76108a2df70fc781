"""What an explanation holds, and how it reads: a chain in numbered sentences, what is not proven, where to look next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from typing import Any, Final

from pydantic import BaseModel

from .event import Event, Severity
from .findings.finding import cut

PROVEN: Final = 0.8
TEXT_BYTES: Final = 1_450
SUMMARY_BYTES: Final = (160, 110, 80, 60, 40)
FIRST_ROWS: Final = 4
LAST_ROWS: Final = 4
MAX_NUMBERS: Final = 8
MAX_ALSO: Final = 3
MAX_ALSO_LISTED: Final = 20
# What needs no cause: somebody did it.
BEGINNINGS: Final = frozenset({"user_action", "navigation", "page_opened"})


@dataclass(frozen=True, slots=True)
class Step:
    """One event on the way, and why it follows the one before."""

    number: int
    event: Event
    because: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Maybe:
    """What may have caused the first step, or the failure itself, without proof."""

    event_id: str
    summary: str
    because: str
    confidence: float


class ExplainedEvent(BaseModel):
    id: str
    timestamp: str
    page: str = ""
    kind: str
    severity: Severity
    summary: str
    at: str = ""


class ExplainedStep(ExplainedEvent):
    """`because` and `confidence` say why it follows the step before; the first one has none."""

    step: int
    because: str = ""
    confidence: float = 0.0


class AlsoWrong(ExplainedEvent):
    """The first of `count` events of one kind and fingerprint."""

    count: int = 1


class PossibleCause(BaseModel):
    id: str
    summary: str = ""
    because: str
    confidence: float


class ExplainedChain(BaseModel):
    """Fields with a default are left out while they have it. `steps` lead from the first known cause to `event`; `also` is what
    else they led to, by kind, the most frequent first, and `also_count` how often; `beside_count` counts failures of the chain that
    have only the page in common with them; `missing` is a cause that is not kept any more; `text` says all of it.
    """

    event: str
    correlation_id: str = ""
    first_failure: str
    steps: list[ExplainedStep]
    also: list[AlsoWrong] = []
    also_count: int = 0
    beside_count: int = 0
    not_proven: list[str] = []
    missing: str = ""
    maybe: list[PossibleCause] = []
    look_at: list[str] = []
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    event: Event
    chain: str
    steps: tuple[Step, ...]
    also: tuple[Event, ...] = ()
    beside: int = 0
    missing: str = ""
    maybe: tuple[Maybe, ...] = ()
    look_at: tuple[str, ...] = ()

    @property
    def first_failure(self) -> Step:
        return next((step for step in self.steps if step.event.severity != "info"), self.steps[-1])

    @property
    def not_proven(self) -> tuple[str, ...]:
        likely = [str(step.number) for step in self.steps[1:] if step.confidence < PROVEN]
        weak = [f"step {likely[0]} is likely, not sure"] if len(likely) == 1 else []
        if len(likely) > 1:
            weak.append(f"steps {', '.join(likely[:MAX_NUMBERS])} are likely, not sure")
        if self.missing:
            weak.append(f"what caused step 1 is not kept any more ({self.missing})")
        elif self.steps[0].event.kind not in BEGINNINGS:
            weak.append("what caused step 1 is not known")
        return tuple(weak)

    @property
    def text(self) -> str:
        """For a person or an agent: what is long is cut, then left out."""
        texts = (self._text(summary_bytes) for summary_bytes in SUMMARY_BYTES)
        shortest = self._text(SUMMARY_BYTES[-1], terse=True)
        return next((text for text in texts if len(text.encode()) < TEXT_BYTES), shortest)

    def json(self) -> dict[str, Any]:
        explained = ExplainedChain(
            event=self.event.id,
            correlation_id=self.chain,
            first_failure=self.first_failure.event.id,
            steps=[
                ExplainedStep(
                    step=step.number,
                    because=step.because,
                    confidence=step.confidence,
                    **_told(step.event),
                )
                for step in self.steps
            ],
            also=[
                AlsoWrong(count=count, **_told(event))
                for event, count in self._also_by_kind()[:MAX_ALSO_LISTED]
            ],
            also_count=len(self.also),
            beside_count=self.beside,
            not_proven=[*self.not_proven],
            missing=self.missing,
            maybe=[
                PossibleCause(
                    id=maybe.event_id,
                    summary=maybe.summary,
                    because=maybe.because,
                    confidence=maybe.confidence,
                )
                for maybe in self.maybe
            ],
            look_at=[*self.look_at],
            text=self.text,
        )
        return explained.model_dump(exclude_defaults=True)

    def _text(self, summary_bytes: int, *, terse: bool = False) -> str:
        rows = self._rows(summary_bytes, terse=terse)
        if (left_out := len(rows) - FIRST_ROWS - LAST_ROWS) > 0:
            rows[FIRST_ROWS:-LAST_ROWS] = [[f"… {left_out} more"]]
        lines = [self._headline(), *chain.from_iterable(rows)]
        if self.also:
            others = f"{len(self.also)} failures" if terse else self._others(summary_bytes // 2)
            lines.append(f"It also led to: {others}")
        if self.beside:
            more = "1 more failure has" if self.beside == 1 else f"{self.beside} more failures have"
            lines.append(f"{more} only the page in common with this")
        if self.not_proven:
            lines.append(f"Not proven: {'; '.join(self.not_proven)}")
        for maybe in self.maybe[:1] if terse else self.maybe:
            what = cut(maybe.summary, summary_bytes) or maybe.event_id
            lines.append(f"Maybe caused by: {what} ({maybe.confidence:.2f}, because {maybe.because})")
        lines += [f"Look at {cut(place, max(100, summary_bytes))}" for place in self.look_at]
        return "\n".join(lines)

    def _headline(self) -> str:
        first, event = self.first_failure, self.event
        what = f"{event.kind} ({event.severity}){f' on {event.page}' if event.page else ''}"
        name = f", chain {self.chain}" if self.chain else ""
        if first.event.id != event.id:
            return f"{what} goes back to {first.event.kind} (step {first.number}){name}"
        if len(self.steps) > 1:
            return f"{what} is the first failure after {self.steps[0].event.kind} (step 1){name}"
        return f"{what} has no known cause{name}"

    def _rows(self, summary_bytes: int, *, terse: bool) -> list[list[str]]:
        """The lines of every step; what repeats itself again and again is one row."""
        rows: list[list[str]] = []
        for _, same in groupby(self.steps, key=lambda step: (step.event.kind, step.event.fingerprint)):
            first, *again = same
            rows.append(self._step_lines(first, summary_bytes, terse=terse))
            if len(again) == 1:
                rows.append(self._step_lines(again[0], summary_bytes, terse=terse))
            elif again:
                until = _later(again[-1].event, self.steps[0].event)
                surely = min(step.confidence for step in again)
                numbers = f"{again[0].number}-{again[-1].number}"
                rows.append(
                    [
                        f"{numbers}. the same {len(again)} times more, until {until}",
                        f"   because {again[0].because} ({surely:.2f})",
                    ]
                )
        return rows

    def _step_lines(self, step: Step, summary_bytes: int, *, terse: bool) -> list[str]:
        event = step.event
        at = str(event.context.get("at") or "")
        place = f" at {at}" if at and at not in event.summary and not terse else ""
        where = f" [{event.page}]" if event.page and event.page != self.event.page else ""
        when = _clock(event) if step.number == 1 else _later(event, self.steps[0].event)
        lines = [
            f"{step.number}. {when} {cut(event.summary, summary_bytes)}{cut(place, summary_bytes)}{where}"
        ]
        if step.because:
            lines.append(f"   because {step.because} ({step.confidence:.2f})")
        return lines

    def _others(self, summary_bytes: int) -> str:
        kinds = self._also_by_kind()
        listed = [
            f"{f'{count} × ' if count > 1 else ''}{event.kind} “{cut(event.summary, summary_bytes)}”"
            for event, count in kinds[:MAX_ALSO]
        ]
        more = len(kinds) - len(listed)
        return "; ".join(listed) + (f"; {more} more" if more else "")

    def _also_by_kind(self) -> list[tuple[Event, int]]:
        """The first of each kind and fingerprint, with how many there are; the most frequent first."""
        counts = Counter((event.kind, event.fingerprint) for event in self.also)
        firsts = {(event.kind, event.fingerprint): event for event in reversed(self.also)}
        return [(firsts[what], count) for what, count in counts.most_common()]


def _told(event: Event) -> dict[str, Any]:
    names = ("id", "timestamp", "page", "kind", "severity", "summary")
    return {name: getattr(event, name) for name in names} | {"at": str(event.context.get("at") or "")}


def _clock(event: Event) -> str:
    return event.timestamp.partition("T")[2].removesuffix("Z")


def _later(event: Event, first: Event) -> str:
    """`+41 ms`; a publisher's clock may say that an event was before its cause, and then it is told when it was."""
    try:
        later = datetime.fromisoformat(event.timestamp) - datetime.fromisoformat(first.timestamp)
    except (ValueError, TypeError):  # a file may say anything
        return _clock(event)
    ms = round(later.total_seconds() * 1000)
    if ms < 0:
        return _clock(event)
    return f"+{ms} ms" if ms < 10_000 else f"+{ms / 1000:.1f} s" if ms < 120_000 else f"+{ms // 60_000} min"
