"""Many nodes changed in one task."""

from __future__ import annotations

from firstcause.correlator.detectors.mutation_storm import MutationStorm
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.page_script import MutationBatch

from ..flows import Story


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(MutationStorm,), thresholds={"mutation_storm": thresholds})).load()


def storms(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "mutation_storm"]


def test_as_many_as_are_allowed_are_none() -> None:
    assert storms(page().signal(MutationBatch(400, 350), element="#rows")) == []


def test_one_more_is_told_with_the_element_where_most_happened() -> None:
    [storm] = storms(page().signal(MutationBatch(401, 350), element="#rows"))
    assert storm.summary == "751 nodes were added or removed in one task, most of them in #rows"
    assert (storm.severity, storm.channel, storm.type) == ("medium", "performance", "performance")
    assert storm.context == {"element": "#rows", "added": 401, "removed": 350}


def test_very_many_are_worse() -> None:
    story = page().signal(MutationBatch(10_000, 0)).signal(MutationBatch(10_001, 0))
    assert [storm.severity for storm in storms(story)] == ["medium", "high"]


def test_what_repeats_is_told_at_each_power_of_ten() -> None:
    story = page(medium_nodes=200)
    for _ in range(12):
        story.signal(MutationBatch(201, 0), element="#rows")
    first, tenth = storms(story)
    assert (first.count, tenth.count) == (1, 10)
    assert tenth.context["repeats"] == first.id
    assert "(10 times)" in tenth.summary


def test_other_elements_and_other_pages_are_other_storms() -> None:
    story = page()
    for fields in (
        {"element": "#rows"},
        {"element": "#menu"},
        {"element": "#rows", "page": "p2", "session": "S2"},
    ):
        story.signal(MutationBatch(800, 0), **fields)
    assert [storm.count for storm in storms(story)] == [1, 1, 1]
    assert not any("repeats" in storm.context for storm in storms(story))


def test_what_the_user_did_is_its_cause() -> None:
    story = page()
    story.act("#all")
    story.signal(MutationBatch(5000, 0), element="#rows")
    assert story.link("5000 nodes", "click on #all") == ("input", 0.9)


def test_what_is_replayed_is_not_told() -> None:
    assert storms(page().signal(MutationBatch(5000, 0), replayed=True)) == []
