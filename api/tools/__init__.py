"""The tools that an agent has: one file each, in this list."""

from __future__ import annotations

from typing import Any

from . import act, configure, explain, observe, publish, read_output, wait_for_events
from .tool import Tool

TOOLS: tuple[Tool[Any], ...] = (
    act.TOOL,
    configure.TOOL,
    explain.TOOL,
    observe.TOOL,
    publish.TOOL,
    read_output.TOOL,
    wait_for_events.TOOL,
)
