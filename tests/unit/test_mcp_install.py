"""The files of MCP clients: ours put beside what is there, or nothing changed and the reason said."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.mcp import install
from firstcause.api.mcp.install import CLIENT_NAMES, FILES, ClientName, InstallRefused, System, planned, write

from .test_cli import Run, run

__all__ = ["run"]

PLATFORMS = ("linux", "darwin", "win32")
PLACES: dict[ClientName, dict[str, str]] = {
    "claude-code": dict.fromkeys(PLATFORMS, "project/.mcp.json"),
    "claude-desktop": {
        "linux": "home/.config/Claude/claude_desktop_config.json",
        "darwin": "home/Library/Application Support/Claude/claude_desktop_config.json",
        "win32": "home/AppData/Roaming/Claude/claude_desktop_config.json",
    },
    "cursor": dict.fromkeys(PLATFORMS, "home/.cursor/mcp.json"),
    "vscode": {
        "linux": "home/.config/Code/User/mcp.json",
        "darwin": "home/Library/Application Support/Code/User/mcp.json",
        "win32": "home/AppData/Roaming/Code/User/mcp.json",
    },
    "codex": dict.fromkeys(PLATFORMS, "home/.codex/config.toml"),
}
START = {"command": sys.executable, "args": ["-m", "firstcause", "mcp"]}
every_client = pytest.mark.parametrize("client", CLIENT_NAMES)
of_json = pytest.mark.parametrize("client", [name for name in CLIENT_NAMES if name != "codex"])


@pytest.fixture(autouse=True)
def no_command_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda _: None)


def system_of(root: Path, platform: str = "linux", **environment: str) -> System:
    return System(platform, root / "home", root / "project", environment)


def servers_of(path: Path, client: ClientName) -> dict[str, Any]:
    text = path.read_text("utf-8")
    whole = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    return whole[FILES[client].servers]


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_every_client_has_a_place_on_every_system() -> None:
    assert list(PLACES) == list(CLIENT_NAMES) == list(FILES)


@pytest.mark.parametrize("platform", PLATFORMS)
@every_client
def test_a_new_file_is_where_the_client_looks(client: ClientName, platform: str, tmp_path: Path) -> None:
    plan = planned(client, system=system_of(tmp_path, platform))
    assert plan.path == tmp_path / PLACES[client][platform]
    assert write(plan) is None
    assert servers_of(plan.path, client) == {"firstcause": {**FILES[client].also, **START}}
    assert not planned(client, system=system_of(tmp_path, platform)).changes


@pytest.mark.parametrize(
    ("client", "platform", "variable"),
    [
        ("claude-desktop", "linux", "XDG_CONFIG_HOME"),
        ("vscode", "win32", "APPDATA"),
        ("codex", "linux", "CODEX_HOME"),
    ],
)
def test_who_keeps_settings_elsewhere_has_them_there(
    client: ClientName, platform: str, variable: str, tmp_path: Path
) -> None:
    system = system_of(tmp_path, platform, **{variable: str(tmp_path / "elsewhere")})
    assert planned(client, system=system).path.is_relative_to(tmp_path / "elsewhere")


@of_json
def test_other_servers_and_settings_stay(client: ClientName, tmp_path: Path) -> None:
    system = system_of(tmp_path)
    servers = FILES[client].servers
    mine = {"command": "old", "env": {"FIRSTCAUSE_LEVEL": "lean"}, "url": "http://old"}
    there = {"theme": "dünkel", servers: {"other": {"command": "x"}, "firstcause": mine}, "last": [1]}
    before = json.dumps(there, indent=4, ensure_ascii=False)
    path = put(planned(client, system=system).path, before)
    backup = write(planned(client, "http://127.0.0.1:4400", system))
    assert backup is not None
    assert backup.read_text("utf-8") == before
    text = path.read_text("utf-8")
    assert '    "theme": "dünkel"' in text
    ours = {
        **FILES[client].also,
        "env": {"FIRSTCAUSE_LEVEL": "lean"},
        "command": sys.executable,
        "args": [*START["args"], "--url", "http://127.0.0.1:4400"],
    }
    assert json.loads(text) == {**there, servers: {"other": {"command": "x"}, "firstcause": ours}}
    assert list(json.loads(text)) == list(there)


COMMENTED = """# mine
model = "o9" # the best

[mcp_servers.other]
command = "x"

[ mcp_servers . firstcause ] # ours
# slow machine
startup_timeout_sec = 30
args = [
  "old", # was
]
url = "http://old"

[mcp_servers.firstcause.env]
FIRSTCAUSE_LEVEL = "lean"

[profiles.fast]
model = "o9-mini"
"""


def test_comments_and_other_tables_of_toml_stay(tmp_path: Path) -> None:
    system = system_of(tmp_path)
    path = put(planned("codex", system=system).path, COMMENTED)
    write(planned("codex", system=system))
    text = path.read_text("utf-8")
    assert [line for line in COMMENTED.splitlines() if line not in text.splitlines()] == [
        "args = [",
        '  "old", # was',
        "]",
        'url = "http://old"',
    ]
    ours = {**START, "startup_timeout_sec": 30, "env": {"FIRSTCAUSE_LEVEL": "lean"}}
    assert servers_of(path, "codex") == {"other": {"command": "x"}, "firstcause": ours}


def test_a_table_is_put_behind_others(tmp_path: Path) -> None:
    before = '# mine\n[mcp_servers.other]\ncommand = "x"'
    path = put(planned("codex", system=system_of(tmp_path)).path, before)
    write(planned("codex", system=system_of(tmp_path)))
    assert path.read_text("utf-8").startswith(f"{before}\n\n[mcp_servers.firstcause]\n")


@pytest.mark.parametrize(
    ("client", "text", "why"),
    [
        ("cursor", '{"mcpServers": {', "no JSON"),
        ("vscode", '// comment\n{"servers": {}}', "no JSON"),
        ("cursor", "[]", "no object mcpServers"),
        ("cursor", '{"mcpServers": []}', "no object mcpServers"),
        ("cursor", '{"mcpServers": {"firstcause": 1}}', "no object mcpServers"),
        ("codex", "[mcp_servers", "no TOML"),
        ("codex", "mcp_servers = 1", "no tables in mcp_servers"),
        ("codex", "mcp_servers = { other = { command = 'x' } }", "not understood"),
        ("codex", 'x = """\n[mcp_servers.firstcause]\n"""', "not understood"),
    ],
)
def test_what_is_not_understood_is_left_alone(
    client: ClientName, text: str, why: str, tmp_path: Path
) -> None:
    path = put(planned(client, system=system_of(tmp_path)).path, text)
    with pytest.raises(InstallRefused, match=why) as refused:
        planned(client, system=system_of(tmp_path))
    assert str(path) in refused.value.message
    assert "firstcause" in refused.value.hint
    assert path.read_text("utf-8") == text


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    path = put(planned("cursor", system=system_of(tmp_path)).path, "")
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InstallRefused, match="can't be read"):
        planned("cursor", system=system_of(tmp_path))


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = put(planned("cursor", system=system_of(tmp_path)).path, "\n")
    write(planned("cursor", system=system_of(tmp_path)))
    assert servers_of(path, "cursor") == {"firstcause": START}


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(planned("cursor", system=system_of(tmp_path)).path, "{}")

    def failing(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(InstallRefused, match="no space left"):
        write(planned("cursor", system=system_of(tmp_path)))
    assert path.read_text("utf-8") == "{}"
    assert sorted(one.name for one in path.parent.iterdir()) == ["mcp.json", "mcp.json.bak1"]


def test_links_permissions_and_earlier_copies_stay(tmp_path: Path) -> None:
    path = planned("cursor", system=system_of(tmp_path)).path
    real = put(tmp_path / "dotfiles" / "mcp.json", "{}")
    real.chmod(0o640)
    put(real.with_name("mcp.json.bak1"), "precious")
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    assert write(planned("cursor", system=system_of(tmp_path))) == real.with_name("mcp.json.bak2")
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.with_name("mcp.json.bak1").read_text("utf-8") == "precious"
    assert servers_of(path, "cursor") == {"firstcause": START}


def test_a_project_names_the_command_alone_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda _: "/usr/bin/firstcause")
    write(planned("claude-code", system=system_of(tmp_path)))
    ours = servers_of(tmp_path / "project" / ".mcp.json", "claude-code")["firstcause"]
    assert (ours["command"], ours["args"]) == ("firstcause", ["mcp"])


def test_the_command_prints_or_writes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run("mcp", "--install", "claude-code", "--dry-run")
    assert json.loads(printed.out)["mcpServers"]["firstcause"]["command"] == sys.executable
    assert list(tmp_path.iterdir()) == []
    assert "Wrote" in run("mcp", "--install", "claude-code").out
    assert "has it already" in run("mcp", "--install", "claude-code").out
    put(tmp_path / ".mcp.json", "{")
    refused = run("mcp", "--install", "claude-code")
    assert refused.code == 2
    assert "is no JSON" in refused.err
    assert run("mcp", "--dry-run").code == 2
