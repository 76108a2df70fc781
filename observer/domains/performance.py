"""Performance: heap, nodes, listeners and time spent, sampled from counters that Chrome keeps anyway; never forces a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from ..cdp.session import Session
from ..domain import FRAMES, Domain
from ..errors import CommandFailed
from ..signal import Detail

SAMPLE_EVERY_S = 5.0
SAMPLE_TIMEOUT_S = 2.0


class Metrics(Detail, frozen=True, tag="metrics"):
    heap_bytes: float = 0
    nodes: int = 0
    documents: int = 0
    listeners: int = 0
    layouts: int = 0
    script_s: float = 0
    layout_s: float = 0
    task_s: float = 0


class Metric(msgspec.Struct):
    name: str
    value: float


class MetricsReply(msgspec.Struct):
    metrics: list[Metric]


REPLY = msgspec.json.Decoder(MetricsReply)


async def read_metrics(session: Session, timeout_s: float = SAMPLE_TIMEOUT_S) -> Metrics:
    """Answered even while a script keeps the page busy: Chrome reads these counters on an interrupt."""
    reply = await session.post("Performance.getMetrics", timeout_s)
    values = {metric.name: metric.value for metric in REPLY.decode(reply).metrics}
    return Metrics(
        heap_bytes=values.get("JSHeapUsedSize", 0),
        nodes=int(values.get("Nodes", 0)),
        documents=int(values.get("Documents", 0)),
        listeners=int(values.get("JSEventListeners", 0)),
        layouts=int(values.get("LayoutCount", 0)),
        script_s=round(values.get("ScriptDuration", 0), 3),
        layout_s=round(values.get("LayoutDuration", 0) + values.get("RecalcStyleDuration", 0), 3),
        task_s=round(values.get("TaskDuration", 0), 3),
    )


class PerformanceDomain(Domain):
    roles = FRAMES
    details = (Metrics,)

    def enable(self, session: Session) -> None:
        session.post("Performance.enable")

    def undo(self, session: Session) -> None:
        session.post("Performance.disable")

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        while True:
            await asyncio.sleep(SAMPLE_EVERY_S)
            watched = [s for s in sessions() if s.role == "frame" and s.ready and not s.crashed]
            await asyncio.gather(*(self._sample(session) for session in watched))

    async def _sample(self, session: Session) -> None:
        try:
            metrics = await read_metrics(session)
        except (CommandFailed, msgspec.MsgspecError):
            return  # gone, or too busy to say: the watchdog tells that
        session.emit(metrics)
