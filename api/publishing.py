"""Events that clients tell: checked, without secrets, and small as every event."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final, cast

from pydantic import JsonValue

from ..correlator.engine import iso_ms, new_uuid7
from ..correlator.event import Cause, Channel, Event, EventType
from ..correlator.findings.finding import said
from ..correlator.redact import redact_text
from ..correlator.templates import fingerprint_of
from .errors import BadField, TooLarge
from .wire import Publication

MAX_EVENT_BYTES: Final = 2048
MAX_SUMMARY_BYTES: Final = 500
TYPES: Final[dict[Channel, EventType]] = {
    "errors": "error",
    "network_errors": "network_error",
    "performance": "performance",
    "selectors": "selector_broken",
    "anomalies": "anomaly",
    "activity": "activity",
    "runs": "run",
    "output": "chunk",
}


def event_of(publication: Publication, project: str, session: str) -> Event:
    """Raises BadField and TooLarge."""
    summary = said(publication.summary, MAX_SUMMARY_BYTES)
    event = Event(
        id=new_uuid7(),
        seq=0,
        timestamp=_timestamp(publication.timestamp),
        project=project,
        session=publication.session or session,
        page=publication.page,
        channel=publication.channel,
        type=publication.type or TYPES[publication.channel],
        kind=publication.kind,
        severity=publication.severity,
        summary=summary,
        context={redact_text(name): _field(name, value) for name, value in publication.context.items()},
        correlation_id=publication.correlation_id or None,
        cause=Cause(id=publication.cause, via="published", confidence=1.0) if publication.cause else None,
        fingerprint=fingerprint_of(publication.kind, summary),
        count=1,
    )
    size = len(event.line().encode())
    if size > MAX_EVENT_BYTES:
        raise TooLarge(
            f"An event has {MAX_EVENT_BYTES} bytes at most, and this one {size}.",
            "Say the conclusion in the summary, and leave bodies and stacks out of the context.",
        )
    return event


def _redacted(value: Any) -> JsonValue:
    match value:
        case str():
            return redact_text(value)
        case list():
            return [_redacted(item) for item in cast("list[Any]", value)]
        case dict():
            fields = cast("dict[str, Any]", value)
            return {redact_text(name): _field(name, item) for name, item in fields.items()}
        case _:
            return value


def _field(name: str, value: Any) -> JsonValue:
    """The value of `"password": "…"` is known by its name alone."""
    named = redact_text(f"{name}=aB3dE6gH9jK2mN5p").endswith("=***")
    return "***" if named and isinstance(value, str) else _redacted(value)


def _timestamp(text: str) -> str:
    if not text:
        return iso_ms(time.time() * 1000)
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadField(
            f"timestamp: {text!r} is not a time.", "Give it like 2026-11-21T02:40:47.123Z, or leave it out."
        ) from error
    return iso_ms((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)
