"""Where to look next, by the kind of what failed: a place that a person or an agent can open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from .event import Event

MAX_PLACES: Final = 2
Place = Callable[[Event], str]


def places(failed: Iterable[Event]) -> tuple[str, ...]:
    """At most two, those of the first failures first."""
    found = dict.fromkeys(place for event in failed if (place := place_of(event)))
    return tuple(found)[:MAX_PLACES]


def place_of(event: Event) -> str:
    return PLACES.get(event.kind, code)(event)


def code(event: Event) -> str:
    at = _said(event, "at")
    return f"the code at {at}" if at else ""


def busy(event: Event) -> str:
    at = _said(event, "at")
    return f"{at}, which keeps the page busy" if at else ""


def server(event: Event) -> str:
    trace = _said(event, "trace_id")
    by = f"trace {trace}" if trace else _request(event)
    return f"the server's log{f' for {by}' if by else ''} at {event.timestamp}"


def reachable(event: Event) -> str:
    error = _said(event, "error")
    return f"whether the server of {_said(event, 'url')} can be reached{f' ({error})' if error else ''}"


def cors(event: Event) -> str:
    return f"the Access-Control headers of the answer to {_request(event)}"


def policy(event: Event) -> str:
    return f"the page's Content-Security-Policy, which does not allow {_said(event, 'url') or 'it'}"


def file(event: Event) -> str:
    return f"whether {_said(event, 'url')} is deployed where the page looks for it"


def cookie(event: Event) -> str:
    return f"the Set-Cookie header of {_said(event, 'url')}"


def selector(event: Event) -> str:
    return f"what the page has in place of {_said(event, 'selector') or 'the element'}"


def memory(event: Event) -> str:
    return f"the memory of {event.page or 'the page'} up to {event.timestamp}"


PLACES: Final[Mapping[str, Place]] = {
    "chunk_load_failed": file,
    "cookie_rejected": cookie,
    "cors_blocked": cors,
    "cpu_pegged": busy,
    "detached_dom": memory,
    "csp_violation": policy,
    "http_error": server,
    "layout_thrash": busy,
    "long_task": busy,
    "memory_growth": memory,
    "mutation_storm": busy,
    "page_crash": memory,
    "page_hang": busy,
    "request_failed": reachable,
    "request_stalled": server,
    "request_timeout": server,
    "resource_failed": file,
    "selector_ambiguous": selector,
    "selector_blocked": selector,
    "selector_missing": selector,
    "selector_stale": selector,
    "slow_interaction": busy,
    "slow_response": server,
}


def _said(event: Event, name: str) -> str:
    value = event.context.get(name)
    return value if isinstance(value, str) else ""


def _request(event: Event) -> str:
    return f"{_said(event, 'method')} {_said(event, 'url')}".strip()
