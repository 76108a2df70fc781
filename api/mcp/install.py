"""firstcause mcp --install: puts this server into the file where a client keeps its list, beside whatever is there."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from ...observer.errors import FirstcauseError
from .toml_table import TomlRefused, with_table

ClientName = Literal["claude-code", "claude-desktop", "cursor", "vscode", "codex"]
CLIENT_NAMES: Final[tuple[ClientName, ...]] = get_args(ClientName)
NAME: Final = "firstcause"
REMOTE: Final = frozenset({"url", "headers"})
"""What a server on standard input and output has none of."""


class InstallRefused(FirstcauseError):
    """A client's file can't be read, understood or written; nothing was changed."""

    code = "install_refused"


@dataclass(frozen=True, slots=True)
class System:
    """What decides where a client keeps its file."""

    platform: str
    home: Path
    folder: Path
    environment: Mapping[str, str]

    def of_user(self, *parts: str) -> Path:
        """Below the folder for a program's own files."""
        match self.platform:
            case "win32":
                given = self.environment.get("APPDATA", "")
                base = Path(given) if given else self.home / "AppData" / "Roaming"
            case "darwin":
                base = self.home / "Library" / "Application Support"
            case _:
                given = self.environment.get("XDG_CONFIG_HOME", "")
                base = Path(given) if given else self.home / ".config"
        return base.joinpath(*parts)

    @classmethod
    def here(cls) -> System:
        return cls(sys.platform, Path.home(), Path.cwd(), os.environ)


class ClientFile(NamedTuple):
    """Under which name a client's file has its servers, and what it wants to be told beside the command."""

    servers: str
    also: Mapping[str, Any] = {}
    shared: bool = False
    """It goes along with a project, to machines where things lie elsewhere."""


FILES: Final[Mapping[ClientName, ClientFile]] = {
    "claude-code": ClientFile("mcpServers", {"type": "stdio"}, shared=True),
    "claude-desktop": ClientFile("mcpServers"),
    "cursor": ClientFile("mcpServers"),
    "vscode": ClientFile("servers", {"type": "stdio"}),
    "codex": ClientFile("mcp_servers"),
}


def path_of(client: ClientName, system: System) -> Path:
    match client:
        case "claude-code":
            return system.folder / ".mcp.json"
        case "claude-desktop":
            return system.of_user("Claude", "claude_desktop_config.json")
        case "cursor":
            return system.home / ".cursor" / "mcp.json"
        case "vscode":
            return system.of_user("Code", "User", "mcp.json")
        case "codex":
            given = system.environment.get("CODEX_HOME", "")
            return (Path(given) if given else system.home / ".codex") / "config.toml"


class Plan(NamedTuple):
    """A client's file as it is to be."""

    path: Path
    before: str | None
    after: str

    @property
    def changes(self) -> bool:
        return self.before != self.after


def planned(client: ClientName, url: str = "", system: System | None = None) -> Plan:
    """Raises InstallRefused."""
    system = system or System.here()
    file = FILES[client]
    path = path_of(client, system)
    entry = {**file.also, **command_of(url, shared=file.shared)}
    before = _read(path)
    put = _in_toml if path.suffix == ".toml" else _in_json
    return Plan(path, before, put(path, before or "", file.servers, entry))


def command_of(url: str, *, shared: bool) -> dict[str, Any]:
    """Programs with windows don't know a shell's PATH, so the whole path of this Python is named wherever that makes sense."""
    start = [NAME] if shared and shutil.which(NAME) else [sys.executable, "-m", "firstcause"]
    return {"command": start[0], "args": [*start[1:], "mcp", *(("--url", url) if url else ())]}


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InstallRefused(
            f"{path} can't be read: {_reason(error)}.", "Put it right, or add the server by hand: --dry-run."
        ) from None


def _in_json(path: Path, text: str, servers: str, entry: Mapping[str, Any]) -> str:
    shown = json.dumps({servers: {NAME: entry}})
    try:
        given = _object(json.loads(text if text.strip() else "{}"))
    except ValueError as error:
        raise _broken(path, f"is no JSON: {error}", shown) from None
    listed = _object(given.get(servers, {})) if given is not None else None
    old = _object(listed.get(NAME, {})) if listed is not None else None
    if given is None or listed is None or old is None:
        raise _broken(path, f"has no object {servers} of objects", shown)
    merged = {**given, servers: {**listed, NAME: _merged(old, entry)}}
    if merged == given:
        return text
    indent = re.search(r"^[ \t]+", text, re.MULTILINE)
    return json.dumps(merged, indent=indent[0] if indent else 2, ensure_ascii=False) + "\n"


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _in_toml(path: Path, text: str, servers: str, entry: Mapping[str, Any]) -> str:
    try:
        return with_table(text, servers, NAME, entry, REMOTE)
    except TomlRefused as error:
        raise _broken(path, str(error), with_table("", servers, NAME, entry, REMOTE)) from None


def _merged(old: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Its environment and whatever else somebody has set stay."""
    return {**{name: value for name, value in old.items() if name not in REMOTE}, **entry}


def _broken(path: Path, why: str, shown: str) -> InstallRefused:
    return InstallRefused(
        f"{path} {why}. Nothing was changed.", f"Put it right and call again, or add by hand: {shown.strip()}"
    )


def write(plan: Plan) -> Path | None:
    """The file as planned, all of it or nothing; where what was there before is kept now. Raises InstallRefused."""
    path = plan.path.resolve()  # where it is a link, the link stays
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        backup = _backed_up(path) if plan.before is not None else None
        mode = stat.S_IMODE(path.stat().st_mode) if backup else 0o600
        aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(plan.after)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise InstallRefused(
            f"{path} can't be written: {_reason(error)}.", "--dry-run prints what would be in it."
        ) from None
    return backup


def _backed_up(path: Path) -> Path:
    """No earlier copy is written over."""
    for number in range(1, 1_000):
        backup = path.with_name(f"{path.name}.bak{number}")
        if not backup.exists():
            shutil.copy2(path, backup)
            return backup
    raise InstallRefused(f"There are too many copies of {path}.", "Remove some.")


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
