"""A request that waits for a free connection to its host is told; on newer protocols, or alone, it waits for something else."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.http1_overhead import Http1Overhead

from ..flows import SITE
from .loading import Loading


def load(
    story: Loading,
    others: int = 6,
    *,
    queued_ms: float = 640.0,
    protocol: str = "http/1.1",
    type: str = "Image",  # noqa: A002
    began_ms: float = 0,
) -> Loading:
    """The last one waits until the others are answered."""
    requests = [story.at_ms(began_ms).begin(f"/pictures/{number}", type=type) for number in range(others + 1)]
    for number, request in enumerate(requests):
        is_last = number == others
        story.at_ms(began_ms + (1_200 if is_last else 600))
        story.answered(request, protocol=protocol, queued_ms=queued_ms if is_last else 1.0)
    return story


def test_a_request_that_waits_is_told_with_how_long() -> None:
    story = load(Loading(Http1Overhead), 8)
    [found] = story.found
    assert (found.channel, found.severity) == ("performance", "info")
    assert found.summary == (
        "GET /pictures/8 waited 640 ms for a connection: HTTP/1.1 has six to shop.test, and 8 others came before"
    )
    assert found.context == {
        "method": "GET",
        "url": "/pictures/8",
        "queued_ms": 640.0,
    }


@pytest.mark.parametrize(("queued_ms", "many"), [(500.1, 1), (500.0, 0)])
def test_it_waits_for_long(queued_ms: float, many: int) -> None:
    assert len(load(Loading(Http1Overhead), queued_ms=queued_ms).found) == many


@pytest.mark.parametrize(("others", "many"), [(6, 1), (5, 0)])
def test_six_others_have_the_connections(others: int, many: int) -> None:
    assert len(load(Loading(Http1Overhead), others).found) == many


@pytest.mark.parametrize("protocol", ["h2", "h3", "data", ""])
def test_only_an_old_protocol_has_so_few_connections(protocol: str) -> None:
    assert load(Loading(Http1Overhead), protocol=protocol).found == []


def test_those_that_were_answered_before_do_not_count() -> None:
    story = load(Loading(Http1Overhead), queued_ms=1.0)
    assert load(story, 0, began_ms=5_000).found == []


def test_the_modules_of_a_development_server_are_many() -> None:
    story = Loading(Http1Overhead).at_ms(0)
    for page_of, many in ((SITE, 1), ("http://localhost:5173", 0), ("http://127.0.0.1:5173", 0)):
        story = Loading(Http1Overhead).at_ms(0)
        requests = [story.begin(f"/src/{number}.js", type="Script") for number in range(7)]
        for number, request in enumerate(requests):
            what, began_ms = story.begun[request]
            story.begun[request] = (what[0], what[1].replace(SITE, page_of), what[2]), began_ms
            story.at_ms(600).answered(request, protocol="http/1.1", queued_ms=640.0 if number == 6 else 1.0)
        assert len(story.found) == many


def test_hosts_and_pages_are_kept_apart() -> None:
    one = load(Loading(Http1Overhead), 5, queued_ms=1.0)
    other = load(Loading(Http1Overhead, engine=one.engine, page="p2"), 5)
    assert one.found + other.found == []


def test_a_host_is_told_once_until_it_is_ten_times_as_bad() -> None:
    story = Loading(Http1Overhead)
    for number in range(11):
        load(story, began_ms=number * 10_000)
    assert [found.count for found in story.found] == [1, 10]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_the_wait_can_be_chosen() -> None:
    assert len(load(Loading(Http1Overhead, queued_ms=10, at_least=2), 2, queued_ms=11).found) == 1
