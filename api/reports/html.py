"""A recording as one page that needs no network: what happened is data in it, and what pages said is never code or HTML."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from math import isfinite
from typing import Any, Final

from ...correlator.event import Event
from ...correlator.explain import reason
from ...correlator.explanation import Explanation, Maybe
from ...correlator.linked import Linked
from .content import Case, Content, Failure

SCRIPTS: Final = (
    "base.js",
    "overview.js",
    "details.js",
    "timeline.js",
    "graph.js",
    "story.js",
    "table.js",
    "list.js",
    "main.js",
)
MAX_NODES: Final = 250
LEFT_OUT: Final = {"seq", "cause", "timestamp", "project", "correlation_id"}
# A text that ends the script it is in, or begins a comment there, would do it by one of these.
ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
UNSAFE: Final = str.maketrans(ESCAPES)
PLACE: Final = re.compile(r"\{\{([A-Z]+)\}\}")

Places = Mapping[str, int]


def render(content: Content) -> str:
    style, script = _part("page.css"), "\n".join(map(_part, SCRIPTS))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    fillings = {
        "POLICY": escape(policy),
        "TITLE": escape(content.title),
        "STYLE": style,
        "SCRIPT": script,
        "DATA": embedded(data_of(content)),
    }
    # In one go: what fills a place is never taken for a place to fill.
    return PLACE.sub(lambda found: fillings[found[1]], _part("page.html"))


def embedded(data: Any) -> str:
    """JSON that stays within the script element that holds it, whatever texts are in it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE)


def data_of(content: Content) -> dict[str, Any]:
    events = content.events
    places = {event.id: place for place, event in enumerate(events)}
    failures = [_failure(failure, content.linked, places) for failure in content.failures]
    return {
        "title": content.title,
        "headline": content.headline,
        "notes": [*content.notes],
        "events": [*_events(events, places)],
        "stories": [*(_case(case, content.linked, places) for case in content.tests), *failures],
        "unexplained": content.unexplained,
    }


def _events(events: Sequence[Event], places: Places) -> Iterable[dict[str, Any]]:
    time_ms = 0.0
    for event in events:
        time_ms = _epoch_ms(event.timestamp, time_ms)
        # By way of JSON, which a recording may read NaN into, and no browser reads it out of.
        fields: dict[str, Any] = json.loads(event.model_dump_json(exclude_defaults=True, exclude=LEFT_OUT))
        fields["t"] = time_ms
        if event.correlation_id:
            fields["chain"] = event.correlation_id
        if event.cause is not None:
            fields["because"] = reason(event.cause.via)
            fields["confidence"] = event.cause.confidence if isfinite(event.cause.confidence) else 0.0
            fields["cause"] = places.get(event.cause.id, -1)
        yield fields


def _epoch_ms(timestamp: str, before_ms: float) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp() * 1000
    except (ValueError, OverflowError, OSError):  # a file may say anything
        return before_ms


def _case(case: Case, linked: Linked, places: Places) -> dict[str, Any]:
    told = {
        "test": case.name,
        "outcome": case.outcome,
        "severity": case.severity if case.outcome == "failed" else "info",
        "duration_ms": round(case.run.duration_s * 1000),
        "first": places[case.first.id],
        "event": places[case.event.id],
    }
    if case.explanation is None:
        own = [places[event.id] for event in case.run.events]
        return {**told, "steps": own[:MAX_NODES], "nodes": own[:MAX_NODES]}
    return {**told, **_explained(case.explanation, case.explanation.also, linked, places)}


def _failure(failure: Failure, linked: Linked, places: Places) -> dict[str, Any]:
    told = {
        "severity": failure.severity,
        "times": failure.times,
        "first": places[failure.first.id],
        "event": places[failure.event.id],
    }
    others = [*failure.events, *failure.explanation.also]
    return {**told, **_explained(failure.explanation, others, linked, places)}


def _explained(
    explanation: Explanation, others: Sequence[Event], linked: Linked, places: Places
) -> dict[str, Any]:
    steps = [places[step.event.id] for step in explanation.steps]
    nodes = dict.fromkeys(steps)
    for event in others:
        if len(nodes) >= MAX_NODES:
            break
        nodes.update(dict.fromkeys(places[each.id] for each in linked.path_to(event)))
    return {
        "steps": steps,
        "nodes": [*nodes],
        "left_out": len({places[event.id] for event in others} - {*nodes}),
        "beside": explanation.beside,
        "not_proven": [*explanation.not_proven],
        "look_at": [*explanation.look_at],
        "maybe": [_maybe(maybe, places) for maybe in explanation.maybe],
        "text": explanation.text,
    }


def _maybe(maybe: Maybe, places: Places) -> dict[str, Any]:
    return {
        "event": places.get(maybe.event_id, -1),
        "summary": maybe.summary,
        "because": maybe.because,
        "confidence": maybe.confidence,
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _part(name: str) -> str:
    return files("firstcause.api.reports").joinpath("page", name).read_text(encoding="utf-8")
