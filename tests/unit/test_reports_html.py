"""The page: one file that needs nothing else, in which texts stay texts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

import pytest

from firstcause.api.reports import html
from firstcause.correlator.event import Event
from firstcause.correlator.evidence import REASONS

from .reported import HOSTILE, RUN, SAVE, STORY, content, event, hostile_events

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def page_of(*events: Event, title: str = "events.ndjson") -> str:
    return html.render(content(*events, title=title))


def data_in(page: str) -> dict[str, Any]:
    found = DATA.search(page)
    assert found is not None
    return json.loads(found[1])


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = page_of(*STORY)
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,"]
    assert not re.search(r"@import|url\(", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#x27;none&#x27;")


@pytest.mark.parametrize(("tag", "part"), [("style", "style-src"), ("script", "script-src")])
def test_only_the_parts_of_the_page_itself_may_run(tag: str, part: str) -> None:
    page = page_of(*STORY, *hostile_events())
    found = re.findall(rf"<{tag}(?: type=\"module\")?>(.*?)</{tag}>", page, re.DOTALL)
    assert len(found) == 1
    digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
    assert f"{part} &#x27;sha256-{digest}&#x27;" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_the_data(text: str) -> None:
    page = page_of(event(1, "uncaught_exception", text, context={"x": text}), title=text)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<!--" not in page
    data = data_in(page)
    assert data["events"][0]["summary"] == text
    assert data["events"][0]["context"] == {"x": text}
    assert data["title"] == text


def test_events_name_their_causes_by_place() -> None:
    told = data_in(page_of(*STORY))["events"]
    assert [one.get("cause") for one in told] == [None, 0, 1, 2, 3]
    assert told[1]["because"] == REASONS["input"]
    assert told[1]["t"] - told[0]["t"] == pytest.approx(10)


def test_a_cause_that_is_not_there_is_no_place() -> None:
    assert data_in(page_of(SAVE))["events"][0]["cause"] == -1


def test_a_story_holds_the_way_and_what_else_came_of_it() -> None:
    other = event(9, "console_error", "Badge is empty", "medium", cause=2)
    (story,) = data_in(page_of(*STORY, other))["stories"]
    assert (story["steps"], story["nodes"], story["first"], story["event"]) == (
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4, 5],
        1,
        4,
    )


def test_tests_come_before_the_failures_beside_them() -> None:
    told = data_in(page_of(*RUN))["stories"]
    assert [one.get("outcome") for one in told] == ["passed", "failed", "skipped", "unfinished", None]


def test_a_story_of_very_many_events_says_how_many_it_leaves_out() -> None:
    many = [event(100 + n, "console_error", str(n), cause=2, fingerprint=str(n)) for n in range(400)]
    (story,) = data_in(page_of(*STORY, *many))["stories"]
    assert len(story["nodes"]) == html.MAX_NODES
    assert len(story["nodes"]) + story["left_out"] == len(STORY) + len(many)


def test_a_time_that_is_none_is_taken_from_the_event_before() -> None:
    broken = event(2, "console_error", "x", timestamp="yesterday")
    told = data_in(page_of(event(1, "page_crash", "x", fingerprint="y"), broken))["events"]
    assert told[0]["t"] == told[1]["t"]


def test_a_number_that_no_browser_reads_is_null() -> None:
    page = page_of(event(1, "slow_response", "x", context={"elapsed_ms": float("nan")}))
    assert data_in(page)["events"][0]["context"] == {"elapsed_ms": None}


def test_every_part_in_the_folder_is_in_the_page() -> None:
    names = {part.name for part in files("firstcause.api.reports").joinpath("page").iterdir()}
    assert names == {*html.SCRIPTS, "page.css", "page.html"}
