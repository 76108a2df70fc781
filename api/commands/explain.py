"""firstcause explain: what a recording says about the first cause of one failure, or about all of its chains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import takewhile
from operator import eq
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ...correlator.event import SEVERITIES, Event
from ...correlator.explain import explain as explained
from ...correlator.linked import Linked, failures, worst
from ...observer.errors import BadRecording
from .. import logs
from ..console import AsJson, new_console
from ..errors import NotFound
from ..playback import WRITERS, told_by
from ..terminal import counted, printable
from .options import Verbose
from .replay import noted

SHOWN_IDS = 3
LIKE_CHARS = 8


def explain(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A recording of events or of signals, packed or not.", show_default=False
        ),
    ],
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="An event's id, or how it begins. [default: the worst failure of all]"
        ),
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="List all first failures with what came of them, the worst first.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = 0,
) -> None:
    """Tell in sentences what the first cause of a failure was, what proves it, what is not proven and where to look next.

    Example:

        firstcause explain events.ndjson

        firstcause explain events.ndjson --all

        firstcause explain events.ndjson 019aa4e2-5c1d-7a70
    """
    logs.configure(verbose)
    told = told_by(file)
    linked = Linked(told.events)
    if not linked.events:
        raise BadRecording(f"{file} holds no events.", WRITERS)
    if every:
        listed(linked, as_json=as_json)
    elif not event and not failures(linked.events.values()):
        said(f"Nothing went wrong in {counted(len(linked.events), 'event')}.", {"steps": []}, as_json=as_json)
    else:
        explanation = explained(linked, chosen(linked, event, file) if event else "", told.weak)
        said(explanation.text, explanation.json(), as_json=as_json)
    noted(list(told.notes))


def chosen(linked: Linked, given: str, file: Path) -> str:
    """The id of the event that is meant. What only began a chain stands for the worst that came of it. Raises NotFound."""
    named = linked.named(given)
    found = [named.id] if named else [each for each in linked.events if each.startswith(given)]
    if len(found) > 1:
        raise NotFound(f"{given} is how {len(found)} events begin: {shown(found)}.", "Give more of the id.")
    if not found:
        near = nearest(linked.events, given)
        raise NotFound(
            f"There is no event {given[:64]} among the {counted(len(linked.events), 'event')} of {file}.",
            f"Did you mean {shown(near)}?" if near else f"`firstcause explain {file} --all` lists them.",
        )
    event = linked.events[found[0]]
    began = event.severity == "info" and event.cause is None
    return worst(linked.chain_of(event)).id if began else event.id


def nearest(ids: Iterable[str], given: str) -> list[str]:
    """Those that begin in the same way for a while."""

    def alike(event_id: str) -> int:
        return sum(1 for _ in takewhile(bool, map(eq, event_id, given)))

    return [each for each in nlargest(SHOWN_IDS, ids, alike) if alike(each) >= LIKE_CHARS]


def shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN_IDS]) + (" …" if len(ids) > SHOWN_IDS else "")


def said(text: str, fields: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**fields, "text": text}))
    else:
        shown_text(text)


def shown_text(text: str) -> None:
    """Whatever the terminal can show of it, and nothing that commands it."""
    console = new_console()
    for line in text.split("\n"):
        console.print(Text(printable(line)), soft_wrap=True)


def listed(linked: Linked, *, as_json: bool) -> None:
    came_of = linked.by_first_failure()
    # Reversed, sorting keeps the order of equals: the latest come first.
    for group in sorted(came_of, key=lambda group: -SEVERITIES.index(worst(group).severity))[::-1]:
        line, fields = summary_of(linked, group)
        if as_json:
            print(json.dumps(fields))
        else:
            shown_text(line)
    if not came_of and not as_json:
        shown_text(f"Nothing went wrong in {counted(len(linked.events), 'event')}.")


def summary_of(linked: Linked, group: Sequence[Event]) -> tuple[str, dict[str, Any]]:
    first, event = group[0], worst(group)
    said = f"{event.kind}: {event.summary}"
    came_of = f" ← {first.kind}: {first.summary}" if first.id != event.id else ""
    return f"{event.severity:<8} {event.id} {counted(len(group), 'failure')}  {said}{came_of}", {
        "correlation_id": linked.chain_id(event),
        "severity": event.severity,
        "failures": len(group),
        "event": event.id,
        "kind": event.kind,
        "summary": event.summary,
        "first_failure": first.id,
    }
