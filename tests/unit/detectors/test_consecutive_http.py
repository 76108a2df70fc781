"""Slow requests in a row are told; what runs beside, needs an answer, follows the user or is the same again is not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.consecutive_http import ConsecutiveHttp, values_of

from .loading import Loading

PATHS = ("/api/orders", "/api/stock", "/api/news")


def in_turn(
    story: Loading,
    *paths: str,
    took_ms: float = 1_000.0,
    gap_ms: float = 5.0,
    began_ms: float = 0,
    method: str = "GET",
    status: int = 200,
) -> Loading:
    for path in paths or PATHS:
        request = story.at_ms(began_ms).begin(path, method)
        story.at_ms(began_ms + took_ms).finished(request, status=status)
        began_ms += took_ms + gap_ms
    return story


def test_the_third_in_a_row_tells_what_could_be_saved() -> None:
    assert in_turn(Loading(ConsecutiveHttp), *PATHS[:2]).found == []
    story = in_turn(Loading(ConsecutiveHttp))
    [found] = story.found
    assert (found.channel, found.severity, found.count) == ("performance", "info", 3)
    assert found.summary == (
        "3 requests took 3.0 s one after the other, and none seems to need another's answer: at once they would take 1.0 s"
    )
    assert found.context == {
        "urls": list(PATHS),
        "saved_ms": 2_000,
        "at": "app.js:10:5 load",
    }


@pytest.mark.parametrize(("took_ms", "many"), [(1_000.1, 1), (999.9, 0)])
def test_two_seconds_could_be_saved(took_ms: float, many: int) -> None:
    assert len(in_turn(Loading(ConsecutiveHttp), took_ms=took_ms).found) == many


@pytest.mark.parametrize(("took_ms", "many"), [(500.1, 1), (499.9, 0)])
def test_each_is_slow(took_ms: float, many: int) -> None:
    story = in_turn(Loading(ConsecutiveHttp, saved_ms=500), took_ms=took_ms)
    assert len(story.found) == many


@pytest.mark.parametrize(("gap_ms", "many"), [(99.9, 1), (100.1, 0)])
def test_each_begins_right_after_the_one_before(gap_ms: float, many: int) -> None:
    assert len(in_turn(Loading(ConsecutiveHttp), gap_ms=gap_ms).found) == many


def test_requests_at_once_are_not_in_a_row() -> None:
    assert in_turn(Loading(ConsecutiveHttp), *PATHS, "/api/a", "/api/b", gap_ms=-1_000).found == []


def test_a_value_that_an_answer_may_have_brought_needs_that_answer() -> None:
    story = in_turn(Loading(ConsecutiveHttp), "/api/me", "/api/teams/5", "/api/teams/5/news", "/api/boards/9")
    assert story.found == []


def test_a_value_that_was_known_before_does_not() -> None:
    story = in_turn(
        Loading(ConsecutiveHttp), "/api/v2/users/7", "/api/v2/users/7/orders", "/api/v2/users/7/teams"
    )
    assert len(story.found) == 1


def test_long_polls_and_pages_of_a_list_are_the_same_again() -> None:
    assert in_turn(Loading(ConsecutiveHttp), *["/api/poll"] * 5).found == []


def test_changes_and_failures_are_no_part_of_it() -> None:
    story = in_turn(Loading(ConsecutiveHttp), method="POST")
    in_turn(story, began_ms=10_000, status=503)
    assert story.found == []


def test_what_follows_an_action_of_the_user_is_new() -> None:
    story = in_turn(Loading(ConsecutiveHttp), *PATHS[:2])
    story.at_ms(2_007).act("#news")
    assert in_turn(story, PATHS[2], began_ms=2_012).found == []


def test_pages_are_kept_apart() -> None:
    one = in_turn(Loading(ConsecutiveHttp), *PATHS[:2])
    other = in_turn(Loading(ConsecutiveHttp, engine=one.engine, page="p2"), PATHS[2], began_ms=2_010)
    assert one.found + other.found == []


def test_a_long_row_is_told_again_when_it_is_ten_times_as_long() -> None:
    story = in_turn(Loading(ConsecutiveHttp), *[f"/api/{chr(97 + number)}" for number in range(26)])
    in_turn(story, *[f"/api/a{chr(97 + number)}" for number in range(10)], began_ms=26 * 1_005)
    assert [found.count for found in story.found] == [3, 30]


def test_values_are_ids_in_the_path_and_all_in_the_query() -> None:
    assert values_of("http://a/api/v2/users/7/x81?team=blue&page=3") == {"7", "x81", "blue", "3"}


def test_how_many_can_be_chosen() -> None:
    assert len(in_turn(Loading(ConsecutiveHttp, at_least=2, saved_ms=900), *PATHS[:2]).found) == 1
