"""Events that clients tell: filled in, without secrets, small, and refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from firstcause.api.errors import BadField, TooLarge
from firstcause.api.publishing import MAX_DEPTH, MAX_EVENT_BYTES, TYPES, event_of
from firstcause.api.wire import CHANNELS, Publication
from firstcause.correlator.event import Event

from .test_http import CANARY, SECRET_FIELDS, SECRETS


def event(**fields: Any) -> Event:
    given: dict[str, Any] = {"channel": "runs", "kind": "step", "summary": "logged in", **fields}
    return event_of(Publication(**given), "shop", "s1")


def test_what_is_left_out_is_filled_in() -> None:
    made = event()
    assert (made.project, made.session, made.type, made.severity) == ("shop", "s1", "run", "info")
    assert (made.seq, made.count, made.cause, made.correlation_id) == (0, 1, None, None)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}", made.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made.timestamp)


def test_every_channel_has_its_type() -> None:
    assert set(TYPES) == set(CHANNELS)
    for channel in CHANNELS:
        assert event(channel=channel).type == TYPES[channel]
    assert event(type="accessibility").type == "accessibility"


def test_the_same_said_twice_has_the_same_fingerprint() -> None:
    assert event().fingerprint == event().fingerprint != event(summary="logged out").fingerprint
    assert event().id < event().id


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T03:04:05.6789", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05.000Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"),
    ],
)
def test_times_become_utc(given: str, kept: str) -> None:
    assert event(timestamp=given).timestamp == kept


@pytest.mark.parametrize(
    "given", ["soon", "12", "2026-13-01", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "\x00"]
)
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(BadField, match="is not a time"):
        event(timestamp=given)


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_in_texts_are_hidden(secret: str) -> None:
    made = event(summary=f"it said {secret}", context={"a": secret, "b": [[{"c": secret}]], secret: 1})
    assert CANARY not in made.line()


@pytest.mark.parametrize("name", SECRET_FIELDS)
def test_secrets_by_name_are_hidden_whatever_they_hold(name: str) -> None:
    made = event(context={name: SECRET_FIELDS[name], "a": {"b": [{name: SECRET_FIELDS[name]}]}})
    assert CANARY not in made.line()
    assert made.context[name] == "***" or "***" in str(made.context[name])


def test_a_summary_is_one_short_line() -> None:
    made = event(summary=" two\n lines\t" + "ü" * 1000)
    assert made.summary.startswith("two lines üü")
    assert len(made.summary.encode()) <= 500


def test_an_event_is_small_as_it_is_sent() -> None:
    fitting = MAX_EVENT_BYTES - len(event(context={"a": ""}).line().encode())
    assert len(event(context={"a": "b" * fitting}).line().encode()) == MAX_EVENT_BYTES
    with pytest.raises(TooLarge, match="at most, and this one 2049"):
        event(context={"a": "b" * (fitting + 1)})


def nested(depth: int) -> dict[str, Any]:
    context: dict[str, Any] = {"a": 1}
    for _ in range(depth - 1):
        context = {"a": context}
    return context


def test_a_context_has_only_so_many_levels() -> None:
    assert event(context=nested(MAX_DEPTH)).context == nested(MAX_DEPTH)
    for context in (nested(MAX_DEPTH + 1), nested(900), {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}):
        with pytest.raises(BadField, match="nested more than 16 deep"):
            event(context=context)


def test_numbers_of_any_size_are_json() -> None:
    context = {"big": 2**63, "huge": 10**40, "small": -1.5e-300}
    assert Event.model_validate_json(event(context=context).line()).context == context
