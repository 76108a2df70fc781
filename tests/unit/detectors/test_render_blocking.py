"""A first paint that waits for large scripts and styles is told; what does not block, or is small, or soon there is not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.render_blocking import RenderBlocking
from firstcause.observer.domains.page_script import FirstPaint

from .loading import Loading


def open_page(
    story: Loading,
    *,
    painted_ms: float = 3_100.0,
    sizes: tuple[float, ...] = (640_000, 172_000),
    blocks: bool = True,
    began_ms: float = 0,
) -> Loading:
    story.at_ms(began_ms).begin("/shop", type="Document")
    requests = [
        story.begin(f"/vendor.{number}.js", type="Script", blocks_rendering=blocks)
        for number in range(len(sizes))
    ]
    for request, size in zip(requests, sizes, strict=True):
        story.finished(request, size)
    return story.at_ms(began_ms + painted_ms).signal(FirstPaint())


def test_a_late_paint_names_what_it_waited_for() -> None:
    story = open_page(Loading(RenderBlocking))
    [found] = story.found
    assert (found.channel, found.severity) == ("performance", "info")
    assert found.summary == (
        "The page was blank for 3.1 s, waiting for 812 kB of scripts and styles, most of all /vendor.0.js with 640 kB"
    )
    assert found.context == {
        "url": "/vendor.0.js",
        "first_paint_ms": 3100,
        "bytes": 812_000,
    }


@pytest.mark.parametrize(("painted_ms", "many"), [(1_999.9, 0), (2_000.1, 1), (9_999.9, 1), (10_000.1, 0)])
def test_the_paint_is_late_but_not_put_off(painted_ms: float, many: int) -> None:
    assert len(open_page(Loading(RenderBlocking), painted_ms=painted_ms).found) == many


@pytest.mark.parametrize(("size", "many"), [(500_000, 1), (499_999, 0)])
def test_it_waits_for_much(size: float, many: int) -> None:
    assert len(open_page(Loading(RenderBlocking), sizes=(size,)).found) == many


def test_what_does_not_block_is_not_counted() -> None:
    assert open_page(Loading(RenderBlocking), blocks=False).found == []


def test_what_comes_after_the_paint_did_not_keep_it() -> None:
    story = Loading(RenderBlocking).at_ms(0)
    story.begin("/shop", type="Document")
    late = story.begin("/vendor.js", type="Script", blocks_rendering=True)
    story.at_ms(3_000).signal(FirstPaint()).finished(late, 900_000)
    assert story.found == []


def test_a_redirect_is_part_of_the_wait() -> None:
    story = Loading(RenderBlocking)
    story.at_ms(-2_500).begin("/", type="Document")
    story.requests -= 1
    [found] = open_page(story, painted_ms=1_000).found
    assert found.context["first_paint_ms"] == 3_500


def test_documents_and_pages_are_kept_apart() -> None:
    story = Loading(RenderBlocking).at_ms(0)
    story.begin("/shop", type="Document")
    early = story.begin("/vendor.js", type="Script", blocks_rendering=True)
    story.navigate("L2").at_ms(100).begin("/cart", type="Document")
    story.loader = "Lp1"
    story.finished(early, 900_000)
    story.loader = "L2"
    story.at_ms(3_000).signal(FirstPaint())
    other = Loading(RenderBlocking, engine=story.engine, page="p2")
    open_page(other, sizes=(10_000,))
    assert story.found + other.found == []


def test_times_and_size_can_be_chosen() -> None:
    story = Loading(RenderBlocking, painted_after_ms=100, painted_before_ms=200, at_least_bytes=10)
    assert len(open_page(story, painted_ms=150, sizes=(10,)).found) == 1
