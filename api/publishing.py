"""Events that clients tell: checked, without secrets, and small as every event."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any, Final, cast

from pydantic import JsonValue

from ..correlator.engine import iso_ms, new_uuid7
from ..correlator.event import Cause, Channel, Event, EventType
from ..correlator.findings.finding import said
from ..correlator.redact import HIDDEN, redact_text
from ..correlator.templates import fingerprint_of
from .errors import BadField, TooLarge
from .wire import Publication

MAX_EVENT_BYTES: Final = 2048
MAX_SUMMARY_BYTES: Final = 500
MAX_DEPTH: Final = 16
SECRET_NAME: Final = re.compile(r"(?:set-)?cookies?|authorization|pass(?:phrase|code)?", re.IGNORECASE)
"""Names that hide whatever they hold, beside those that hide it in a text too."""
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
        context=_fields(publication.context, 1),
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


def _redacted(value: Any, depth: int) -> JsonValue:
    match value:
        case str():
            return redact_text(value)
        case list():
            return [_redacted(item, _deeper(depth)) for item in cast("list[Any]", value)]
        case dict():
            return _fields(cast("dict[str, Any]", value), _deeper(depth))
        case _:
            return value


def _fields(fields: dict[str, Any], depth: int) -> dict[str, JsonValue]:
    return {redact_text(name): _field(name, value, depth) for name, value in fields.items()}


def _field(name: str, value: Any, depth: int) -> JsonValue:
    """The value of `"password": "…"` is known by its name alone, whatever is in it; that of `"code": "…"` has to look random too."""
    if value is None or isinstance(value, bool):
        return value
    if SECRET_NAME.fullmatch(name) or _hides(name, "plainword"):
        return HIDDEN
    if isinstance(value, str | int) and _hides(name, str(value)):
        return HIDDEN
    return _redacted(value, depth)


def _hides(name: str, value: str) -> bool:
    return redact_text(f"{name}={value}") == f"{name}={HIDDEN}"


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise BadField(f"context: it is nested more than {MAX_DEPTH} deep.", "Say it in fewer levels.")
    return depth + 1


def _timestamp(text: str) -> str:
    if not text:
        return iso_ms(time.time() * 1000)
    try:
        given = datetime.fromisoformat(text)
        return iso_ms((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadField(
            f"timestamp: {text!r} is not a time.", "Give it like 2026-11-21T02:40:47.123Z, or leave it out."
        ) from error
