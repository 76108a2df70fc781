"""Another element under the name of the one that was meant."""

from __future__ import annotations

from firstcause.observer.fingerprint import Fingerprint

from .broken import RENAMED, matches, of_selectors, page

OTHER = Fingerprint(
    tag="a", role="link", name="Pay your bill", id="pay", found=True, unique=("role",), css="#pay"
)


def test_what_it_finds_now_is_told_with_what_it_was() -> None:
    [event] = of_selectors(page("selector_stale").signal(matches(1, "stale", candidates=(OTHER,))))
    assert event.summary == '#pay finds link "Pay your bill" now; it was button "Pay now"'
    assert (event.kind, event.severity) == ("selector_stale", "high")
    assert event.context["now"] == 'link "Pay your bill"'
    assert "suggestion" not in event.context


def test_where_the_one_that_was_meant_is_now_is_suggested() -> None:
    [event] = of_selectors(page("selector_stale").signal(matches(1, "stale", candidates=(OTHER, RENAMED))))
    assert event.context["suggestion"] == 'role=button[name="Pay now"]'


def test_one_that_is_still_the_same_is_not_told() -> None:
    story = page("selector_stale").signal(matches(1, "healthy")).signal(matches(0, "missing")).end()
    assert of_selectors(story) == []
