"""A component that changes what it depends on each time that it renders, until the framework gives up."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene, said
from .detector import Detector
from .renaming import RenamingOptions, Reports, failure_text, renamed, without_lead

REACT_ERROR = re.compile(r"React error #(185|301)\b")
REACT = {
    "185": "an update starts the next one each time that it is rendered",
    "301": "a component asks for another rendering each time that it renders",
}
TEXT = re.compile(
    r"Maximum update depth exceeded|Too many re-renders"  # React, Preact, Svelte
    r"|Maximum recursive updates exceeded|infinite update loop in"  # Vue 3, Vue 2
    r"|\bNG0103\b|\beffect_update_depth_exceeded\b",  # Angular, Svelte
)
MAX_TEXT_BYTES = 140


class RenderLoop(Detector[RenamingOptions]):
    id = "render_loop"
    channel = "errors"
    severity = "high"
    about = "A component renders without end, because rendering it changes what it depends on."
    trigger = (
        "React's errors 185 and 301, `Maximum update depth exceeded`, or what Vue, Angular or Svelte say of a loop; "
        "reports within `within_s` are one"
    )
    source = "The messages of React 18 and 19, Preact, Vue 2 and 3, Angular, Svelte"
    options_type = RenamingOptions
    renames = (ExceptionThrown, ConsoleCalled)

    def __init__(self, options: RenamingOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._reports = Reports(options.within_s)

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        text = failure_text(signal)
        number = REACT_ERROR.search(text) if "React error" in text else None
        if number is None and not TEXT.search(text):
            return None
        key = self._reports.key(signal, self.id)
        if number is None:
            return renamed(self, finding, key, f"Render loop: {said(without_lead(text), MAX_TEXT_BYTES)}")
        code = number[1]
        return renamed(
            self, finding, key, f"Render loop: {REACT[code]} (React error #{code})", react_error=int(code)
        )
