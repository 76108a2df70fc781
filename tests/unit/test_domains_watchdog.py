"""Hangs without a browser: heartbeats that stay unanswered, pauses that give stacks, and everything that is no hang."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.observer.domain import MAX_STACK_FRAMES
from firstcause.observer.domains import watchdog
from firstcause.observer.domains.watchdog import Location, PageHang, PageHangEnded, PausedFrame, common_stack
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import StackFrame

from .wire import Wire, observing

BEAT = "Runtime.getIsolateId"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog of little patience."""
    for name, seconds in {
        "BEAT_EVERY_S": 0.005,
        "PROBE_AFTER_S": 0.01,
        "TELL_AFTER_S": (0.05, 0.1),
        "PAUSE_EVERY_S": 0.001,
        "ANSWER_WITHIN_S": 0.02,
        "LATE_S": 5.0,
    }.items():
        monkeypatch.setattr(watchdog, name, seconds)


def frame(name: str, line: int = 0, *, starts_at: int = 0, script: str = "7") -> dict[str, Any]:
    return {
        "callFrameId": "1.1.0",
        "functionName": name,
        "functionLocation": {"scriptId": script, "lineNumber": starts_at, "columnNumber": 2},
        "location": {"scriptId": script, "lineNumber": line, "columnNumber": 4},
        "url": "http://a/app.js",
        "scopeChain": [],
        "this": {"type": "undefined"},
    }


def paused(wire: Wire, *frames: dict[str, Any], session: str = "S1") -> None:
    wire.event("Debugger.paused", {"callFrames": list(frames), "reason": "other"}, session)


def pausing(wire: Wire, *stacks: list[dict[str, Any]]) -> None:
    """From now on every pause that is asked for falls into the next of `stacks`."""
    left = list(stacks)

    def on_command(command: dict[str, Any]) -> None:
        if command["method"] == "Debugger.pause" and left:
            paused(wire, *left.pop(0), session=command["sessionId"])

    wire.on_command = on_command


async def ready(wire: Wire, session: str = "S1") -> None:
    await wire.until(lambda: wire.observer._tree.sessions[session].ready)


def freeze(wire: Wire, session: str = "S1") -> None:
    wire.silent.add((BEAT, session))


def thaw(wire: Wire, session: str = "S1") -> None:
    wire.silent.discard((BEAT, session))
    for command in list(wire.sent):
        if command["method"] == BEAT and command.get("sessionId") == session:
            wire.answer(command)


async def beats(wire: Wire, session: str, count: int = 8) -> None:
    """So many more rounds of the watchdog have passed."""
    start = wire.methods(session).count(BEAT)
    await wire.until(lambda: wire.methods(session).count(BEAT) >= start + count)


async def test_a_hang_is_told_with_its_function_and_its_end(wire: Wire) -> None:
    await ready(wire)
    pausing(
        wire,
        [frame("inner", 3), frame("spin", 10, starts_at=8), frame("start", 50, starts_at=49)],
        [frame("spin", 11, starts_at=8), frame("start", 50, starts_at=49)],
        [frame("other", 99, starts_at=90), frame("spin", 12, starts_at=8), frame("start", 50, starts_at=49)],
    )
    freeze(wire)
    hang = await wire.signal("hang")
    assert isinstance(hang.detail, PageHang)
    assert (hang.detail.busy_with, hang.detail.url) == ("script", "http://a/")
    assert hang.detail.duration_ms >= 50
    assert [f.function for f in hang.stack] == ["spin", "start"]
    thaw(wire)
    ended = await wire.signal("hang_ended")
    assert isinstance(ended.detail, PageHangEnded)
    assert ended.detail.duration_ms >= hang.detail.duration_ms
    assert ended.stack == hang.stack
    assert wire.methods().count("Debugger.resume") == wire.methods().count("Debugger.pause") == 3


async def test_a_paused_frame_has_the_address_of_its_script(wire: Wire) -> None:
    await ready(wire)
    parsed = {
        "startLine": 0,
        "startColumn": 0,
        "endLine": 9,
        "endColumn": 0,
        "executionContextId": 1,
        "hash": "",
    }
    wire.event("Debugger.scriptParsed", {"scriptId": "7", "url": "http://a/app.js", **parsed})
    wire.event("Debugger.scriptParsed", {"scriptId": "8", "url": "", **parsed})
    pausing(wire, [{**frame("spin"), "url": ""}, {**frame("evaluated", script="8"), "url": ""}])
    freeze(wire)
    hang = await wire.signal("hang")
    assert [(f.function, f.url) for f in hang.stack] == [("spin", "http://a/app.js"), ("evaluated", "")]


async def test_a_long_hang_is_told_again(wire: Wire) -> None:
    await ready(wire)
    freeze(wire)
    first, second = await wire.until(
        lambda: [s for s in wire.told() if s.kind == "hang"][1:] and wire.told()[:2]
    )
    assert first.detail.duration_ms <= second.detail.duration_ms
    thaw(wire)
    await wire.signal("hang_ended")
    assert [s.kind for s in wire.told()] == ["hang", "hang", "hang_ended"]


async def test_a_native_call_has_no_stack(wire: Wire) -> None:
    await ready(wire)
    wire.silent.add(("Performance.getMetrics", "S1"))
    freeze(wire)
    hang = await wire.signal("hang")
    assert isinstance(hang.detail, PageHang)
    assert (hang.detail.busy_with, hang.stack) == ("native", ())


async def test_a_script_between_two_pauses_still_reads_its_counters(wire: Wire) -> None:
    await ready(wire)
    wire.answers["Performance.getMetrics"] = {"metrics": []}
    freeze(wire)
    hang = await wire.signal("hang")
    assert isinstance(hang.detail, PageHang)
    assert hang.detail.busy_with == "script"


async def test_a_pause_that_falls_after_the_call_is_undone(wire: Wire) -> None:
    await ready(wire)
    freeze(wire)
    await wire.signal("hang")
    paused(wire, frame("late"))
    assert wire.methods()[-1] == "Debugger.resume"


async def test_a_page_that_lays_out_all_the_time(wire: Wire) -> None:
    await ready(wire)
    spent = iter(range(0, 10_000, 100))

    def on_command(command: dict[str, Any]) -> None:
        wire.answers["Performance.getMetrics"] = {
            "metrics": [{"name": "LayoutDuration", "value": next(spent)}]
        }

    wire.on_command = on_command
    freeze(wire)
    hang = await wire.signal("hang")
    assert isinstance(hang.detail, PageHang)
    assert hang.detail.busy_with == "layout"


async def test_pages_of_one_main_thread_hang_once(wire: Wire) -> None:
    wire.attach("S2")
    wire.attach("free")
    await ready(wire, "S2")
    await ready(wire, "free")
    await beats(wire, "S1", 1)
    await beats(wire, "S2", 1)
    freeze(wire, "S1")
    freeze(wire, "S2")
    await wire.signal("hang")
    await beats(wire, "free")
    assert len({s.session for s in wire.told() if s.kind == "hang"}) == 1


async def test_an_open_dialog_is_no_hang(wire: Wire) -> None:
    wire.attach("free")
    await ready(wire)
    await ready(wire, "free")
    wire.event("Page.javascriptDialogOpening", {"url": "http://a/", "message": "hi", "type": "alert"})
    freeze(wire)
    await beats(wire, "free", 20)
    wire.event("Page.javascriptDialogClosed", {"result": True})
    await wire.signal("hang")
    assert [s.kind for s in wire.told()][:3] == ["dialog_opened", "dialog_closed", "hang"]


async def test_what_we_keep_busy_ourselves_is_no_hang(wire: Wire) -> None:
    wire.attach("free")
    await ready(wire)
    await ready(wire, "free")
    session = wire.observer.session_of("p1")
    session.occupied += 1
    freeze(wire)
    await beats(wire, "free", 20)
    assert wire.told() == []
    session.occupied -= 1
    assert (await wire.signal("hang")).session == session.id


async def test_a_crashed_page_gets_no_more_beats(wire: Wire) -> None:
    wire.attach("free")
    await ready(wire)
    await ready(wire, "free")
    wire.event("Inspector.targetCrashed")
    sent = wire.methods().count(BEAT)
    await beats(wire, "free")
    assert wire.methods().count(BEAT) == sent


async def test_a_debugger_statement_goes_on_at_once_and_breakpoints_off_again(wire: Wire) -> None:
    paused(wire, frame("f"))
    last = [c for c in wire.sent if c.get("sessionId") == "S1"][-4:]
    assert [c["method"] for c in last] == [
        "Debugger.resume",
        "Debugger.enable",
        "Debugger.setBreakpointsActive",
        "Debugger.setBreakpointsActive",
    ]
    assert last[-1]["params"] == {"active": False}


async def test_a_person_at_devtools_keeps_the_pause(wire: Wire) -> None:
    wire.attach("free")
    await ready(wire)
    await ready(wire, "free")
    devtools = {
        "targetId": "D",
        "type": "other",
        "title": "",
        "url": "devtools://devtools/inspector.html",
        "attached": False,
    }
    wire.event("Target.targetCreated", {"targetInfo": devtools}, "")
    paused(wire, frame("f"))
    freeze(wire)
    await beats(wire, "free", 20)
    assert "Debugger.resume" not in wire.methods()
    assert wire.told() == []
    wire.event("Debugger.resumed")
    assert (await wire.signal("hang")).session == "S1"
    wire.event("Target.targetDestroyed", {"targetId": "D"}, "")
    wire.attach("S3")
    paused(wire, frame("f"), session="S3")
    assert "Debugger.resume" in wire.methods("S3")


async def test_another_isolate_means_breakpoints_off_again(wire: Wire) -> None:
    await ready(wire)
    await beats(wire, "S1", 2)
    before = wire.methods().count("Debugger.enable")
    wire.answers[BEAT] = {"id": "another"}
    await wire.until(lambda: wire.methods().count("Debugger.enable") == before + 1)
    await beats(wire, "S1", 2)
    assert wire.methods().count("Debugger.enable") == before + 1


async def test_without_hang_stacks_there_is_no_debugger() -> None:
    async with observing(CaptureOptions(hang_stacks=False)) as wire:
        wire.attach()
        await ready(wire)
        freeze(wire)
        assert (await wire.signal("hang")).stack == ()
        thaw(wire)
        assert not [method for method in wire.methods() if method.startswith("Debugger.")]


def sample(*names: str, line: int = 0) -> list[PausedFrame]:
    """Frames innermost first; a function is known by where it starts."""
    return [
        PausedFrame(Location("7", line, 0), Location("7", sum(map(ord, name)), 0), name, "http://a/app.js")
        for name in names
    ]


@pytest.mark.parametrize(
    ("samples", "functions"),
    [
        ([], []),
        ([[]], []),
        ([sample("f", "g")], ["f", "g"]),
        ([sample("f", "g"), sample("f", "g", line=9)], ["f", "g"]),
        ([sample("x", "f", "g"), sample("y", "f", "g"), sample("f", "g")], ["f", "g"]),
        ([sample("a", "b"), sample("c", "d")], ["a", "b"]),
        ([sample("a", "b"), []], ["a", "b"]),
        ([sample("f", "f", "f"), sample("f", "f")], ["f", "f"]),
    ],
)
def test_the_stack_that_all_pauses_share(samples: list[list[PausedFrame]], functions: list[str]) -> None:
    assert [f.function for f in common_stack(samples, {})] == functions


def test_a_frame_without_a_function_location_is_known_by_its_own() -> None:
    frames = [[PausedFrame(Location("7", 4, 2), None, "f", "http://a/x.js")]] * 2
    assert common_stack(frames, {"7": "http://a/other.js"}) == (StackFrame("f", "http://a/x.js", 5, 3, "7"),)


def test_a_deep_recursion_is_cut_at_its_outer_end() -> None:
    deep = sample(*(f"f{n}" for n in range(100)))
    told = common_stack([deep], {})
    assert len(told) == MAX_STACK_FRAMES
    assert told[0].function == "f0"
