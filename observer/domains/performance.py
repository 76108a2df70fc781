"""Performance: heap, nodes, listeners and time spent, sampled from counters that Chrome keeps anyway.

Only a collection tells what a page really holds, and it stops the page for 2-4 ms a megabyte of small objects. So one is made only
of a page that is idle, that grew since the last one, that is not too large, and seldom: then the page must not notice.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from ..cdp.session import Session
from ..domain import FRAMES, Domain, Listener, Params
from ..errors import CommandFailed
from ..options import CaptureOptions
from ..signal import Detail

SAMPLE_TIMEOUT_S = 2.0
COLLECT_TIMEOUT_S = 5.0
IDLE_SHARE = 0.05
# What makes a collection worth its time: a part more than after the last one, and not next to nothing.
GROWN = 1.2
GROWN_BYTES = 1_000_000
GROWN_NODES = 20
GROWN_LISTENERS = 10
# A larger heap takes so long that a person would notice.
MAX_COLLECTED_BYTES = 100_000_000
# After one that took longer the next one waits longer, by as much.
NOTICED_S = 0.1
# What turned out to be garbage is looked at ever more seldom.
MAX_PATIENCE = 8
MAX_NAMES = 3
ACTION = r"kind\":\"action\""  # within a text of JSON


class Metrics(Detail, frozen=True, tag="metrics"):
    """`before_gc`: a collection follows, which holds the page up; `after_gc`: what is left after one."""

    heap_bytes: float = 0
    nodes: int = 0
    documents: int = 0
    listeners: int = 0
    layouts: int = 0
    script_s: float = 0
    layout_s: float = 0
    task_s: float = 0
    before_gc: bool = False
    after_gc: bool = False

    @property
    def busy_s(self) -> float:
        """A task is counted once it is over, what it does in scripts and layout at once."""
        return max(self.task_s, self.script_s + self.layout_s)


class DetachedNodes(Detail, frozen=True, tag="detached_nodes"):
    """Trees of nodes that are in no document and that scripts hold, right after a collection; by their roots, the most frequent first."""

    trees: int
    names: tuple[str, ...] = ()


class Metric(msgspec.Struct):
    name: str
    value: float


class MetricsReply(msgspec.Struct):
    metrics: list[Metric]


class DetachedRoot(Params):
    node_name: str = ""
    attributes: list[str] = []

    @property
    def name(self) -> str:
        """`div#menu`, or `li.row` without an id."""
        values = dict(zip(self.attributes[::2], self.attributes[1::2], strict=False))
        first_class = values.get("class", "").partition(" ")[0]
        more = f"#{values['id']}" if values.get("id") else f".{first_class}" if first_class else ""
        return f"{self.node_name.lower()}{more}"


class DetachedTree(Params):
    tree_node: DetachedRoot


class DetachedReply(Params):
    detached_nodes: list[DetachedTree] = []


class ActionTold(Params):
    """What the page script tells of an action; the frame's text has shown that it is one."""


REPLY = msgspec.json.Decoder(MetricsReply)
DETACHED = msgspec.json.Decoder(DetachedReply)


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


async def read_detached(session: Session) -> DetachedNodes:
    """DOM is on only meanwhile: it would hold the very nodes that it tells of."""
    session.post("DOM.enable")
    reply = session.post("DOM.getDetachedDomNodes", COLLECT_TIMEOUT_S)
    session.post("DOM.disable")
    trees = DETACHED.decode(await reply).detached_nodes
    names = Counter(tree.tree_node.name for tree in trees)
    return DetachedNodes(len(trees), tuple(name for name, _ in names.most_common(MAX_NAMES)))


class Memory:
    """What is known of one target's memory: its last sample, and what it held after the last collection."""

    __slots__ = ("acted_s", "base", "due_s", "isolate", "last", "patience", "sampled_s")

    def __init__(self) -> None:
        self.isolate = ""
        self.last: Metrics | None = None
        self.sampled_s = 0.0
        self.base: Metrics | None = (
            None  # after the last collection; before the first one, what there was at first
        )
        self.due_s = 0.0
        self.acted_s = 0.0
        self.patience = 1

    def note(self, metrics: Metrics, now_s: float) -> bool:
        """Whether the page has been idle since the last sample."""
        last, since_s = self.last, self.sampled_s
        self.last, self.sampled_s = metrics, now_s
        if self.base is None:
            self.base = metrics
        if last is None or self.acted_s >= since_s:
            return False
        return metrics.busy_s - last.busy_s < IDLE_SHARE * (now_s - since_s)

    def has_grown(self, metrics: Metrics) -> bool:
        base = self.base
        return base is not None and (
            metrics.heap_bytes >= max(base.heap_bytes * GROWN, base.heap_bytes + GROWN_BYTES)
            or metrics.nodes >= base.nodes + GROWN_NODES
            or metrics.listeners >= base.listeners + GROWN_LISTENERS
        )

    def collected(self, left: Metrics, now_s: float, took_s: float, every_s: float) -> bool:
        """Whether nodes stayed up, or it is the first: what there was before was never collected, and tells nothing."""
        base, self.base = self.base, left
        self.last, self.sampled_s = left, now_s  # what the collection took is no work of the page
        stayed = base is None or left.nodes > base.nodes or left.heap_bytes > base.heap_bytes
        self.patience = 1 if stayed else min(self.patience * 2, MAX_PATIENCE)
        self.due_s = now_s + every_s * self.patience * max(1.0, took_s / NOTICED_S)
        return base is None or not base.after_gc or left.nodes > base.nodes


class PerformanceDomain(Domain):
    roles = FRAMES
    details = (Metrics, DetachedNodes)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._memories: dict[str, Memory] = {}

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Runtime.bindingCalled", ActionTold, self._acted, ACTION),
            Listener("Runtime.executionContextsCleared", Params, self._left),
        ]

    def enable(self, session: Session) -> None:
        session.post("Performance.enable")

    def undo(self, session: Session) -> None:
        session.post("Performance.disable")

    def forget(self, session: Session) -> None:
        self._memories.pop(session.id, None)

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        while True:
            await asyncio.sleep(self.options.sample_every_s)
            watched = [s for s in sessions() if s.role == "frame" and s.ready and not s.crashed]
            await asyncio.gather(*(self._sample(session, self._memory(session)) for session in watched))

    def _memory(self, session: Session) -> Memory:
        memory = self._memories.setdefault(session.id, Memory())
        memory.isolate = session.isolate
        return memory

    def _acted(self, session: Session, _: ActionTold) -> None:
        if memory := self._memories.get(session.id):
            memory.acted_s = time.monotonic()

    def _left(self, session: Session, _: Params) -> None:
        """Another document: what the last one held says nothing about it."""
        if session.id in self._memories:
            self._memories[session.id] = Memory()

    async def _sample(self, session: Session, memory: Memory) -> None:
        try:
            metrics = await read_metrics(session)
            now_s = time.monotonic()
            is_idle = memory.note(metrics, now_s)
            if is_idle and now_s >= memory.due_s and self._is_worth_it(session, memory, metrics):
                session.emit(msgspec.structs.replace(metrics, before_gc=True))
                await self._collect(session, memory)
            else:
                session.emit(metrics)
        except (CommandFailed, msgspec.MsgspecError):
            return  # gone, or too busy to say: the watchdog tells that

    def _is_worth_it(self, session: Session, memory: Memory, metrics: Metrics) -> bool:
        can_be = self.options.gc_every_s > 0 and not session.dialog_open
        return can_be and metrics.heap_bytes <= MAX_COLLECTED_BYTES and memory.has_grown(metrics)

    async def _collect(self, session: Session, memory: Memory) -> None:
        began_s = time.monotonic()
        self._put_off(memory, began_s + self.options.gc_every_s)
        await session.post("HeapProfiler.collectGarbage", COLLECT_TIMEOUT_S)
        took_s = time.monotonic() - began_s
        left = msgspec.structs.replace(await read_metrics(session), after_gc=True)
        if self._memories.get(session.id) is not memory:
            return  # the page has another document by now
        session.emit(left)
        if memory.collected(left, time.monotonic(), took_s, self.options.gc_every_s):
            session.emit(await read_detached(session))

    def _put_off(self, collected: Memory, due_s: float) -> None:
        """Pages that share a main thread share its heap: one collection is all of theirs. One that is refused is not tried at once again."""
        for memory in self._memories.values():
            if memory is collected or memory.isolate == collected.isolate != "":
                memory.due_s = due_s
