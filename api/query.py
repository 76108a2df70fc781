"""A subscription as the parameters of an address, for the transports that have no messages of their own."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

import msgspec
from fastapi import Query

from .errors import BadField
from .filters import FIELDS
from .wire import Subscribe

Channels = Annotated[
    str,
    Query(
        description="Which channels, comma separated; errors, network_errors, performance, selectors and anomalies if left out.",
        examples=["errors,network_errors"],
    ),
]
Filters = Annotated[
    list[str],
    Query(
        description="FIELD:PATTERN, repeatable; the fields are url, kind, text, page, selector and severity.",
        examples=[["url:/api/cart", "kind:http_*"]],
    ),
]
Project = Annotated[str, Query(description="The project; the server's own if left out.")]
Cursor = Annotated[
    str, Query(description="Where to go on, as an earlier answer said it; `start` for all that is kept.")
]


async def subscribe_query(
    project: Project = "",
    channels: Channels = "",
    include: Filters = [],  # noqa: B006 - FastAPI makes a new one for every request
    exclude: Filters = [],  # noqa: B006
    min_severity: Annotated[str, Query(description="critical, high, medium, low or info.")] = "info",
    throttle_ms: Annotated[
        int | None, Query(description="At most one notification a channel in so long; 0 tells every event.")
    ] = None,
    cursor: Cursor = "",
) -> Subscribe:
    """Raises BadField."""
    fields: dict[str, Any] = {"op": "subscribe", "min_severity": min_severity, "cursor": cursor}
    if project:
        fields["project"] = project
    if channels:
        fields["channels"] = [channel.strip() for channel in channels.split(",") if channel.strip()]
    if throttle_ms is not None:
        fields["throttle_ms"] = throttle_ms
    fields["include"] = _patterns(include)
    fields["exclude"] = _patterns(exclude)
    try:
        return msgspec.convert(fields, Subscribe)
    except msgspec.ValidationError as error:
        raise BadField(f"{error}.", "docs/protocol.md has an example of every parameter.") from error


def _patterns(given: list[str]) -> dict[str, list[str]]:
    patterns: defaultdict[str, list[str]] = defaultdict(list)
    for item in given:
        name, colon, pattern = item.partition(":")
        if not colon or name not in FIELDS:
            raise BadField(
                f"{item[:80]!r} is not a filter.", f"Give FIELD:PATTERN; the fields are {', '.join(FIELDS)}."
            )
        patterns[name].append(pattern)
    return dict(patterns)
