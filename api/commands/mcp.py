"""firstcause mcp: an MCP server on standard input and output, for AI agents."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AsyncExitStack
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from .. import logs
from ..client.address import PATH, address_of
from ..loop import run
from ..mcp.extra import require_mcp
from ..mcp.install import ClientName, planned, write
from ..observing import stop_on_signals
from ..settings import Settings
from .options import (
    DetectorOption,
    EvidenceOption,
    Host,
    JournalOption,
    LevelOption,
    NoHangStacks,
    NoMarkers,
    Port,
    ProjectName,
    Selector,
    StateDir,
    Targets,
    Verbose,
    settings_of,
)

Url = Annotated[
    str,
    typer.Option(
        "--url",
        metavar="URL",
        help="Join the server at this address instead of starting one. [default: FIRSTCAUSE_URL]",
    ),
]

Install = Annotated[
    ClientName | None,
    typer.Option(
        "--install", help="Put this command into the settings of that client, beside what is there, and end."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --install: print the client's file as it would be.")
]
AsJsonOnStderr = Annotated[
    bool,
    typer.Option(
        "--json", help="Say where the events are as one JSON object on stderr; stdout is the client's."
    ),
]


def mcp(
    url: Url = "",
    install: Install = None,
    dry_run: DryRun = False,
    level: LevelOption = None,
    targets: Targets = None,
    no_hang_stacks: NoHangStacks = False,
    no_markers: NoMarkers = False,
    evidence: EvidenceOption = None,
    selector: Selector = None,
    detector: DetectorOption = None,
    host: Host = None,
    port: Port = None,
    project: ProjectName = None,
    state_dir: StateDir = None,
    journal: JournalOption = None,
    as_json: AsJsonOnStderr = False,
    verbose: Verbose = 0,
) -> None:
    """Serve MCP on standard input and output, for an AI agent that starts it; other programs can follow by the API meanwhile.

    Example:

        firstcause mcp

        firstcause mcp --url http://127.0.0.1:4400

        firstcause mcp --install claude-code
    """
    logs.configure(verbose)
    require_mcp()
    if install is not None:
        installed(install, url, dry_run=dry_run)
        return
    if dry_run:
        raise typer.BadParameter("goes with --install.", param_hint="--dry-run")
    if url or os.environ.get("FIRSTCAUSE_URL"):
        run(bridged(url))
        return
    settings = settings_of(
        level=level,
        targets=targets,
        no_hang_stacks=no_hang_stacks,
        no_markers=no_markers,
        evidence=evidence,
        selector=selector,
        detector=detector,
        host=host,
        port=port,
        project=project,
        state_dir=state_dir,
        journal=journal,
    )
    run(embedded(settings, as_json=as_json))


def installed(client: ClientName, url: str, *, dry_run: bool) -> None:
    plan = planned(client, url)
    if dry_run:
        print(f"firstcause: {plan.path} would be:", file=sys.stderr)
        print(plan.after, end="")
    elif not plan.changes:
        print(f"{plan.path} has it already.")
    else:
        backup = write(plan)
        kept = f"; {backup} has what was there before" if backup else ""
        print(f"Wrote {plan.path}{kept}. Start {client} anew.")


async def embedded(settings: Settings, *, as_json: bool) -> None:
    from ..mcp.stdio import serve_stdio
    from .watch import serving

    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        server = await stack.enter_async_context(serving(settings))
        said = (
            json.dumps({"url": server.url})
            if as_json
            else f"firstcause: MCP on standard input; events at {server.url}"
        )
        print(said, file=sys.stderr)
        await serve_stdio(server.service, stop)


async def bridged(url: str) -> None:
    from ..mcp.bridge import bridge

    address = address_of(url)
    with stop_on_signals() as stop:
        await bridge(mcp_url(address.url), address.token, stop)


def mcp_url(stream_url: str) -> str:
    """Beside the stream's address."""
    parts = urlsplit(stream_url)
    scheme = parts.scheme.replace("ws", "http", 1)
    return urlunsplit((scheme, parts.netloc, f"{parts.path.removesuffix(PATH)}/mcp", "", ""))
