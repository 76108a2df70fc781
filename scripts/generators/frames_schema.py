"""docs/frames.schema.json: every message of the stream, both ways, as JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from firstcause.api.wire import DIAGNOSTICS, FRAMES, OPS

DESCRIPTION = (
    "What a client sends is a ClientMessage, what it gets a ServerMessage. The server refuses fields that it does not know;"
    " a client passes over those that it does not know."
)


def frames_schema() -> str:
    """The schema as it is written to the docs."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The stream of firstcause",
        "description": DESCRIPTION,
        "oneOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": {
            "ClientMessage": one_of(OPS, "#/$defs/"),
            "ServerMessage": one_of(FRAMES, "#/$defs/"),
            **schemas("#/$defs/"),
        },
    }
    return json.dumps(schema, indent=2) + "\n"


def one_of(kinds: tuple[type[msgspec.Struct], ...], where: str) -> dict[str, Any]:
    """Any of these messages; `op` tells which."""
    return {
        "type": "object",
        "required": ["op"],
        "oneOf": [{"$ref": where + kind.__name__} for kind in kinds],
    }


def schemas(where: str) -> dict[str, Any]:
    """The schema of every message and of what they are made of, by the name of its struct."""
    _, components = msgspec.json.schema_components([*OPS, *FRAMES], ref_template=where + "{name}")
    components["Subscribe"]["properties"]["channels"]["default"] = list(DIAGNOSTICS)
    return {name: portable(schema) for name, schema in components.items()}


def portable(schema: Any) -> Any:
    """Docstrings in one line, and expressions as JavaScript reads them: it has no \\Z."""
    if isinstance(schema, list):
        return [portable(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: portable(value) for key, value in schema.items()}
    if isinstance(description := made.get("description"), str):
        made["description"] = " ".join(description.split())
    if isinstance(pattern := made.get("pattern"), str):
        made["pattern"] = pattern.replace(r"\Z", "$")
    return made
