"""What a person sees of events: on a terminal, where the last line counts up in place, and in a file."""

from __future__ import annotations

import errno
import itertools
import time
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from firstcause.api.terminal import Terminal, printable
from firstcause.correlator.event import SEVERITIES, Event
from firstcause.observer.errors import OutputFailed

seqs = itertools.count(1)
# What commands a terminal: a screen that is wiped, a title, a new colour by C1, a bell, a line written over, a hidden direction.
COMMANDS = "\x1b[2J\x1b]0;owned\x07\x9b31mred\x08\r\x7f\u202edrawkcab\u2066"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def event(summary: str = "Price mismatch", **fields: object) -> Event:
    seq = next(seqs)
    return Event.model_validate(
        {
            "id": str(seq),
            "seq": seq,
            "timestamp": "2026-01-02T03:04:05.678Z",
            "project": "p",
            "session": "s",
            "page": "p1",
            "channel": "errors",
            "type": "error",
            "kind": "console_error",
            "severity": "medium",
            "summary": summary,
            "fingerprint": summary,
            "count": 1,
            **fields,
        }
    )


def activity(summary: str = "console.log: hello") -> Event:
    return event(summary, channel="activity", type="activity", kind="console_message", severity="info")


class Paper(StringIO):
    """A file that may call itself a terminal."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def console(*, tty: bool = False, width: int = 80) -> Console:
    return Console(
        file=Paper(tty=tty), highlight=False, width=width, height=50, force_terminal=tty, force_interactive=tty,
        no_color=False, color_system="standard" if tty else None, _environ={"TERM": "xterm"},
    )  # fmt: skip


def said(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def told(
    events: list[Event], *, show_activity: bool = False, tty: bool = False, width: int = 80
) -> list[str]:
    """The lines that stay after all is over."""
    paper = console(tty=tty, width=width)
    with Terminal(paper, "Watching x", show_activity=show_activity) as terminal:
        for one in events:
            assert terminal.write(one)
    return screen(said(paper)) if tty else said(paper).splitlines()


def screen(output: str) -> list[str]:
    """What a terminal shows in the end: just as much of one as rich's Live and colours need."""
    rows = [""]
    row = 0
    position = 0
    while position < len(output):
        character = output[position]
        position += 1
        if character == "\x1b":
            end = next(at for at in range(position + 1, len(output)) if output[at].isalpha())
            parameter, command = output[position + 1 : end], output[end]
            position = end + 1
            if command == "A":
                row = max(0, row - int(parameter or 1))
            elif command == "K":
                rows[row] = ""
            else:
                assert command in "mhl", f"not expected: {parameter}{command}"
        elif character == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif character != "\r":
            rows[row] += character
    return [line.rstrip() for line in rows]


def findings(lines: list[str]) -> list[str]:
    """The lines before the summary, without the title."""
    end = next(number for number, line in enumerate(lines) if " in 0 s" in line)
    return [line for line in lines[1:end] if line]


def test_a_line_says_when_where_how_bad_what_and_at() -> None:
    lines = told([event(context={"at": "cart.js:41:67 updateCartBadge"})])
    assert lines[0] == "Watching x"
    assert findings(lines) == ["03:04:05.678 p1  ▲ medium   Price mismatch  at cart.js:41:67 updateCartBadge"]


def test_a_place_that_the_summary_names_is_not_said_twice() -> None:
    lines = told([event("Busy in cart.js:4:1 add", context={"at": "cart.js:4:1 add"})])
    assert "".join(lines).count("cart.js:4:1") == 2  # in the line, and in the summary


def test_something_of_no_page() -> None:
    assert findings(told([event("Browser lost", page="")])) == ["03:04:05.678 -   ▲ medium   Browser lost"]


def test_the_time_is_the_readers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EST+5")
    time.tzset()
    assert findings(told([event()]))[0].startswith("22:04:05.678 ")


def test_every_severity_has_its_mark() -> None:
    lines = findings(told([event(f"a {severity} thing", severity=severity) for severity in SEVERITIES]))
    assert [line.split()[2:4] for line in lines] == [
        ["✖", "critical"], ["✖", "high"], ["▲", "medium"], ["▪", "low"], ["·", "info"],
    ]  # fmt: skip


def test_repeats_in_a_file_are_told_at_ten_a_hundred_a_thousand() -> None:
    lines = findings(told([event() for _ in range(1234)]))
    assert [line.partition("×")[2] for line in lines] == ["", "10", "100", "1000"]


def test_repeats_on_a_terminal_count_up_in_their_line() -> None:
    lines = findings(told([event() for _ in range(1234)], tty=True))
    assert [line.partition("×")[2] for line in lines] == ["1234"]


def test_a_line_that_counts_up_is_shown_before_it_is_settled() -> None:
    paper = console(tty=True)
    with Terminal(paper, "Watching x") as terminal:
        for _ in range(7):
            terminal.write(event())
        terminal._live.refresh()  # pyright: ignore[reportPrivateUsage]
        assert "Price mismatch  ×7" in "\n".join(screen(said(paper)))
        assert "● 0:00  1 page  7 medium  Ctrl-C ends" in screen(said(paper))


def test_the_status_line_goes_when_it_is_over() -> None:
    assert "Ctrl-C" not in "\n".join(told([event()], tty=True))


@pytest.mark.parametrize(
    ("tty", "shown"), [(False, ["a", "b", "a  ×10", "b  ×10"]), (True, ["a", "b  ×9", "a  ×10", "b  ×12"])]
)
def test_two_things_in_turns(tty: bool, shown: list[str]) -> None:
    lines = findings(told([event(name) for name in ["a", "b"] * 12], tty=tty))
    assert [line.split(maxsplit=4)[4] for line in lines] == shown


def test_the_same_on_another_page_is_another_line() -> None:
    lines = findings(told([event(), event(page="p2"), event()]))
    assert [line.split()[1] for line in lines] == ["p1", "p2"]


@pytest.mark.parametrize("tty", [False, True])
def test_activity_is_hidden_unless_it_is_asked_for(tty: bool) -> None:
    events = [event("a"), activity(), activity(), event("b")]
    assert "hello" not in "\n".join(told(events, tty=tty))
    shown = findings(told(events, tty=tty, show_activity=True))
    assert [line.split(maxsplit=4)[4] for line in shown] == [
        "a", "console.log: hello", "console.log: hello", "b",
    ]  # fmt: skip


def test_activity_alone_is_nothing_wrong() -> None:
    for show in (False, True):
        assert told([activity()], show_activity=show)[-1] == "Nothing wrong was seen in 0 s."


@pytest.mark.parametrize("tty", [False, True])
def test_nothing_seen(tty: bool) -> None:
    assert [line for line in told([], tty=tty) if line] == ["Watching x", "Nothing wrong was seen in 0 s."]


def test_an_end_by_an_error_is_not_called_a_success() -> None:
    paper = console()
    with pytest.raises(ZeroDivisionError), Terminal(paper, "Watching x"):
        raise ZeroDivisionError
    assert said(paper) == "Watching x\n"


def test_the_summary_has_the_worst_first_and_then_the_most_frequent() -> None:
    lines = told(
        [
            event("rare"),
            *(event("often") for _ in range(12)),
            event("bad", severity="high", kind="http_error"),
        ]
    )
    at = lines.index("14 findings (3 different) in 0 s, worst first")
    assert lines[at + 1 :] == [
        "✖ high      ×1  http_error     bad",
        "▲ medium   ×12  console_error  often",
        "▲ medium    ×1  console_error  rare",
    ]


@pytest.mark.parametrize(
    ("confidence", "says"), [(0.95, "← click on #save"), (0.6, "← likely click on #save")]
)
def test_what_caused_a_finding_is_said(confidence: float, says: str) -> None:
    click = event("click on #save", channel="activity", type="activity", kind="user_action", severity="info")
    failed = event(
        context={"at": "a.js:1:2"}, cause={"id": click.id, "via": "task", "confidence": confidence}
    )
    [line] = findings(told([click, failed]))
    assert line.endswith(f"Price mismatch  at a.js:1:2  {says}")


def test_that_a_page_was_loaded_is_news_to_nobody() -> None:
    load = event("The page navigated to /", channel="activity", type="activity", kind="navigation")
    failed = event(cause={"id": load.id, "via": "page", "confidence": 0.9})
    assert "←" not in "".join(told([load, failed]))


def test_a_replay_lasts_as_long_as_what_it_shows() -> None:
    first = event("early")
    lines = told([first.model_copy(update={"timestamp": "2026-01-02T03:04:47.678Z"}), first])
    assert any(" in 42 s" in line for line in lines)


def test_one_finding_is_one_finding() -> None:
    assert "1 finding in 0 s" in told([event()])


def test_a_long_summary_is_cut() -> None:
    lines = told([event(f"thing {chr(97 + number)}") for number in range(18)])
    assert lines[-1] == "… and 3 more"
    assert len(lines) - lines.index("18 findings in 0 s, worst first") == 1 + 15 + 1


def test_very_many_different_things_are_counted_but_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstcause.api.terminal.KEPT_PROBLEMS", 20)
    lines = told([event(f"thing {number}") for number in range(50)])
    assert "50 findings (20 different) in 0 s, worst first" in lines


@pytest.mark.parametrize("tty", [False, True])
def test_a_page_does_not_write_markup(tty: bool) -> None:
    text = "[red]x[/red] [/] [link=http://x]y :smile:"
    lines = "\n".join(told([event(text, context={"at": "[b]f[/b]"})], tty=tty, width=200))
    assert lines.count(text) == 2
    assert "at [b]f[/b]" in lines


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_page_does_not_command_the_terminal(tty: bool, width: int) -> None:
    paper = console(tty=tty, width=width)
    hostile = event(COMMANDS, context={"at": COMMANDS})
    with Terminal(paper, f"Watching {COMMANDS}", show_activity=True) as terminal:
        terminal.write(hostile)
        terminal.write(activity(COMMANDS))
        if tty:
            terminal._live.refresh()  # pyright: ignore[reportPrivateUsage]
    output = said(paper)
    for command in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b", "\x08", "\x7f", "\u202e", "\u2066"):
        assert command not in output
    assert "owned" in output
    assert tty or "\x1b" not in output
    screen(output)  # knows no other commands than rich's own


def test_what_is_not_printable_is_seen_to_be_there() -> None:
    assert printable(COMMANDS) == "␛[2J␛]0;owned␇�31mred␈␍␡�drawkcab�"
    assert printable("a\tb\nc\ud83d") == "a␉b␊c�"
    assert printable("é 漢字 👩‍🚀 עברית") == "é 漢字 👩‍🚀 עברית"


@pytest.mark.parametrize("width", [30, 40, 58, 80, 120])
def test_text_stays_in_its_column_and_in_the_terminal(width: int) -> None:
    text = "The warehouse 漢字 did not answer 👩‍🚀 after 5 retries and " + "x" * 130
    place = "averylongfilename-" * 5 + ".js:1:1 fun"
    lines = told([event(text, context={"at": place})], tty=True, width=width)
    assert max(cell_len(line) for line in lines[1:]) <= width
    shown = findings(lines)
    indent = 28 if width >= 58 else 2
    assert all(line.startswith(" " * indent) for line in shown[1:])
    # Nothing of it is lost.
    rows = [shown[0][28:], *(line[indent:] for line in shown[1:])]
    assert "".join("".join(rows).split()) == "".join(f"{text}at {place}".split())


def test_a_file_gets_whole_lines_however_long() -> None:
    text = "word " * 400
    lines = told([event(text.strip(), context={"at": "f"})])
    assert findings(lines) == [f"03:04:05.678 p1  ▲ medium   {text.strip()}  at f"]
    assert lines[-1].endswith(text.strip())


def test_a_narrow_summary_leaves_out_the_kind() -> None:
    assert "console_error" not in "\n".join(told([event()], tty=True, width=60))
    assert "console_error" in "\n".join(told([event()], tty=True, width=80))


def test_colours_only_when_the_console_has_them() -> None:
    coloured, plain = console(tty=True), console()
    for paper in (coloured, plain):
        with Terminal(paper, "Watching x") as terminal:
            terminal.write(event(severity="high"))
    assert "\x1b[1;31m" in said(coloured)
    assert "\x1b" not in said(plain)


def failing(error: OSError) -> Callable[[str], int]:
    def write(_: str) -> int:
        raise error

    return write


def test_a_full_disk_ends_it_with_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = console()
    terminal = Terminal(paper, "Watching x")
    terminal.__enter__()
    assert terminal.write(event("a"))
    monkeypatch.setattr(paper.file, "write", failing(OSError(errno.ENOSPC, "No space left on device")))
    assert not terminal.write(event("b"))
    assert not terminal.write(event("c"))
    with pytest.raises(OutputFailed, match=r"^stdout can't be written: no space left on device\.$"):
        terminal.__exit__(None, None, None)


def test_a_reader_that_goes_away_ends_it_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = console()
    monkeypatch.setattr(Console, "on_broken_pipe", failing(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    with Terminal(paper, "Watching x") as terminal:
        monkeypatch.setattr(paper.file, "write", failing(BrokenPipeError(errno.EPIPE, "Broken pipe")))
        assert not terminal.write(event("a"))


@pytest.mark.parametrize("tty", [False, True])
def test_a_flood_counts_as_often_as_it_came(tty: bool) -> None:
    first = event("stuck")
    grown = [
        event(
            f"stuck ({count} times in 2.0 s)", count=count, context={"repeats": first.id}, fingerprint="stuck"
        )
        for count in (10, 100, 250)
    ]
    lines = told([first, *grown], tty=tty)
    assert findings(lines)[-1].endswith("stuck (250 times in 2.0 s)")
    assert "250 findings (1 different) in 0 s" in lines
    assert not [line for line in findings(lines) if "×" in line]


def test_what_a_detector_counts_is_one_finding() -> None:
    first = event("GET /stock failed 5 times", kind="retry_storm", count=5)
    grown = event(
        "GET /stock failed 50 times",
        kind="retry_storm",
        count=50,
        context={"repeats": first.id},
        fingerprint=first.fingerprint,
    )
    lines = told([first, grown])
    assert len(findings(lines)) == 2
    assert "1 finding in 0 s" in lines
