"""The command line. Exit codes: 0 it did what was asked, 1 something is wrong (doctor), 2 it could not be done, said in a sentence."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from firstcause import __version__

from ..observer.errors import FirstcauseError
from .commands.config import config
from .commands.detectors import detectors
from .commands.doctor import doctor
from .commands.explain import explain
from .commands.mcp import mcp
from .commands.record import record
from .commands.replay import replay
from .commands.report import report
from .commands.reporter_path import reporter_path
from .commands.run import run
from .commands.serve import serve
from .commands.token import token
from .commands.watch import demo, watch
from .stories import StoryError
from .terminal import printable

app = typer.Typer(
    name="firstcause",
    help="Watches live Chromium pages and tells the first cause, not the last symptom.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

EXIT_CODES = {
    0: "It did what was asked; Ctrl-C, SIGTERM and --for end a command well.",
    1: "`doctor` found something that has to be put right.",
    2: "It could not be done; stderr says why in one sentence.",
    3: "`run --fail-on`: the command did well, and a page had something of that severity or worse.",
}


NOT_WRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main() -> None:
    """Run the command line; an expected failure is one line and exit code 2, never a traceback."""
    code = 0
    try:
        app(prog_name="firstcause")
    except SystemExit as ended:  # typer ends every command by it
        # … with 1 when a reader went away, which is no failure of ours.
        code = 0 if isinstance(ended.__context__, BrokenPipeError) else ended.code
    except (FirstcauseError, StoryError) as error:
        print(f"firstcause: {printable(str(error))}", file=sys.stderr)
        code = 2
    except OSError as error:
        code = written_off(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = written_off(error)
    sys.exit(code)


def written_off(error: OSError) -> int:
    """The exit code when stdout can't be written: a reader that went away is no failure of ours."""
    if error.errno not in NOT_WRITABLE and not isinstance(error, BrokenPipeError):
        raise error
    # Python would try once more while it exits, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    print(f"firstcause: stdout can't be written: {(error.strerror or '').lower()}.", file=sys.stderr)
    return 2


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"firstcause {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Watches live Chromium pages and tells the first cause, not the last symptom."""


for command in (
    watch,
    serve,
    record,
    replay,
    explain,
    report,
    reporter_path,
    demo,
    doctor,
    config,
    detectors,
    mcp,
    token,
):  # one a file in commands/
    app.command()(command)
# What follows the command's name is its own, also without --.
app.command(context_settings={"allow_interspersed_args": False})(run)
