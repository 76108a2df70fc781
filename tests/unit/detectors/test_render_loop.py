"""What frameworks say of a component that renders without end, under one name and once."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.render_loop import RenderLoop
from firstcause.observer.domains.runtime import ConsoleCalled

from ..flows import at
from .loading import Loading

MINIFIED = "Error: Minified React error #185; visit https://react.dev/errors/185 for the full message"


def test_an_exception_is_renamed_and_keeps_its_place() -> None:
    story = Loading(RenderLoop)
    story.throw("Error: Maximum update depth exceeded. This can happen when …", None, at("Panel", 14))
    [found] = story.found
    assert (found.channel, found.type, found.severity) == ("errors", "error", "high")
    assert found.summary == "Render loop: Maximum update depth exceeded. This can happen when …"
    assert found.context == {"at": "app.js:14:5 Panel", "url": "/app.js"}


@pytest.mark.parametrize("code", [185, 301])
def test_what_the_production_build_says_by_number_is_said_in_words(code: int) -> None:
    story = Loading(RenderLoop)
    story.throw(MINIFIED.replace("185", str(code)))
    [found] = story.found
    assert found.context["react_error"] == code
    assert found.summary.endswith(f"(React error #{code})")


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (
            "error",
            "Warning: Maximum update depth exceeded. This can happen when a component calls setState inside useEffect",
        ),
        (
            "error",
            "Error: Too many re-renders. React limits the number of renders to prevent an infinite loop.",
        ),
        ("warning", "[Vue warn]: Maximum recursive updates exceeded in component <Cart>."),
        ("error", '[Vue warn]: You may have an infinite update loop in watcher with expression "total"'),
        ("error", "NG0103: Infinite change detection while refreshing application views"),
        ("error", "Error: https://svelte.dev/e/effect_update_depth_exceeded"),
    ],
)
def test_what_is_logged_of_it_is_renamed(level: str, text: str) -> None:
    story = Loading(RenderLoop).signal(ConsoleCalled(level, text), stack=(at("warn", 3),))
    [found] = story.found
    assert (found.severity, found.context["at"]) == ("high", "app.js:3:5 warn")


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("log", "Maximum update depth exceeded"),
        ("error", "Minified React error #1850; visit https://react.dev/errors/1850"),
        ("error", "RangeError: Maximum call stack size exceeded"),
    ],
)
def test_other_words_keep_their_names(level: str, text: str) -> None:
    assert Loading(RenderLoop).signal(ConsoleCalled(level, text)).found == []


@pytest.mark.parametrize(("apart_s", "many"), [(0.9, 1), (1.1, 2)])
def test_reports_that_follow_each_other_are_one(apart_s: float, many: int) -> None:
    story = Loading(RenderLoop)
    story.throw(MINIFIED).wait(apart_s).throw(MINIFIED.replace("185", "301"))
    assert len(story.found) == many


def test_pages_are_kept_apart() -> None:
    one = Loading(RenderLoop)
    other = Loading(RenderLoop, engine=one.engine, page="p2")
    one.throw(MINIFIED)
    other.throw(MINIFIED)
    assert [len(one.found), len(other.found)] == [1, 1]


def test_it_keeps_the_cause_that_the_evidence_finds() -> None:
    story = Loading(RenderLoop)
    story.marked = True
    story.load().wait(1)
    story.throw(MINIFIED, story.act("#details"))
    assert story.link("Render loop", "click on #details") is not None
