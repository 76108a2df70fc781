"""A dialog that stands open."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.dialog_open import DialogOpen
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.page import DialogClosed, DialogOpened
from firstcause.observer.domains.runtime import ConsoleCalled

from ..flows import SITE, Story

SURE = DialogOpened("confirm", "Delete all orders?", SITE + "/orders")


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(DialogOpen,), thresholds={"dialog_open": thresholds})).load()


def open_dialogs(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "dialog_open"]


def until(story: Story, wait_s: float) -> Story:
    """Time goes on with nothing happening."""
    story.wait(wait_s)
    story.events += story.engine.advance(story.now_s)
    return story


def test_one_that_is_answered_in_time_is_fine() -> None:
    story = page().signal(SURE).wait(1.99).signal(DialogClosed(accepted=True))
    assert open_dialogs(until(story, 5)) == []
    assert story.engine.next_due_s is None


def test_one_that_stays_open_is_told_once_with_its_text() -> None:
    story = page().signal(SURE)
    assert open_dialogs(until(story, 1.99)) == []
    until(until(story, 0.02), 10).signal(DialogClosed(accepted=False))
    [told] = open_dialogs(story)
    assert told.summary == "confirm() has been open for 2 s and holds the page up: Delete all orders?"
    assert told.context == {
        "dialog": "confirm",
        "message": "Delete all orders?",
        "url": "/orders",
        "open_ms": 2000,
    }
    assert (told.severity, told.channel) == ("medium", "anomalies")


@pytest.mark.parametrize("kind", ["alert", "prompt", "beforeunload"])
def test_every_kind_counts(kind: str) -> None:
    story = page(open_ms=500).signal(DialogOpened(kind, "Leave?"))
    [told] = open_dialogs(until(story, 0.5))
    assert told.context["dialog"] == kind


def test_it_comes_of_the_opening_and_that_of_what_the_user_did() -> None:
    story = page()
    story.act("#delete")
    until(story.signal(SURE), 2.1)
    assert story.link("has been open", "is open:") == ("began", 1.0)
    assert story.link("is open:", "click on #delete") == ("input", 0.9)


def test_the_dialog_of_another_page_is_another() -> None:
    story = page().signal(SURE).signal(SURE, page="p2", session="S2")
    story.wait(1).signal(DialogClosed(accepted=True))
    [told] = open_dialogs(until(story, 2))
    assert told.page == "p2"


def test_a_page_that_is_closed_takes_its_dialog_along() -> None:
    story = page().signal(SURE).signal(TargetClosed("page", SITE))
    assert open_dialogs(until(story, 5)) == []


def test_other_things_that_happen_do_not_matter() -> None:
    story = page().signal(SURE).wait(2.1).signal(ConsoleCalled("log", "tick"))
    assert len(open_dialogs(story)) == 1
