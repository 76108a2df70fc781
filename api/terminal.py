"""What `watch` shows a person: a line an event as it happens, repeats counted, a status line below, a summary at the end."""

from __future__ import annotations

import time
from collections import Counter
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..correlator.event import SEVERITIES, Event, Severity

COLOURS: dict[Severity, str] = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}
MARKS: dict[Severity, str] = {"critical": "✖", "high": "✖", "medium": "▲", "low": "▪", "info": "·"}
SUMMARY_ROWS = 15
REFRESHES_PER_S = 8
# A repeated event is shown again when its count reaches one of these.
TELLING_COUNTS = frozenset({10, 100, 1_000, 10_000, 100_000})


class Terminal:
    """Prints events; on a terminal the last line counts up in place while the same thing repeats."""

    def __init__(self, console: Console, title: str, *, show_activity: bool = False) -> None:
        self._console = console
        self._title = title
        self._show_activity = show_activity
        self._started_s = time.monotonic()
        self._firsts: dict[str, Event] = {}
        self._counts: Counter[str] = Counter()
        self._severities: Counter[Severity] = Counter()
        self._pages: set[str] = set()
        self._last: Event | None = None
        self._live = Live(
            get_renderable=self._bottom, console=console, refresh_per_second=REFRESHES_PER_S, transient=True
        )

    def __enter__(self) -> Self:
        self._console.print(Text(self._title, style="bold"))
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._settle()
        if self._console.is_terminal:
            self._live.stop()
        self._console.print(self._summary())

    def show(self, event: Event) -> None:
        if event.page:
            self._pages.add(event.page)
        if event.channel == "activity":
            if self._show_activity:
                self._settle()
                self._print(event)
            return
        key = f"{event.page} {event.fingerprint}"
        self._counts[key] += 1
        self._severities[event.severity] += 1
        if key not in self._firsts:
            self._firsts[key] = event
            self._settle()
            self._keep(event)
        elif self._last is not None and self._key(self._last) == key:
            self._last = event
        elif self._counts[key] in TELLING_COUNTS:
            self._settle()
            self._keep(event)

    def _key(self, event: Event) -> str:
        return f"{event.page} {event.fingerprint}"

    def _keep(self, event: Event) -> None:
        """The newest line stays open on a terminal, so that its count can grow; elsewhere it is written for good."""
        if self._console.is_terminal:
            self._last = event
        else:
            self._print(event)

    def _settle(self) -> None:
        if self._last is not None:
            last, self._last = self._last, None
            self._print(last)

    def _print(self, event: Event) -> None:
        # A file or a pipe gets whole lines, whatever width rich believes in there.
        line = self._line(event, self._counts[self._key(event)])
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def _line(self, event: Event, count: int) -> Text:
        line = Text()
        line.append(f"{event.timestamp[11:23]} ", style="dim")
        line.append(f"{event.page or '-':<3} ", style="dim")
        line.append(f"{MARKS[event.severity]} {event.severity:<8} ", style=COLOURS[event.severity])
        line.append(event.summary, style="dim" if event.severity == "info" else "")
        at = event.context.get("at")
        if isinstance(at, str) and at and at not in event.summary:
            line.append(f"  at {at}", style="blue")
        if count > 1:
            line.append(f"  ×{count}", style="bold magenta")
        return line

    def _bottom(self) -> Group:
        lines = (
            [self._line(self._last, self._counts[self._key(self._last)])] if self._last is not None else []
        )
        return Group(*lines, self._status())

    def _status(self) -> Text:
        elapsed_s = int(time.monotonic() - self._started_s)
        pages = f"{len(self._pages)} page{'' if len(self._pages) == 1 else 's'}"
        status = Text(f"● {elapsed_s // 60}:{elapsed_s % 60:02d}  {pages}", style="green")
        for severity in SEVERITIES:
            if self._severities[severity]:
                status.append(f"  {self._severities[severity]} {severity}", style=COLOURS[severity])
        return status.append("  Ctrl-C ends", style="dim")

    def _summary(self) -> Table | Text:
        elapsed_s = time.monotonic() - self._started_s
        if not self._firsts:
            return Text(f"Nothing wrong was seen in {elapsed_s:.0f} s.", style="green")
        total = sum(self._counts.values())
        table = Table(
            title=f"{total} findings of {len(self._firsts)} kinds in {elapsed_s:.0f} s", title_justify="left",
            box=None, show_header=False, pad_edge=False, title_style="bold",
        )  # fmt: skip
        worst_first = sorted(
            self._firsts, key=lambda key: (SEVERITIES.index(self._firsts[key].severity), -self._counts[key])
        )
        for key in worst_first[:SUMMARY_ROWS]:
            event, count = self._firsts[key], self._counts[key]
            table.add_row(
                Text(event.severity, style=COLOURS[event.severity]),
                f"×{count}",
                event.kind,
                Text(event.summary),
            )
        if (left := len(worst_first) - SUMMARY_ROWS) > 0:
            table.add_row("", "", f"… {left} more kinds", "")
        return table
