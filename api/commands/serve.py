"""firstcause serve: the API alone, for browsers that are attached or launched by it and for events that programs publish."""

from __future__ import annotations

import json
import sys

from .. import logs
from ..console import AsJson
from ..loop import run
from ..observing import stop_on_signals
from ..settings import Settings
from .options import Host, JournalOption, Port, ProjectName, StateDir, Verbose, settings_of


def serve(
    host: Host = None,
    port: Port = None,
    project: ProjectName = None,
    state_dir: StateDir = None,
    journal: JournalOption = None,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Serve the stream until SIGINT or SIGTERM; started again, it goes on where it was.

    Example:

        firstcause serve --port 4400

        curl -H "Authorization: Bearer $(firstcause token)" http://127.0.0.1:4400/v1/stats
    """
    logs.configure(verbose)
    settings = settings_of(host=host, port=port, project=project, state_dir=state_dir, journal=journal)
    run(served(settings, as_json=as_json))


async def served(settings: Settings, *, as_json: bool) -> None:
    from ..server import Server

    with stop_on_signals() as stop:
        async with Server(settings) as server:
            if as_json:
                print(json.dumps({"url": server.url, "state_dir": str(settings.state_dir)}), flush=True)
            else:
                print(f"Serving {server.url} (the token: firstcause token). Ctrl-C ends it.", file=sys.stderr)
            await stop.wait()
