"""docs/mcp-tools.md: every tool with its arguments and a call that works, the views, prompts and resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from firstcause.api.mcp.prompts import PROMPTS
from firstcause.api.mcp.resources import LISTED, TEMPLATES
from firstcause.api.tools import TOOLS
from firstcause.api.tools.budget import BYTES_PER_TOKEN, DEFAULT_TOKENS, HARD_LIMIT_TOKENS, LEAST_TOKENS
from firstcause.api.tools.tool import Tool
from firstcause.api.tools.views import VIEWS

EMPTY: tuple[object, ...] = ("", None, False, [], {})
HEAD = f"""# MCP tools

<!-- Made by `make docs` from api/tools/ and api/mcp/: edit those. -->

An answer comes in two forms that say the same, as text and as fields; clients hand on the one or the other. Either is cut to
`max_tokens`, {DEFAULT_TOKENS:,} unless asked for, at least {LEAST_TOKENS} and at most {HARD_LIMIT_TOKENS:,}, and never more than a tenth over it; both
together stay below the 25,000 that clients refuse an answer beyond. Tokens are counted as bytes / {BYTES_PER_TOKEN}, rounded up. What is left
out is counted in `left_out`, with the call that tells it. Every answer has the `cursor` of this client, and all but that of
`wait_for_events` have `pending`, the number of events that wait for it by channel. A refusal has a stable `code`, says what was wrong,
and has an `example` that works.

"""


def mcp_tools() -> str:
    return HEAD + "".join([*map(section, TOOLS), views(), prompts(), resources()])


def section(tool: Tool[Any]) -> str:
    call = json.dumps(dict(tool.example))
    changes = "Changes nothing. " if tool.read_only else ""
    return f"## `{tool.name}`\n\n{tool.description}\n\n{changes}Example:\n\n    {call}\n\n{table(tool)}\n"


def table(tool: Tool[Any]) -> str:
    return "| argument | type | default | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows(tool))


def rows(tool: Tool[Any]) -> Iterator[str]:
    schema = tool.arguments.model_json_schema()
    for name, field in schema["properties"].items():
        default = field.get("default")
        said = (
            "required"
            if name in schema.get("required", ())
            else ""
            if default in EMPTY
            else json.dumps(default)
        )
        about = field.get("description", "").replace("|", "\\|")
        yield f"| `{name}` | {type_of(field)} | {said} | {about} |\n"


def type_of(field: dict[str, Any]) -> str:
    if choices := [one for one in field.get("anyOf", ()) if one != {"type": "null"}]:
        return " or ".join(map(type_of, choices))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    limits = [
        f"{word} {field[key]}"
        for key, word in (("minimum", "at least"), ("maximum", "at most"))
        if key in field
    ]
    items = f" of {type_of(field['items'])}" if field.get("type") == "array" and "items" in field else ""
    return field.get("type", "any") + items + (f", {', '.join(limits)}" if limits else "")


def views() -> str:
    listed = "".join(f"| `{view.name}` | {view.about} |\n" for view in VIEWS)
    return f"## What `observe` reads\n\n| what | gives |\n| --- | --- |\n{listed}\n"


def prompts() -> str:
    listed = "".join(
        f"| `{one.name}` | {', '.join(f'`{name}`' for name in one.arguments)} | {one.description} |\n"
        for one in PROMPTS
    )
    return f"## Prompts\n\n| prompt | argument | for |\n| --- | --- | --- |\n{listed}\n"


def resources() -> str:
    listed = "".join(f"| `{uri}` | {about} |\n" for uri, (_, about) in {**LISTED, **TEMPLATES}.items())
    return (
        "## Resources\n\nA client that subscribes to one, by `resources/subscribe` or `subscriptions/listen`, is told when it has changed.\n\n"
        f"| address | gives |\n| --- | --- |\n{listed}"
    )
