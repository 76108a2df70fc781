"""Exceptions, rejections and console calls as Chrome sends them, rendered short, and never told twice after a replay."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.observer.cdp.replayed import KEPT_ENTRIES, ReplayHistory
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionRevoked, ExceptionThrown
from firstcause.observer.signal import StackFrame

from .wire import Wire

FRAME = {
    "functionName": "pay",
    "scriptId": "7",
    "url": "http://a/app.js",
    "lineNumber": 19,
    "columnNumber": 4,
}
STACK = {"callFrames": [FRAME]}


def console(
    wire: Wire, *args: dict[str, Any], level: str = "log", timestamp: float = 1000.5, **more: Any
) -> str:
    params = {"type": level, "args": list(args), "executionContextId": 1, "timestamp": timestamp, **more}
    wire.event("Runtime.consoleAPICalled", params)
    detail = wire.last().detail
    assert isinstance(detail, ConsoleCalled)
    return detail.text


def throw(wire: Wire, exception: dict[str, Any] | None, text: str = "Uncaught", **more: Any) -> Any:
    details = {"exceptionId": 3, "text": text, "lineNumber": 19, "columnNumber": 16, **more}
    if exception is not None:
        details["exception"] = exception
    wire.event("Runtime.exceptionThrown", {"timestamp": 2000.25, "exceptionDetails": details})
    return wire.last().detail


def text(value: str) -> dict[str, Any]:
    return {"type": "string", "value": value}


def number(value: float, description: str = "") -> dict[str, Any]:
    return {"type": "number", "value": value, "description": description or str(value)}


def thing(
    description: str, subtype: str = "", *properties: tuple[str, str, str], overflow: bool = False
) -> dict[str, Any]:
    """An object with its preview: properties are name, type and value."""
    kind = {"type": "object", "description": description} | ({"subtype": subtype} if subtype else {})
    listed = [{"name": name, "type": of, "value": value} for name, of, value in properties]
    return kind | {"objectId": "1.2.3", "preview": kind | {"overflow": overflow, "properties": listed}}


UNDEFINED = {"type": "undefined"}
NULL = {"type": "object", "subtype": "null", "value": None}
ERROR = thing(
    "TypeError: no cart\n    at pay (http://a/app.js:20:5)",
    "error",
    ("message", "string", "no cart"),
    ("stack", "string", "…"),
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (text("plain"), "plain"),
        (text(""), ""),
        (NULL, "null"),
        (UNDEFINED, "undefined"),
        ({"type": "boolean", "value": True}, "true"),
        ({"type": "boolean", "value": False}, "false"),
        (number(0), "0"),
        (number(0.1), "0.1"),
        (number(1e20, "100000000000000000000"), "100000000000000000000"),
        ({"type": "number", "unserializableValue": "-0", "description": "-0"}, "-0"),
        ({"type": "number", "unserializableValue": "NaN", "description": "NaN"}, "NaN"),
        ({"type": "bigint", "unserializableValue": "10n", "description": "10n"}, "10n"),
        ({"type": "symbol", "description": "Symbol(s)", "objectId": "1"}, "Symbol(s)"),
        (
            {"type": "function", "className": "Function", "description": "function foo(a){return a}"},
            "function foo(a){return a}",
        ),
        (thing("Object", "", ("a", "number", "1"), ("b", "string", "x")), "{a: 1, b: x}"),
        (thing("Object", "", ("e", "string", ""), ("f", "function", "")), '{e: "", f: function}'),
        (thing("Object", "", ("a", "number", "1"), overflow=True), "{a: 1, …}"),
        (thing("Object"), "{}"),
        (thing("Cart", "", ("total", "number", "12")), "Cart {total: 12}"),
        (
            thing(
                "Array(3)", "array", ("0", "number", "1"), ("1", "string", "two"), ("2", "object", "Object")
            ),
            "[1, two, Object]",
        ),
        (thing("Array(200)", "array", ("0", "number", "1"), overflow=True), "[1, …]"),
        (thing("NodeList(1)", "array", ("0", "object", "div#d.c")), "[div#d.c]"),
        (thing("body", "node", ("text", "string", ""), overflow=True), "body"),
        (thing("#text", "node", ("data", "string", "hi")), "#text"),
        (thing("/re/g", "regexp", ("lastIndex", "number", "0")), "/re/g"),
        (thing("Map(1)", "map", ("size", "number", "1")), "Map(1)"),
        (thing("Promise", "promise", ("[[PromiseState]]", "string", "pending")), "Promise"),
        (ERROR, "TypeError: no cart"),
        (thing("OwnError: two\nlines\n    at f (a.js:1:1)", "error"), "OwnError: two\nlines"),
        ({"type": "object", "value": {"by": ["value"]}}, '{"by":["value"]}'),
    ],
)
async def test_how_one_value_is_shown(wire: Wire, value: dict[str, Any], shown: str) -> None:
    assert console(wire, value) == shown


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        ([], ""),
        ([text("a"), text("b"), number(1)], "a b 1"),
        # Chrome converts the arguments (42.7 → 42) and leaves the directives to the reader.
        (
            [text("%s is %d years %c styled"), text("Bob"), number(42), text("color:red")],
            "Bob is 42 years  styled",
        ),
        ([text("%d%%"), number(50)], "50%"),
        ([text("%s %s"), text("only one")], "only one %s"),
        ([text("%o rest"), thing("Object", "", ("a", "number", "1")), text("extra")], "{a: 1} rest extra"),
        ([text("50% off"), number(1)], "50% off 1"),
        ([text("100%%")], "100%%"),
        ([number(1), text("%s"), text("x")], "1 %s x"),
    ],
)
async def test_arguments_become_one_text(wire: Wire, args: list[dict[str, Any]], shown: str) -> None:
    assert console(wire, *args) == shown


async def test_long_texts_are_cut(wire: Wire) -> None:
    assert console(wire, text("x" * 9000)) == "x" * 1999 + "…"
    many = thing("Object", "", *((f"name{n}", "string", "y" * 90) for n in range(9)))
    assert len(console(wire, many)) == 300
    assert len(console(wire, *(text("z" * 1500) for _ in range(9)))) == 2000


async def test_half_a_character_costs_that_character_only(wire: Wire) -> None:
    frame = rb'{"method":"Runtime.consoleAPICalled","params":{"type":"error","args":[{"type":"string","value":"%s"}],"timestamp":1},"sessionId":"S1"}'
    for escaped in (rb"\ud83d cut", rb"\udc00", rb"\ud83d\ude00 \\ud800"):
        wire.raw(frame % escaped)
    assert [d.text for d in wire.details] == ["\ufffd cut", "\ufffd", "😀 \\ud800"]
    assert not wire.observer.skipped


async def test_a_console_call_keeps_its_level_time_and_stack(wire: Wire) -> None:
    console(wire, text("failed"), level="assert", stackTrace=STACK)
    signal = wire.last()
    assert signal.detail == ConsoleCalled("assert", "failed")
    assert signal.wall_ms == 1000.5
    assert signal.stack == (StackFrame("pay", "http://a/app.js", 20, 5, "7"),)
    assert not signal.replayed


async def test_a_stack_has_an_end(wire: Wire) -> None:
    console(wire, text("deep"), stackTrace={"callFrames": [FRAME] * 200})
    assert len(wire.last().stack) == 30


async def test_an_exception(wire: Wire) -> None:
    detail = throw(wire, ERROR, url="http://a/app.js", stackTrace=STACK)
    assert detail == ExceptionThrown(
        "TypeError: no cart", exception_id=3, url="http://a/app.js", line=20, column=17
    )
    assert wire.last().stack == (StackFrame("pay", "http://a/app.js", 20, 5, "7"),)
    assert wire.last().wall_ms == 2000.25


async def test_an_exception_without_an_address_takes_it_from_its_stack(wire: Wire) -> None:
    detail = throw(wire, ERROR, stackTrace=STACK)
    assert (detail.url, detail.line, detail.column) == ("http://a/app.js", 20, 5)


@pytest.mark.parametrize(
    ("thrown", "uncaught"),
    [
        (number(42), "Uncaught 42"),
        (text("str"), "Uncaught str"),
        (NULL, "Uncaught null"),
        (UNDEFINED, "Uncaught undefined"),
        (thing("Object", "", ("code", "number", "7")), "Uncaught {code: 7}"),
        (thing("AbortError: dead", "error"), "AbortError: dead"),
    ],
)
async def test_whatever_is_thrown(wire: Wire, thrown: dict[str, Any], uncaught: str) -> None:
    assert throw(wire, thrown).text == uncaught


async def test_a_syntax_error_has_no_object(wire: Wire) -> None:
    assert (
        throw(wire, None, "Uncaught SyntaxError: Unexpected token").text
        == "Uncaught SyntaxError: Unexpected token"
    )


@pytest.mark.parametrize(
    ("reason", "shown"),
    [(ERROR, "TypeError: no cart"), (text("only text"), "Uncaught (in promise) only text")],
)
async def test_a_rejection_is_told_apart(wire: Wire, reason: dict[str, Any], shown: str) -> None:
    detail = throw(wire, reason, "Uncaught (in promise)")
    assert (detail.text, detail.rejection) == (shown, True)


async def test_a_rejection_that_is_handled_late_is_taken_back(wire: Wire) -> None:
    throw(wire, ERROR, "Uncaught (in promise)")
    wire.event("Runtime.exceptionRevoked", {"reason": "Handler added to rejected promise", "exceptionId": 3})
    assert wire.details[-1] == ExceptionRevoked(3)


async def test_a_restore_from_the_cache_repeats_nothing(wire: Wire) -> None:
    console(wire, text("one"), timestamp=1.0)
    console(wire, text("two"), timestamp=1.0)
    wire.event("Runtime.executionContextsCleared")
    for again in ("one", "two", "new"):
        console(wire, text(again), timestamp=1.0)
    assert [d.text for d in wire.details] == ["one", "two", "new"]


async def test_what_was_stored_before_us_is_marked_as_replayed(wire: Wire) -> None:
    wire.silent.add(("Runtime.enable", "S2"))
    wire.attach("S2")
    wire.event("Runtime.consoleAPICalled", {"type": "log", "args": [text("old")], "timestamp": 1.0}, "S2")
    enable = next(c for c in wire.sent if c["method"] == "Runtime.enable" and c.get("sessionId") == "S2")
    wire.answer(enable)
    await wire.until(lambda: wire.observer._tree.sessions["S2"].ready)
    wire.event("Runtime.consoleAPICalled", {"type": "log", "args": [text("now")], "timestamp": 2.0}, "S2")
    assert [(s.detail, s.replayed) for s in wire.told("S2")] == [
        (ConsoleCalled("log", "old"), True),
        (ConsoleCalled("log", "now"), False),
    ]


async def test_a_target_that_waits_for_us_has_nothing_to_replay(wire: Wire) -> None:
    wire.silent.add(("Runtime.enable", "S2"))
    wire.attach("S2", waiting=True)
    wire.event(
        "Runtime.consoleAPICalled", {"type": "log", "args": [text("first line")], "timestamp": 1.0}, "S2"
    )
    assert [s.replayed for s in wire.told("S2")] == [False]


def test_history_counts_entries_of_one_microsecond() -> None:
    history = ReplayHistory()
    assert [history.is_repeat("Runtime", 5.000001) for _ in range(2)] == [False, False]
    history.expect()
    assert [history.is_repeat("Runtime", 5.000001) for _ in range(3)] == [True, True, False]


def test_history_keeps_streams_apart() -> None:
    history = ReplayHistory()
    history.is_repeat("Runtime", 5.0)
    history.expect()
    assert not history.is_repeat("Log", 5.0)
    assert history.lost_touch
    assert history.is_repeat("Runtime", 5.0)
    assert not history.lost_touch


def test_history_expects_everything_again_after_every_loss() -> None:
    history = ReplayHistory()
    history.is_repeat("Runtime", 1.0)
    for _ in range(3):
        history.expect()
        assert history.is_repeat("Runtime", 1.0)


def test_history_that_told_nothing_has_lost_nothing() -> None:
    history = ReplayHistory()
    history.expect()
    assert not history.lost_touch


def test_history_is_bounded() -> None:
    history = ReplayHistory()
    for timestamp in range(KEPT_ENTRIES + 1):
        history.is_repeat("Runtime", float(timestamp))
    history.expect()
    assert not history.is_repeat("Runtime", 0.0)
    assert history.is_repeat("Runtime", 1.0)
