"""Clicks again and again at one place, in vain."""

from __future__ import annotations

from firstcause.correlator.detectors.rage_click import RageClick
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.network import RequestSent
from firstcause.observer.domains.page_script import ClickQuiet, UserAction

from ..flows import SITE, Story


def page(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(RageClick,), thresholds={"rage_click": thresholds})).load().wait(1)


def click(story: Story, times: int = 3, every_s: float = 0.2, x: float = 50, **fields: str) -> list[float]:
    """Gives when each was."""
    place = {"element": "#buy"} | fields
    clicked: list[float] = []
    for number in range(times):
        story.wait(every_s if number else 0).signal(UserAction("click", x=x, y=80), **place)
        clicked.append(story.signals[-1].wall_ms)
    return clicked


def quiet(story: Story, clicked: list[float], **fields: str) -> Story:
    """The page tells that nothing followed them."""
    for wall_ms in clicked:
        story.signal(ClickQuiet(1000, True), wall_ms=wall_ms, **({"element": "#buy"} | fields))
    return story


def rage(story: Story) -> list[Event]:
    return [event for event in story.events if event.kind == "rage_click"]


def test_three_clicks_that_nothing_follows() -> None:
    story = page()
    clicked = click(story)
    assert rage(quiet(story, clicked[:2])) == []
    [told] = rage(quiet(story, clicked[2:]))
    assert told.summary == "3 clicks on #buy in 0.4 s: nothing came of them"
    assert (told.severity, told.channel, told.count) == ("low", "anomalies", 3)
    assert told.context == {"element": "#buy", "within_ms": 404}
    first = next(event for event in story.events if event.kind == "user_action")
    assert told.cause is not None
    assert (told.cause.id, told.cause.via) == (first.id, "counted")


def test_two_are_not_enough_and_slow_ones_are_patient() -> None:
    story = page()
    assert rage(quiet(story, click(story, 2))) == []
    story = page()
    assert rage(quiet(story, click(story, 3, every_s=0.51))) == []


def test_two_that_chrome_gives_the_same_time_are_two() -> None:
    story = page()
    clicked = click(story, 2)
    story.signal(UserAction("click", x=50, y=80), element="#buy", wall_ms=clicked[1])
    [told] = rage(quiet(story, clicked))
    assert told.count == 3


def test_a_busy_page_tells_of_the_last_one_first() -> None:
    story = page()
    [told] = rage(quiet(story, click(story)[::-1]))
    assert told.count == 3


def test_clicks_at_different_places_are_work() -> None:
    story = page()
    clicked = [*click(story, 2), *click(story, 1, x=151)]
    assert rage(quiet(story, clicked)) == []
    story = page()
    assert len(rage(quiet(story, [*click(story, 2), *click(story, 1, x=150)]))) == 1


def test_clicks_that_each_do_something_are_a_stepper_or_a_game() -> None:
    story = page()
    click(story, 10)
    assert rage(story.wait(1)) == []
    story = page()
    clicked = click(story, 3)
    assert rage(quiet(story, [clicked[0], clicked[2]])) == []  # the second did something


def test_clicks_that_ask_the_server_are_not_in_vain() -> None:
    story = page()
    clicked = click(story)
    story.signal(RequestSent("POST", SITE + "/api/like", "Fetch", "script"))
    assert rage(quiet(story, clicked)) == []


def test_unless_the_server_fails() -> None:
    story = page()
    click(story, 2)
    request, _ = story.ask("/api/like")
    click(story, 1)
    [told] = rage(story.answer(request, "/api/like", 500))
    assert told.summary == "3 clicks on #buy in 0.2 s: errors came of them"
    assert told.context["failed"] == 3


def test_clicks_that_each_throw() -> None:
    story = page()
    for _ in range(3):
        click(story, 1)
        story.throw("TypeError: x")
    [told] = rage(story)
    assert told.context["failed"] == 3


def test_an_error_long_after_has_nothing_to_do_with_them() -> None:
    story = page()
    click(story)
    assert rage(story.wait(1.01).throw("TypeError: x")) == []


def test_more_of_them_are_the_same_rage() -> None:
    story = page()
    told = rage(quiet(story, click(story, 31, every_s=0.1)))
    assert [event.count for event in told] == [3, 30]
    assert told[1].context["repeats"] == told[0].id


def test_the_keyboard_and_the_bare_page_are_left_out() -> None:
    story = page()
    for _ in range(3):
        story.wait(0.1).signal(UserAction("click"), element="#buy")
    assert rage(quiet(story, [one.wall_ms for one in story.signals[-3:]])) == []
    story = page()
    assert rage(quiet(story, click(story, element="body"), element="body")) == []


def test_two_pages_are_kept_apart() -> None:
    story = page()
    clicked = click(story, 2)
    other = click(story, 1, page="p2", session="S2")
    quiet(story, clicked)
    assert rage(quiet(story, other, page="p2", session="S2")) == []
