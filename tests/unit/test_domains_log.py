"""What the browser reports by itself in its log."""

from __future__ import annotations

from typing import Any

from firstcause.observer.domains.log import LogEntry
from firstcause.observer.signal import StackFrame

from .wire import Wire


def logged(wire: Wire, session: str = "S1", **more: Any) -> None:
    entry = {
        "source": "network",
        "level": "error",
        "text": "Failed to load resource",
        "timestamp": 5.5,
        **more,
    }
    wire.event("Log.entryAdded", {"entry": entry}, session)


async def test_a_failed_load_names_its_request(wire: Wire) -> None:
    logged(wire, url="http://a/missing.js", networkRequestId="r9", lineNumber=0)
    assert wire.details == [LogEntry("network", "error", "Failed to load resource", "http://a/missing.js", 1)]
    assert (wire.last().request_id, wire.last().wall_ms) == ("r9", 5.5)


async def test_an_entry_without_a_line(wire: Wire) -> None:
    logged(wire)
    assert wire.details == [LogEntry("network", "error", "Failed to load resource")]


async def test_an_entry_with_a_stack(wire: Wire) -> None:
    call = {"functionName": "f", "scriptId": "1", "url": "http://a/x.js", "lineNumber": 1, "columnNumber": 2}
    logged(wire, source="violation", level="verbose", stackTrace={"callFrames": [call]})
    assert wire.last().stack == (StackFrame("f", "http://a/x.js", 2, 3, "1"),)


async def test_long_entries_are_cut(wire: Wire) -> None:
    logged(wire, text="x" * 9000)
    assert len(wire.details[0].text) == 2000


async def test_workers_have_a_log_too(wire: Wire) -> None:
    wire.attach("W", "worker", parent="S1")
    logged(wire, "W")
    assert wire.last().session == "W"
    assert wire.last().page == "p1"


async def test_console_and_log_of_one_microsecond_are_two_things_in_a_replay(wire: Wire) -> None:
    call = {"type": "log", "args": [], "timestamp": 5.5}
    wire.event("Runtime.consoleAPICalled", call)
    wire.event("Runtime.executionContextsCleared")
    logged(wire)
    wire.event("Runtime.consoleAPICalled", call)
    logged(wire)
    assert [d.kind for d in wire.details] == ["console", "log", "log"]
