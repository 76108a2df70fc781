"""How long the journal keeps events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Retention:
    """`rolling` bounds bytes and events over the whole journal, `time` the age; `none` keeps all. The oldest go first."""

    policy: Literal["rolling", "time", "none"] = "rolling"
    max_bytes: int = 256 * 1024 * 1024
    max_events: int = 1_000_000
    max_age_s: float = 7 * 24 * 3600.0
