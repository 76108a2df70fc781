"""Which element is most like one that was, how sure that has to be, and how to ask for it."""

from __future__ import annotations

import msgspec
import pytest

from firstcause.correlator.selectors.parts import path, spaced, text
from firstcause.correlator.selectors.ranking import (
    MIN_MARGIN,
    MIN_SCORE,
    ranked,
    score,
    suggest,
)
from firstcause.correlator.selectors.wording import called, selector_of
from firstcause.observer.fingerprint import NOTHING, Fingerprint

from .detectors.broken import CANCEL, PAY

changed = msgspec.structs.replace


def test_the_same_element_is_known_whatever_it_is_called() -> None:
    renamed = Fingerprint(tag="a", name="Weiter", same=True)
    assert score(PAY, renamed) == 1.0
    assert score(PAY, PAY) == 0.99
    found = suggest(PAY, [PAY, renamed])
    assert (found.best, found.confident) == ((1.0, renamed), True)


def test_nothing_to_choose_from_gives_nothing() -> None:
    found = suggest(PAY, [])
    assert (found.best, found.confident, found.ambiguous, found.margin) == (None, False, False, 0.0)


def test_one_alone_is_clear_by_its_whole_score() -> None:
    found = suggest(PAY, [changed(PAY, id="order")])
    assert found.best is not None
    assert found.margin == found.best.score
    assert found.confident


def test_the_score_that_is_needed_is_needed_exactly() -> None:
    other = changed(PAY, id="order", name="Buy", text="Buy")
    is_like = score(PAY, other)
    assert suggest(PAY, [other], min_score=is_like).confident
    below = suggest(PAY, [other], min_score=is_like + 1e-9)
    assert (below.confident, below.ambiguous) == (False, False)


def test_the_margin_that_is_needed_is_needed_exactly() -> None:
    near, far = changed(PAY, id="order"), changed(PAY, id="order", rect=(0, 0, 120, 32), path=("footer",))
    margin = suggest(PAY, [far, near]).margin
    assert suggest(PAY, [far, near], min_margin=margin).confident
    close = suggest(PAY, [far, near], min_margin=margin + 1e-9)
    assert (close.confident, close.ambiguous) == (False, True)


def test_between_two_that_the_selector_finds_twice_the_margin_is_needed() -> None:
    near, far = changed(PAY, found=True), changed(PAY, found=True, rect=(0, 0, 120, 32), path=("footer",))
    margin = suggest(PAY, [near, far]).margin
    assert not suggest(PAY, [near, far], min_margin=margin).confident
    assert suggest(PAY, [near, far], min_margin=margin / 2).confident


def test_what_was_there_before_is_not_what_it_became() -> None:
    like = changed(CANCEL, name="Pay later", text="Pay later")
    assert (
        score(PAY, changed(like, known=True))
        < MIN_SCORE
        < score(PAY, changed(like, name="Pay now", text="Pay now"))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"test": ""},
        {"classes": ("x1", "x2")},
        {"tag": "a", "role": "link"},
        {"path": ("div", "div.actions", "form#checkout")},
        {"name": "Pay", "text": "Pay"},
        {"around": "Something else"},
        {"rect": (0, 0, 10, 10)},
        {"hidden": True},
    ],
    ids=str,
)
def test_each_change_costs_something_and_none_alone_makes_it_another(change: dict[str, object]) -> None:
    assert MIN_SCORE < score(PAY, changed(PAY, **change)) < score(PAY, PAY)


def test_one_of_many_is_told_by_what_it_stands_in() -> None:
    rows = [
        Fingerprint(tag="button", role="button", name="Edit", around=who, rect=(900, 100 + 30 * at, 40, 20))
        for at, who in enumerate(("Ada Berg yearly", "Bo Lund monthly", "Carla Dahl yearly"))
    ]
    was = changed(rows[1], rect=(900, 160, 40, 20))
    found = suggest(was, rows)
    assert found.best is not None
    assert found.best.candidate is rows[1]
    assert found.margin > MIN_MARGIN


def test_equals_keep_their_order() -> None:
    first, second = changed(PAY, css="a"), changed(PAY, css="b")
    assert [one.candidate.css for one in ranked(PAY, [first, second])] == ["a", "b"]


def test_nothing_is_like_nothing() -> None:
    assert 0 <= score(NOTHING, NOTHING) <= 1
    assert 0 <= score(NOTHING, PAY) < score(PAY, PAY)


def test_words_count_in_whatever_way_they_are_written() -> None:
    assert spaced("payNow") == spaced("pay_now") == spaced("pay-now") == "pay now"
    assert text("pay now", "pay now") == 1.0
    assert text("pay now", "") == 0.0
    assert 0.4 < text("pay now", "pay now please") < 1.0


def test_a_wrapper_more_or_less_is_nearly_the_same_place() -> None:
    where = ("div.actions", "form#checkout", "main")
    assert path(where, where) == 1.0
    assert path(where, ("div", *where)) > 0.6
    assert path(where, where[1:]) > 0.5
    assert path(where, ("td", "tr")) == 0.0
    assert path((), ()) == 1.0


@pytest.mark.parametrize(
    ("unique", "selector"),
    [
        (("test", "role", "id"), '[data-testid="pay"]'),
        (("role", "id", "text"), 'role=button[name="Say \\"yes\\""]'),
        (("placeholder", "id"), 'button[placeholder="Hint"]'),
        (("alt", "title"), 'button[alt="Logo"]'),
        (("text", "title"), 'text="Say \\"yes\\""'),
        (("title", "id"), 'button[title="Help"]'),
        (("id", "field"), "#pay"),
        (("field", "tag"), 'button[name="buy"]'),
        (("only", "tag"), "role=button"),
        (("tag",), "button"),
        ((), "#checkout > button"),
    ],
)
def test_how_it_is_asked_for(unique: tuple[str, ...], selector: str) -> None:
    element = Fingerprint(
        tag="button",
        role="button",
        name='Say "yes"',
        text='Say "yes"',
        test="data-testid=pay",
        id="pay",
        field="buy",
        placeholder="Hint",
        alt="Logo",
        title="Help",
        unique=unique,
        css="#checkout > button",
    )
    assert selector_of(element) == selector


def test_what_is_too_long_to_ask_for_is_asked_for_by_the_next_way() -> None:
    assert (
        selector_of(Fingerprint(tag="p", role="button", name="x" * 200, id="a", unique=("role", "id")))
        == "#a"
    )


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (PAY, 'button "Pay now"'),
        (Fingerprint(tag="span", text="128"), 'span "128"'),
        (Fingerprint(tag="input", role="textbox", id="q"), "textbox #q"),
        (Fingerprint(tag="input", field="code"), "input code"),
        (Fingerprint(tag="div"), "div"),
    ],
)
def test_what_it_is_called(element: Fingerprint, words: str) -> None:
    assert called(element) == words
