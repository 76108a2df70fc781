"""A Signal is one fact about a browser, with the evidence that lets the correlator link it to others."""

from __future__ import annotations

import msgspec


class StackFrame(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One frame of a JavaScript stack; lines and columns count from 1 as people and editors do."""

    function: str = ""
    url: str = ""
    line: int = 0
    column: int = 0
    script_id: str = ""


class Detail(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """What a signal says. Each CDP domain defines its own details in its own file; the tag is the signal's kind."""

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One fact.

    `order` counts within a session, and there it is the order of the main thread; across sessions only the clocks compare.
    `wall_ms` is Chrome's own time of the fact where it has one; `monotonic_s` is ours when the fact arrived. `async_stack` are the
    calls that led here through promises and timers, where Chrome was asked to keep them.
    """

    detail: Detail
    browser: str
    session: str
    order: int
    monotonic_s: float
    wall_ms: float
    target: str = ""
    target_type: str = ""
    page: str = ""
    frame: str = ""
    request_id: str = ""
    loader_id: str = ""
    stack: tuple[StackFrame, ...] = ()
    async_stack: tuple[StackFrame, ...] = ()
    element: str = ""
    replayed: bool = False

    @property
    def kind(self) -> str:
        return self.detail.kind
