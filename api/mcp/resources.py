"""Resources: the same views as `observe` has, for clients that read and watch addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ...correlator.event import Channel
from ..wire import CHANNELS, DIAGNOSTICS

SCHEME: Final = "firstcause://"
EVENTS: Final = f"{SCHEME}events"
CHAINS: Final = f"{SCHEME}chains"
RUNS: Final = f"{SCHEME}runs"
LISTED: Final = {
    EVENTS: ("events", "The latest events"),
    CHAINS: ("chains", "What went wrong so far, a line a chain"),
    RUNS: ("runs", "Steps of tests and agents"),
}
TEMPLATES: Final = {
    f"{EVENTS}/{{channel}}": ("events of a channel", f"One of {', '.join(CHANNELS)}"),
    f"{CHAINS}/{{id}}": ("a chain", "Its explanation, by the id of an event or a chain"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """The call that gives a resource, and the channels whose news change it."""

    tool: str
    arguments: dict[str, Any]
    channels: tuple[Channel, ...] = DIAGNOSTICS


def source_of(uri: str) -> Source | None:
    """None for an address that is none of ours."""
    if uri == EVENTS:
        return Source("observe", {"what": "events"})
    if uri == CHAINS:
        return Source("observe", {"what": "chains"})
    if uri == RUNS:
        return Source("observe", {"what": "events", "channels": ["runs"]}, ("runs",))
    name = uri.removeprefix(f"{EVENTS}/")
    for channel in CHANNELS:
        if channel == name:
            return Source("observe", {"what": "events", "channels": [channel]}, (channel,))
    chain = uri.removeprefix(f"{CHAINS}/")
    return Source("explain", {"id": chain}) if chain != uri and chain else None


def changed_by(uris: Iterable[str], channels: Iterable[Channel]) -> list[str]:
    """Which of these addresses give something else after news in these channels."""
    fresh = set(channels)
    sources = ((uri, source_of(uri)) for uri in uris)
    return [uri for uri, source in sources if source and not fresh.isdisjoint(source.channels)]


def wanted_by(uris: Iterable[str]) -> list[Channel]:
    """The channels that somebody names by an address of its own, whether or not they are streamed."""
    sources = [source for uri in uris if uri not in (EVENTS, CHAINS) and (source := source_of(uri))]
    return [channel for source in sources for channel in source.channels]
