"""A tool's arguments as JSON Schema, as short as it can be said: every client reads it to its model at the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from .tool import Tool

PASSED_OVER: Final = frozenset(
    {"title", "maxLength", "minLength", "maxItems", "maxProperties", "maximum", "minimum"}
    | {"propertyNames", "additionalProperties", "$defs", "default"}
)
"""Limits that nobody reaches by accident and that a refusal names, and defaults, which the reference docs have."""


def schema_of(tool: Tool[Any]) -> dict[str, Any]:
    return _short(tool.arguments.model_json_schema())


def _short(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if name not in PASSED_OVER}
    if choices := kept.pop("anyOf", None):
        kept = {**_one_of(choices), **kept}
    if "properties" in kept:
        kept["properties"] = {name: _short(field) for name, field in kept["properties"].items()}
    if isinstance(kept.get("items"), dict):
        kept["items"] = _short(cast("dict[str, Any]", kept["items"]))
    return kept


def _one_of(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """What may be left out is said by not being required."""
    given = [_short(choice) for choice in choices if choice != {"type": "null"}]
    if len(given) == 1:
        return given[0]
    return {"type": list(dict.fromkeys(choice["type"] for choice in given))}
