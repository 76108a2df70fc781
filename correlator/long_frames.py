"""Which script a long frame is to be blamed on, in the words that all findings about long frames use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from ..observer.domains.page_script import FrameScript
from ..observer.signal import StackFrame
from .findings.finding import Scene, places, said

# Chrome says where a script's function is by a count of characters. That is a column only where all the code is in one line, as
# bundlers write it: then nothing is mapped on the lines that follow.
LINES_LOOKED_AT = range(2, 6)
FAR_RIGHT = 2**30


class Spot(NamedTuple):
    """A place in the sources, and the generated one that it was found by; empty where nothing tells it."""

    at: JsonValue = ""
    generated: JsonValue = ""


def longest(scripts: Sequence[FrameScript]) -> FrameScript:
    return max(scripts, key=lambda script: script.duration_ms, default=FrameScript())


def forced_ms(scripts: Sequence[FrameScript]) -> float:
    """How long scripts waited for layout that they asked for."""
    return round(sum(script.forced_layout_ms for script in scripts), 1)


def blamed(script: FrameScript, scene: Scene) -> str:
    """`alignCards (shop.js, FrameRequestCallback)`"""
    file = scene.url(script.url).partition("?")[0].rsplit("/", 1)[-1]
    function, invoker = said(script.function, 80), said(script.invoker, 60)
    where = ", ".join(part for part in (said(file, 80), invoker) if part)
    return f"{function} ({where})" if function and where else function or where


def source_places(script: FrameScript, scene: Scene) -> Spot:
    """Where in the sources a script's function is, if its source map says that for sure."""
    frame = StackFrame(script.function, script.url, 1, script.char + 1)
    if script.char < 0 or not script.url or scene.source(frame) is None:
        return Spot()
    if any(scene.source(StackFrame("", script.url, line, FAR_RIGHT)) for line in LINES_LOOKED_AT):
        return Spot()
    found = places((frame,), scene)
    return Spot(at=found["at"], generated=found["generated"])
