"""firstcause config and firstcause token, as the shell runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from firstcause.api.auth import SCOPES, Keyring
from firstcause.api.commands.token import seconds
from firstcause.api.settings import Settings
from firstcause.observer.errors import UsageError

SECRET = "correct-horse-battery-staple"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("config", FIRSTCAUSE_PORT="1")`: in a folder of its own, with these variables."""
    here = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTCAUSE_")}
    state = str(tmp_path / "state")

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "firstcause", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**here, "FIRSTCAUSE_STATE_DIR": state, **variables},
        )

    return run


def test_config_tells_every_setting_and_its_origin(run: Run, tmp_path: Path) -> None:
    (tmp_path / "firstcause.toml").write_text('stall_s = 5\nselectors = ["#pay", ".total"]\n')
    ended = run("config", FIRSTCAUSE_PORT="4400", FIRSTCAUSE_TOKEN=SECRET)
    assert (ended.returncode, ended.stderr) == (0, "")
    head, *rows = (line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert head[0] == "setting"
    told = {name: " ".join(rest.split()) for name, rest in rows}
    assert list(told) == list(Settings.model_fields)
    assert told["host"] == "127.0.0.1 default"
    assert told["port"] == "4400 FIRSTCAUSE_PORT"
    assert told["stall_s"] == f"5.0 {tmp_path}/firstcause.toml"
    assert told["selectors"] == f"#pay, .total {tmp_path}/firstcause.toml"
    assert told["token"] == "*** FIRSTCAUSE_TOKEN"
    assert told["hang_stacks"] == "true default"
    assert SECRET not in ended.stdout


def test_config_as_json(run: Run, tmp_path: Path) -> None:
    ended = run("config", "--json", FIRSTCAUSE_TOKEN=SECRET, FIRSTCAUSE_ALLOWED_HOSTS="a.test,b.test")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = {one["name"]: one for one in map(json.loads, ended.stdout.splitlines())}
    assert list(told) == list(Settings.model_fields)
    assert told["port"] == {"name": "port", "value": 0, "origin": "default"}
    assert told["token"]["value"] == "***"
    assert told["allowed_hosts"]["value"] == ["a.test", "b.test"]
    assert told["state_dir"]["value"] == str(tmp_path / "state")
    assert SECRET not in ended.stdout


def test_config_shows_no_token_where_none_is_set_and_makes_none(run: Run, tmp_path: Path) -> None:
    told = {one["name"]: one["value"] for one in map(json.loads, run("config", "--json").stdout.splitlines())}
    assert told["token"] == ""
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_says_can_not_command_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "firstcause.toml").write_text('browser = "/x\\u001b[2J"\n')
    assert "\x1b" not in run("config").stdout


@pytest.mark.parametrize("command", ["config", "token"])
def test_a_bad_setting_is_told_in_one_line(run: Run, tmp_path: Path, command: str) -> None:
    ended = run(command, FIRSTCAUSE_PROT="1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "firstcause: FIRSTCAUSE_PROT is not a setting. Did you mean FIRSTCAUSE_PORT?\n"
    (tmp_path / "firstcause.toml").write_text("port = = 1\n")
    ended = run(command)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "firstcause.toml is not TOML" in ended.stderr


def test_token_prints_the_master_token_and_makes_it_once(run: Run, tmp_path: Path) -> None:
    first = run("token")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == (tmp_path / "state/token").read_text()
    assert run("token").stdout == first.stdout
    told = json.loads(run("token", "--json").stdout)
    assert told == {
        "token": first.stdout.strip(),
        "scopes": list(SCOPES),
        "projects": [],
        "expires_at": None,
    }


def test_a_token_that_was_set_is_the_master_token(run: Run, tmp_path: Path) -> None:
    assert run("token", FIRSTCAUSE_TOKEN=SECRET).stdout == f"{SECRET}\n"
    assert not (tmp_path / "state").exists()


def test_a_limited_token_may_do_what_was_asked_for(run: Run) -> None:
    ended = run(
        "token", "--scope", "read", "--scope", "publish", "--project", "shop", FIRSTCAUSE_TOKEN=SECRET
    )
    assert ended.returncode == 0
    grant = Keyring(SECRET).grant_of(ended.stdout.strip())
    assert (grant.scopes, grant.projects) == ({"read", "publish"}, ("shop",))
    assert ended.stderr.startswith("Good for read, publish in shop, until 2")


@pytest.mark.parametrize("options", [["--project", "shop"], ["--for", "1h"]])
def test_a_limited_token_is_for_reading_if_nothing_is_said(run: Run, options: list[str]) -> None:
    told = json.loads(run("token", *options, "--json", FIRSTCAUSE_TOKEN=SECRET).stdout)
    assert told["scopes"] == ["read"]
    assert Keyring(SECRET).grant_of(told["token"]).scopes == {"read"}
    assert told["expires_at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scope", "admin"], "admin is not a scope. There are read, publish, control."),
        (["--project", "../x"], "../x can't be the name of a project."),
        (["--for", "soon"], "soon is not a time."),
        (["--for", "0s"], "at least a second"),
        (["--for", "999d"], "at most a year"),
    ],
)
def test_what_no_token_is_made_for(run: Run, options: list[str], words: str) -> None:
    ended = run("token", *options)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert words in ended.stderr


def test_a_state_folder_that_can_not_be_made(run: Run) -> None:
    ended = run("token", FIRSTCAUSE_STATE_DIR=f"{__file__}/state")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "not a directory" in ended.stderr


def test_times() -> None:
    assert [seconds(text) for text in ("90s", "30m", "1h", "7d")] == [90, 1800, 3600, 604_800]
    for text in ("", "1", "h", "-1h", "1.5h", "1w", "1h2", "١h"):
        with pytest.raises(UsageError, match="is not a time"):
            seconds(text)
