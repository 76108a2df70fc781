"""An element that is there and can't be used, and the moments in which that is meant."""

from __future__ import annotations

from typing import Any

from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.page_script import SelectorMatches

from ..flows import SITE, Story
from .broken import matches, of_selectors, page


def covered(**more: Any) -> SelectorMatches:
    return matches(1, "blocked", **{"reason": "covered", "overlay": "#cookie-banner", "free": True} | more)


def told_at(story: Story, wait_s: float) -> list[str]:
    story.wait(wait_s)
    story.events += story.engine.advance(story.now_s)
    return [event.summary for event in of_selectors(story)]


def test_what_covers_it_is_named() -> None:
    [event] = of_selectors(page("selector_blocked").signal(covered()))
    assert event.summary == "#pay can't be used: #cookie-banner covers it"
    assert (event.kind, event.severity) == ("selector_blocked", "high")
    assert event.context == {
        "selector": "#pay",
        "was": 'button "Pay now"',
        "reason": "covered",
        "overlay": "#cookie-banner",
    }


def test_out_of_reach_is_told_at_once() -> None:
    [event] = of_selectors(page("selector_blocked").signal(covered(reason="outside", overlay="")))
    assert event.summary == "#pay can't be used: it can't be scrolled into sight"


def test_what_is_disabled_may_be_so_for_five_seconds() -> None:
    story = page("selector_blocked").signal(covered(reason="disabled", overlay=""))
    assert told_at(story, 4.49) == []
    assert told_at(story, 0.02) == ["#pay can't be used: it is disabled"]
    assert len(told_at(story, 60)) == 1


def test_so_may_what_was_covered_from_the_beginning() -> None:
    story = page("selector_blocked").signal(covered(free=False))
    assert told_at(story, 4.49) == []
    assert told_at(story, 0.02) == ["#pay can't be used: #cookie-banner covers it"]


def test_what_is_free_again_in_time_is_not_told() -> None:
    story = page("selector_blocked").signal(covered(reason="disabled")).wait(1).signal(matches(1, "healthy"))
    assert told_at(story, 10) == []


def test_another_selector_or_another_page_frees_nothing() -> None:
    story = page("selector_blocked").signal(covered(free=False))
    story.signal(matches(1, "healthy", "#other")).signal(matches(1, "healthy"), page="p2")
    story.signal(TargetClosed("page"), page="p2")
    assert len(told_at(story, 5)) == 1


def test_a_page_that_goes_takes_with_it_what_waits() -> None:
    for gone in (Navigated(SITE + "/next"), TargetClosed("page")):
        story = page("selector_blocked").signal(covered(free=False)).signal(gone)
        assert told_at(story, 10) == []


def test_both_times_can_be_chosen() -> None:
    story = page("selector_blocked", after_ms=1_500).signal(covered())
    assert told_at(story, 0.99) == []
    assert len(told_at(story, 0.02)) == 1
    eager = page("selector_blocked", patient_after_ms=0).signal(covered(reason="disabled"))
    assert len(of_selectors(eager)) == 1
