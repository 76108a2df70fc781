"""docs/mcp.md: every call in it is one that works, and what it says of clients and tools is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from firstcause.api.mcp.install import CLIENT_NAMES
from firstcause.api.tools import TOOLS
from firstcause.api.tools.calling import BY_NAME

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text("utf-8")
CALLS = re.findall(r"^    ([a-z_]+) (\{.*\})$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[f"{tool} {given}" for tool, given in CALLS])
def test_a_call_takes_what_it_is_given(tool: str, arguments: str) -> None:
    BY_NAME[tool].arguments.model_validate(json.loads(arguments))


def test_every_tool_is_shown() -> None:
    assert {tool for tool, _ in CALLS} == {tool.name for tool in TOOLS}


def test_every_client_has_a_row() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == list(CLIENT_NAMES)
