"""firstcause token: prints the master token, or makes one that may do less."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from ...observer.errors import UsageError
from .. import logs
from ..auth import SCOPES, Keyring
from ..console import AsJson
from ..secret import load_secret
from ..settings import load

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
VALID_FOR: Final = "24h"

Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="|".join(SCOPES),
        help="What the token is good for, read if nothing is said; repeatable.",
    ),
]
Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project", metavar="NAME", help="Limit the token to this project instead of all; repeatable."
    ),
]
ValidFor = Annotated[
    str,
    typer.Option(
        "--for", metavar="TIME", help=f"How long the token is good: 90s, 30m, 1h, 7d. [default: {VALID_FOR}]"
    ),
]


def token(
    scope: Scopes = None, project: Projects = None, valid_for: ValidFor = "", as_json: AsJson = False
) -> None:
    """Print the token that clients show to the server, or with any option make one from it that may do less.

    The one without options is the master token: it may do everything, so give programs a limited one. read follows events, publish
    sends them, control changes settings, browsers and runs. A limited token can't be taken back before its time, other than by
    another master token.

    Example:

        firstcause token

        firstcause token --scope read --scope publish --project shop --for 1h
    """
    logs.configure(0)
    settings = load().settings
    master = settings.token.get_secret_value() or load_secret(settings.state_dir)
    if not (scope or project or valid_for):
        _print(master, list(SCOPES), [], None, as_json=as_json)
        return
    scopes, projects = scope or ["read"], project or []
    now_s = time.time()
    valid_s = seconds(valid_for or VALID_FOR)
    limited = Keyring(master, now_s=lambda: now_s).issue(scopes, projects, valid_s)
    _print(limited, scopes, projects, int(now_s + valid_s), as_json=as_json)


def seconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    if not found:
        raise UsageError(f"{text} is not a time.", "Write a number and a unit: 90s, 30m, 1h, 7d.")
    return int(found[1]) * UNITS_S[found[2]]


def _print(
    text: str, scopes: list[str], projects: list[str], expires_at: int | None, *, as_json: bool
) -> None:
    until = None if expires_at is None else datetime.fromtimestamp(expires_at, UTC).isoformat(" ")
    if as_json:
        told = {"token": text, "scopes": scopes, "projects": projects, "expires_at": until}
        typer.echo(json.dumps(told))
        return
    # Alone on stdout, for TOKEN=$(firstcause token …).
    typer.echo(text)
    if until:
        where = f"in {', '.join(projects)}" if projects else "in every project"
        typer.echo(f"Good for {', '.join(scopes)} {where}, until {until}.", err=True)
