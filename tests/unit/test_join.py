"""What is told from outside joins the chains of the page: by its own word, by selector, by flow, or not at all."""

from __future__ import annotations

import itertools
from typing import Any

from firstcause.correlator.engine import iso_ms
from firstcause.correlator.event import Cause, Channel, Event, EventType
from firstcause.observer.domains.page_script import Interaction, UserAction
from firstcause.observer.domains.tasks import ElementRemoved

from .flows import Story
from .signals import WALL_MS

SUCCESS = '[data-status="success"]'


def told(
    story: Story,
    kind: str,
    summary: str,
    *,
    channel: Channel = "errors",
    type: EventType = "error",  # noqa: A002
    page: str = "p1",
    cause: str = "",
    **context: Any,
) -> Event:
    """Published 100 ms after the last signal."""
    story.wait(0.1)
    event = Event(
        id=f"told {kind} {story.now_s}",
        seq=0,
        timestamp=iso_ms(WALL_MS + story.now_s * 1000),
        project="shop",
        session="tests",
        page=page,
        channel=channel,
        type=type,
        kind=kind,
        severity="info" if channel in {"activity", "runs"} else "high",
        summary=summary,
        context=context,
        cause=Cause(id=cause, via="published", confidence=1.0) if cause else None,
        fingerprint="0",
        count=1,
    )
    events = story.engine.join(event)
    story.events += events
    return events[-1]


def failed_save() -> Story:
    story = Story().load()
    request, flow = story.ask("/api/save", story.act("#save"))
    return story.acted().answer(request, "/api/save", 500).log("Failed to save", flow)


def test_the_causal_chain_of_a_failed_save_has_one_id_and_five_events() -> None:
    story = failed_save()
    told(
        story,
        "selector_missing",
        f"{SUCCESS} never appears",
        channel="selectors",
        type="selector_broken",
        selector=SUCCESS,
    )
    told(story, "assertion_failed", f"expected {SUCCESS} to be visible", selector="[data-status=success]")
    order = ["click on #save", "/api/save answered 500", "Failed to save", "never appears", "to be visible"]
    for cause, effect in itertools.pairwise(order):
        assert story.link(effect, cause), f"{effect} ← {cause}: {story.event(effect).cause}"
    assert len({story.event(text).correlation_id for text in order}) == 1


def test_an_assertion_is_the_doing_of_what_the_last_action_led_to() -> None:
    story = failed_save()
    assert told(story, "assertion_failed", "expected a toast").cause == Cause(
        id=story.event("Failed to save").id, via="action-flow", confidence=0.7
    )


def test_that_an_action_was_slow_is_not_why_what_it_should_lead_to_is_not_there() -> None:
    story = failed_save()
    clicked_ms = next(one.wall_ms for one in story.signals if isinstance(one.detail, UserAction))
    story.signal(Interaction("click", 5, 264, 1, 2), element="#save", wall_ms=clicked_ms)
    assert story.event("took 264 ms to show an effect").cause
    told(story, "assertion_failed", "expected a toast")
    assert story.link("expected a toast", "Failed to save") == ("action-flow", 0.7)


def test_a_failure_beside_the_last_actions_flow_is_not_meant() -> None:
    story = Story().load()
    poll, poll_flow = story.ask("/poll", f"{story.realm}:0~i1.1")
    request, flow = story.ask("/api/save", story.act("#save"))
    story.acted().answer(request, "/api/save", 500).log("Failed to save", flow)
    story.answer(poll, "/poll", 503).log("poll failed", poll_flow)
    told(story, "assertion_failed", "expected a toast")
    assert story.link("expected a toast", "Failed to save")


def test_a_removed_element_explains_why_it_is_not_found() -> None:
    story = Story().load()
    request, flow = story.ask("/api/me", story.act("#me"))
    story.acted().answer(request, "/api/me", 401).signal(ElementRemoved(flow, "#panel"))
    told(story, "assertion_failed", "expected #panel .row", selector="#panel .row")
    assert story.link("expected #panel .row", "#panel was removed") == ("removed", 0.9)
    assert story.link("#panel was removed", "/api/me answered 401")


def test_a_longer_name_is_another_element() -> None:
    story = Story().load()
    story.signal(ElementRemoved(story.act("#x"), "#pan"))
    assert told(story, "assertion_failed", "expected #panel", selector="#panel").cause is None


def test_whoever_tells_the_cause_is_believed() -> None:
    story = failed_save()
    save = story.event("/api/save answered 500")
    event = told(story, "step_failed", "could not save", cause=save.id)
    assert (event.cause, event.correlation_id) == (
        Cause(id=save.id, via="published", confidence=1.0),
        save.correlation_id,
    )


def test_on_a_page_without_failures_nothing_is_claimed() -> None:
    story = Story().load()
    story.act("#save")
    event = told(story, "assertion_failed", "expected a toast")
    assert (event.cause, event.correlation_id) == (None, event.id)


def test_a_failure_of_another_page_is_not_meant() -> None:
    story = failed_save()
    assert told(story, "assertion_failed", "expected a toast", page="p2").cause is None


def test_an_old_failure_is_not_meant() -> None:
    story = failed_save().wait(90)
    assert told(story, "assertion_failed", "expected a toast").cause is None


def test_a_step_that_names_the_element_announces_the_action() -> None:
    story = Story().load()
    step = told(story, "step", "press save", channel="activity", type="activity", selector="#save")
    story.wait(3).act("#save")
    assert story.link("click on #save", "press save") == ("step", 0.85)
    assert story.event("click on #save").correlation_id == step.id


def test_a_step_without_a_selector_announces_what_follows_soon() -> None:
    story = Story().load()
    told(story, "step", "save the form", channel="runs", type="run")
    story.wait(0.2).act("#save")
    story.wait(9).act("#other")
    assert story.link("click on #save", "save the form") == ("step", 0.6)
    assert story.event("click on #other").cause is None


def test_a_step_is_no_failure_and_has_no_cause() -> None:
    step = told(failed_save(), "step", "look at the toast", channel="runs", type="run")
    assert step.cause is None
