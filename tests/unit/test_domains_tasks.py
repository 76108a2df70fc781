"""What tasks.js tells: how it is put into pages and workers, what its lines mean, and what becomes of lines that are none of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firstcause.observer.domain import OWN_SCRIPT_URL, CallFrame, StackTrace, stack_of
from firstcause.observer.domains.network import RequestSent
from firstcause.observer.domains.tasks import (
    MAX_TEXT_CHARS,
    ActionBegan,
    ElementFailed,
    ElementHandled,
    ElementRemoved,
    FetchIntercepted,
    MessageSent,
    RealmStarted,
    RequestMade,
    TaskFails,
    TaskNavigates,
    WorkerMade,
)
from firstcause.observer.options import CaptureOptions

from .wire import Wire, observing

WALL_MS = 1_795_000_000_000.5


def commands(wire: Wire, method: str, session: str = "S1") -> list[dict[str, Any]]:
    return [c["params"] for c in wire.sent if c["method"] == method and c["sessionId"] == session]


def binding(wire: Wire) -> str:
    """The one without a world of its own is that of the page's world."""
    (name,) = [b["name"] for b in commands(wire, "Runtime.addBinding") if "executionContextName" not in b]
    return name


def script(wire: Wire) -> str:
    (source,) = [
        s["source"] for s in commands(wire, "Page.addScriptToEvaluateOnNewDocument") if "worldName" not in s
    ]
    return source


def world(wire: Wire, context: int = 4, frame: str = "F1", *, main: bool = True, session: str = "S1") -> None:
    created = {
        "id": context,
        "name": "",
        "uniqueId": f"u{context}",
        "auxData": {"isDefault": main, "frameId": frame},
    }
    wire.event("Runtime.executionContextCreated", {"context": created}, session)


def say(wire: Wire, payload: str, context: int = 4, name: str = "", session: str = "S1") -> None:
    called = {"name": name or binding(wire), "payload": payload, "executionContextId": context}
    wire.event("Runtime.bindingCalled", called, session)


def tell(wire: Wire, *lines: list[Any], context: int = 4, session: str = "S1") -> None:
    say(wire, json.dumps(lines), context, session=session)


def made(wire: Wire, name: str, **more: Any) -> None:
    """A request whose stack has a function of ours."""
    frames = [
        {"functionName": name, "url": OWN_SCRIPT_URL, "lineNumber": 9, "columnNumber": 1, "scriptId": "5"},
        {"functionName": "", "url": OWN_SCRIPT_URL, "lineNumber": 8, "columnNumber": 1, "scriptId": "5"},
        {
            "functionName": "load",
            "url": "http://a/x.js",
            "lineNumber": 1,
            "columnNumber": 2,
            "scriptId": "7",
        },
    ]
    wire.event(
        "Network.requestWillBeSent",
        {
            "requestId": "R1",
            "loaderId": "L1",
            "documentURL": "http://a/",
            "request": {"url": "http://a/api", "method": "GET", "headers": {}},
            "timestamp": 1.0,
            "wallTime": WALL_MS / 1000,
            "initiator": {"type": "script", "stack": {"callFrames": frames}},
            "type": "Fetch",
            "frameId": "F1",
            **more,
        },
    )


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (["o", WALL_MS, "r1"], RealmStarted("r1")),
        (["q", WALL_MS, "r1:7", "r1:0~t", "ws://a/live"], RequestMade("r1:7", "r1:0~t", "ws://a/live")),
        (["f", WALL_MS, "r1:7"], TaskFails("r1:7")),
        (["f", WALL_MS, ""], TaskFails("")),
        (["n", WALL_MS, "r1:a3", "http://a/next"], TaskNavigates("r1:a3", "http://a/next")),
        (["a", WALL_MS, "r1:a3", "click"], ActionBegan("r1:a3", "click")),
        (["e", WALL_MS, "r1:e4", "http://a/i.png"], ElementFailed("r1:e4", "http://a/i.png")),
        (["h", WALL_MS, "r1:e4"], ElementHandled("r1:e4")),
        (["w", WALL_MS, "r1:w5", "r1:0", "http://a/w.js"], WorkerMade("r1:w5", "r1:0", "http://a/w.js")),
        (["m", WALL_MS, "r1:w5", 0, "r1:7"], MessageSent("r1:w5", 0, "r1:7")),
        (["r", WALL_MS, "r1:7", '[data-testid="pay"]'], ElementRemoved("r1:7", '[data-testid="pay"]')),
        (["s", WALL_MS, "r9:s1", "http://a/api"], FetchIntercepted("r9:s1", "http://a/api")),
    ],
)
async def test_every_kind_of_line(wire: Wire, line: list[Any], detail: Any) -> None:
    world(wire)
    tell(wire, line)
    assert wire.details == [detail]
    assert (wire.last().wall_ms, wire.last().frame) == (WALL_MS, "F1")


async def test_lines_of_one_call_keep_their_order(wire: Wire) -> None:
    world(wire)
    tell(
        wire,
        ["a", WALL_MS, "r1:a3", "click"],
        ["r", WALL_MS + 1, "r1:a3", "#pay"],
        ["f", WALL_MS + 2, "r1:a3"],
    )
    assert [signal.kind for signal in wire.told()] == ["task_action", "task_removed", "task_fails"]


async def test_a_request_is_told_by_the_function_that_makes_it(wire: Wire) -> None:
    made(wire, f"{binding(wire)} r1:7 r1:0~t")
    told, sent = wire.told()
    assert told.detail == RequestMade("r1:7", "r1:0~t", "http://a/api")
    assert (told.frame, round(told.wall_ms, 1)) == ("F1", WALL_MS)
    assert isinstance(sent.detail, RequestSent)
    assert [frame.function for frame in sent.stack] == ["load"]


async def test_the_first_request_of_an_action_tells_the_action(wire: Wire) -> None:
    made(wire, f"{binding(wire)} r1:7 r1:a3~t click {WALL_MS - 5}")
    began, told, _ = wire.told()
    assert (began.detail, began.wall_ms) == (ActionBegan("r1:a3", "click"), WALL_MS - 5)
    assert told.detail == RequestMade("r1:7", "r1:a3~t", "http://a/api")


async def test_a_request_of_a_task_that_is_not_known_has_no_context(wire: Wire) -> None:
    made(wire, f"{binding(wire)} r1:7 ")
    assert wire.details[0] == RequestMade("r1:7", "", "http://a/api")


async def test_a_redirect_is_the_same_request(wire: Wire) -> None:
    made(wire, f"{binding(wire)} r1:7 r1:0")
    redirected = {"url": "http://a/api", "status": 302, "headers": {}, "mimeType": ""}
    made(wire, f"{binding(wire)} r1:7 r1:0", redirectResponse=redirected)
    assert [signal.kind for signal in wire.told()].count("task_request") == 1


@pytest.mark.parametrize("name", ["load", "", "somebody r1:7 r1:0", "{binding}", "{binding} a b c d e f"])
async def test_a_function_with_another_name_tells_nothing(wire: Wire, name: str) -> None:
    made(wire, name.format(binding=binding(wire)))
    assert [signal.kind for signal in wire.told()] == ["request"]


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "no json",
        "{}",
        '["f",1,"r1:0"]',
        '[["x",1,"r1:0"]]',
        '[["f"]]',
        '[["f","now","r1:0"]]',
        '[["f",1]]',
        '[["f",1,"r1:0","more"]]',
        '[["m",1,"out","first","r1:0"]]',
        '[["q",1,"r1:1",7,"http://a/"]]',
        "[" * 5000,
    ],
)
async def test_what_makes_no_sense_is_counted(wire: Wire, payload: str) -> None:
    world(wire)
    say(wire, payload)
    assert wire.details == []
    assert wire.observer.skipped == {"malformed Runtime.bindingCalled": 1}
    tell(wire, ["f", WALL_MS, "r1:7"])
    assert wire.details == [TaskFails("r1:7")]


async def test_what_is_too_long_is_cut_or_left_out(wire: Wire) -> None:
    world(wire)
    tell(wire, ["n", WALL_MS, "r1:0", "http://a/" + "x" * 5000])
    tell(wire, ["n", WALL_MS, "r1:0", "http://a/" + "x" * 500_000])
    (told,) = wire.details
    assert len(told.url) == MAX_TEXT_CHARS


async def test_bindings_of_others_are_theirs(wire: Wire) -> None:
    world(wire)
    say(wire, json.dumps([["f", WALL_MS, "r1:7"]]), name="__playwright")
    assert wire.details == []
    assert wire.observer.skipped == {"unwanted": 1}


async def test_every_observer_has_names_of_its_own() -> None:
    async with observing() as one, observing() as other:
        one.attach()
        other.attach()
        assert binding(one) != binding(other)
        assert script(one) != script(other)


async def test_worlds_come_and_go(wire: Wire) -> None:
    world(wire, 4, "F1")
    world(wire, 5, "F2")
    world(wire, 6, "F3", main=False)
    wire.event("Runtime.executionContextDestroyed", {"executionContextId": 4})
    tell(wire, ["f", WALL_MS, "r1:1"], context=4)
    tell(wire, ["f", WALL_MS, "r2:1"], context=5)
    tell(wire, ["f", WALL_MS, "r3:1"], context=6)
    assert [signal.frame for signal in wire.told()] == ["", "F2", ""]


async def test_the_script_is_in_a_page_before_its_requests_are_watched(wire: Wire) -> None:
    methods = wire.methods()
    order = [
        "Runtime.enable",
        "Runtime.addBinding",
        "Page.addScriptToEvaluateOnNewDocument",
        "Network.enable",
    ]
    assert sorted(order, key=methods.index) == order
    (installed,) = [
        s for s in commands(wire, "Page.addScriptToEvaluateOnNewDocument") if "worldName" not in s
    ]
    assert installed["runImmediately"] is True


async def test_a_worker_gets_the_script_before_its_own(wire: Wire) -> None:
    wire.attach("W", "worker", parent="S1", waiting=True)
    await wire.until(lambda: "Runtime.runIfWaitingForDebugger" in wire.methods("W"))
    methods = wire.methods("W")
    assert methods.index("Runtime.addBinding") < methods.index("Runtime.evaluate")
    assert methods.index("Runtime.evaluate") < methods.index("Runtime.runIfWaitingForDebugger")
    world(wire, 1, "", session="W")
    tell(wire, ["f", WALL_MS, "r2:m0"], context=1, session="W")
    assert (wire.last().detail, wire.last().frame) == (TaskFails("r2:m0"), "")


async def test_a_service_worker_that_runs_already_gets_no_script(wire: Wire) -> None:
    wire.attach("W", "service_worker", parent="S1")
    wire.attach("V", "service_worker", parent="S1", waiting=True)
    assert not commands(wire, "Runtime.evaluate", "W")
    assert len(commands(wire, "Runtime.evaluate", "V")) == 1


async def test_a_document_that_is_written_anew_is_listened_to_again(wire: Wire) -> None:
    world(wire, 4, "F1")
    world(wire, 5, "F2")
    wire.event("Page.documentOpened", {"frame": {"id": "F2", "url": "http://a/"}})
    (asked,) = commands(wire, "Runtime.evaluate")
    assert (asked["uniqueContextId"], ".arm()" in asked["expression"]) == ("u5", True)


async def test_nothing_stays_behind() -> None:
    async with observing() as wire:
        wire.answers["Page.addScriptToEvaluateOnNewDocument"] = {"identifier": "9"}
        wire.attach()
        world(wire)
        await wire.until(lambda: wire.observer._tree.sessions["S1"].ready)
        name = binding(wire)
    stops = [e for e in commands(wire, "Runtime.evaluate") if ".stop()" in e["expression"]]
    assert "u4" in [stop["uniqueContextId"] for stop in stops]
    assert {"identifier": "9"} in commands(wire, "Page.removeScriptToEvaluateOnNewDocument")
    assert {"name": name} in commands(wire, "Runtime.removeBinding")


async def test_without_markers_nothing_is_put_into_the_page() -> None:
    async with observing(CaptureOptions(markers=False)) as wire:
        wire.attach()
        wire.attach("W", "worker", parent="S1")
        scripts = commands(wire, "Page.addScriptToEvaluateOnNewDocument")
        assert scripts
        assert all(script.get("worldName") for script in scripts)
        assert "Runtime.addBinding" not in wire.methods("W")


async def test_only_with_the_network_domain_do_requests_tell_themselves() -> None:
    async with observing(CaptureOptions(level="lean")) as lean, observing() as full:
        lean.attach()
        full.attach()
        assert '"rides":false' in script(lean)
        assert '"rides":true' in script(full)


def test_our_own_functions_are_in_no_stack() -> None:
    trace = StackTrace([CallFrame("ours", OWN_SCRIPT_URL), CallFrame("theirs", "http://a/x.js")])
    assert [frame.function for frame in stack_of(trace)] == ["theirs"]
