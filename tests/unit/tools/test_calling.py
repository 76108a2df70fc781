"""Calls that can't be met say what was wrong and how the next one works; the list of tools is short to read."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from firstcause.api import tools
from firstcause.api.server import Server
from firstcause.api.tools import TOOLS, calling, views
from firstcause.api.tools.schemas import schema_of
from firstcause.api.tools.tool import Tool
from firstcause.api.tools.views.view import View

from .agents import Agent

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("observe", {"wat": "events"}, "bad_arguments", "Did you mean what?"),
    ("observe", {"what": "evnts"}, "bad_arguments", "must be one of"),
    ("observe", {"what": "events", "cursor": "!"}, "bad_cursor", "begin anew"),
    ("observe", {"what": "chain"}, "bad_field", '"what":"chain"'),
    ("observe", {"what": "event", "id": "nothing"}, "not_found", "lists the latest events"),
    ("observe", {"what": "page"}, "bad_field", "none yet"),
    ("observe", {"what": "page", "page": "p9"}, "not_found", '"what":"pages"'),
    ("observe", {"open": "http://localhost:1", "attach": "9222"}, "bad_field", "Give one"),
    ("observe", {"detach": "b9"}, "not_found", '"what":"pages"'),
    ("observe", {"attach": "no address"}, "bad_url", ""),
    ("observe", {"what": "events", "include": {"text": ["/(/"]}}, "bad_filter", "RE2"),
    ("explain", {}, "bad_arguments", "id"),
    ("explain", {"id": "nothing"}, "not_found", "observe"),
    ("wait_for_events", {"timeout_s": 60}, "bad_arguments", "timeout_s"),
    ("wait_for_events", {"channels": ["erors"]}, "bad_arguments", "'errors'"),
    ("wait_for_events", {"cursor": "nonsense"}, "bad_cursor", "begin anew"),
    ("configure", {"action": "mutate"}, "bad_arguments", "'mute'"),
    ("configure", {"action": "mute", "throttle_ms": 1}, "bad_field", "It takes channels"),
    ("configure", {"action": "streaming", "include": {"urll": ["x"]}}, "bad_arguments", "'url'"),
    ("configure", {"action": "streaming", "include": {"severity": ["bad"]}}, "bad_field", "Write it like"),
    ("configure", {"action": "thresholds", "thresholds": {"slow": {"after_ms": 1}}}, "bad_setting", ""),
    ("configure", {"action": "buffers", "buffers": {"ring_events": 1}}, "bad_setting", "ring_events"),
    ("publish", {"kind": "guess", "summary": "x"}, "bad_arguments", "'step'"),
    ("waitforevents", {}, "bad_arguments", "wait_for_events"),
    ("x" * 5_000, {}, "bad_arguments", "There are"),
]


@pytest.mark.parametrize(("name", "arguments", "code", "says"), REFUSED, ids=lambda value: str(value)[:40])
async def test_a_call_that_cannot_be_met_says_how_the_next_one_works(
    server: Server, name: str, arguments: dict[str, Any], code: str, says: str
) -> None:
    error = await Agent(server).refused(name, **arguments)
    told = json.dumps(error, ensure_ascii=False)
    assert error["code"] == code
    assert says in told.replace('\\"', '"')
    assert "Traceback" not in told
    assert len(told) < 2_000
    assert error.get("hint") or error.get("example")


async def test_a_failure_of_our_own_is_no_traceback(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret path")

    tool = next(tool for tool in TOOLS if tool.name == "explain")
    failing = Tool(tool.name, tool.title, tool.description, tool.arguments, broken, tool.example)  # type: ignore[arg-type]
    monkeypatch.setitem(calling.BY_NAME, "explain", failing)
    error = await Agent(server).refused("explain", id="e1")
    assert error["code"] == "failed"
    assert "secret path" not in json.dumps(error)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_example_of_a_tool_is_taken(tool: Tool[Any]) -> None:
    tool.arguments.model_validate(tool.example)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_schema_names_every_argument_with_its_type(tool: Tool[Any]) -> None:
    schema = schema_of(tool)
    assert list(schema["properties"]) == list(tool.arguments.model_fields)
    assert all("type" in field for field in schema["properties"].values())
    assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize(("package", "listed", "kind"), [(tools, TOOLS, Tool), (views, views.VIEWS, View)])
def test_every_file_with_a_tool_or_a_view_is_listed(
    package: Any, listed: tuple[Any, ...], kind: type
) -> None:
    folder = Path(str(package.__file__)).parent
    modules = [
        importlib.import_module(f"{package.__name__}.{path.stem}")
        for path in folder.glob("*.py")
        if path.stem != "__init__"
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, kind)]
    assert sorted(one.name for one in found) == [one.name for one in listed]
