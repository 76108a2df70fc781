"""Events that clients tell: checked, without secrets, and small as every event."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final, cast

from ..correlator.engine import iso_ms, new_uuid7
from ..correlator.event import Cause, Channel, Event, EventType
from ..correlator.findings.finding import said
from ..correlator.redact import BUILT_IN, Redactor
from ..correlator.templates import fingerprint_of
from .errors import BadField, TooLarge
from .wire import Publication

MAX_EVENT_BYTES: Final = 2048
MAX_SUMMARY_BYTES: Final = 500
MAX_DEPTH: Final = 16
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


def event_of(publication: Publication, project: str, session: str, redactor: Redactor = BUILT_IN) -> Event:
    """Raises BadField and TooLarge."""
    _check_depth(publication.context, 1)
    summary = said(redactor.text(publication.summary), MAX_SUMMARY_BYTES)
    event = Event(
        id=new_uuid7(),
        seq=0,
        timestamp=_timestamp(publication.timestamp),
        project=project,
        session=redactor.text(publication.session) or session,
        page=redactor.text(publication.page),
        channel=publication.channel,
        type=publication.type or TYPES[publication.channel],
        kind=publication.kind,
        severity=publication.severity,
        summary=summary,
        context=redactor.fields(publication.context),
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


def _check_depth(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise BadField(f"context: it is nested more than {MAX_DEPTH} deep.", "Say it in fewer levels.")
    if isinstance(value, list | dict):
        items = (
            cast("list[Any]", value) if isinstance(value, list) else cast("dict[str, Any]", value).values()
        )
        for item in items:
            if isinstance(item, list | dict):
                _check_depth(item, depth + 1)


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
