"""What `watch` shows a person: a line an event as it happens, repeats counted, a status line below, a summary at the end."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ..correlator.event import REPEATS, SEVERITIES, Event, Severity
from ..correlator.kept import Kept
from ..observer.errors import OutputFailed

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
MIN_TEXT_COLUMNS = 30
MIN_SUMMARY_COLUMNS = 70
NARROW_INDENT = 2
KEPT_PROBLEMS = 10_000
PROVEN = 0.8
NEVER = "9999"
# That a page was loaded is the cause of much, and news to nobody.
OF_THE_PAGE = frozenset({"navigation", "page_opened", "page_load"})
# A repeated event is shown again when its count reaches one of these.
TELLING_COUNTS = frozenset({10, 100, 1_000, 10_000, 100_000})
# Control characters (C0, DEL, C1), line and paragraph separators, overridden directions, halves of characters.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text of a page, unable to command the terminal that shows it: `ESC [ 2 J` is shown, not obeyed."""
    return UNPRINTABLE.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"


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
        self._floods: Kept[str, int] = Kept(KEPT_PROBLEMS)
        self._pages: set[str] = set()
        self._last: Event | None = None
        self._times = (NEVER, "")
        self._summaries: Kept[str, str] = Kept(KEPT_PROBLEMS)
        self._failure: OSError | None = None
        self._live = Live(
            get_renderable=self._bottom,
            console=console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            # Else rich would also take away what was sent to a file: 2>log
            redirect_stderr=sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        try:
            self._console.print(Text(printable(self._title), style="bold"), soft_wrap=True)
        except OSError as error:
            self._failure = error
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raises what went wrong; a reader of stdout that went away is no failure of ours."""
        try:
            self._settle()
            self._live.stop()
            if kind is None and self._failure is None:
                for row in self._summary():
                    self._console.print(row, soft_wrap=not self._console.is_interactive)
        except OSError as error:
            self._failure = self._failure or error
        if kind is None and self._failure is not None and not isinstance(self._failure, BrokenPipeError):
            reason = (self._failure.strerror or str(self._failure)).lower()
            raise OutputFailed(f"stdout can't be written: {reason}.")

    def write(self, event: Event) -> bool:
        """Whether to go on; after a failure nothing more is shown."""
        self._times = (min(self._times[0], event.timestamp), max(self._times[1], event.timestamp))
        if event.kind not in OF_THE_PAGE:
            self._summaries[event.id] = event.summary
        if self._failure is None:
            try:
                self._show(event)
            except OSError as error:
                self._failure = error
        return self._failure is None

    def _show(self, event: Event) -> None:
        if event.page:
            self._pages.add(event.page)
        if event.channel == "activity":
            if self._show_activity:
                self._settle()
                self._print(event)
            return
        key = self._key(event)
        more = self._more(event)
        self._counts[key] += more
        self._severities[event.severity] += more
        if key not in self._firsts:
            self._remember(key, event)
            self._settle()
            self._keep(event)
        elif self._last is not None and self._key(self._last) == key:
            self._last = event
        elif self._counts[key] in TELLING_COUNTS or REPEATS in event.context:
            self._settle()
            self._keep(event)

    def _more(self, event: Event) -> int:
        """How many it adds: of a flood only the first and the counts that it comes to are told. What a detector counts is one."""
        first = event.context.get(REPEATS)
        if not isinstance(first, str):
            if event.count == 1:
                self._floods[event.id] = 1
            return 1
        before = self._floods.get(first)
        if before is None:
            return 0
        self._floods[first] = event.count
        return max(0, event.count - before)

    def _key(self, event: Event) -> str:
        return f"{event.page} {event.fingerprint}"

    def _remember(self, key: str, event: Event) -> None:
        self._firsts[key] = event
        if len(self._firsts) > KEPT_PROBLEMS:
            oldest = next(iter(self._firsts))
            del self._firsts[oldest], self._counts[oldest]

    def _keep(self, event: Event) -> None:
        """The newest line stays open on a terminal, so that its count can grow; elsewhere it is written for good."""
        if self._console.is_interactive:
            self._last = event
        else:
            self._print(event)

    def _settle(self) -> None:
        if self._last is not None:
            last, self._last = self._last, None
            self._print(last)

    def _print(self, event: Event) -> None:
        # A file or a pipe gets whole lines, whatever width rich believes in there.
        self._console.print(self._line(event), soft_wrap=not self._console.is_interactive)

    def _line(self, event: Event) -> Text:
        """When, where and how bad; then what, in a column of its own."""
        when = datetime.fromisoformat(event.timestamp).astimezone().strftime("%H:%M:%S.%f")[:-3]
        head = Text.assemble(
            (f"{when} {event.page or '-':<3} ", "dim"),
            (f"{MARKS[event.severity]} {event.severity:<8} ", COLOURS[event.severity]),
        )
        text = Text(printable(event.summary), style="dim" if event.severity == "info" else "")
        if (count := self._counts[self._key(event)]) > 1 and REPEATS not in event.context:
            text.append(f"  ×{count}", style="bold magenta")
        at = event.context.get("at")
        place = Text(style="blue")
        if isinstance(at, str) and at and at not in event.summary:
            place.append(f"at {printable(at)}")
        if because := self._because(event):
            place.append("  " if place else "").append(because)
        if not self._console.is_interactive:
            return head + text + Text("  " if place else "") + place
        return self._in_columns(head, text, place)

    def _because(self, event: Event) -> Text | None:
        """`← click on #save`"""
        summary = self._summaries.get(event.cause.id) if event.cause is not None else None
        if event.cause is None or summary is None:
            return None
        likely = "" if event.cause.confidence >= PROVEN else "likely "
        return Text(f"← {likely}{printable(summary)}", style="yellow")

    def _in_columns(self, head: Text, text: Text, place: Text) -> Text:
        indent = head.cell_len
        narrow = self._console.width - indent < MIN_TEXT_COLUMNS
        if narrow:
            indent = NARROW_INDENT
        width = max(1, self._console.width - indent)
        if place and text.cell_len + 2 + place.cell_len <= width:
            rows = [text + Text("  ") + place]
        else:
            rows = list(text.wrap(self._console, width))
            rows += place.wrap(self._console, width) if place else []
        gap = Text("\n" + " " * indent)
        return head + (gap if narrow else Text()) + gap.join(rows)

    def _bottom(self) -> Group:
        # rich asks from a thread of its own: what is read twice may have changed.
        last = self._last
        return Group(self._line(last), self._status()) if last is not None else Group(self._status())

    def _status(self) -> Text:
        elapsed_s = int(time.monotonic() - self._started_s)
        status = Text(
            f"● {elapsed_s // 60}:{elapsed_s % 60:02d}", style="green", no_wrap=True, overflow="ellipsis"
        )
        if self._pages:
            status.append(f"  {counted(len(self._pages), 'page')}")
        for severity in SEVERITIES:
            if self._severities[severity]:
                status.append(f"  {self._severities[severity]} {severity}", style=COLOURS[severity])
        if not self._firsts:
            status.append("  nothing wrong so far")
        return status.append("  Ctrl-C ends", style="dim")

    def _summary(self) -> Iterator[Text]:
        first, last = self._times
        told_s = (
            (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() if last else 0.0
        )
        # A replay goes faster than what it shows.
        elapsed_s = max(time.monotonic() - self._started_s, told_s)
        lasted = f"{elapsed_s:.0f} s" if elapsed_s < 120 else f"{elapsed_s / 60:.0f} min"
        if not self._firsts:
            yield Text(f"Nothing wrong was seen in {lasted}.", style="green")
            return
        total = sum(self._severities.values())
        different = f" ({len(self._firsts)} different)" if total > len(self._firsts) else ""
        order = ", worst first" if len(self._firsts) > 1 else ""
        yield Text(f"\n{counted(total, 'finding')}{different} in {lasted}{order}", style="bold")
        worst_first = sorted(
            self._firsts, key=lambda key: (SEVERITIES.index(self._firsts[key].severity), -self._counts[key])
        )
        shown = [(self._firsts[key], f"×{self._counts[key]}") for key in worst_first[:SUMMARY_ROWS]]
        count_columns = max(len(count) for _, count in shown)
        narrow = self._console.is_interactive and self._console.width < MIN_SUMMARY_COLUMNS
        kind_columns = 0 if narrow else 2 + max(len(event.kind) for event, _ in shown)
        for event, count in shown:
            row = Text.assemble(
                (f"{MARKS[event.severity]} {event.severity:<8} ", COLOURS[event.severity]),
                (f"{count:>{count_columns}}  ", "dim" if count == "×1" else "bold magenta"),
                f"{event.kind:<{kind_columns}}" if kind_columns else "",
                (printable(event.summary), "dim"),
            )
            if self._console.is_interactive:
                row.truncate(self._console.width, overflow="ellipsis")
            yield row
        if (left := len(worst_first) - SUMMARY_ROWS) > 0:
            yield Text(f"… and {left} more", style="dim")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
