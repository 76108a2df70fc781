"""The shape of a detector: what it is called, what it looks at, when it fires, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ...observer.signal import Detail, Signal
from ..event import Cause, Channel, EventType, Severity
from ..findings.finding import Finding, Scene, context

BEGAN = "began"
COUNTED = "counted"
COMES_AFTER = "comes-after"
REASONS = {
    BEGAN: "it is how this began",
    COUNTED: "it is the first of what was counted here",
    COMES_AFTER: "it is the failure right before this, each time that it happened",
}
NEVER_S = float("inf")
Scenes = Callable[[Signal], Scene]
TYPES: dict[Channel, EventType] = {
    "errors": "error",
    "network_errors": "network_error",
    "performance": "performance",
    "selectors": "selector_broken",
    "anomalies": "anomaly",
}


class Options(BaseModel):
    """The thresholds of a detector: each with a default, bounds and a sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    enabled: bool = Field(default=True, description="Whether it is on.")


class Told(NamedTuple):
    """A finding that was told, or counted in the event that told the first of its kind."""

    finding: Finding
    signal: Signal
    event_id: str


@dataclass(slots=True)
class Found:
    """What a detector found.

    `signal` says on which page and when. A finding about the signal that is being looked at gets its cause as any other; `because`
    names the event that it comes of instead. What has the same `episode` as something found before is told as its growth.
    """

    finding: Finding
    signal: Signal
    because: Cause | None = None
    episode: str = ""


O = TypeVar("O", bound=Options)  # noqa: E741


class Detector(Generic[O]):
    """One kind of event. It keeps what it must of the past, within bounds, and asks nobody anything.

    `needs` are the details that `see` is called with, `hears` the kinds of told findings for `hear`, `renames` the details whose
    findings `rename` may know a better name for. With `due_s` set, `advance` is called once that time has come.
    """

    id: ClassVar[str]
    channel: ClassVar[Channel]
    severity: ClassVar[str]  # as the reference says it: `medium`, `medium or high`
    about: ClassVar[str]  # what it finds, in one sentence
    trigger: ClassVar[str]  # when it fires, in the words of its options
    source: ClassVar[str]  # where its numbers come from
    options_type: ClassVar[type[Options]] = Options
    needs: ClassVar[tuple[type[Detail], ...]] = ()
    hears: ClassVar[tuple[str, ...]] = ()
    renames: ClassVar[tuple[type[Detail], ...]] = ()

    def __init__(self, options: O, scene: Scenes) -> None:
        self.options = options
        self.scene = scene
        self.due_s = NEVER_S

    def see(self, signal: Signal) -> Iterable[Found]:
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        return ()

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        return None

    def advance(self, now_s: float) -> Iterable[Found]:
        return ()

    def finding(
        self,
        severity: Severity,
        summary: str,
        *,
        count: int = 1,
        key: str = "",
        template: str = "",
        **values: JsonValue,
    ) -> Finding:
        """A finding of this kind; fields without a value are left out."""
        return Finding(
            kind=self.id,
            channel=self.channel,
            type=TYPES[self.channel],
            severity=severity,
            summary=summary,
            context=context(**values),
            key=key,
            template=template,
            count=count,
        )


def began(event_id: str) -> Cause:
    """What was told of the very same thing when it began."""
    return Cause(id=event_id, via=BEGAN, confidence=1.0)


def counted(event_id: str) -> Cause:
    """The first event of those that a detector counted."""
    return Cause(id=event_id, via=COUNTED, confidence=1.0)


def comes_after(event_id: str, confidence: float) -> Cause:
    return Cause(id=event_id, via=COMES_AFTER, confidence=confidence)
