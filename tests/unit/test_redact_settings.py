"""Redaction rules of the user's own, as settings: from any place, refused with a reason, and in effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from firstcause.api.publishing import event_of
from firstcause.api.settings import RUNTIME, SettingRefused, load
from firstcause.api.wire import Publication
from firstcause.correlator.redact import HIDDEN


def test_rules_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "firstcause.toml").write_text(
        "redact_fields = ['customer_id']\nredact_patterns = ['ID-\\d{8,}']\nredact_emails = true\n"
    )
    redactor = load(cwd=tmp_path, environ={}).settings.redactor
    assert (
        redactor.text("customerId=x, ID-12345678, ann@a.test") == f"customerId={HIDDEN}, {HIDDEN}, {HIDDEN}"
    )


def test_rules_come_from_the_environment(tmp_path: Path) -> None:
    environ = {"FIRSTCAUSE_REDACT_FIELDS": "a,b.c", "FIRSTCAUSE_REDACT_PATTERNS": r'["x{1,3}y", "z\\d"]'}
    settings = load(cwd=tmp_path, environ=environ).settings
    assert settings.redact_fields == ("a", "b.c")
    assert settings.redact_patterns == ("x{1,3}y", r"z\d")
    environ = {"FIRSTCAUSE_REDACT_PATTERNS": "[A-Z]{2,3}-1"}
    assert load(cwd=tmp_path, environ=environ).settings.redact_patterns == ("[A-Z]{2,3}-1",)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("redact_patterns", ["a", "(b"], "must be RE2 expressions: missing ): (b"),
        ("redact_patterns", ["(?=x)"], "must be RE2 expressions: invalid perl operator: (?="),
        ("redact_patterns", ["x*"], "not an empty text"),
        ("redact_patterns", ["a" * 1001], "1000 characters at most"),
        ("redact_patterns", ["((a{100}){100}){100}"], "must be RE2 expressions"),
        ("redact_fields", ["a b"], "must be names like customer_id"),
        ("redact_fields", ["--"], "must be names like customer_id"),
        ("redact_fields", ["a" * 65], "at most 64 characters"),
        ("redact_emails", "perhaps", "must be a valid boolean"),
    ],
)
def test_a_bad_rule_is_refused_with_the_reason(name: str, value: object, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SettingRefused) as refused:
        load({name: value}, cwd=tmp_path, environ={})
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"--{name.replace('_', '-')} must")


def test_rules_are_for_the_whole_life_of_a_server() -> None:
    assert not {"redact_fields", "redact_patterns", "redact_emails"} & set(RUNTIME)


def test_published_events_obey_the_rules(tmp_path: Path) -> None:
    flags = {"redact_fields": ["customer_id"], "redact_patterns": [r"ID-\d{8}"], "redact_emails": True}
    redactor = load(flags, cwd=tmp_path, environ={}).settings.redactor
    said = Publication(
        channel="runs",
        kind="step",
        summary="ann@a.test asked for ID-12345678",
        page="/users/ID-12345678",
        context={"customerId": ["x"], "list": [{"mail": "ann@a.test"}], "ID-12345678": 1},
    )
    event = event_of(said, "shop", "s1", redactor)
    assert event.summary == f"{HIDDEN} asked for {HIDDEN}"
    assert event.page == f"/users/{HIDDEN}"
    assert event.context == {"customerId": HIDDEN, "list": [{"mail": HIDDEN}], HIDDEN: 1}
