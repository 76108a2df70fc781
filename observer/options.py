"""What a person can choose about capturing; every default is the choice for somebody who knows nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["full", "lean"]
TargetMode = Literal["page", "tab"]


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    level: Level = "full"
    target_mode: TargetMode = "page"
    hang_stacks: bool = True
    watched_selectors: tuple[str, ...] = ()
