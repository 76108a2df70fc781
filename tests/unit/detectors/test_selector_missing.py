"""A watched selector that finds nothing any more: what it was, and what is like it."""

from __future__ import annotations

import msgspec
import pytest

from firstcause.observer.domains.page_script import SelectorMatches
from firstcause.observer.domains.tasks import ElementRemoved

from .broken import CANCEL, PAY, RENAMED, matches, of_selectors, page


def test_what_took_its_place_is_suggested() -> None:
    story = page("selector_missing").signal(matches(0, "missing", candidates=(CANCEL, RENAMED)))
    [event] = of_selectors(story)
    assert event.summary == (
        '#pay no longer matches anything; it was button "Pay now"; role=button[name="Pay now"] is like it'
    )
    assert (event.kind, event.severity, event.type) == ("selector_missing", "high", "selector_broken")
    score = event.context["score"]
    assert isinstance(score, float)
    assert 0.45 < score < 1
    assert event.context == {
        "selector": "#pay",
        "was": 'button "Pay now"',
        "suggestion": 'role=button[name="Pay now"]',
        "score": score,
    }
    assert len(event.line().encode()) < 1_000


def test_of_two_that_are_as_likely_both_are_told_and_none_is_suggested() -> None:
    twin = msgspec.structs.replace(RENAMED, id="second", unique=("id",), css="#second")
    story = page("selector_missing").signal(matches(0, "missing", candidates=(RENAMED, twin)))
    [event] = of_selectors(story)
    assert event.context["ambiguous"] == ['role=button[name="Pay now"]', "#second"]
    assert "suggestion" not in event.context


@pytest.mark.parametrize("candidates", [(), (CANCEL,)])
def test_what_is_like_nothing_gets_no_suggestion(candidates: tuple[object, ...]) -> None:
    stranger = tuple(msgspec.structs.replace(CANCEL, known=True) for _ in candidates)
    [event] = of_selectors(page("selector_missing").signal(matches(0, "missing", candidates=stranger)))
    assert event.context == {"selector": "#pay", "was": 'button "Pay now"'}


def test_how_like_and_how_clear_can_be_chosen() -> None:
    told = matches(0, "missing", candidates=(CANCEL, RENAMED))
    [strict] = of_selectors(page("selector_missing", min_score=0.99).signal(told))
    assert "suggestion" not in strict.context
    [clear] = of_selectors(page("selector_missing", min_margin=0.9).signal(told))
    assert "ambiguous" in clear.context


def test_in_another_view_it_matters_less() -> None:
    [event] = of_selectors(page("selector_missing").signal(matches(0, "missing", moved=True)))
    assert event.severity == "low"


def test_what_was_never_there_is_not_missing() -> None:
    story = page("selector_missing")
    story.signal(SelectorMatches("#pay", 0, state="missing"))
    story.signal(SelectorMatches("#pay", 0, 0, state="missing"))
    story.signal(matches(1, "healthy")).signal(matches(2, "ambiguous")).end()
    assert of_selectors(story) == []


def test_recordings_without_states_are_told_by_their_counts() -> None:
    [event] = of_selectors(page("selector_missing").signal(SelectorMatches(".row", 0, 3)))
    assert event.summary == ".row no longer matches anything; it was 3 elements"


def test_the_part_of_the_page_that_went_with_it_is_the_cause() -> None:
    story = page("selector_missing")
    request, flow = story.ask("/api/cart", story.act("#update"))
    story.acted().answer(request, "/api/cart", 503).signal(ElementRemoved(flow, "#checkout"))
    story.wait(0.15).signal(matches(0, "missing", removed="#checkout")).end()
    assert story.link("#pay no longer matches", "#checkout was removed") == ("removed", 0.9)
    assert story.link("#checkout was removed", "/api/cart answered 503") == ("task", 0.95)


def test_the_longest_texts_make_no_large_event() -> None:
    name, long = "Öffnungszeiten " * 5, "div:nth-of-type(12) > " * 4 + "button"
    was = msgspec.structs.replace(PAY, name=name, text=name)
    now = msgspec.structs.replace(was, id="other", unique=("role",), css=long)
    twin = msgspec.structs.replace(now, unique=())
    for candidates in ((now,), (now, twin)):
        told = matches(0, "missing", f"body > {long} > {long}", was=was, candidates=candidates)
        [event] = of_selectors(page("selector_missing").signal(told))
        assert len(event.line().encode()) < 1_000


def test_half_a_selector_is_not_suggested() -> None:
    now = msgspec.structs.replace(PAY, id="", test="", css="div > " * 40 + "button")
    [event] = of_selectors(page("selector_missing").signal(matches(0, "missing", candidates=(now,))))
    assert "suggestion" not in event.context
    assert "score" not in event.context


def test_a_secret_in_a_name_is_not_told() -> None:
    secret = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.Zq7Xv93kLmW2pR8tY5"
    was = msgspec.structs.replace(PAY, name=secret, text=secret)
    now = msgspec.structs.replace(was, id="other", unique=("role",), css="#other")
    [event] = of_selectors(page("selector_missing").signal(matches(0, "missing", was=was, candidates=(now,))))
    assert "Zq7Xv93kLmW2pR8tY5" not in event.line()
