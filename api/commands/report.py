"""firstcause report: a recording as a page for people, or in the form that a CI server takes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from .. import logs
from ..playback import told_by
from ..reports import github, gitlab, html, junit, markdown
from ..reports.content import Content
from ..reports.folder import write_file
from ..reports.places import Sources
from ..terminal import printable
from .options import Verbose
from .replay import noted

Form = Literal["html", "junit", "github", "gitlab", "markdown"]
STDOUT: Final = "-"
JOB_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
FORMS: Final[Mapping[Form, Callable[[Content, Sources], str]]] = {
    "html": lambda content, _: html.render(content),
    "junit": lambda content, _: junit.render(content),
    "gitlab": gitlab.render,
    "markdown": lambda content, _: markdown.render(content),
}


def report(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A recording of events or of signals, packed or not.", show_default=False
        ),
    ],
    form: Annotated[
        Form,
        typer.Option(
            "--as",
            help="html is one page that needs no network; junit is XML; github prints annotations and writes the job's "
            "summary; gitlab is code quality JSON; markdown is for people.",
        ),
    ] = "html",
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="PATH",
            help="Where it goes; - is stdout. [default: stdout; of html FILE's name with .html; of github the job's summary]",
            show_default=False,
        ),
    ] = "",
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="What it is called. [default: FILE's name]")
    ] = "",
    root: Annotated[
        Path,
        typer.Option(
            "--root", metavar="DIR", help="Where the sources are, for the places in github and gitlab."
        ),
    ] = Path(),
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what was made as one JSON object on stderr.")
    ] = False,
    verbose: Verbose = 0,
) -> None:
    """Make a report of a recording: what failed, what its first cause was, and how that is known.

    Example:

        firstcause report events.ndjson

        firstcause report events.ndjson --as junit --out firstcause.xml

        firstcause report events.ndjson --as github
    """
    logs.configure(verbose)
    told = told_by(file)
    content = Content(told.events, title or file.name, told.weak, told.notes)
    if form == "github":
        out = out or os.environ.get(JOB_SUMMARY, "")
        annotate(content, Sources(root), out)
    else:
        out = out or (beside(file) if form == "html" else STDOUT)
        put(FORMS[form](content, Sources(root)), out)
    if as_json:
        said = {"as": form, "out": out, "failures": len(content.failures)}
        print(json.dumps(said), file=sys.stderr)
    elif form != "github" and out != STDOUT:
        print(f"firstcause: {printable(out)} is written.", file=sys.stderr)
    noted(list(told.notes))


def annotate(content: Content, sources: Sources, out: str) -> None:
    """Annotations are read from stdout; a job's summary has a file of its own, to which every step adds."""
    for line in github.annotated(content, sources):
        print(line)
    if out == STDOUT:
        print(github.summary(content))
    elif out:
        path = Path(out)
        write_file(path, github.summary(content, taken_bytes(path)), append=True)


def taken_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # not there yet, or no name of a file
        return 0


def put(text: str, out: str) -> None:
    if out == STDOUT:
        # As bytes: an old code page has no word for most of it, and CRLF is no part of it.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()
        return
    write_file(Path(out), text)


def beside(file: Path) -> str:
    """`events.html` of `events.ndjson.gz`"""
    name = file.name.removesuffix(".gz").removesuffix(".ndjson")
    return str(file.with_name(f"{name or 'report'}.html"))
