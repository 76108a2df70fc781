"""Many things asked for one by one are told from the fifth on; what is apart, short, elsewhere, or no data is not."""

from __future__ import annotations

import gc

import pytest

from firstcause.correlator.detectors.n_plus_one_api import KEPT_GROUPS, Group, NPlusOneApi

from ..flows import at
from .loading import Loading


def ask(
    story: Loading,
    many: int = 5,
    *,
    apart_ms: float = 2.0,
    took_ms: float = 100.0,
    path: str = "/api/users/{}",
    began_ms: float = 0,
    mime: str = "application/json",
) -> Loading:
    """All are sent, then all are answered after the same time."""
    requests = [
        story.at_ms(began_ms + number * apart_ms).begin(path.format(number)) for number in range(many)
    ]
    for number, request in enumerate(requests):
        story.at_ms(began_ms + number * apart_ms + took_ms).answered(request, mime=mime)
    return story


def test_the_fifth_one_tells() -> None:
    assert ask(Loading(NPlusOneApi), 4).found == []
    story = ask(Loading(NPlusOneApi))
    [found] = story.found
    assert (found.channel, found.severity, found.count) == ("anomalies", "medium", 5)
    assert found.summary == (
        "GET /api/users/{int} was asked for 5 times within 8 ms, each for another value: one request could bring them all"
    )
    assert found.context == {
        "method": "GET",
        "url": "/api/users/{int}",
        "total_ms": 300,
        "at": "app.js:10:5 load",
    }


@pytest.mark.parametrize(("apart_ms", "many"), [(14.9, 1), (15.1, 0)])
def test_they_are_made_at_once(apart_ms: float, many: int) -> None:
    assert len(ask(Loading(NPlusOneApi), apart_ms=apart_ms).found) == many


@pytest.mark.parametrize(("took_ms", "many"), [(60.0, 1), (59.9, 0)])
def test_they_take_a_while_together(took_ms: float, many: int) -> None:
    assert len(ask(Loading(NPlusOneApi), took_ms=took_ms).found) == many


def test_a_value_in_the_query_counts_as_well() -> None:
    [found] = ask(Loading(NPlusOneApi), path="/api/users?id={}").found
    assert found.context["url"] == "/api/users?id="


def test_the_same_value_again_is_another_matter() -> None:
    assert ask(Loading(NPlusOneApi), 20, path="/api/users/7").found == []


@pytest.mark.parametrize("mime", ["image/png", "application/x-protobuf", "video/mp2t", "text/event-stream"])
def test_tiles_pictures_and_streams_are_no_data(mime: str) -> None:
    assert ask(Loading(NPlusOneApi), 20, mime=mime).found == []


@pytest.mark.parametrize("path", ["/_next/data/{}.json", "/products/{}?_rsc=1", "/blog/{}/__data.json"])
def test_what_a_framework_loads_ahead_does_not_count(path: str) -> None:
    assert ask(Loading(NPlusOneApi), 20, path=path).found == []


def test_other_places_in_the_code_methods_and_kinds_are_others() -> None:
    story = Loading(NPlusOneApi).at_ms(0)
    requests = [story.begin(f"/api/users/{line}", stack=(at("load", line),)) for line in range(1, 9)]
    requests += [story.begin(f"/api/users/{number}", "POST") for number in range(9)]
    requests += [story.begin(f"/api/users/{number}", type="Image") for number in range(9)]
    story.at_ms(900)
    for request in requests:
        story.answered(request)
    assert story.found == []


def test_pages_are_kept_apart() -> None:
    one = ask(Loading(NPlusOneApi), 4)
    other = ask(Loading(NPlusOneApi, engine=one.engine, page="p2"), 4)
    assert one.found + other.found == []


def test_opening_the_list_again_is_the_same_finding() -> None:
    story = ask(Loading(NPlusOneApi))
    for number in range(1, 4):
        for request in [story.at_ms(number * 5000 + i).begin(f"/api/users/{i}") for i in range(6)]:
            story.at_ms(number * 5000 + 200).answered(request)
    assert len(story.found) == 1


def test_it_is_told_again_when_it_is_ten_times_as_much() -> None:
    story = ask(ask(Loading(NPlusOneApi)), 50, began_ms=5_000)
    assert [found.count for found in story.found] == [5, 50]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_the_cause_is_what_led_to_the_first() -> None:
    story = Loading(NPlusOneApi, total_ms=0)
    story.marked = True
    story.load().wait(1)
    click = story.act("#show")
    story.now_s -= 0.002
    asked: list[tuple[str, str]] = []
    for number in range(5):
        path = f"/api/users/{number}"
        asked.append((story.ask(path, click)[0], path))
    for request, path in asked:
        story.answer(request, path, 200, mime="application/json")
    assert story.link("was asked for 5 times", "click on #show") is not None


def test_how_many_can_be_chosen() -> None:
    assert len(ask(Loading(NPlusOneApi, at_least=3), 3).found) == 1


def test_a_burst_without_end_keeps_a_bounded_past() -> None:
    story = ask(Loading(NPlusOneApi), 500, path="/api/u{}")
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, Group)]
    assert len(kept) <= KEPT_GROUPS
    assert story.found == []
