"""Runtime: exceptions, rejections (and their late handling) and console calls, with short renderings of what was logged."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ..cdp.session import Session
from ..domain import OWN_SCRIPT_URL, SCRIPTED, Domain, Listener, Params, StackTrace, async_stack_of, stack_of
from ..long_texts import MAX_TEXT_CHARS as MAX_KEPT_CHARS
from ..long_texts import LongTexts
from ..options import CaptureOptions
from ..signal import Detail

MAX_TEXT_CHARS = 2000
MAX_VALUE_CHARS = 300
ASYNC_CALLS = 32
FORMAT_DIRECTIVE = re.compile(r"%[sdifoOc%]")


class ExceptionThrown(Detail, frozen=True, tag="exception"):
    text: str
    rejection: bool = False
    exception_id: int = 0
    url: str = ""
    line: int = 0
    column: int = 0


class ExceptionRevoked(Detail, frozen=True, tag="exception_revoked"):
    exception_id: int


class ConsoleCalled(Detail, frozen=True, tag="console"):
    level: str
    text: str


class ObjectProperty(Params):
    name: str
    type: str = ""
    value: str = ""


class ObjectPreview(Params):
    description: str = ""
    overflow: bool = False
    properties: list[ObjectProperty] = []


class RemoteObject(Params):
    type: str = ""
    subtype: str = ""
    description: str = ""
    value: Any = None
    unserializable_value: str = ""
    preview: ObjectPreview | None = None


class ExceptionDetails(Params):
    text: str = ""
    exception_id: int = 0
    url: str = ""
    line_number: int = 0
    column_number: int = 0
    exception: RemoteObject | None = None
    stack_trace: StackTrace | None = None


class ExceptionThrownParams(Params):
    timestamp: float
    exception_details: ExceptionDetails


class ExceptionRevokedParams(Params):
    exception_id: int


class ConsoleParams(Params):
    type: str
    timestamp: float
    args: list[RemoteObject] = []
    stack_trace: StackTrace | None = None


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def rendered(value: RemoteObject) -> str:
    """A logged value as a person would want to read it in one line."""
    if value.unserializable_value:
        return value.unserializable_value
    if value.type == "string":
        return str(value.value or "")
    if value.subtype == "error":
        return value.description.split("\n    at ", 1)[0]
    # A preview of anything else (node, date, map …) lists its getters; what it is, its description says.
    if value.preview and value.subtype in ("", "array"):
        return previewed(value, value.preview)
    if value.description:  # numbers too: as JavaScript writes them
        return value.description
    if value.value is None and value.subtype != "null":
        return value.type
    return msgspec.json.encode(value.value).decode()


def previewed(value: RemoteObject, preview: ObjectPreview) -> str:
    is_array = value.subtype == "array"
    shown = [p.value or ('""' if p.type == "string" else p.type) for p in preview.properties]
    if not is_array:
        shown = [f"{p.name}: {text}" for p, text in zip(preview.properties, shown, strict=True)]
    inner = ", ".join([*shown, "…"] if preview.overflow else shown)
    name = "" if is_array or value.description in ("", "Object") else f"{value.description} "
    return f"[{inner}]" if is_array else f"{name}{{{inner}}}"


def console_text(
    args: list[RemoteObject], limit: int = MAX_TEXT_CHARS, value_limit: int = MAX_VALUE_CHARS
) -> str:
    """The arguments as one text, with %s-style directives filled in and %c styling left out."""
    values = [shorten(rendered(arg), value_limit if arg.type != "string" else limit) for arg in args]
    if len(values) > 1 and args[0].type == "string" and "%" in values[0]:
        rest = iter(values[1:])

        def fill(found: re.Match[str]) -> str:
            if found.group() == "%%":
                return "%"
            value = next(rest, None)
            return found.group() if value is None else "" if found.group() == "%c" else value

        values = [FORMAT_DIRECTIVE.sub(fill, values[0]), *rest]
    return shorten(" ".join(values), limit)


def exception_text(details: ExceptionDetails) -> str:
    """`TypeError: x is undefined`; what a rejection carried that is no Error is shown as a value."""
    thrown = details.exception
    if thrown is None:
        return shorten(details.text, MAX_TEXT_CHARS)
    text = rendered(thrown)
    if thrown.subtype != "error":
        prefix = "Uncaught (in promise)" if is_rejection(details) else "Uncaught"
        text = f"{prefix} {text}"
    return shorten(text, MAX_TEXT_CHARS)


def is_rejection(details: ExceptionDetails) -> bool:
    return details.text.startswith("Uncaught (in promise")


class RuntimeDomain(Domain):
    roles = SCRIPTED
    details = (ExceptionThrown, ExceptionRevoked, ConsoleCalled)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self.long_texts = LongTexts()

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Runtime.exceptionThrown", ExceptionThrownParams, self._thrown),
            Listener("Runtime.exceptionRevoked", ExceptionRevokedParams, self._revoked),
            Listener("Runtime.consoleAPICalled", ConsoleParams, self._console),
            Listener("Runtime.executionContextsCleared", Params, self._cleared),
        ]

    def enable(self, session: Session) -> None:
        session.enable_replaying("Runtime")
        if self.options.async_stacks:
            session.post("Runtime.setAsyncCallStackDepth", maxDepth=ASYNC_CALLS)

    def undo(self, session: Session) -> None:
        if self.options.async_stacks:
            session.post("Runtime.setAsyncCallStackDepth", maxDepth=0)
        session.post("Runtime.disable")

    def _cleared(self, session: Session, _: Params) -> None:
        # A restore from the back/forward cache now repeats the old page's entries.
        session.history.expect()

    def _thrown(self, session: Session, params: ExceptionThrownParams) -> None:
        if session.history.is_repeat("Runtime", params.timestamp):
            return
        details = params.exception_details
        stack = stack_of(details.stack_trace)
        at = stack[0] if stack and details.url in ("", OWN_SCRIPT_URL) else None
        session.emit(
            ExceptionThrown(
                text=exception_text(details),
                rejection=is_rejection(details),
                exception_id=details.exception_id,
                url=at.url if at else details.url,
                line=at.line if at else details.line_number + 1,
                column=at.column if at else details.column_number + 1,
            ),
            wall_ms=params.timestamp,
            stack=stack,
            async_stack=async_stack_of(details.stack_trace),
            replayed=session.is_replaying("Runtime"),
        )

    def _revoked(self, session: Session, params: ExceptionRevokedParams) -> None:
        session.emit(ExceptionRevoked(params.exception_id))

    def _console(self, session: Session, params: ConsoleParams) -> None:
        if session.history.is_repeat("Runtime", params.timestamp):
            return
        text = console_text(params.args)
        if "…" in text and (longer := console_text(params.args, MAX_KEPT_CHARS, MAX_KEPT_CHARS)) != text:
            self.long_texts.keep(session.id, session.order + 1, longer)
        session.emit(
            ConsoleCalled(params.type, text),
            wall_ms=params.timestamp,
            stack=stack_of(params.stack_trace),
            async_stack=async_stack_of(params.stack_trace),
            replayed=session.is_replaying("Runtime"),
        )
