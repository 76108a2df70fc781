"""Judges what is told about causes: the recorded stories, what their links should be, and how a naive observer would link them."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from pydantic import JsonValue

from firstcause.api.stories import Expected, Matcher, Story, read_story
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Cause, Event
from firstcause.observer.options import CaptureOptions
from firstcause.observer.recorded import decode_signal, encode_signal
from firstcause.observer.signal import Signal

ROOT = Path(__file__).parent.parent
STORIES = ROOT / "e2e_fixtures"
RECORDINGS = ROOT / "tests" / "recorded" / "links"
MODES = {
    "tasks": CaptureOptions(),
    "plain": CaptureOptions(markers=False),
    "deep": CaptureOptions(async_stacks=True),
}
CLAIMED, SURE = 0.5, 0.8
NAIVE_WINDOW_S = 1.0


class Published(msgspec.Struct, frozen=True):
    """An event that did not come from the browser, and when it was joined."""

    monotonic_s: float
    published: str

    @property
    def event(self) -> Event:
        return Event.model_validate_json(self.published)


Recorded = Signal | Published
Verdict = Literal["right", "wrong", "missing"]


@dataclass(frozen=True, slots=True)
class Link:
    """What was told about the cause of one expected event; `expected` is False where no cause may be claimed."""

    story: str
    concurrent: bool
    soft: bool
    expected: bool
    verdict: Verdict
    confidence: float
    says: str


class Told(NamedTuple):
    """An event, and the place of its cause among all events; None if there is none."""

    event: Event
    place: int | None
    cause: Cause | None


def causal_stories() -> list[str]:
    """The stories that a visitor plays; shop and healthy play themselves."""
    return [
        file.parent.name
        for file in sorted(STORIES.glob("*/story.json"))
        if file.parent.name not in {"shop", "healthy"}
    ]


# --- recordings --------------------------------------------------------------------------------------------------------


def recording_of(story: str, mode: str) -> Path:
    return RECORDINGS / f"{story}.{mode}.ndjson.gz"


def written(record: Iterable[Recorded]) -> bytes:
    lines = [
        encode_signal(item) if isinstance(item, Signal) else msgspec.json.encode(item) for item in record
    ]
    return b"".join(line + b"\n" for line in lines)


def read_recording(path: Path) -> Iterator[Recorded]:
    for line in gzip.decompress(path.read_bytes()).splitlines():
        yield msgspec.json.decode(line, type=Published) if b'"published":' in line else decode_signal(line)


def replayed(record: Iterable[Recorded]) -> list[Event]:
    """The events of a recording; ids are counted, so that two replays tell the same."""
    counted = itertools.count(1)
    engine = Engine(new_id=lambda: f"{next(counted):08d}")
    events: list[Event] = []
    for item in record:
        if isinstance(item, Signal):
            events += engine.feed(item)
        else:
            events += [*engine.advance(item.monotonic_s), *engine.join(item.event)]
    return events + engine.finish()


# --- judging -----------------------------------------------------------------------------------------------------------


def is_meant(matcher: Matcher, event: Event) -> bool:
    """Whether the event is what the matcher says; a place counts when the event tells one."""
    file, _, function = (matcher.at or "").partition(" … ")
    place = str(event.context.get("at") or "")
    text = f"{event.summary} {event.context}"
    return (
        event.kind == matcher.kind
        and (matcher.url or "") in text
        and (matcher.text or "") in text
        and (not place or (file in place and function in place))
    )


def assigned(story: Story, events: Sequence[Event]) -> list[int | None]:
    """For each expected event the place of the first one that is meant and was not taken; None if it is missing."""
    taken: set[int] = set()
    places: list[int | None] = []
    for expected in story.expected:
        place = next(
            (i for i, event in enumerate(events) if i not in taken and is_meant(expected, event)), None
        )
        if place is not None:
            taken.add(place)
        places.append(place)
    return places


def missing(story: Story, events: Sequence[Event]) -> list[Expected]:
    """The expected events that were not told."""
    pairs = zip(story.expected, assigned(story, events), strict=True)
    return [expected for expected, place in pairs if place is None]


def linked(events: Sequence[Event]) -> list[Told]:
    """Every event with the cause that it names, or that a later notice names for it."""
    place_of = {event.id: i for i, event in enumerate(events)}
    causes = {event.id: event.cause for event in events}
    causes |= {str(late["event"]): _late_cause(late) for late in notices(events)}
    return [
        Told(event, place_of.get(cause.id), cause) if cause else Told(event, None, None)
        for event, cause in ((event, causes[event.id]) for event in events)
    ]


def notices(events: Iterable[Event]) -> list[dict[str, JsonValue]]:
    """What was told of causes that were found late."""
    return [event.context for event in events if event.kind == "chain_merged"]


def _late_cause(late: dict[str, JsonValue]) -> Cause:
    return Cause(id=str(late["cause"]), via=str(late["via"]), confidence=float(str(late["confidence"])))


def naively_linked(events: Sequence[Event]) -> list[Told]:
    """Failures by the last failed request on the page within a second; they and requests by the last action, else by the page."""

    def last(before: int, kinds: set[str], within_s: float | None) -> int | None:
        for i in range(before - 1, -1, -1):
            near = within_s is None or at_s(events[before]) - at_s(events[i]) <= within_s
            if events[i].page == events[before].page and events[i].kind in kinds and near:
                return i
        return None

    failures = {event.kind for event in events if event.channel == "network_errors"}
    told: list[Told] = []
    for i, event in enumerate(events):
        of_request = event.channel == "network_errors" or event.kind in {"request", "navigation"}
        place = None if of_request else last(i, failures, NAIVE_WINDOW_S)
        if place is None:
            place = last(i, {"user_action"}, NAIVE_WINDOW_S)
        if place is None:
            place = last(i, {"navigation"}, None)
        cause = None if place is None else Cause(id=events[place].id, via="order", confidence=1.0)
        told.append(Told(event, place, cause))
    return told


def at_s(event: Event) -> float:
    return datetime.fromisoformat(event.timestamp).timestamp()


def judged(name: str, story: Story, told: Sequence[Told], least: float = CLAIMED) -> list[Link]:
    """One verdict for every expected event whose cause the story knows."""
    events = [one.event for one in told]
    return [
        _judge(name, story, expected, None if place is None else told[place], events, least)
        for expected, place in zip(story.expected, assigned(story, events), strict=True)
        if "cause" in expected.model_fields_set
    ]


def _judge(
    name: str, story: Story, expected: Expected, one: Told | None, events: Sequence[Event], least: float
) -> Link:
    right = acceptable(expected)
    claimed = one is not None and one.place is not None and confidence(one) >= least
    cause = events[one.place] if claimed and one and one.place is not None else None
    if cause is None:
        verdict: Verdict = "missing" if right else "right"
    else:
        verdict = "right" if any(is_meant(matcher, cause) for matcher in right) else "wrong"
    what = (
        one.event.summary if one else f"{expected.kind} {expected.url or expected.text}, which was not told"
    )
    return Link(
        story=name,
        concurrent=story.concurrent,
        soft=expected.soft,
        expected=bool(right),
        verdict=verdict,
        confidence=confidence(one),
        says=f"{name}: {what} ← {cause.summary if cause else 'nothing'}{via(one)}",
    )


def acceptable(expected: Expected) -> list[Matcher]:
    if expected.cause is None:
        return []
    return expected.cause if isinstance(expected.cause, list) else [expected.cause]


def confidence(one: Told | None) -> float:
    return one.cause.confidence if one and one.cause else 0.0


def via(one: Told | None) -> str:
    return f" (via {one.cause.via}, {one.cause.confidence:.2f})" if one and one.cause else ""


class Score(NamedTuple):
    """Of all links that should be found: how many of the claimed ones are right, and how many were claimed and right."""

    precision: float
    recall: float
    wrong: int
    links: int


def score(links: Iterable[Link], least: float = CLAIMED) -> Score:
    links = list(links)
    right = sum(link.expected and link.verdict == "right" and link.confidence >= least for link in links)
    wrong = sum(link.verdict == "wrong" and link.confidence >= least for link in links)
    wanted = sum(link.expected for link in links)
    return Score(round(right / max(1, right + wrong), 4), round(right / max(1, wanted), 4), wrong, wanted)


def links_of(mode: str, *, naive: bool = False) -> list[Link]:
    """All recorded stories of a mode, replayed and judged."""
    links: list[Link] = []
    for name in causal_stories():
        events = replayed(read_recording(recording_of(name, mode)))
        told = naively_linked(events) if naive else linked(events)
        links += judged(name, read_story(STORIES / name), told)
    return links


# --- chains ------------------------------------------------------------------------------------------------------------


def impure_chains(story: Story, events: Sequence[Event]) -> list[str]:
    """Expected events that share a chain though, by the story, no first cause is common to them."""
    places = [place for place in assigned(story, events) if place is not None]
    merged = {str(late["from"]): str(late["into"]) for late in notices(events)}
    chains: dict[str, list[int]] = {}
    for place in places:
        chains.setdefault(_chain_of(events[place], merged), []).append(place)
    roots = {place: roots_of(place, story, events, frozenset()) for place in places}
    return [
        f"{events[a].summary} and {events[b].summary}"
        for chain in chains.values()
        for a, b in itertools.combinations(chain, 2)
        if not roots[a] & roots[b]
    ]


def _chain_of(event: Event, merged: dict[str, str]) -> str:
    chain = event.correlation_id or event.id
    while chain in merged:
        chain = merged[chain]
    return chain


def roots_of(place: int, story: Story, events: Sequence[Event], seen: frozenset[int]) -> set[int]:
    """The first causes of an event as the story has them; of one whose cause the story doesn't tell, the event itself."""
    by_place = dict(zip(assigned(story, events), story.expected, strict=True))
    expected = by_place.get(place)
    causes = {
        i
        for matcher in (acceptable(expected) if expected else [])
        for i, event in enumerate(events)
        if i not in seen and i != place and is_meant(matcher, event)
    }
    if not causes:
        return {place}
    return set().union(*(roots_of(i, story, events, seen | {place}) for i in causes))
