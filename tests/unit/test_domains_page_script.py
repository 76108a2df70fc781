"""What the in-page script tells, how it is installed, and what happens to payloads that are none of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firstcause.observer.domains.page_script import (
    BINDING,
    WORLD,
    BodyEmptied,
    BodyEmpty,
    ClickQuiet,
    FirstPaint,
    FrameScript,
    Interaction,
    LargestPaint,
    LayoutShift,
    LoadTiming,
    LongFrame,
    LongTask,
    MutationBatch,
    ResourceTiming,
    SelectorMatches,
    SelectorsWatched,
    UserAction,
    page_script,
)
from firstcause.observer.fingerprint import Fingerprint
from firstcause.observer.options import CaptureOptions

from .wire import Wire, observing


def tell(
    wire: Wire, *entries: dict[str, Any], name: str = BINDING, context: int = 4, session: str = "S1"
) -> None:
    payload = json.dumps({"origin": 1_000_000.0, "entries": entries})
    wire.event(
        "Runtime.bindingCalled", {"name": name, "payload": payload, "executionContextId": context}, session
    )


def world(wire: Wire, context: int = 4, frame: str = "F1", name: str = WORLD, session: str = "S1") -> None:
    created = {
        "id": context,
        "origin": "http://a",
        "name": name,
        "uniqueId": f"u{context}",
        "auxData": {"isDefault": False, "type": "isolated", "frameId": frame},
    }
    wire.event("Runtime.executionContextCreated", {"context": created}, session)


def commands(wire: Wire, method: str) -> list[dict[str, Any]]:
    return [command["params"] for command in wire.sent if command["method"] == method]


@pytest.mark.parametrize(
    ("told", "detail"),
    [
        (
            {
                "kind": "long_frame",
                "duration_ms": 180.5,
                "blocking_ms": 120,
                "scripts": [
                    {
                        "invoker": "BUTTON#slow.onclick",
                        "type": "event-listener",
                        "function": "busy",
                        "char": 12,
                    }
                ],
            },
            LongFrame(
                180.5,
                120,
                scripts=(FrameScript("BUTTON#slow.onclick", "event-listener", function="busy", char=12),),
            ),
        ),
        ({"kind": "long_task", "duration_ms": 70}, LongTask(70)),
        (
            {
                "kind": "interaction",
                "name": "click",
                "interaction": 77,
                "duration_ms": 96,
                "input_delay_ms": 3.5,
            },
            Interaction("click", 77, 96, 3.5),
        ),
        (
            {"kind": "layout_shift", "value": 0.12, "nodes": ["p.late"], "moved_px": [72]},
            LayoutShift(0.12, ("p.late",), (72,)),
        ),
        ({"kind": "first_paint", "after_ms": 80.5}, FirstPaint(80.5)),
        (
            {"kind": "largest_paint", "size": 4000, "url": "http://a/i.png", "after_ms": 90},
            LargestPaint(4000, "http://a/i.png", 90),
        ),
        ({"kind": "load_timing", "ttfb_ms": 8, "load_ms": 90, "status": 200}, LoadTiming(8, 0, 90, 200)),
        ({"kind": "resource", "url": "http://a/x", "status": 404}, ResourceTiming("http://a/x", status=404)),
        ({"kind": "action", "type": "key", "key": "Enter"}, UserAction("key", "Enter")),
        ({"kind": "action", "type": "click", "x": 40, "y": 8.5}, UserAction("click", x=40, y=8.5)),
        ({"kind": "click_quiet", "after_ms": 1000, "clickable": True}, ClickQuiet(1000, clickable=True)),
        ({"kind": "mutation_batch", "added": 800, "removed": 3}, MutationBatch(800, 3)),
        ({"kind": "body_emptied", "before": 90, "left": 4, "shows": True}, BodyEmptied(90, 4, shows=True)),
        ({"kind": "body_empty", "after_ms": 3000, "elements": 2, "scripts": 1}, BodyEmpty(3000, 2, 1)),
        ({"kind": "selector", "selector": ".row", "count": 0, "before": 3}, SelectorMatches(".row", 0, 3)),
        (
            {
                "kind": "selector",
                "selector": "#pay",
                "state": "missing",
                "count": 0,
                "before": 1,
                "was": {"tag": "button", "name": "Pay", "rect": [1, 2, 30, 40]},
                "candidates": [{"tag": "a", "unique": ["id"], "known": True}],
            },
            SelectorMatches(
                "#pay",
                0,
                1,
                "missing",
                Fingerprint("button", name="Pay", rect=(1, 2, 30, 40)),
                (Fingerprint("a", unique=("id",), known=True),),
            ),
        ),
        ({"kind": "selectors_watched", "selectors": ["#a"]}, SelectorsWatched(("#a",))),
    ],
)
async def test_every_kind_of_entry(wire: Wire, told: dict[str, Any], detail: Any) -> None:
    tell(wire, {"t": 25.5, "element": "#slow", "detail": told})
    assert wire.details == [detail]
    assert (wire.last().wall_ms, wire.last().element) == (1_000_025.5, "#slow")


async def test_a_batch_keeps_its_order_and_its_frame(wire: Wire) -> None:
    world(wire, 4, "F1")
    world(wire, 5, "F2")
    tell(
        wire,
        {"t": 1, "detail": {"kind": "first_paint"}},
        {"t": 2, "detail": {"kind": "long_task", "duration_ms": 60}},
    )
    tell(wire, {"detail": {"kind": "first_paint"}}, context=5)
    assert [(s.kind, s.frame) for s in wire.told()] == [
        ("first_paint", "F1"),
        ("long_task", "F1"),
        ("first_paint", "F2"),
    ]


async def test_worlds_come_and_go(wire: Wire) -> None:
    world(wire, 4, "F1")
    world(wire, 5, "F2")
    world(wire, 6, "F3", name="somebody else's")
    wire.event(
        "Runtime.executionContextDestroyed", {"executionContextId": 4, "executionContextUniqueId": "u4"}
    )
    for context in (4, 5, 6):
        tell(wire, {"detail": {"kind": "first_paint"}}, context=context)
    wire.event("Runtime.executionContextsCleared")
    tell(wire, {"detail": {"kind": "first_paint"}}, context=5)
    assert [s.frame for s in wire.told()] == ["", "F2", "", ""]


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"origin":1,"entries":[{"detail":{"kind":"unheard_of"}}]}',
        '{"origin":1,"entries":[{"detail":{"kind":"long_task","duration_ms":"long"}}]}',
        '{"origin":1,"entries":[{"detail":{"kind":"first_paint"}},{"t":2}]}',
        '{"origin":"now","entries":[]}',
        "[" * 5000,
    ],
)
async def test_a_payload_that_makes_no_sense_is_counted(wire: Wire, payload: str) -> None:
    wire.event("Runtime.bindingCalled", {"name": BINDING, "payload": payload, "executionContextId": 4})
    assert wire.details == []
    assert wire.observer.skipped == {"malformed Runtime.bindingCalled": 1}
    tell(wire, {"detail": {"kind": "first_paint"}})
    assert wire.details == [FirstPaint()]


async def test_bindings_of_others_are_theirs(wire: Wire) -> None:
    wire.event(
        "Runtime.bindingCalled", {"name": "__playwright", "payload": "anything", "executionContextId": 4}
    )
    assert wire.details == []
    assert wire.observer.skipped == {"unwanted": 1}


async def test_the_binding_comes_after_runtime_and_before_the_script(wire: Wire) -> None:
    methods = wire.methods()
    order = [
        methods.index(m)
        for m in ("Runtime.enable", "Runtime.addBinding", "Page.addScriptToEvaluateOnNewDocument")
    ]
    assert order == sorted(order)
    assert {"name": BINDING, "executionContextName": WORLD} in commands(wire, "Runtime.addBinding")
    (installed,) = (
        script for script in commands(wire, "Page.addScriptToEvaluateOnNewDocument") if "worldName" in script
    )
    assert (installed["worldName"], installed["runImmediately"]) == (WORLD, True)


async def test_workers_get_no_script(wire: Wire) -> None:
    wire.attach("W", "worker", parent="S1")
    sent = [command.get("params", {}) for command in wire.sent if command.get("sessionId") == "W"]
    assert all(params.get("name") != BINDING and "worldName" not in params for params in sent)


async def test_a_navigation_arms_the_script_of_its_frame_again(wire: Wire) -> None:
    world(wire, 4, "F1")
    world(wire, 5, "F2")
    wire.event(
        "Page.frameNavigated",
        {"frame": {"id": "F2", "loaderId": "L", "url": "http://a/"}, "type": "Navigation"},
    )
    (evaluated,) = commands(wire, "Runtime.evaluate")
    assert (evaluated["uniqueContextId"], "arm()" in evaluated["expression"]) == ("u5", True)


async def test_what_is_watched_can_be_changed_in_every_world_and_in_those_that_come(wire: Wire) -> None:
    def asked() -> list[tuple[str, str]]:
        sent = commands(wire, "Runtime.evaluate")
        return [(one["uniqueContextId"], one["expression"].partition("watch?.")[2]) for one in sent]

    world(wire, 4, "F1")
    assert asked() == []
    wire.observer.watch_selectors(["#pay", "#pay", '[a="]"]'])
    assert asked() == [("u4", '(["#pay","[a=\\"]\\"]"])')]
    world(wire, 5, "F2")
    world(wire, 6, "F2", name="somebody else's")
    assert asked()[1:] == [("u5", '(["#pay","[a=\\"]\\"]"])')]
    wire.observer.watch_selectors([])
    assert asked()[2:] == [("u4", "([])"), ("u5", "([])")]
    world(wire, 7, "F3")
    assert len(asked()) == 4
    wire.observer.watch_selectors(["#new"])
    wire.attach("S9")
    installed = commands(wire, "Page.addScriptToEvaluateOnNewDocument")
    assert '"selectors":["#new"]' in installed[-1]["source"] + installed[-2]["source"]
    before = len(asked())
    world(wire, 8, "F9", session="S9")
    assert len(asked()) == before


async def test_nothing_stays_behind() -> None:
    async with observing() as wire:
        wire.answers["Page.addScriptToEvaluateOnNewDocument"] = {"identifier": "9"}
        wire.attach()
        world(wire)
        await wire.until(lambda: wire.observer._tree.sessions["S1"].ready)
    assert [
        e["uniqueContextId"] for e in commands(wire, "Runtime.evaluate") if "stop()" in e["expression"]
    ] == ["u4"]
    installed = commands(wire, "Page.addScriptToEvaluateOnNewDocument")
    removed = commands(wire, "Page.removeScriptToEvaluateOnNewDocument")
    assert removed == [{"identifier": "9"}] * len(installed)
    assert {"name": BINDING} in commands(wire, "Runtime.removeBinding")
    undone = wire.methods()
    assert undone.index("Runtime.removeBinding") < undone.index("Runtime.disable")


def test_the_script_knows_what_it_was_asked_for() -> None:
    quotes = '[data-x="a\'b"] </script>'
    full = page_script(CaptureOptions(watched_selectors=(".row", quotes)))
    assert f'"selectors":{json.dumps([".row", quotes], separators=(",", ":"))}' in full
    assert '"resources":false' in full
    assert '"resources":true' in page_script(CaptureOptions(level="lean"))
