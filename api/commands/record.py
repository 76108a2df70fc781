"""firstcause record: every event as a line of a file, for CI and for later."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from ...correlator.event import Event
from ...correlator.redact import Redactor
from ...observer.recorded import HEADER, encode_signal
from ...observer.signal import Signal
from .. import logs
from ..console import AsJson
from ..loop import run
from ..observing import Source, stop_on_signals
from ..recording import STDOUT, Recording
from ..settings import Settings
from ..terminal import counted
from .options import (
    A11yOption,
    Activity,
    Cdp,
    DetectorOption,
    EvidenceOption,
    ForSeconds,
    Headed,
    LevelOption,
    NoHangStacks,
    NoMarkers,
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
    no_markers: NoMarkers = False,
    a11y: A11yOption = None,
    evidence: EvidenceOption = None,
    selector: Selector = None,
    detector: DetectorOption = None,
    signals: Annotated[
        bool,
        typer.Option(
            "--signals",
            help="Write what the browser said instead, without secrets: `replay` makes events of it again.",
        ),
    ] = False,
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

        firstcause record --cdp 9222 --signals --out story.ndjson.gz
    """
    logs.configure(verbose)
    settings = settings_of(
        level=level,
        targets=targets,
        no_hang_stacks=no_hang_stacks,
        no_markers=no_markers,
        a11y=a11y,
        evidence=evidence,
        selector=selector,
        detector=detector,
        project=project,
    )
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    recording = Recording(out, activity=activity, head=HEADER if signals else b"")
    run(recorded(source, settings, recording, for_seconds, signals=signals))
    what = "signal" if signals else "event"
    if as_json:
        print(
            json.dumps({f"{what}s": recording.count, "out": recording.name}),
            file=sys.stderr if out == STDOUT else None,
        )
    elif out != STDOUT:
        print(f"{counted(recording.count, what)} in {out}", file=sys.stderr)


async def recorded(
    source: Source, settings: Settings, recording: Recording, for_seconds: float, *, signals: bool
) -> None:
    """Until a signal, the end of the time, of the browser or of the file."""
    with stop_on_signals() as stop, recording:
        await source.observe(
            ignored if signals else told_to(recording, stop),
            capture_of(settings),
            stop,
            project=settings.project,
            redactor=settings.redactor,
            thresholds=settings.detectors,
            executable=browser_of(settings),
            for_seconds=for_seconds,
            on_signal=written_to(recording, settings.redactor, stop) if signals else None,
        )


def written_to(recording: Recording, redactor: Redactor, stop: asyncio.Event) -> Callable[[Signal], None]:
    def write(signal: Signal) -> None:
        if not recording.write_line(encode_signal(redactor.signal(signal))):
            stop.set()

    return write


def ignored(_: Event) -> None:
    """Only the signals are wanted."""
