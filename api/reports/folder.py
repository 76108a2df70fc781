"""A report in a folder: what happened as NDJSON, and the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...correlator.event import Event
from ...observer.errors import OutputFailed
from . import html
from .content import Content

EVENTS_FILE = "events.ndjson"
PAGE_FILE = "report.html"


def write_report(folder: Path, events: Sequence[Event], title: str) -> None:
    """Replaces the files of an earlier report. Raises OutputFailed."""
    write_file(folder / EVENTS_FILE, "".join(f"{event.line()}\n" for event in events))
    write_file(folder / PAGE_FILE, html.render(Content(events, title)))


def write_file(path: Path, text: str, *, append: bool = False) -> None:
    """Makes the folder if it is not there. Raises OutputFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if append else "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except (OSError, ValueError) as error:  # a NUL byte in the name is a ValueError
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise OutputFailed(
            f"{path} can't be written: {reason}.", "Name a place that can be written."
        ) from error
