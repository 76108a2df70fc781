"""What a person can choose about capturing; every default is the choice for somebody who knows nothing yet.

The level `lean` leaves the Network domain out. It can't see: failed loads of workers, requests that the page itself aborts, what
kind of resource failed, methods, initiators, redirects, the life of WebSockets, requests that never end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["full", "lean"]
TargetMode = Literal["page", "tab"]
Evidence = Literal["tasks", "deep"]


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    level: Level = "full"
    target_mode: TargetMode = "page"
    hang_stacks: bool = True
    watched_selectors: tuple[str, ...] = ()
    markers: bool = True
    async_stacks: bool = False
    a11y: bool = False  # up to half a second of the page's main thread is not ours to spend unasked
    sample_every_s: float = 5.0
    gc_every_s: float = 30.0  # an idle page that grew is collected at most so often; 0: never
