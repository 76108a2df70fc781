"""Samples of what a page holds and has spent, taken from Chrome's own counters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from firstcause.observer.domains import watchdog
from firstcause.observer.domains.performance import DetachedNodes, Memory, Metrics, read_metrics
from firstcause.observer.options import CaptureOptions

from .wire import Wire, observing

REPLY = {
    "metrics": [
        {"name": "Timestamp", "value": 5.5},
        {"name": "JSHeapUsedSize", "value": 1_234_567},
        {"name": "Nodes", "value": 42},
        {"name": "Documents", "value": 2},
        {"name": "JSEventListeners", "value": 7},
        {"name": "LayoutCount", "value": 3},
        {"name": "ScriptDuration", "value": 0.12345},
        {"name": "LayoutDuration", "value": 0.25},
        {"name": "RecalcStyleDuration", "value": 0.5},
        {"name": "TaskDuration", "value": 1.00049},
    ]
}
READ = Metrics(
    heap_bytes=1_234_567,
    nodes=42,
    documents=2,
    listeners=7,
    layouts=3,
    script_s=0.123,
    layout_s=0.75,
    task_s=1.0,
)
OFTEN = CaptureOptions(sample_every_s=0.001)


async def test_counters_are_read_by_name(wire: Wire) -> None:
    wire.answers["Performance.getMetrics"] = REPLY
    assert await read_metrics(wire.observer._tree.sessions["S1"]) == READ


async def test_a_browser_that_knows_none_of_them(wire: Wire) -> None:
    wire.answers["Performance.getMetrics"] = {"metrics": []}
    assert await read_metrics(wire.observer._tree.sessions["S1"]) == Metrics()


async def test_only_living_pages_are_sampled() -> None:
    async with observing(OFTEN) as wire:
        wire.answers["Performance.getMetrics"] = REPLY
        wire.attach("crashed")
        wire.event("Inspector.targetCrashed", {}, "crashed")
        wire.attach("worker", "worker", parent="crashed")
        wire.attach("page")
        signal = await wire.signal("metrics")
        await wire.until(lambda: wire.methods("page").count("Performance.getMetrics") > 3)
        assert (signal.detail, signal.session) == (READ, "page")
        assert {s.session for s in wire.told() if s.kind == "metrics"} == {"page"}


async def test_an_answer_of_another_shape_ends_no_sampling() -> None:
    async with observing(OFTEN) as wire:
        wire.answers["Performance.getMetrics"] = {"metrics": "none"}
        wire.attach()
        await wire.until(lambda: wire.methods().count("Performance.getMetrics") > 3)
        wire.answers["Performance.getMetrics"] = REPLY
        assert (await wire.signal("metrics")).detail == READ


async def test_performance_is_switched_on_and_off() -> None:
    async with observing() as wire:
        wire.attach()
    assert "Performance.enable" in wire.methods()
    assert "Performance.disable" in wire.methods()


# Which page is collected, and when.

SMALL = Metrics(heap_bytes=10_000_000, nodes=500, listeners=50, task_s=1.0)


def later(before: Metrics, **changes: float) -> Metrics:
    return msgspec.structs.replace(before, **changes)


def memory(now_s: float = 100.0) -> Memory:
    """What is known after a first sample."""
    of = Memory()
    assert not of.note(SMALL, now_s)
    return of


def test_a_page_is_idle_when_its_main_thread_hardly_worked() -> None:
    assert memory().note(later(SMALL, task_s=1.249), 105.0)
    assert not memory().note(later(SMALL, task_s=1.25), 105.0)
    # A task that is not over is not counted yet, but its scripts and layout are.
    assert not memory().note(later(SMALL, script_s=1.2, layout_s=0.1), 105.0)


def test_a_page_that_somebody_uses_is_not_idle() -> None:
    of = memory()
    of.acted_s = 101.0
    assert not of.note(SMALL, 105.0)
    assert of.note(SMALL, 110.0)


@pytest.mark.parametrize(
    ("changes", "has_grown"),
    [
        ({"heap_bytes": 12_000_000}, True),
        ({"heap_bytes": 11_999_999}, False),
        ({"nodes": 520}, True),
        ({"nodes": 519}, False),
        ({"listeners": 60}, True),
        ({"listeners": 59}, False),
    ],
)
def test_a_page_has_grown_by_a_fifth_or_by_some_nodes(changes: dict[str, float], has_grown: bool) -> None:
    assert memory().has_grown(later(SMALL, **changes)) == has_grown


def test_a_tiny_heap_has_to_grow_by_a_megabyte() -> None:
    of = Memory()
    of.note(later(SMALL, heap_bytes=1_000_000), 100.0)
    assert not of.has_grown(later(SMALL, heap_bytes=1_900_000))
    assert of.has_grown(later(SMALL, heap_bytes=2_000_000))


def test_collections_become_rare_where_all_was_garbage_or_they_take_long() -> None:
    of = memory()
    waits: list[float] = []
    for _ in range(5):
        of.collected(SMALL, 200.0, 0.02, 30.0)
        waits.append(of.due_s - 200.0)
    assert waits == [60, 120, 240, 240, 240]
    of.collected(later(SMALL, heap_bytes=10_000_001), 200.0, 0.02, 30.0)
    assert of.due_s == 230
    of.collected(later(SMALL, heap_bytes=10_000_002), 200.0, 0.4, 30.0)
    assert of.due_s == pytest.approx(320)


class Page:
    """A page whose counters change with every collection."""

    def __init__(self, wire: Wire, **counters: float) -> None:
        self.wire = wire
        self.counters: dict[str, float] = {
            "JSHeapUsedSize": 1e7,
            "Nodes": 500,
            "JSEventListeners": 50,
        } | counters
        self.left: list[dict[str, float]] = []
        wire.on_command = self._on_command
        self._answer()
        wire.attach()

    def _on_command(self, command: dict[str, Any]) -> None:
        if command["method"] == "HeapProfiler.collectGarbage" and self.left:
            self.grow(**self.left.pop(0))

    def grow(self, **counters: float) -> None:
        self.counters |= counters
        self._answer()

    def _answer(self) -> None:
        metrics = [{"name": name, "value": value} for name, value in self.counters.items()]
        self.wire.answers["Performance.getMetrics"] = {"metrics": metrics}

    def metrics(self) -> list[Metrics]:
        return [detail for detail in self.wire.details if isinstance(detail, Metrics)]

    async def samples(self, count: int) -> None:
        seen = len(self.metrics())
        await self.wire.until(lambda: len(self.metrics()) >= seen + count)

    @property
    def collections(self) -> int:
        return self.wire.methods().count("HeapProfiler.collectGarbage")


async def test_an_idle_page_that_grew_is_collected_and_sampled_again() -> None:
    async with observing(OFTEN) as wire:
        page = Page(wire)
        await page.samples(3)
        assert page.collections == 0
        page.left = [{"JSHeapUsedSize": 9e6}]
        page.grow(JSHeapUsedSize=1.3e7)
        await wire.until(lambda: any(sample.after_gc for sample in page.metrics()))
        [before] = [sample for sample in page.metrics() if sample.before_gc]
        [after] = [sample for sample in page.metrics() if sample.after_gc]
        assert (before.heap_bytes, after.heap_bytes) == (1.3e7, 9e6)
        await page.samples(3)
        assert page.collections == 1


def tree(name: str, *attributes: str) -> dict[str, Any]:
    return {"treeNode": {"nodeName": name, "attributes": list(attributes)}, "retainedNodeIds": [1]}


async def test_detached_trees_are_counted_by_their_roots() -> None:
    trees = [
        tree("LI"),
        tree("DIV", "class", "card old"),
        tree("P", "id", "note"),
        tree("DIV", "class", "card"),
    ]
    async with observing(OFTEN) as wire:
        wire.answers["DOM.getDetachedDomNodes"] = {"detachedNodes": trees}
        page = Page(wire)
        await page.samples(1)
        page.grow(Nodes=560)
        told = await wire.signal("detached_nodes")
        assert told.detail == DetachedNodes(4, ("div.card", "li", "p#note"))
        dom = [method for method in wire.methods() if method.startswith("DOM.")]
        assert dom == ["DOM.enable", "DOM.getDetachedDomNodes", "DOM.disable"]


def test_they_are_counted_after_the_first_collection_and_when_nodes_stayed_up() -> None:
    of = memory()
    left = later(SMALL, after_gc=True)
    assert of.collected(left, 200.0, 0.02, 30.0)
    assert not of.collected(left, 300.0, 0.02, 30.0)
    assert of.collected(later(left, nodes=501), 400.0, 0.02, 30.0)
    assert not of.collected(later(left, nodes=501), 500.0, 0.02, 30.0)


@pytest.mark.parametrize("growth", [{"JSHeapUsedSize": 1.01e8}, {"Nodes": 560, "TaskDuration": 9e9}])
async def test_a_large_heap_or_a_busy_page_is_left_alone(growth: dict[str, float]) -> None:
    async with observing(OFTEN) as wire:
        page = Page(wire)
        await page.samples(1)
        page.grow(**growth)
        await page.samples(1)
        assert page.collections == 0


async def test_a_page_is_left_alone_while_somebody_uses_it() -> None:
    told = (
        '{"origin":1,"entries":[{"t":2,"element":"#go","detail":{"kind":"action","type":"click","key":""}}]}'
    )
    async with observing(OFTEN) as wire:
        page = Page(wire)
        await page.samples(1)

        def acting(command: dict[str, Any]) -> None:
            if command["method"] == "Performance.getMetrics":
                wire.event("Runtime.bindingCalled", {"name": "firstcauseTell", "payload": told})

        wire.on_command = acting
        await page.samples(1)
        page.grow(Nodes=560)
        await page.samples(4)
        assert page.collections == 0


async def test_a_new_document_is_another_page() -> None:
    async with observing(OFTEN) as wire:
        page = Page(wire)
        await page.samples(2)
        wire.event("Runtime.executionContextsCleared")
        page.grow(Nodes=900)
        await page.samples(3)
        assert page.collections == 0


async def test_it_can_be_switched_off() -> None:
    async with observing(CaptureOptions(sample_every_s=0.001, gc_every_s=0)) as wire:
        page = Page(wire)
        await page.samples(2)
        page.grow(Nodes=900)
        await page.samples(4)
        assert page.collections == 0


async def test_a_browser_that_refuses_to_collect_is_asked_seldom() -> None:
    async with observing(OFTEN) as wire:
        page = Page(wire)
        await page.samples(2)
        wire.silent.add(("HeapProfiler.collectGarbage", "S1"))

        def refuse(command: dict[str, Any]) -> None:
            if command["method"] == "HeapProfiler.collectGarbage":
                wire.raw(
                    msgspec.json.encode(
                        {"id": command["id"], "error": {"code": -1, "message": "Not allowed"}}
                    )
                )

        wire.on_command = refuse
        page.grow(Nodes=900)
        await page.samples(5)
        assert page.collections == 1


@pytest.mark.parametrize(
    ("isolates", "collections"), [(("one", "one"), 1), (("one", "two"), 2), (("", ""), 2)]
)
async def test_pages_of_one_main_thread_are_collected_once(
    isolates: tuple[str, str], collections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "BEAT_EVERY_S", 1000.0)  # it would tell the isolates
    async with observing(OFTEN) as wire:
        page = Page(wire)
        wire.attach("S2")

        def sampled(session: str) -> int:
            return len([s for s in wire.told(session) if s.kind == "metrics"])

        await wire.until(lambda: min(sampled("S1"), sampled("S2")) >= 2)
        for session, isolate in zip(("S1", "S2"), isolates, strict=True):
            wire.observer._tree.sessions[session].isolate = isolate
        page.grow(Nodes=900)
        seen = max(sampled("S1"), sampled("S2"))
        await wire.until(lambda: min(sampled("S1"), sampled("S2")) >= seen + 5)
        asked = [command for command in wire.sent if command["method"] == "HeapProfiler.collectGarbage"]
        assert len(asked) == collections
