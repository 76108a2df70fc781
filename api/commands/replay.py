"""firstcause replay: a recording of signals, told by today's engine as if it happened now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .. import logs
from ..console import AsJson, new_console
from ..observing import Output
from ..playback import Replay
from ..recording import Recording
from ..terminal import Terminal, printable
from .options import Activity, DetectorOption, ProjectName, Verbose, settings_of


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="What `record --signals` wrote, packed or not.", show_default=False
        ),
    ],
    activity: Activity = False,
    project: ProjectName = None,
    detector: DetectorOption = None,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Make events of the signals of a recording, as `watch` shows them; the same file gives the same events every time.

    Example:

        firstcause replay story.ndjson.gz

        firstcause replay story.ndjson.gz --json --activity

        firstcause replay story.ndjson.gz --detector slow_response.after_ms=500
    """
    logs.configure(verbose)
    settings = settings_of(project=project, detector=detector)
    replayed = Replay(file, settings.project, settings.detectors)
    output: Output = (
        Recording(activity=activity)
        if as_json
        else Terminal(new_console(), f"Replaying {file}", show_activity=activity)
    )
    with output:
        for event in replayed:
            if not output.write(event):
                break
    noted(replayed.notes)


def noted(notes: list[str]) -> None:
    for note in notes:
        print(f"firstcause: {printable(note)}", file=sys.stderr)
