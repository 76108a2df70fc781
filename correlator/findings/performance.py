"""What makes a page slow: long frames with the script to blame, forced layouts, slow interactions, layout shifts."""

from __future__ import annotations

from ...observer.domains.page_script import FrameScript, Interaction, LayoutShift, LongFrame
from ...observer.signal import Signal
from ..event import Severity
from .finding import Descriptions, Finding, Scene, context, said

LONG_FRAME_MS = 200
LONG_BLOCKING_MS = 150
FORCED_LAYOUT_MS, FORCED_LAYOUT_HIGH_MS = 30, 100
SLOW_INTERACTION_MS, SLOW_INTERACTION_HIGH_MS = 200, 500
SHIFT, SHIFT_HIGH = 0.1, 0.25
MAX_NODES = 3


def long_frame(_: Signal, detail: LongFrame, scene: Scene) -> Finding | None:
    forced_ms = sum(script.forced_layout_ms for script in detail.scripts)
    if forced_ms >= FORCED_LAYOUT_MS:
        worst = max(detail.scripts, key=lambda script: script.forced_layout_ms)
        kind, severity = "layout_thrash", graded(forced_ms, FORCED_LAYOUT_HIGH_MS)
        summary = f"{forced_ms:.0f} ms of forced layout in one frame of {detail.duration_ms:.0f} ms"
    elif detail.duration_ms >= LONG_FRAME_MS or detail.blocking_ms >= LONG_BLOCKING_MS:
        worst = max(detail.scripts, key=lambda script: script.duration_ms, default=FrameScript())
        kind, severity = "long_task", "medium"
        summary = f"The main thread was busy for {detail.duration_ms:.0f} ms"
    else:
        return None
    by = blamed(worst, scene)
    return Finding(
        kind=kind,
        channel="performance",
        type="performance",
        severity=severity,
        summary=f"{summary}, by {by}" if by else summary,
        context=context(
            duration_ms=detail.duration_ms,
            blocking_ms=detail.blocking_ms,
            forced_layout_ms=round(forced_ms, 1),
            script=by,
        ),
        template=by,
    )


def blamed(script: FrameScript, scene: Scene) -> str:
    """`alignCards (shop.js, FrameRequestCallback)`"""
    file = scene.url(script.url).partition("?")[0].rsplit("/", 1)[-1]
    function, invoker = said(script.function, 80), said(script.invoker, 60)
    where = ", ".join(part for part in (said(file, 80), invoker) if part)
    return f"{function} ({where})" if function and where else function or where


def graded(value: float, high_from: float) -> Severity:
    return "high" if value >= high_from else "medium"


def interaction(signal: Signal, detail: Interaction, _: Scene) -> Finding | None:
    if detail.duration_ms <= SLOW_INTERACTION_MS:
        return None
    element = said(signal.element, 160)
    on = f" on {element}" if element else ""
    return Finding(
        kind="slow_interaction",
        channel="performance",
        type="performance",
        severity=graded(detail.duration_ms, SLOW_INTERACTION_HIGH_MS),
        summary=f"{detail.name}{on} took {detail.duration_ms:.0f} ms to show an effect",
        context=context(
            element=element,
            duration_ms=detail.duration_ms,
            input_delay_ms=detail.input_delay_ms,
            processing_ms=detail.processing_ms,
        ),
        key=f"{signal.session} interaction {detail.interaction}",
    )


def layout_shift(_: Signal, detail: LayoutShift, __: Scene) -> Finding | None:
    if detail.value <= SHIFT:
        return None
    nodes = [said(node, 100) for node in detail.nodes[:MAX_NODES]]
    return Finding(
        kind="layout_shift",
        channel="performance",
        type="performance",
        severity=graded(detail.value, SHIFT_HIGH),
        summary=f"The layout shifted by {detail.value:.2f}" + (f", moving {nodes[0]}" if nodes else ""),
        context=context(value=detail.value, nodes=[*nodes]),
    )


DESCRIPTIONS: Descriptions = {LongFrame: long_frame, Interaction: interaction, LayoutShift: layout_shift}
