"""The command line. Exit codes: 0 it did what was asked, 1 something is wrong (doctor), 2 it could not be done, said in a sentence."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Protocol, Self
from urllib.parse import urlsplit

import typer
from playwright.async_api import BrowserContext, Page
from rich.text import Text

from firstcause import __version__

from ..correlator.event import Event
from ..observer.errors import BadUrl, FirstcauseError, UsageError
from ..observer.options import CaptureOptions, Level, TargetMode
from ..observer.sources.launch import LaunchedBrowser, launch
from . import logs
from .commands.config import config
from .commands.token import token
from .console import AsJson, new_console
from .doctor import collect
from .observation import Observation
from .recording import STDOUT, Recording
from .stories import StoryError, StoryServer, bundled_story
from .terminal import Terminal, counted, printable

OPENABLE = frozenset({"http", "https", "file", "about", "data", "chrome", "blob"})


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
        help="lean costs the browser less: no Network domain, so no request methods, initiators, redirects, kinds of "
        "resources, WebSockets, failed loads of workers, requests that the page aborts or that never end.",
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
Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Log what is done to stderr; twice for every detail."),
]


EXIT_CODES = {
    0: "It did what was asked; Ctrl-C, SIGTERM and --for end a command well.",
    1: "`doctor` found something that has to be put right.",
    2: "It could not be done; stderr says why in one sentence.",
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


@app.command()
def watch(
    url: Annotated[str, typer.Argument(metavar="URL", help="The page to launch a browser with.")] = "",
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
    """Launch a browser, or attach to one, and show what goes wrong while it happens.

    Example:

        firstcause watch http://localhost:3000

        firstcause watch --cdp 9222 --json
    """
    logs.configure(verbose)
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    options = CaptureOptions(level, targets, not no_hang_stacks, tuple(selector or ()))
    output = new_output(f"Watching {source.name}", activity=activity, as_json=as_json)
    asyncio.run(observe(source, options, output, for_seconds))


@app.command()
def demo(
    headed: Headed = False,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Watch the bundled broken shop: ten seconds that show what this is for.

    Example:

        firstcause demo

        firstcause demo --headed
    """
    logs.configure(verbose)

    async def serve_and_observe() -> None:
        async with StoryServer(bundled_story("shop")) as shop:
            title = f"Watching a visitor in a broken shop at {shop.url}"
            output = new_output(title, activity=activity, as_json=as_json)
            await observe(Source(url=shop.url, headed=headed), CaptureOptions(), output, for_seconds)

    asyncio.run(serve_and_observe())


@app.command()
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
    """Write every event as one line of JSON until SIGINT or SIGTERM; each is there as soon as it is told.

    Example:

        firstcause record --cdp 9222 --out events.ndjson

        firstcause record --url localhost:3000 --out -
    """
    logs.configure(verbose)
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    options = CaptureOptions(level, targets, not no_hang_stacks, tuple(selector or ()))
    recording = Recording(out, activity=activity)
    asyncio.run(observe(source, options, recording, for_seconds))
    if as_json:
        print(
            json.dumps({"events": recording.count, "out": recording.name}),
            file=sys.stderr if out == STDOUT else None,
        )
    elif out != STDOUT:
        print(f"{counted(recording.count, 'event')} in {out}", file=sys.stderr)


@app.command()
def doctor(
    port: Annotated[int, typer.Option("--port", help="Also look whether this port is free.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Look at what is needed here: what is there, and what to do about what is not.

    Example:

        firstcause doctor

        firstcause doctor --port 4400 --json
    """
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


for command in (config, token):  # one a file in commands/
    app.command()(command)


def new_output(title: str, *, activity: bool, as_json: bool) -> Output:
    return Recording(activity=activity) if as_json else Terminal(new_console(), title, show_activity=activity)


class Output(Protocol):
    """Takes events while it is open; closing it raises what went wrong."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def write(self, event: Event) -> bool:
        """Whether to go on."""
        ...


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
        self.profile = checked_profile(profile) if profile else None

    @property
    def name(self) -> str:
        return self.url or f"the browser at {self.cdp}"

    async def observe(
        self, output: Output, options: CaptureOptions, for_seconds: float, stop: asyncio.Event
    ) -> None:
        """Tell `output` all there is until `stop`, which is also set when there is nothing more to do."""

        def tell(event: Event) -> None:
            if not output.write(event):
                stop.set()

        async def observe_at(address: str, launched: LaunchedBrowser | None = None) -> None:
            async with Observation(address, tell, options):
                if launched is not None:
                    await launched.open_page(self.url)
                    when_closed(launched.context, stop)
                loop = asyncio.get_running_loop()
                if for_seconds:
                    loop.call_later(for_seconds, stop.set)
                await loop.create_future()  # until it is cancelled

        if self.cdp:
            await until(stop, observe_at(self.cdp))
            return
        # A start is not interrupted: the driver would leave the profile folder behind.
        async with launch(headed=self.headed, profile_dir=self.profile) as launched:
            await until(stop, observe_at(launched.ws_url, launched))


async def until(stop: asyncio.Event, doing: Coroutine[None, None, None]) -> None:
    """Have it done, but for no longer than until `stop`: then it is cancelled, wherever it is."""
    tasks = asyncio.create_task(doing), asyncio.create_task(stop.wait())
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def when_closed(context: BrowserContext, stop: asyncio.Event) -> None:
    """Set `stop` when the browser ends or its last page is closed: Chromium stays without one when Playwright started it."""

    def page_closed(_: Page) -> None:
        if not context.pages:
            stop.set()

    context.on("close", lambda _: stop.set())
    context.on("page", lambda page: page.on("close", page_closed))
    for page in context.pages:
        page.on("close", page_closed)
    if not context.pages:
        stop.set()


def checked_profile(profile: Path) -> Path:
    try:
        profile.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(profile, os.R_OK | os.W_OK | os.X_OK) else "permission denied"
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
    if reason:
        raise UsageError(f"{profile} can't be a profile: {reason}.", "Give --profile a folder.")
    return profile


def checked_url(url: str) -> str:
    """`localhost:3000` is meant as http://localhost:3000; a scheme that no browser knows is a typing mistake."""
    scheme, colon, rest = url.partition(":")
    if not colon or rest[:1].isdigit():
        scheme, rest, url = "http", f"//{url}", f"http://{url}"
    try:
        openable = scheme.lower() in OPENABLE and (urlsplit(url).netloc or rest.lstrip("/"))
    except ValueError:  # http://[
        openable = False
    if not openable:
        raise BadUrl(
            f"{url} is not an address that a browser can open.", "Start it with http:// or https://."
        )
    return url


async def observe(source: Source, options: CaptureOptions, output: Output, for_seconds: float) -> None:
    """Until SIGINT, SIGTERM, the end of the time, of the browser or of the output."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    with output:
        await source.observe(output, options, for_seconds, stop)
