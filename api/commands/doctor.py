"""firstcause doctor: what is needed here, what is there, and what to do about the rest."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from .. import logs
from ..console import AsJson, new_console
from ..doctor import collect


def doctor(
    port: Annotated[int, typer.Option("--port", help="Also look whether this port is free.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Look at what is needed here: what is there, and what to do about what is not.

    Example:

        firstcause doctor

        firstcause doctor --port 4400 --json
    """
    logs.configure(0)
    findings = collect(port or None)
    if as_json:
        for finding in findings:
            print(json.dumps(asdict(finding)))
    else:
        console = new_console()
        for finding in findings:
            mark = Text("✔ " if finding.ok else "✖ ", style="green" if finding.ok else "bold red")
            console.print(
                mark.append(f"{finding.name:<15}", style="bold").append(finding.detail, style="not bold")
            )
            if finding.fix:
                console.print(Text(f"  → {finding.fix}", style="yellow"))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
