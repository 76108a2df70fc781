"""A watched selector that finds several elements: which of them was meant."""

from __future__ import annotations

import msgspec

from firstcause.observer.domains.page_script import SelectorMatches

from .broken import PAY, matches, of_selectors, page

MEANT = msgspec.structs.replace(PAY, found=True, unique=("test",), css="#pay")
COPY = msgspec.structs.replace(
    PAY, found=True, test="", name="Pay", text="Pay", path=("footer",), around="", rect=(10, 1400, 60, 20)
)


def test_the_one_that_was_meant_is_suggested() -> None:
    [event] = of_selectors(
        page("selector_ambiguous").signal(matches(2, "ambiguous", candidates=(COPY, MEANT)))
    )
    assert event.summary == '#pay matches 2 elements; [data-testid="pay"] is the one that was meant'
    assert (event.severity, event.context["matches"]) == ("high", 2)
    assert event.context["suggestion"] == '[data-testid="pay"]'


def test_two_that_are_found_must_differ_more() -> None:
    almost = msgspec.structs.replace(
        MEANT, rect=(10, 10, 120, 32), path=("div",), unique=(), css="div > button"
    )
    told = matches(2, "ambiguous", candidates=(MEANT, almost))
    [event] = of_selectors(page("selector_ambiguous").signal(told))
    assert event.context["ambiguous"] == ['[data-testid="pay"]', "div > button"]
    [sure] = of_selectors(page("selector_ambiguous", min_margin=0.01).signal(told))
    assert sure.context["suggestion"] == '[data-testid="pay"]'


def test_several_from_the_beginning_are_told_without_a_suggestion() -> None:
    [event] = of_selectors(
        page("selector_ambiguous").signal(SelectorMatches(".buy", 3, 0, state="ambiguous"))
    )
    assert event.summary == ".buy matches 3 elements"
    assert event.context == {"selector": ".buy", "matches": 3}


def test_one_is_not_several() -> None:
    story = page("selector_ambiguous").signal(matches(1, "healthy")).signal(matches(0, "missing")).end()
    assert of_selectors(story) == []


def test_recordings_without_states_are_told_by_their_counts() -> None:
    [event] = of_selectors(page("selector_ambiguous").signal(SelectorMatches(".row", 2, 1)))
    assert event.context["matches"] == 2
