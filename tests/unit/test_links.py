"""Recorded stories: the causes that are told for them are right, and their chains hold only what belongs together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from firstcause.api.stories import read_story
from firstcause.correlator.event import Event

from ..links import (
    MODES,
    STORIES,
    SURE,
    causal_stories,
    impure_chains,
    judged,
    linked,
    missing,
    naively_linked,
    read_recording,
    recording_of,
    replayed,
    score,
)

NAMES = causal_stories()
ALL = [(name, mode) for name in NAMES for mode in MODES]


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, str], Sequence[Event]]:
    return {(name, mode): replayed(read_recording(recording_of(name, mode))) for name, mode in ALL}


Events = dict[tuple[str, str], Sequence[Event]]


def links(told: Events, mode: str):
    return [
        link for name in NAMES for link in judged(name, read_story(STORIES / name), linked(told[name, mode]))
    ]


def test_there_are_stories_enough() -> None:
    assert len(NAMES) >= 45


@pytest.mark.parametrize("mode", MODES)
def test_every_recording_tells_what_its_story_expects(told: Events, mode: str) -> None:
    lacking = {name: missing(read_story(STORIES / name), told[name, mode]) for name in NAMES}
    assert {name: those for name, those in lacking.items() if those} == {}


def test_nearly_all_links_are_told_and_right(told: Events) -> None:
    figures = score(links(told, "tasks"))
    assert figures.precision >= 0.98
    assert figures.recall >= 0.97


def test_no_link_that_is_sure_is_wrong(told: Events) -> None:
    sure = [link for link in links(told, "tasks") if link.confidence >= SURE]
    assert [link.says for link in sure if link.verdict == "wrong"] == []


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_beats_the_last_failure_within_a_second(told: Events, mode: str) -> None:
    naive = [
        link
        for name in NAMES
        for link in judged(name, read_story(STORIES / name), naively_linked(told[name, mode]))
    ]
    assert score(links(told, mode)).precision > score(naive).precision


@pytest.mark.parametrize("name", NAMES)
def test_a_chain_holds_only_what_has_a_common_first_cause(told: Events, name: str) -> None:
    assert impure_chains(read_story(STORIES / name), told[name, "tasks"]) == []


def test_a_recording_tells_the_same_each_time() -> None:
    record = list(read_recording(recording_of("save-beside-polling", "tasks")))
    assert replayed(record) == replayed(record)
