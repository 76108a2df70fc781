"""What scripts say and do wrong: exceptions, rejections, console calls."""

from __future__ import annotations

from ...observer.domains.runtime import ConsoleCalled, ExceptionRevoked, ExceptionThrown
from ...observer.domains.scripts import SourceMapMissing
from ...observer.signal import Signal, StackFrame
from ..event import Severity
from .finding import Descriptions, Finding, Scene, context, place, places, said

CONSOLE: dict[str, tuple[str, Severity]] = {
    "error": ("console_error", "medium"),
    "assert": ("console_assert", "medium"),
    "warning": ("console_warning", "low"),
}
WORKERS = frozenset({"worker", "shared_worker", "service_worker", "worklet"})
PARENTS = frozenset({"worker", "shared_worker"})


def repeats_child(signal: Signal, detail: ExceptionThrown) -> bool:
    """A worker tells the exceptions of the workers that it has started again, sometimes first and always without their value."""
    return signal.target_type in PARENTS and not detail.rejection and detail.text == "Uncaught null"


def exception(signal: Signal, detail: ExceptionThrown, scene: Scene) -> Finding:
    frame = signal.stack[0] if signal.stack else StackFrame("", detail.url, detail.line, detail.column)
    worker = signal.target_type if signal.target_type in WORKERS else ""
    if detail.rejection:
        kind, lead = "unhandled_rejection", "Unhandled rejection: "
    else:
        kind, lead = ("worker_error" if worker else "uncaught_exception"), "Uncaught "
    text = said(detail.text.removeprefix("Uncaught (in promise)").removeprefix("Uncaught").strip())
    return Finding(
        kind=kind,
        channel="errors",
        type="error",
        severity="high",
        summary=lead + text,
        context=context(
            **places(signal.stack or [frame], scene),
            url=scene.url(detail.url),
            target=worker,
            rejection=bool(worker) and detail.rejection,
        ),
        template=place(StackFrame(frame.function, frame.url)),
        about=f"{detail.url}:{detail.line}:{detail.column}" if worker and not detail.rejection else "",
        family="parent" if repeats_child(signal, detail) else "exception",
    )


def revoked(_: Signal, __: ExceptionRevoked, ___: Scene) -> Finding:
    return Finding(
        kind="rejection_handled",
        channel="activity",
        type="activity",
        severity="info",
        summary="A rejection that was told as unhandled has been handled after all",
    )


def console(signal: Signal, detail: ConsoleCalled, scene: Scene) -> Finding:
    worker = signal.target_type if signal.target_type in WORKERS else ""
    where = places(signal.stack, scene)
    text = said(detail.text)
    if detail.level not in CONSOLE:
        return Finding(
            kind="console_message",
            channel="activity",
            type="activity",
            severity="info",
            summary=f"console.{detail.level}: {text}",
            context=context(**where, target=worker),
        )
    kind, severity = CONSOLE[detail.level]
    if detail.level == "assert":
        text = f"Assertion failed: {text.removeprefix('Assertion failed').lstrip(': ')}".rstrip(": ")
    return Finding(
        kind=kind,
        channel="errors",
        type="error",
        severity=severity,
        summary=text or f"console.{detail.level} without a text",
        context=context(**where, target=worker),
    )


def map_missing(_: Signal, detail: SourceMapMissing, scene: Scene) -> Finding:
    script = scene.url(detail.script_url)
    return Finding(
        kind="sourcemap_missing",
        channel="errors",
        type="error",
        severity="info",
        summary=said(f"No source map for {script}: {detail.reason}"),
        context=context(url=script, map=scene.url(detail.map_url)),
        key=f"source map of {detail.script_url}",
        template=f"source map of {script}",
    )


DESCRIPTIONS: Descriptions = {
    ExceptionThrown: exception,
    ExceptionRevoked: revoked,
    ConsoleCalled: console,
    SourceMapMissing: map_missing,
}
