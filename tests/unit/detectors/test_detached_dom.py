"""Actions that leave nodes behind."""

from __future__ import annotations

from firstcause.correlator.detectors.detached_dom import DetachedDom
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.page_script import UserAction
from firstcause.observer.domains.performance import DetachedNodes

from ..flows import SITE, Story
from .long_frames import kinds


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(DetachedDom,), thresholds={"detached_dom": thresholds})).load()


def click(on: Story, *elements: str) -> Story:
    for element in elements:
        on.signal(UserAction("click"), element=element)
    return on


def sample(on: Story, trees: int, **fields: str) -> Story:
    return on.wait(30).signal(DetachedNodes(trees, ("section.details", "li")), **fields)


def leaking(on: Story, times: int, *elements: str, more: int = 1) -> Story:
    """Each time the elements are clicked there are more detached trees."""
    sample(on, 2)
    for number in range(1, times + 1):
        sample(click(on, *elements), 2 + number * more)
    return on


def test_a_tree_more_with_each_of_three_clicks_is_told() -> None:
    event = leaking(story(), 3, "#open").end().event("Nodes stay")
    assert (event.kind, event.channel, event.severity) == ("detached_dom", "anomalies", "medium")
    assert event.summary == (
        "Nodes stay in memory after click on #open: 3 detached trees more, such as section.details, after 3 times"
    )
    assert event.context == {
        "action": "click on #open",
        "times": 3,
        "trees": 3,
        "nodes": ["section.details", "li"],
    }


def test_two_clicks_are_too_few() -> None:
    assert kinds(leaking(story(), 2, "#open").end()) == []
    assert kinds(leaking(story(repeats=2), 2, "#open").end()) == ["detached_dom"]


def test_fewer_trees_than_clicks_are_no_leak() -> None:
    told = sample(story(), 0)
    for trees in (1, 2, 2, 2, 2):
        sample(click(told, "#open"), trees)
    assert kinds(told.end()) == []


def test_trees_that_came_at_once_are_no_leak() -> None:
    told = sample(click(sample(story(), 0), "#open", "#open", "#open"), 3)
    assert kinds(told.end()) == []
    assert kinds(sample(click(told, "#open"), 4).end()) == ["detached_dom"]


def test_opening_and_closing_are_both_named() -> None:
    event = leaking(story(), 3, "#open", "#close").end().event("Nodes stay")
    assert event.summary.startswith("Nodes stay in memory after click on #open and click on #close: 3")


def test_what_was_done_most_often_is_named() -> None:
    told = sample(story(), 0)
    for trees in (1, 2, 3):
        sample(click(told, "#open", *([] if trees > 1 else ["#menu"])), trees)
    assert told.end().event("Nodes stay").context["action"] == "click on #open"


def test_different_elements_are_different_actions() -> None:
    told = sample(story(), 0)
    for number in (1, 2, 3, 4):
        sample(click(told, f"#tab{number}"), number)
    assert kinds(told.end()) == []


def test_when_all_are_gone_it_begins_anew() -> None:
    told = sample(leaking(story(), 2, "#open"), 2)
    assert kinds(sample(click(told, "#open"), 3).end()) == []


def test_another_document_begins_anew() -> None:
    told = leaking(story(), 2, "#open").signal(Navigated(f"{SITE}/next"), loader_id="L2")
    sample(told, 2)
    assert kinds(sample(click(told, "#open"), 5).end()) == []


def test_pages_are_kept_apart() -> None:
    told = leaking(story(), 2, "#open")
    sample(click(told, "#open"), 5, session="S2", page="p2")
    assert kinds(told.end()) == []


def test_it_is_told_again_after_ten_times_as_many() -> None:
    told = leaking(story(), 40, "#open").end()
    first, again = [event for event in told.events if event.kind == "detached_dom"]
    assert (first.count, again.count, again.context["repeats"]) == (3, 30, first.id)
