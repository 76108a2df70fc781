"""The shape of a CDP domain: listen, enable, undo; one file each in domains/, listed in `domains/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from .cdp.session import Role, Session
from .options import CaptureOptions, Level
from .signal import Detail, StackFrame

P = TypeVar("P")

FRAMES: frozenset[Role] = frozenset({"frame"})
SCRIPTED: frozenset[Role] = frozenset({"frame", "worker", "worklet"})
LOADERS: frozenset[Role] = frozenset({"frame", "worker"})


class Params(msgspec.Struct, rename="camel", omit_defaults=True):
    """Base of CDP parameter types: Chrome's camelCase outside, snake_case here, only the fields that we read."""


class CallFrame(Params):
    function_name: str = ""
    url: str = ""
    line_number: int = 0
    column_number: int = 0
    script_id: str = ""


class StackTrace(Params):
    call_frames: list[CallFrame] = []
    parent: StackTrace | None = None


MAX_STACK_FRAMES = 30
OWN_SCRIPT_URL = "blob:firstcause/tasks.js"  # stands between the page's functions and the browser's
MAX_ASYNC_FRAMES = 60


def stack_of(trace: StackTrace | None) -> tuple[StackFrame, ...]:
    if trace is None:
        return ()
    return tuple(
        StackFrame(f.function_name, f.url, f.line_number + 1, f.column_number + 1, f.script_id)
        for f in trace.call_frames[:MAX_STACK_FRAMES]
        if f.url != OWN_SCRIPT_URL
    )


def async_stack_of(trace: StackTrace | None) -> tuple[StackFrame, ...]:
    """The frames of the calls that led to this one through promises and timers, the latest first."""
    frames: list[StackFrame] = []
    while trace is not None and trace.parent is not None and len(frames) < MAX_ASYNC_FRAMES:
        trace = trace.parent
        frames += stack_of(trace)
    return tuple(frames[:MAX_ASYNC_FRAMES])


class Listener(Generic[P]):
    """One CDP event a domain listens to: its name, the type of its parameters, its handler; and a text that it must hold, if any."""

    def __init__(
        self, method: str, params: type[P], handle: Callable[[Session, P], None], holding: str = ""
    ) -> None:
        self.method = method
        self.holding = holding
        self.params = params
        self.handle = handle


class Domain:
    """What a domain does by default: nothing. State is kept per session and dropped by `forget`."""

    roles: ClassVar[frozenset[Role]] = FRAMES
    levels: ClassVar[frozenset[Level]] = frozenset({"full", "lean"})
    details: ClassVar[tuple[type[Detail], ...]] = ()

    def __init__(self, options: CaptureOptions) -> None:
        self.options = options

    def listen(self) -> Iterable[Listener[Any]]:
        return ()

    def enable(self, session: Session) -> None:
        """Post the commands that switch it on; they are pipelined and never awaited here."""

    def undo(self, session: Session) -> None:
        """Post the commands that leave the target as it was."""

    def forget(self, session: Session) -> None:
        """The session is gone."""

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        """Work of its own beside the events; cancelled with the connection."""
