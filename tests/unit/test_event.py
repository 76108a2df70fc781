"""The wire form of an event: short, without what is empty, unchangeable, and read back as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from firstcause.correlator.event import SEVERITIES, Cause, Event

LEAST: dict[str, Any] = {
    "id": "id1",
    "seq": 1,
    "timestamp": "2026-11-21T02:40:47.123Z",
    "project": "shop",
    "session": "id0",
    "channel": "errors",
    "type": "error",
    "kind": "uncaught_exception",
    "severity": "high",
    "summary": "Uncaught Error: no stock",
    "fingerprint": "9f3c1a7b",
    "count": 1,
}


def test_what_is_empty_is_left_out() -> None:
    assert json.loads(Event.model_validate(LEAST).line()) == LEAST


def test_what_is_there_is_told_in_the_documented_order() -> None:
    whole = LEAST | {
        "page": "p1",
        "context": {"url": "/api/cart", "status": 500},
        "correlation_id": "id9",
        "cause": {"id": "id8", "via": "same-stack", "confidence": 0.97},
    }
    line = Event.model_validate(whole).line()
    assert json.loads(line) == whole
    assert list(json.loads(line)) == list(Event.model_fields)


def test_a_line_is_one_line_and_reads_back() -> None:
    event = Event(
        **LEAST | {"summary": "two\nlines “quoted” 購物車", "cause": Cause(id="i", via="v", confidence=1)}
    )
    assert "\n" not in event.line()
    assert "購物車" in event.line()
    assert Event.model_validate_json(event.line()) == event


def test_an_event_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Event.model_validate(LEAST).count = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [("channel", "mistakes"), ("type", "mistake"), ("severity", "fatal"), ("mood", "sad"), ("seq", "first")],
)
def test_what_is_not_in_the_schema_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Event.model_validate(LEAST | {field: value})


@pytest.mark.parametrize("missing", sorted(LEAST))
def test_every_other_field_must_be_there(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        Event.model_validate({name: value for name, value in LEAST.items() if name != missing})


def test_severities_go_from_the_worst_down() -> None:
    assert SEVERITIES == ("critical", "high", "medium", "low", "info")
