"""firstcause record: every event as a line of a file, for CI and for later."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from .. import logs
from ..console import AsJson
from ..loop import run
from ..observing import Source, stop_on_signals
from ..recording import STDOUT, Recording
from ..settings import Settings
from ..terminal import counted
from .options import (
    Activity,
    Cdp,
    ForSeconds,
    Headed,
    LevelOption,
    NoHangStacks,
    Profile,
    ProjectName,
    Selector,
    Targets,
    Verbose,
    browser_of,
    capture_of,
    settings_of,
)
from .watch import told_to


def record(
    cdp: Cdp = "",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Launch a browser with this page instead.")
    ] = "",
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Where the events go; - is stdout.")
    ] = STDOUT,
    headed: Headed = False,
    profile: Profile = None,
    level: LevelOption = None,
    targets: Targets = None,
    no_hang_stacks: NoHangStacks = False,
    selector: Selector = None,
    project: ProjectName = None,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Write every event as one line of JSON until SIGINT or SIGTERM; each is there as soon as it is told.

    Example:

        firstcause record --cdp 9222 --out events.ndjson

        firstcause record --url localhost:3000 --out -
    """
    logs.configure(verbose)
    settings = settings_of(
        level=level, targets=targets, no_hang_stacks=no_hang_stacks, selector=selector, project=project
    )
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    recording = Recording(out, activity=activity)
    run(recorded(source, settings, recording, for_seconds))
    if as_json:
        print(
            json.dumps({"events": recording.count, "out": recording.name}),
            file=sys.stderr if out == STDOUT else None,
        )
    elif out != STDOUT:
        print(f"{counted(recording.count, 'event')} in {out}", file=sys.stderr)


async def recorded(source: Source, settings: Settings, recording: Recording, for_seconds: float) -> None:
    """Until a signal, the end of the time, of the browser or of the file."""
    with stop_on_signals() as stop, recording:
        await source.observe(
            told_to(recording, stop),
            capture_of(settings),
            stop,
            project=settings.project,
            executable=browser_of(settings),
            for_seconds=for_seconds,
        )
