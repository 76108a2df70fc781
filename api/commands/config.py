"""firstcause config: the settings in effect, and where each of them comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final, cast

import typer
from pydantic import SecretStr
from rich.table import Table
from rich.text import Text

from ..console import AsJson, new_console
from ..settings import Loaded, load
from ..terminal import printable

HIDDEN: Final = "***"
UNBROKEN_WIDTH: Final = 10_000  # in a pipe a setting is one line


def config(as_json: AsJson = False) -> None:
    """Show every setting: its value, and where it comes from.

    A flag wins over a variable FIRSTCAUSE_*, that over firstcause.toml or [tool.firstcause] of pyproject.toml in this folder or the
    nearest one above, and that over the default.

    Example:

        firstcause config

        FIRSTCAUSE_THROTTLE_MS=250 firstcause config --json
    """
    loaded = load()
    if as_json:
        for name, origin in loaded.origins.items():
            typer.echo(json.dumps({"name": name, "value": value_of(loaded, name), "origin": origin}))
    else:
        console = new_console()
        if not sys.stdout.isatty():
            console.width = UNBROKEN_WIDTH
        console.print(_table(loaded))


def value_of(loaded: Loaded, name: str) -> object:
    """As JSON knows it; of a secret only whether there is one."""
    value = getattr(loaded.settings, name)
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    return str(value) if isinstance(value, Path) else value


def _table(loaded: Loaded) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for name, origin in loaded.origins.items():
        style = "dim" if origin == "default" else "bold"
        table.add_row(name, Text(_written(value_of(loaded, name)), style), Text(printable(origin), style))
    return table


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = ", ".join(cast("tuple[str, ...]", value))
    return printable(str(value)) or "–"
