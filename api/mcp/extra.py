"""The protocol's package is an extra: what says so where it is missing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from ..errors import RequestRefused

PACKAGE: Final = "mcp"


class McpMissing(RequestRefused):
    """The package that MCP needs is not installed where the server runs."""

    code = "mcp_missing"
    status = 501


def require_mcp() -> None:
    """Raises McpMissing."""
    if find_spec(PACKAGE) is None:
        raise McpMissing(
            "MCP needs a package that is not installed.", 'Install it: pip install "firstcause[mcp]"'
        )
