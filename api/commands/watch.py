"""firstcause watch and demo: observe a browser, show what goes wrong, and serve it to other programs meanwhile."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ...correlator.event import Event
from .. import logs
from ..console import AsJson, new_console
from ..errors import JournalLocked
from ..loop import run
from ..observation import Observation
from ..observing import Output, Source, stop_on_signals
from ..recording import Recording
from ..settings import Settings
from ..stories import StoryServer, bundled_story
from ..terminal import Terminal
from .options import (
    A11yOption,
    Activity,
    Cdp,
    DetectorOption,
    EvidenceOption,
    ForSeconds,
    Headed,
    Host,
    JournalOption,
    LevelOption,
    NoHangStacks,
    NoMarkers,
    Port,
    Profile,
    ProjectName,
    Selector,
    StateDir,
    Targets,
    Verbose,
    browser_of,
    capture_of,
    settings_of,
)

if TYPE_CHECKING:
    from ..server import Server

log = logging.getLogger(__name__)

NoServe = Annotated[bool, typer.Option("--no-serve", help="Only show; let no other program follow.")]


def watch(
    url: Annotated[str, typer.Argument(metavar="URL", help="The page to launch a browser with.")] = "",
    cdp: Cdp = "",
    headed: Headed = False,
    profile: Profile = None,
    level: LevelOption = None,
    targets: Targets = None,
    no_hang_stacks: NoHangStacks = False,
    no_markers: NoMarkers = False,
    a11y: A11yOption = None,
    evidence: EvidenceOption = None,
    selector: Selector = None,
    detector: DetectorOption = None,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    host: Host = None,
    port: Port = None,
    project: ProjectName = None,
    state_dir: StateDir = None,
    journal: JournalOption = None,
    no_serve: NoServe = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Launch a browser, or attach to one, and show what goes wrong while it happens; other programs follow it by the API.

    Example:

        firstcause watch http://localhost:3000

        firstcause watch --cdp 9222 --json
    """
    logs.configure(verbose)
    settings = settings_of(
        level=level,
        targets=targets,
        no_hang_stacks=no_hang_stacks,
        no_markers=no_markers,
        a11y=a11y,
        evidence=evidence,
        selector=selector,
        detector=detector,
        host=host,
        port=port,
        project=project,
        state_dir=state_dir,
        journal=journal,
    )
    source = Source(cdp=cdp, url=url, headed=headed, profile=profile)
    show = Show(
        f"Watching {source.name}", for_seconds, activity=activity, as_json=as_json, serve=not no_serve
    )
    run(watched(source, settings, show))


def demo(
    headed: Headed = False,
    for_seconds: ForSeconds = 0,
    activity: Activity = False,
    port: Port = None,
    no_serve: NoServe = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Watch the bundled broken shop: ten seconds that show what this is for.

    Example:

        firstcause demo

        firstcause demo --headed
    """
    logs.configure(verbose)
    settings = settings_of(port=port)

    async def serve_and_watch() -> None:
        async with StoryServer(bundled_story("shop")) as shop:
            title = f"Watching a visitor in a broken shop at {shop.url}"
            show = Show(title, for_seconds, activity=activity, as_json=as_json, serve=not no_serve)
            await watched(Source(url=shop.url, headed=headed), settings, show)

    run(serve_and_watch())


@dataclass(frozen=True, slots=True)
class Show:
    """How a watch is shown."""

    title: str
    for_seconds: float
    activity: bool
    as_json: bool
    serve: bool


async def watched(source: Source, settings: Settings, show: Show) -> None:
    """Until a signal, the end of the time, of the browser or of the output."""
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        server = await stack.enter_async_context(serving(settings)) if show.serve else None
        output = stack.enter_context(new_output(show, server))
        if server is None:
            tell = told_to(output, stop)
        else:
            await stack.enter_async_context(shown(server, output, show, stop))
            tell = server.publish
        await source.observe(
            tell,
            capture_of(settings),
            stop,
            project=settings.project,
            redactor=settings.redactor,
            thresholds=settings.detectors,
            executable=browser_of(settings),
            for_seconds=show.for_seconds,
            started=lambda observation: server and begun(server, observation, source, show),
        )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Server]:
    """Two watches at once are fine: only one of them can write to the journal."""
    from ..server import Server

    try:
        server = await Server(settings).__aenter__()
    except JournalLocked as error:
        log.warning("%s What this one tells is kept in memory only.", error.message)
        # Clients go on finding the other one, which keeps what it tells.
        in_memory = settings.model_copy(update={"journal": "memory"})
        server = await Server(in_memory, announced=False).__aenter__()
    try:
        yield server
    finally:
        await server.__aexit__()


def begun(server: Server, observation: Observation, source: Source, show: Show) -> None:
    server.observes(observation, "launched" if source.url else "attached", source.name)
    if show.as_json:
        print(f"firstcause: events at {server.url}", file=sys.stderr)


def new_output(show: Show, server: Server | None) -> Output:
    if show.as_json:
        return Recording(activity=show.activity)
    where = f" · events at {server.url}" if server else ""
    return Terminal(new_console(), show.title + where, show_activity=show.activity)


def told_to(output: Output, stop: asyncio.Event) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if not output.write(event):
            stop.set()

    return tell


@asynccontextmanager
async def shown(server: Server, output: Output, show: Show, stop: asyncio.Event) -> AsyncGenerator[None]:
    """The output is a reader of the stream like any other."""
    from ..transports.local import LineWriter, events_of, missing_in, subscribed
    from ..wire import CHANNELS, DIAGNOSTICS, Subscribe

    wanted = CHANNELS if show.activity else (*DIAGNOSTICS, "runs", "output")
    spec = Subscribe(project=server.settings.project, channels=list(wanted), throttle_ms=0)
    if isinstance(output, Recording):
        lines = LineWriter(output, stop.set)
        try:
            async with subscribed(server.service.hub, spec, lines.take):
                yield
        finally:
            lines.close()
        return
    tell = told_to(output, stop)

    def take(frames: Sequence[bytes]) -> None:
        if missing := missing_in(frames):
            log.warning("%d events came too fast to be shown", missing)
        for line in events_of(frames):
            tell(Event.model_validate_json(line))

    async with subscribed(server.service.hub, spec, take):
        yield
