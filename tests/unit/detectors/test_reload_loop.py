"""A page that loads itself again and again."""

from __future__ import annotations

from firstcause.correlator.detectors.reload_loop import ReloadLoop
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.page import Navigated, NavigationRequested

from ..flows import SITE, Story


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(ReloadLoop,), thresholds={"reload_loop": thresholds})).load()


def load(story: Story, path: str = "/", reason: str = "reload", loader_id: str = "", **fields: str) -> Story:
    """The page loads itself; without a reason it is the driver that loads it."""
    if reason:
        story.signal(NavigationRequested(SITE + path, reason, "currentTab"), **fields)
    return story.wait(0.2).signal(Navigated(SITE + path), loader_id=loader_id, **fields)


def loops(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "reload_loop"]


def test_three_loads_by_itself_are_a_loop() -> None:
    story = load(load(page()))
    assert loops(story) == []
    [loop] = loops(load(story))
    assert loop.summary == "The page loaded / 3 times in 0.4 s by itself"
    assert (loop.severity, loop.count, loop.context["url"]) == ("high", 3, "/")
    assert loop.cause is not None
    assert loop.cause.via == "counted"


def test_the_failure_before_each_of_them_is_the_cause() -> None:
    story = page()
    for _ in range(3):
        load(story.throw("Error: no session"))
    [loop] = loops(story)
    failures = [event for event in story.events if event.kind == "uncaught_exception"]
    assert loop.summary.endswith("by itself, each time after: Uncaught Error: no session")
    assert loop.cause is not None
    assert (loop.cause.id, loop.cause.via, loop.cause.confidence) == (failures[-1].id, "comes-after", 0.75)


def test_a_rejection_before_the_last_load_is_told_too_late_and_not_missed() -> None:
    story = page()
    for _ in range(2):
        load(story.throw("Error: no session", rejection=True).wait(0.6))
    [loop] = loops(load(story.throw("Error: no session", rejection=True)))
    assert loop.cause is not None
    assert loop.cause.via == "comes-after"


def test_a_failure_before_some_of_them_is_not_the_cause() -> None:
    story = load(load(load(page().throw("Error: no session"))).throw("Error: no session"))
    [loop] = loops(story)
    assert loop.cause is not None
    assert loop.cause.via == "counted"


def test_a_document_that_fails_is_the_cause_of_the_next_load_only() -> None:
    story = page()
    for number in range(3):
        story.answer(f"L{number}", "/", 500, kind="Document")
        load(story, loader_id=f"L{number}")
    [loop] = loops(story)
    assert loop.cause is not None
    assert loop.cause.via == "counted"  # nothing failed before the first of them


def test_loads_that_take_longer_are_none() -> None:
    story = page(within_s=2.0)
    for _ in range(6):
        load(story.wait(0.9))
    assert loops(story) == []


def test_what_the_user_does_begins_the_count_anew() -> None:
    story = load(load(page()))
    story.act("#next")
    assert loops(load(load(load(story)))) == []


def test_a_form_that_a_script_sends_is_no_input() -> None:
    story = page()
    for _ in range(3):
        story.act("#login", "submit")
        load(story, reason="formSubmissionPost")
    assert len(loops(story)) == 1


def test_what_a_driver_loads_is_none() -> None:
    story = page()
    for _ in range(6):
        load(story, reason="")
    assert loops(story) == []


def test_addresses_with_other_values_are_the_same_and_other_paths_are_not() -> None:
    story = page()
    for number in range(3):
        load(story, f"/order/{number + 1}?try={number}")
    [loop] = loops(story)
    assert loop.context["url"] == "/order/{int}?try="
    assert loops(load(load(load(page(), "/a"), "/b"), "/c")) == []


def test_a_frame_that_loads_itself_is_not_the_page() -> None:
    story = page()
    for _ in range(6):
        story.signal(NavigationRequested(SITE + "/ad", "reload"), frame="F9")
        story.signal(Navigated(SITE + "/ad", main_frame=False), frame="F9")
    assert loops(story) == []


def test_two_pages_are_kept_apart() -> None:
    story = load(load(page()))
    load(
        load(story, page="p2", session="S2", target="T2", frame="T2"),
        page="p2",
        session="S2",
        target="T2",
        frame="T2",
    )
    assert loops(story) == []


def test_a_loop_that_goes_on_is_told_at_each_power_of_ten() -> None:
    story = page(loads=2, within_s=100.0)
    for _ in range(25):
        load(story)
    first, later = loops(story)
    assert (first.count, later.count, later.context["repeats"]) == (2, 20, first.id)
