"""An answer that is large and takes time is told; one that is small, quick, or no data is not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.large_payload import LargePayload

from .loading import Loading

JSON = "application/json; charset=utf-8"


def load(
    story: Loading,
    path: str = "/api/catalog?page=2",
    *,
    size: float = 1_234_567,
    took_ms: float = 840.0,
    mime: str = JSON,
    compression: str = "",
    type: str = "Fetch",  # noqa: A002
) -> Loading:
    request = story.at_ms(0).begin(path, type=type)
    return story.at_ms(took_ms).finished(request, size, mime=mime, compression=compression)


def test_a_large_answer_is_told_with_its_size() -> None:
    story = load(Loading(LargePayload))
    [found] = story.found
    assert (found.channel, found.severity, found.type) == ("performance", "info", "performance")
    assert found.summary == "GET /api/catalog?page=2 brought 1.2 MB in 840 ms, without compression"
    assert found.context == {
        "method": "GET",
        "url": "/api/catalog?page=2",
        "bytes": 1_234_567,
    }


def test_a_compressed_one_says_how() -> None:
    [found] = load(Loading(LargePayload), compression="br", size=812_000).found
    assert found.summary == "GET /api/catalog?page=2 brought 812 kB in 840 ms"
    assert found.context["compression"] == "br"


@pytest.mark.parametrize(
    ("size", "took_ms", "many"), [(300_001, 100, 1), (300_000, 100, 0), (300_001, 99.9, 0)]
)
def test_the_size_and_the_time_both_count(size: float, took_ms: float, many: int) -> None:
    assert len(load(Loading(LargePayload), size=size, took_ms=took_ms).found) == many


@pytest.mark.parametrize(
    "mime", ["image/webp", "video/mp4", "application/wasm", "application/x-ndjson", "text/event-stream"]
)
def test_pictures_films_and_streams_are_no_data(mime: str) -> None:
    assert load(Loading(LargePayload), mime=mime).found == []


@pytest.mark.parametrize("type_", ["Script", "Document", "Image", "EventSource"])
def test_only_what_scripts_ask_for_counts(type_: str) -> None:
    assert load(Loading(LargePayload), type=type_).found == []


def test_the_same_again_is_told_when_it_is_ten_times_as_often() -> None:
    story = Loading(LargePayload)
    for number in range(12):
        load(story, f"/api/catalog/{number}")
    load(story, "/api/prices")
    assert [found.count for found in story.found] == [1, 10, 1]


def test_each_page_is_told_of_its_own() -> None:
    one = load(Loading(LargePayload))
    other = load(Loading(LargePayload, engine=one.engine, page="p2"))
    assert [len(one.found), len(other.found)] == [1, 1]


def test_it_is_no_failure_of_its_request() -> None:
    story = Loading(LargePayload)
    story.marked = True
    story.load().wait(1)
    click = story.act("#open")
    request, asked = story.ask("/api/catalog", click)
    story.begun[request] = (("GET", "http://shop.test/api/catalog", "Fetch"), story.signals[-1].wall_ms)
    story.wait(0.5).finished(request, 400_000, mime=JSON)
    story.answer(request, "/api/catalog", 200).throw("TypeError: no price", asked)
    assert story.link("brought 400 kB", "click on #open") is not None
    assert story.link("no price", "/api/catalog answered 200") is not None


def test_the_size_can_be_chosen() -> None:
    assert len(load(Loading(LargePayload, over_bytes=10_000), size=10_001).found) == 1
