"""firstcause detectors: what is detected, with every threshold, its value and where that comes from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ...correlator.detecting import options_of
from ...correlator.detectors import DETECTORS
from ...correlator.detectors.detector import Detector
from ...observer.errors import UsageError
from ..console import AsJson, new_console
from ..settings import Loaded, load
from ..terminal import printable
from .config import UNBROKEN_WIDTH

Kind = type[Detector[Any]]


def detectors(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Only this one, with what each option means.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show every detector: its channel and severity, its thresholds as they are in effect, and where each comes from.

    Change one by [detectors.ID] in firstcause.toml, or for one command by --detector ID.OPTION=VALUE.

    Example:

        firstcause detectors

        firstcause detectors slow_response
    """
    loaded = load()
    wanted = [kind for kind in DETECTORS if name in ("", kind.id)]
    if not wanted:
        raise UsageError(f"{name} is not a detector.", "`firstcause detectors` lists all that there are.")
    if as_json:
        for kind in wanted:
            typer.echo(json.dumps(described(kind, loaded)))
        return
    console = new_console()
    if not sys.stdout.isatty():
        console.width = UNBROKEN_WIDTH
    if name:
        console.print(Text(f"{name}: {wanted[0].about}"), Text(wanted[0].trigger), sep="\n")
    console.print(_table(wanted, loaded, explained=bool(name)))


def described(kind: Kind, loaded: Loaded) -> dict[str, Any]:
    return {
        "id": kind.id,
        "channel": kind.channel,
        "severity": kind.severity,
        "about": kind.about,
        "trigger": kind.trigger,
        "source": kind.source,
        "options": {
            option: {"value": value, "default": default, "from": origin}
            for option, value, default, origin in options(kind, loaded)
        },
    }


def options(kind: Kind, loaded: Loaded) -> Iterator[tuple[str, bool | float, bool | float, str]]:
    """Name, value, default, and where the value comes from."""
    current = options_of(loaded.settings.detectors)[kind.id]
    for option, field in kind.options_type.model_fields.items():
        origin = loaded.threshold_origins.get(f"{kind.id}.{option}", "default")
        yield option, getattr(current, option), field.default, origin


def _table(kinds: list[Kind], loaded: Loaded, *, explained: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("detector", "channel", "severity", "option", "value", "default", "from"):
        table.add_column(column, overflow="fold")
    if explained:
        table.add_column("meaning", overflow="fold")
    for kind in kinds:
        first = [kind.id, kind.channel, kind.severity]
        rows = list(options(kind, loaded))
        if not explained and len(rows) > 1 and rows[0][1] is True:
            del rows[0]  # that a detector is on is no news beside its thresholds
        for option, value, default, origin in rows:
            style = "dim" if origin == "default" else "bold"
            cells = [option, _written(value), _written(default), printable(origin)]
            meaning = [str(kind.options_type.model_fields[option].description)] if explained else []
            table.add_row(*first, *(Text(cell, style) for cell in cells), *meaning)
            first = ["", "", ""]
    return table


def _written(value: bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
