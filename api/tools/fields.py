"""Arguments that several tools take."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import Field, WithJsonSchema

from ...correlator.event import Channel, Severity
from ..errors import BadField
from ..wire import Patterns
from .budget import HARD_LIMIT_TOKENS, LEAST_TOKENS

MaxTokens = Annotated[int, Field(ge=LEAST_TOKENS, le=HARD_LIMIT_TOKENS)]

# `configure` lists the names; saying them with every tool would cost every client.
OtherChannels = Annotated[
    list[Channel],
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
    Field(description="Instead of those you stream."),
]
LeastSeverity = Annotated[Severity, WithJsonSchema({"type": "string"})]
PatternTable = Annotated[
    dict[Literal["url", "kind", "text", "page", "selector", "severity"], list[str]],
    WithJsonSchema({"type": "object"}),
]
PATTERNS_ABOUT = 'Substring, * or /RE2/ by field: {"url":["/api/cart"],"kind":["http_*"]}.'


def patterns_of(name: str, table: PatternTable | None) -> Patterns | None:
    """Raises BadField."""
    try:
        return None if table is None else msgspec.convert(table, Patterns)
    except msgspec.ValidationError as error:
        raise BadField(
            f"{name}: {error}.", 'Write it like {"url":["/api/cart"],"kind":["http_*"]}.'
        ) from error
