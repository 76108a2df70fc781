"""The command line. Exit codes: 0 it did what was asked, 1 something is wrong (doctor), 2 it could not be done, said in a sentence."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.text import Text

from firstcause import __version__

from ..correlator.event import Event
from ..observer.errors import BadUrl, FirstcauseError, UsageError
from ..observer.options import CaptureOptions, Level, TargetMode
from ..observer.sources.launch import launch
from . import logs
from .doctor import collect
from .observation import Observation
from .recording import STDOUT, Recording
from .stories import StoryServer, bundled_story
from .terminal import Terminal

OPENABLE = frozenset({"http", "https", "file", "about", "data", "chrome", "blob"})


def example(*commands: str) -> str:
    return "Example: " + "   or: ".join(commands)


app = typer.Typer(
    name="firstcause",
    help="Watches live Chromium pages and tells the first cause, not the last symptom.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Cdp = Annotated[
    str,
    typer.Option(
        "--cdp", metavar="PORT|URL", help="Attach to a running browser: its DevTools port or address."
    ),
]
Headed = Annotated[bool, typer.Option("--headed", help="Show the browser that is launched.")]
Profile = Annotated[
    Path | None,
    typer.Option("--profile", metavar="DIR", help="Launch with this profile and keep what it stores."),
]
LevelOption = Annotated[
    Level,
    typer.Option(
        "--level",
        help="lean costs the browser less: no Network domain, so no request methods, headers, initiators, redirects, "
        "reasons of failures, WebSockets, requests of workers and requests that never end.",
    ),
]
Targets = Annotated[
    TargetMode,
    typer.Option(
        "--targets", help="tab keeps prerendering alive; only for a browser that no other program drives."
    ),
]
NoHangStacks = Annotated[
    bool,
    typer.Option(
        "--no-hang-stacks",
        help="Leave the debugger off: await-heavy pages run faster, hangs are told without a function.",
    ),
]
Selector = Annotated[
    list[str] | None,
    typer.Option(
        "--selector", metavar="CSS", help="Tell when this selector stops matching one element; repeatable."
    ),
]
ForSeconds = Annotated[
    float,
    typer.Option("--for", metavar="SECONDS", min=0, help="End by itself after so long; 0 waits for Ctrl-C."),
]
Activity = Annotated[
    bool,
    typer.Option(
        "--activity", help="Also tell what is not wrong: requests, navigations, actions, console.log."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable: one JSON object a line on stdout.")]
Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Log what is done to stderr; twice for every detail."),
]


PIPE_WIDTH = 160
EXIT_CODES = {
    0: "It did what was asked; Ctrl-C, SIGTERM and --for end a command well.",
    1: "`doctor` found something that has to be put right.",
    2: "It could not be done; stderr says why in one sentence.",
}


def main() -> None:
    """Run the command line; an expected failure is one sentence and exit code 2, never a traceback."""
    try:
        app()
    except FirstcauseError as error:
        print(f"firstcause: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away; Python would complain about it once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


@app.command(epilog=example("firstcause watch http://localhost:3000", "firstcause watch --cdp 9222 --json"))
def watch(
    url: Annotated[str, typer.Argument(metavar="[URL]", help="The page to launch a browser with.")] = "",
    cdp: Cdp = "",
    headed: Headed = False,
    profile: Profile = None,
    level: LevelOption = "full",
    targets: Targets = "page",
    no_hang_stacks: NoHangStacks = False,
    selector: Selector = None,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Launch a browser, or attach to one, and show what goes wrong while it happens."""
    logs.configure(verbose)
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    options = CaptureOptions(level, targets, not no_hang_stacks, tuple(selector or ()))
    asyncio.run(show_live(source, options, for_seconds, activity=activity, as_json=as_json))


@app.command(epilog=example("firstcause demo", "firstcause demo --headed"))
def demo(
    headed: Headed = False,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Watch the bundled broken shop: ten seconds that show what this is for."""
    logs.configure(verbose)

    async def serve_and_show() -> None:
        async with StoryServer(bundled_story("shop")) as shop:
            source = Source(url=shop.url, headed=headed)
            await show_live(source, CaptureOptions(), for_seconds, activity=activity, as_json=as_json)

    asyncio.run(serve_and_show())


@app.command(
    epilog=example(
        "firstcause record --cdp 9222 --out events.ndjson", "firstcause record --url localhost:3000 --out -"
    )
)
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
    level: LevelOption = "full",
    targets: Targets = "page",
    no_hang_stacks: NoHangStacks = False,
    selector: Selector = None,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Write every event as one line of JSON until SIGINT or SIGTERM; each is there as soon as it is told."""
    logs.configure(verbose)
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    options = CaptureOptions(level, targets, not no_hang_stacks, tuple(selector or ()))
    recording = Recording(out)
    try:
        asyncio.run(write_events(source, options, recording, for_seconds, activity=activity))
    finally:
        recording.close()
    if as_json:
        print(
            json.dumps({"events": recording.count, "out": recording.name}),
            file=sys.stderr if out == STDOUT else None,
        )
    elif out != STDOUT:
        print(f"{recording.count} events in {out}", file=sys.stderr)


@app.command(epilog=example("firstcause doctor", "firstcause doctor --port 4400 --json"))
def doctor(
    port: Annotated[int, typer.Option("--port", help="Also look whether this port is free.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Look at what is needed here: what is there, and what to do about what is not."""
    logs.configure(0)
    findings = collect(port or None)
    if as_json:
        for finding in findings:
            print(json.dumps(asdict(finding)))
    else:
        console = new_console()
        for finding in findings:
            mark = Text("✔ " if finding.ok else "✖ ", style="green" if finding.ok else "bold red")
            console.print(
                mark.append(f"{finding.name:<15}", style="bold").append(finding.detail, style="not bold")
            )
            if finding.fix:
                console.print(Text(f"  → {finding.fix}", style="yellow"))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def new_console() -> Console:
    """A terminal's own width; a file or a pipe has none, so tables there may be as wide as they like."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


class Source:
    """Where the browser comes from: launched with a page, or running already."""

    def __init__(
        self, *, cdp: str = "", url: str = "", headed: bool = False, profile: Path | None = None
    ) -> None:
        if cdp and url:
            raise UsageError("--cdp and a page to launch can't be combined.", "Leave one of them away.")
        if not cdp and not url:
            raise UsageError("There is nothing to observe.", "Give the address of a page, or --cdp PORT.")
        if cdp and (headed or profile):
            raise UsageError(
                "--headed and --profile are for a browser that is launched.", "Leave --cdp away."
            )
        self.cdp = cdp
        self.url = checked_url(url) if url else ""
        self.headed = headed
        self.profile = profile

    @property
    def name(self) -> str:
        return self.url or f"the browser at {self.cdp}"

    @asynccontextmanager
    async def observed(
        self, on_event: Callable[[Event], None], options: CaptureOptions, stop: asyncio.Event
    ) -> AsyncGenerator[None]:
        """Observe for the length of the block; `stop` is set when a launched browser is closed."""
        if self.cdp:
            async with Observation(self.cdp, on_event, options):
                yield
            return
        async with (
            launch(headed=self.headed, profile_dir=self.profile) as launched,
            Observation(launched.ws_url, on_event, options),
        ):
            launched.context.on("close", lambda _: stop.set())
            await launched.open_page(self.url)
            yield


def checked_url(url: str) -> str:
    """`localhost:3000` is meant as http://localhost:3000; a scheme that no browser knows is a typing mistake."""
    scheme, colon, rest = url.partition(":")
    if not colon or rest[:1].isdigit():
        return f"http://{url}"
    if scheme.lower() not in OPENABLE or not (urlsplit(url).netloc or rest.lstrip("/")):
        raise BadUrl(
            f"{url} is not an address that a browser can open.", "Start it with http:// or https://."
        )
    return url


@asynccontextmanager
async def until_stopped(for_seconds: float) -> AsyncGenerator[asyncio.Event]:
    """An event that SIGINT, SIGTERM or the end of the time sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    timer = loop.call_later(for_seconds, stop.set) if for_seconds else None
    try:
        yield stop
    finally:
        if timer is not None:
            timer.cancel()


async def show_live(
    source: Source, options: CaptureOptions, for_seconds: float, *, activity: bool, as_json: bool
) -> None:
    async with until_stopped(for_seconds) as stop:
        if as_json:
            recording = Recording(STDOUT)
            await observe_into(recording, source, options, stop, activity=activity)
            recording.close()
            return
        with Terminal(
            Console(highlight=False), f"Watching {source.name}", show_activity=activity
        ) as terminal:
            async with source.observed(terminal.show, options, stop):
                await stop.wait()


async def write_events(
    source: Source, options: CaptureOptions, recording: Recording, for_seconds: float, *, activity: bool
) -> None:
    async with until_stopped(for_seconds) as stop:
        await observe_into(recording, source, options, stop, activity=activity)


async def observe_into(
    recording: Recording, source: Source, options: CaptureOptions, stop: asyncio.Event, *, activity: bool
) -> None:
    def write(event: Event) -> None:
        if (activity or event.channel != "activity") and not recording.write(event):
            stop.set()

    async with source.observed(write, options, stop):
        await stop.wait()
