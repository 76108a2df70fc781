"""Long frames and their scripts, as the tests of performance findings use them."""

from __future__ import annotations

from typing import Any

from firstcause.observer.domains.page_script import FrameScript, LongFrame

from ..flows import SITE, Story


def script(
    function: str = "rank", duration_ms: float = 0.0, forced_ms: float = 0.0, **more: Any
) -> FrameScript:
    place: dict[str, Any] = {"invoker": "BUTTON#sort.onclick", "url": f"{SITE}/js/shop.js?v=1", "char": 40}
    return FrameScript(
        function=function, duration_ms=duration_ms, forced_layout_ms=forced_ms, **(place | more)
    )


def frame(duration_ms: float, *scripts: FrameScript, **more: float) -> LongFrame:
    return LongFrame(duration_ms, scripts=scripts, **more)


def kinds(story: Story) -> list[str]:
    return [event.kind for event in story.events if event.channel != "activity"]
