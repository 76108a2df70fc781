"""Options that several commands have, and how they become settings: one that is not given leaves the setting alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, cast

import typer

from ...correlator.detecting import ThresholdRefused
from ...observer.options import CaptureOptions, Evidence, Level, TargetMode
from ..settings import HINT_DETECTORS, A11y, SettingRefused, Settings, load, variable_of
from ..thresholds import Table, merged, written

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
    Level | None,
    typer.Option(
        "--level",
        help="lean costs the browser less: no Network domain, so no request methods, initiators, redirects, kinds of "
        "resources, WebSockets, failed loads of workers, requests that the page aborts or that never end. [default: full]",
    ),
]
Targets = Annotated[
    TargetMode | None,
    typer.Option(
        "--targets",
        help="tab keeps prerendering alive; only for a browser that no other program drives. [default: page]",
    ),
]
NoHangStacks = Annotated[
    bool,
    typer.Option(
        "--no-hang-stacks",
        help="Leave the debugger off: await-heavy pages run faster, hangs are told without a function.",
    ),
]
NoMarkers = Annotated[
    bool,
    typer.Option("--no-markers", help="Put no script into the page's own world: fewer causes can be proven."),
]
A11yOption = Annotated[
    A11y | None,
    typer.Option(
        "--a11y",
        help="idle has axe look for what keeps people out, while a page rests; it takes up to half a second of the page's "
        "main thread each time. [default: off]",
    ),
]
EvidenceOption = Annotated[
    Evidence | None,
    typer.Option(
        "--evidence",
        help="deep also proves causes by asynchronous stacks; await-heavy pages get many times slower. [default: tasks]",
    ),
]
Selector = Annotated[
    list[str] | None,
    typer.Option(
        "--selector", metavar="CSS", help="Tell when this selector stops matching one element; repeatable."
    ),
]
DetectorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        metavar="ID.OPTION=VALUE",
        help="Another threshold, or enabled=false; `firstcause detectors` lists them; repeatable.",
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
Host = Annotated[
    str | None,
    typer.Option(
        "--host", help="The address to serve on; beyond this machine it needs a token. [default: 127.0.0.1]"
    ),
]
Port = Annotated[
    int | None, typer.Option("--port", help="The port to serve on. [default: a free one, which is printed]")
]
ProjectName = Annotated[
    str | None,
    typer.Option("--project", metavar="NAME", help="What the events belong to. [default: default]"),
]
StateDir = Annotated[
    Path | None, typer.Option("--state-dir", metavar="DIR", help="Where the token and the journal are kept.")
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="sqlite|memory",
        help="Where events are kept; memory forgets them. [default: sqlite]",
    ),
]
Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Log what is done to stderr; twice for every detail."),
]


def settings_of(**flags: object) -> Settings:
    """The settings in effect, with the flags that were given; those are None, False or empty otherwise."""
    given = {name: value for name, value in flags.items() if value not in (None, False, [])}
    for name in ("hang_stacks", "markers"):
        if given.pop(f"no_{name}", False):
            given[name] = False
    if "selector" in given:
        given["selectors"] = given.pop("selector")
    if "detector" in given:
        given["detectors"] = thresholds_of(cast("list[str]", given.pop("detector")))
    return load(given).settings


def thresholds_of(texts: list[str]) -> Table:
    try:
        return merged(written(text) for text in texts)
    except ThresholdRefused as error:
        raise SettingRefused(f"flag --detector: {error}.", HINT_DETECTORS) from None


def browser_of(settings: Settings) -> str:
    """The browser that a file names; one that the variable names is looked for, and missed, by name."""
    return "" if os.environ.get(variable_of("browser")) else settings.browser


def capture_of(settings: Settings) -> CaptureOptions:
    return CaptureOptions(
        settings.level,
        settings.targets,
        settings.hang_stacks,
        settings.selectors,
        markers=settings.markers,
        a11y=settings.a11y == "idle",
        async_stacks=settings.evidence == "deep",
    )
