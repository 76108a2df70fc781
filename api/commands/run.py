"""firstcause run: any command, with every Chromium that it starts observed."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...observer.errors import FirstcauseError, OutputFailed, UsageError
from .. import logs
from ..runner import summary
from ..runner.launched import Ended, Launched, NotStarted, end_as
from ..runner.sending import Sender
from ..runner.watching import Watching
from ..terminal import printable
from .options import (
    DetectorOption,
    EvidenceOption,
    LevelOption,
    NoHangStacks,
    NoMarkers,
    ProjectName,
    Verbose,
    capture_of,
    settings_of,
)

FAILED_ON = 3

FailOn = Annotated[
    Literal["critical", "high", "medium", "low"] | None,
    typer.Option(
        "--fail-on",
        metavar="SEVERITY",
        help="End with 3 where the command itself did well, but a page had something of this severity or worse: critical, high, "
        "medium or low.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", help="Write events.ndjson and report.html into this folder."),
]
Url = Annotated[
    str,
    typer.Option(
        "--url",
        metavar="SERVER",
        help="Also tell what went wrong to the server at this address, as it happens.",
    ),
]
SummaryAsJson = Annotated[
    bool, typer.Option("--json", help="The summary as one JSON object on stderr; stdout is the command's.")
]


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="CMD", help="The command with its arguments, best behind `--`."),
    ],
    fail_on: FailOn = None,
    report: Report = None,
    url: Url = "",
    level: LevelOption = None,
    no_hang_stacks: NoHangStacks = False,
    no_markers: NoMarkers = False,
    evidence: EvidenceOption = None,
    detector: DetectorOption = None,
    project: ProjectName = None,
    as_json: SummaryAsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Run a command and observe every Chromium that it starts: Playwright in any language, Puppeteer, Selenium.

    Its input, output, signals and exit code are its own; what was seen is said on stderr when it has ended.

    Example:

        firstcause run -- npx playwright test

        firstcause run --fail-on high --report out -- python -m pytest
    """
    if sys.platform == "win32":
        raise UsageError(
            "`run` is not made for Windows.", "Attach with `firstcause record --cdp PORT` there."
        )
    logs.configure(verbose)
    if not verbose:
        # The command's stderr is no place for what we make of a lost connection.
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.CRITICAL)
    settings = settings_of(
        level=level,
        no_hang_stacks=no_hang_stacks,
        no_markers=no_markers,
        evidence=evidence,
        detector=detector,
        project=project,
    )
    if report is not None:
        check_folder(report)
    sender = Sender(url, project or "") if url else None
    watching = Watching(settings, capture_of(settings), sender)
    ended = run_watched(command, watching)
    with suppress(KeyboardInterrupt, OSError), closing(watching):
        watching.stop()
        title = settings.redactor.text(" ".join(command))
        notes = [*written(report, watching, title), *not_sent(sender)]
        seen = watching.log, watching.observed, watching.problem
        if as_json:
            print(json.dumps({**summary.as_json(*seen), "notes": notes}), file=sys.stderr)
        else:
            say(*summary.lines(*seen), *notes)
        sys.stderr.flush()
    code = end_as(ended)
    if code == 0 and fail_on is not None and watching.log.as_bad_as(fail_on):
        code = FAILED_ON
    raise typer.Exit(code)


def run_watched(command: list[str], watching: Watching) -> Ended:
    """Until it has ended."""
    try:
        launched = Launched(command, watching.environment(os.environ))
    except NotStarted as error:
        watching.close()
        print(f"firstcause: {printable(str(error))}", file=sys.stderr)
        raise typer.Exit(error.code) from None
    watching.start()
    return launched.wait()


def check_folder(folder: Path) -> None:
    """A report that can't be written is better known before a long run than after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "permission denied"
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
    if reason:
        raise OutputFailed(f"{folder} can't be written: {reason}.", "Give --report another folder.")


def written(folder: Path | None, watching: Watching, title: str) -> Iterator[str]:
    """The report, and where it is."""
    if folder is None:
        return
    from ..reports.folder import write_report

    try:
        write_report(folder, watching.log.events, title)
        yield f"report in {folder}"
    except FirstcauseError as error:
        yield str(error)
    except Exception as error:  # noqa: BLE001  the command's own end comes first
        yield f"the report can't be written: {error}"


def not_sent(sender: Sender | None) -> Iterator[str]:
    if sender is not None and sender.lost:
        yield f"{sender.lost} events did not reach the server: {sender.problem}"


def say(*texts: str) -> None:
    for text in texts:
        print(text if text.startswith("  ") else f"firstcause: {text}", file=sys.stderr)
