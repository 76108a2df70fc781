"""What may be a cause: a user's action, a document, a request, a failure; each knows the event that tells of it, once it was told."""

from __future__ import annotations

from typing import NamedTuple

from ..observer.signal import Detail, Signal, StackFrame

NAMED_FRAMES = 8


def site_of(frame: StackFrame) -> tuple[str, int, int]:
    return frame.url, frame.line, frame.column


class Published(Detail, frozen=True, tag="published"):
    """What somebody outside told, as the rules see it."""


class Link(NamedTuple):
    """That `node` is the direct cause, by which rule, and how sure that is.

    With `if_failed` it holds only if the node turns out to be a failure: the page hears of some failures before we do.
    """

    node: Node
    via: str
    confidence: float
    if_failed: bool = False


class Node:
    """One happening. `links` are the candidates for its own cause, the best first."""

    __slots__ = (
        "at_s",
        "browser",
        "chain_id",
        "event_id",
        "failed",
        "frame",
        "kind",
        "links",
        "page",
        "session",
        "text",
        "told_failed",
        "wall_ms",
    )

    def __init__(self, kind: str, signal: Signal, text: str = "") -> None:
        self.kind = kind
        self.browser = signal.browser
        self.session = signal.session
        self.page = signal.page
        self.frame = signal.frame
        self.at_s = signal.monotonic_s
        self.wall_ms = signal.wall_ms
        self.text = text
        self.failed = False
        self.links: tuple[Link, ...] = ()
        self.event_id = ""
        self.chain_id = ""
        self.told_failed = False

    def tells(self, event_id: str, chain_id: str, *, failed: bool) -> None:
        """An event tells of it: the first one, unless one of its failure comes later."""
        if not self.event_id or (failed and not self.told_failed):
            self.event_id, self.chain_id, self.told_failed = event_id, chain_id, failed

    @property
    def is_over(self) -> bool:
        """Whether all that there will be to tell of it is known."""
        return True


class Action(Node):
    """What the user did; `text` is the element, `how` a click, an input, a key. `led` once something came of it."""

    __slots__ = ("how", "led")

    def __init__(self, signal: Signal, element: str = "", how: str = "") -> None:
        super().__init__("action", signal, element)
        self.how = how
        self.led = False


class Document(Node):
    """A frame's document, from the request for it on; `text` is its address."""

    __slots__ = ("is_loaded", "request")

    def __init__(self, signal: Signal, url: str) -> None:
        super().__init__("document", signal, url)
        self.is_loaded = False
        self.request: Request | None = None


class Removal(Node):
    """An element that was removed; told as an event only if it explains something. `text` is its selector."""

    __slots__ = ("signal",)

    def __init__(self, signal: Signal, selector: str) -> None:
        super().__init__("removal", signal, selector)
        self.signal = signal


class Request(Node):
    """A request or a socket, and its answer; `text` is the address."""

    __slots__ = (
        "_functions",
        "answered",
        "async_stack",
        "heard_ms",
        "heard_s",
        "mime",
        "request_id",
        "resource",
        "stack",
        "status",
    )

    def __init__(self, signal: Signal, url: str, resource: str = "") -> None:
        super().__init__("request", signal, url)
        self.request_id = signal.request_id
        self.resource = resource
        self.stack: tuple[StackFrame, ...] = ()
        self.async_stack: tuple[StackFrame, ...] = ()
        self._functions: frozenset[tuple[str, str]] | None = None
        self.answered = False
        self.heard_s = 0.0
        self.heard_ms = 0.0
        self.status = 0
        self.mime = ""

    @property
    def site(self) -> tuple[str, int, int] | None:
        """Where it was made."""
        first = next(iter(self.stack or self.async_stack), None)
        return site_of(first) if first is not None else None

    def is_called_at(self, site: tuple[str, int, int]) -> bool:
        return any(site_of(frame) == site for frame in self.stack)

    def is_called_by(self, function: tuple[str, str]) -> bool:
        """Whether a function (its script and its name) is among those that made it."""
        if self._functions is None:
            frames = (self.stack + self.async_stack)[:NAMED_FRAMES]
            self._functions = frozenset((frame.url, frame.function) for frame in frames)
        return function in self._functions

    @property
    def is_over(self) -> bool:
        return self.answered


class Effect(NamedTuple):
    """Something whose cause is looked for, with the evidence as it stood when it happened.

    `context` is the task's, `` if the page does not know it, None if the page was not asked. `action` is the user's action that
    is being handled, `last` what this thread heard of last.
    """

    kind: str
    signal: Signal
    text: str = ""
    context: str | None = None
    action: Node | None = None
    last: Request | None = None
    node: Node | None = None
