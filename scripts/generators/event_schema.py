"""docs/event.schema.json: the public record as JSON Schema."""

from __future__ import annotations

import json

from firstcause.correlator.event import Event


def event_schema() -> str:
    """The schema as it is written to the docs."""
    return json.dumps(Event.model_json_schema(mode="serialization"), indent=2) + "\n"
