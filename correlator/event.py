"""The public record: one event says one thing that happened, in words and in fields."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Channel = Literal[
    "errors", "network_errors", "performance", "selectors", "anomalies", "activity", "runs", "output"
]
EventType = Literal[
    "error",
    "network_error",
    "performance",
    "selector_broken",
    "anomaly",
    "accessibility",
    "activity",
    "run",
    "chunk",
]
Severity = Literal["critical", "high", "medium", "low", "info"]
REPEATS = "repeats"
"""The field of a context by which an event that tells what another has come to names that one."""
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


class Cause(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    via: str
    confidence: float


class Event(BaseModel):
    """Fields with a default are left out of the wire format while they have it.

    `seq` counts up by one in each channel of a project; across channels the ids order, they grow with time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    seq: int
    timestamp: str
    project: str
    session: str
    page: str = ""
    channel: Channel
    type: EventType
    kind: str
    severity: Severity
    summary: str
    context: dict[str, JsonValue] = {}
    correlation_id: str | None = None
    cause: Cause | None = None
    fingerprint: str
    count: int

    def line(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(exclude_defaults=True)
