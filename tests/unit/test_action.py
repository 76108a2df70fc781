"""The GitHub action: its scripts are sound, nothing that a user gives is code in them, and exit codes stay."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SCRIPTS = {step["name"]: step for step in STEPS if "run" in step}
RUNS = SCRIPTS["Run the command"]["run"]
TELLS = SCRIPTS["Tell what failed"]["run"]
# Stands in for firstcause: tells what it was called with, and is as the command that it runs.
STAND_IN = '#!/bin/bash\nprintf "%s\\n" "$@" > "$ASKED"\nwhile [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done\nshift\n"$@"\n'


def test_every_script_is_sound_and_holds_no_input() -> None:
    for step in SCRIPTS.values():
        assert subprocess.run(["bash", "-n", "-c", step["run"]], check=False).returncode == 0
        assert "${{" not in step["run"]


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", str(STEPS)))
    assert used == set(ACTION["inputs"])
    assert all(
        each["description"].endswith(".") or "(" in each["description"] for each in ACTION["inputs"].values()
    )


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    binary = tmp_path / "firstcause"
    binary.write_text(STAND_IN)
    binary.chmod(0o755)
    given = {"FIRSTCAUSE_BIN": binary, "ASKED": tmp_path / "asked", "GITHUB_OUTPUT": tmp_path / "output"}
    return {
        **os.environ,
        **{name: str(value) for name, value in given.items()},
        "REPORT": "out put",
        "FAIL_ON": "",
    }


def ran(script: str, folder: Path, environment: dict[str, str]) -> tuple[int, list[str]]:
    ended = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=environment, check=False
    )
    asked = Path(environment["ASKED"])
    return ended.returncode, asked.read_text().splitlines() if asked.exists() else []


def test_the_command_runs_watched_and_its_exit_code_stays(tmp_path: Path, job: dict[str, str]) -> None:
    command = 'echo "$0 it\'s" > said; false | true'
    code, asked = ran(RUNS, tmp_path, {**job, "COMMAND": command})
    assert (code, asked[:4]) == (1, ["run", "--report", "out put", "--"])
    assert asked[-1] == command
    assert (tmp_path / "said").read_text() == "bash it's\n"
    assert (tmp_path / "output").read_text() == f"report={tmp_path}/out put\n"
    assert ran(RUNS, tmp_path, {**job, "COMMAND": "exit 7"})[0] == 7
    assert ran(RUNS, tmp_path, {**job, "COMMAND": "true"})[0] == 0


def test_a_severity_to_fail_on_is_handed_on(tmp_path: Path, job: dict[str, str]) -> None:
    _, asked = ran(RUNS, tmp_path, {**job, "COMMAND": "true", "FAIL_ON": "high"})
    assert asked[3:6] == ["--fail-on", "high", "--"]


def test_without_a_report_nothing_is_told(tmp_path: Path, job: dict[str, str]) -> None:
    assert ran(TELLS, tmp_path, {**job, "GITHUB_WORKSPACE": "/w"}) == (0, [])
