"""Thresholds of detectors as people write them, and which one wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firstcause.api.cli import app
from firstcause.api.commands.options import settings_of
from firstcause.api.settings import SettingRefused, Settings, changed, load
from firstcause.api.thresholds import merged, table_of, written
from firstcause.correlator.detecting import ThresholdRefused
from firstcause.correlator.detectors import DETECTORS

SLOW = {"slow_response": {"after_ms": 500}}


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("slow_response.after_ms=500", SLOW),
        (" slow_response.after_ms = 0.5 ", {"slow_response": {"after_ms": 0.5}}),
        ("dead_click.enabled=false", {"dead_click": {"enabled": False}}),
    ],
)
def test_one_is_written_as_a_path_and_a_value(text: str, table: object) -> None:
    assert written(text) == table


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slow_response=500", "slow_response=500 must be like slow_response.after_ms=500"),
        ("slow_response.after_ms", "slow_response.after_ms must be like slow_response.after_ms=500"),
        ("a.b=soon", "a.b=soon must end with a number, true or false"),
        ("a.b=null", "a.b=null must end with a number, true or false"),
        ("a.b=[1]", "a.b=[1] must end with a number, true or false"),
    ],
)
def test_what_is_not_one_is_refused(text: str, says: str) -> None:
    with pytest.raises(ThresholdRefused, match="^" + says.replace("[", r"\[")):
        written(text)


def test_a_later_one_wins_option_by_option() -> None:
    earlier = {"slow_response": {"after_ms": 1, "enabled": True}, "dead_click": {"enabled": False}}
    assert merged([earlier, SLOW]) == {
        "slow_response": {"after_ms": 500, "enabled": True},
        "dead_click": {"enabled": False},
    }


@pytest.mark.parametrize("value", ["", "500", "[1]", "{", 7, [1], {"slow_response": 500}])
def test_only_detectors_with_their_options_are_a_table(value: object) -> None:
    with pytest.raises(ThresholdRefused, match="must be detectors with their options"):
        table_of(value)


def test_flags_win_over_variables_and_they_over_files(tmp_path: Path) -> None:
    (tmp_path / "firstcause.toml").write_text(
        "[detectors.slow_response]\nafter_ms = 700\n[detectors.dead_click]\nenabled = false\n"
    )
    environ = {"FIRSTCAUSE_DETECTORS": json.dumps({"slow_response": {"after_ms": 600}})}
    loaded = load({"detectors": SLOW}, cwd=tmp_path, environ=environ)
    assert loaded.settings.detectors == {**SLOW, "dead_click": {"enabled": False}}
    assert loaded.threshold_origins == {
        "slow_response.after_ms": "flag --detector",
        "dead_click.enabled": str(tmp_path / "firstcause.toml"),
    }


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"FIRSTCAUSE_DETECTORS": "slow"}, "FIRSTCAUSE_DETECTORS: must be detectors with their options"),
        ({"FIRSTCAUSE_DETECTORS": '{"slow": {}}'}, "FIRSTCAUSE_DETECTORS: slow is not a detector"),
        (
            {"FIRSTCAUSE_DETECTORS": '{"slow_response": {"after": 1}}'},
            "FIRSTCAUSE_DETECTORS: slow_response: after is not one of its options",
        ),
        (
            {"FIRSTCAUSE_DETECTORS": '{"slow_response": {"after_ms": -1}}'},
            "FIRSTCAUSE_DETECTORS: slow_response: after_ms: input should be greater than",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        load(cwd=tmp_path, environ=environ)
    assert refused.value.message.startswith(says)
    assert "firstcause detectors" in refused.value.hint


def test_the_command_line_puts_several_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_of(detector=["slow_response.after_ms=500", "slow_response.enabled=true"])
    assert settings.detectors == {"slow_response": {"after_ms": 500, "enabled": True}}
    with pytest.raises(SettingRefused, match="flag --detector: nothing must be like"):
        settings_of(detector=["nothing"])


def test_a_change_while_it_runs_changes_what_it_names() -> None:
    settings = changed(Settings(detectors={"dead_click": {"enabled": False}}), {"detectors": SLOW})
    assert settings.detectors == {**SLOW, "dead_click": {"enabled": False}}
    with pytest.raises(SettingRefused, match="detectors: nothing is not a detector"):
        changed(settings, {"detectors": {"nothing": {}}})


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["detectors", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "firstcause.toml").write_text("[detectors.slow_response]\nafter_ms = 700\n")
    return tmp_path


def test_the_command_lists_every_detector(folder: Path) -> None:
    lines = [json.loads(line) for line in run("--json").splitlines()]
    assert [line["id"] for line in lines] == [kind.id for kind in DETECTORS]
    [slow] = [line for line in lines if line["id"] == "slow_response"]
    assert slow["options"]["after_ms"] == {
        "value": 700,
        "default": 2000,
        "from": str(folder / "firstcause.toml"),
    }
    table = run()
    assert all(kind.id in table for kind in DETECTORS)


def test_the_command_explains_one(folder: Path) -> None:
    told = run("slow_response")
    [kind] = [kind for kind in DETECTORS if kind.id == "slow_response"]
    assert kind.about in told
    assert str(kind.options_type.model_fields["after_ms"].description) in told
    assert "700" in told
