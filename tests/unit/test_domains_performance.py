"""Samples of what a page holds and has spent, taken from Chrome's own counters."""

from __future__ import annotations

import pytest

from firstcause.observer.domains import performance
from firstcause.observer.domains.performance import Metrics, read_metrics

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


async def test_counters_are_read_by_name(wire: Wire) -> None:
    wire.answers["Performance.getMetrics"] = REPLY
    assert await read_metrics(wire.observer._tree.sessions["S1"]) == READ


async def test_a_browser_that_knows_none_of_them(wire: Wire) -> None:
    wire.answers["Performance.getMetrics"] = {"metrics": []}
    assert await read_metrics(wire.observer._tree.sessions["S1"]) == Metrics()


async def test_only_living_pages_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "SAMPLE_EVERY_S", 0.001)
    async with observing() as wire:
        wire.answers["Performance.getMetrics"] = REPLY
        wire.attach("crashed")
        wire.event("Inspector.targetCrashed", {}, "crashed")
        wire.attach("worker", "worker", parent="crashed")
        wire.attach("page")
        signal = await wire.signal("metrics")
        await wire.until(lambda: wire.methods("page").count("Performance.getMetrics") > 3)
        assert (signal.detail, signal.session) == (READ, "page")
        assert {s.session for s in wire.told() if s.kind == "metrics"} == {"page"}


async def test_an_answer_of_another_shape_ends_no_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "SAMPLE_EVERY_S", 0.001)
    async with observing() as wire:
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
