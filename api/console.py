"""How commands print: for people, and with --json for machines."""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper
from typing import Annotated, Any, Final

import typer
from rich.console import Console

PIPE_WIDTH: Final = 160

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable: one JSON object a line on stdout.")]


class QuietConsole(Console):
    """rich would end the process when the reader of a pipe goes away; here that is for `main` to say."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def new_console() -> Console:
    """A terminal's own width; a file or a pipe has none, so lines there may be as wide as they like."""
    out: Any = sys.stdout
    if isinstance(out, TextIOWrapper):
        out.reconfigure(errors="replace")  # an old code page knows neither ✖ nor what pages say
    if out.isatty():
        return QuietConsole(highlight=False)
    # FORCE_COLOR asks for colours in CI's logs, not for a line that moves.
    return QuietConsole(highlight=False, width=PIPE_WIDTH, force_interactive=False)
