"""A large script that comes as it is is told; a compressed, small or compact one is not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.uncompressed_asset import UncompressedAsset

from .loading import Loading


def load(
    story: Loading,
    path: str = "/assets/vendor.js?v=3",
    *,
    size: float = 1_512_000,
    took_ms: float = 640.0,
    mime: str = "text/javascript",
    compression: str = "",
    type: str = "Script",  # noqa: A002
) -> Loading:
    request = story.at_ms(0).begin(path, type=type)
    return story.at_ms(took_ms).finished(request, size, mime=mime, compression=compression)


def test_a_script_that_comes_as_it_is_is_told_with_its_size() -> None:
    story = load(Loading(UncompressedAsset))
    [found] = story.found
    assert (found.channel, found.severity) == ("performance", "info")
    assert found.summary == "/assets/vendor.js?v=3 came without compression: 1.5 MB in 640 ms"
    assert found.context == {
        "url": "/assets/vendor.js?v=3",
        "bytes": 1_512_000,
    }


@pytest.mark.parametrize(
    ("size", "took_ms", "many"), [(512_000, 100, 1), (511_999, 100, 0), (512_000, 99.9, 0)]
)
def test_from_half_a_megabyte_on_that_takes_time(size: float, took_ms: float, many: int) -> None:
    assert len(load(Loading(UncompressedAsset), size=size, took_ms=took_ms).found) == many


@pytest.mark.parametrize("compression", ["gzip", "br", "zstd", "deflate"])
def test_a_compressed_one_is_not_told(compression: str) -> None:
    assert load(Loading(UncompressedAsset), compression=compression).found == []


@pytest.mark.parametrize(
    ("mime", "many"),
    [
        ("text/css", 1),
        ("application/wasm", 1),
        ("image/svg+xml", 1),
        ("image/png", 0),
        ("font/woff2", 0),
        ("video/mp4", 0),
        ("", 0),
    ],
)
def test_only_what_would_shrink_counts(mime: str, many: int) -> None:
    assert len(load(Loading(UncompressedAsset), mime=mime, type="Other").found) == many


def test_data_is_told_as_a_payload() -> None:
    assert load(Loading(UncompressedAsset), mime="application/json", type="Fetch").found == []


def test_a_document_tells_its_first_and_then_how_many() -> None:
    story = Loading(UncompressedAsset)
    for number in range(11):
        load(story, f"/assets/{number}.js")
    assert [found.count for found in story.found] == [1, 10]
    story.navigate("L2")
    load(story)
    assert "repeats" not in story.found[-1].context


def test_each_page_is_told_of_its_own() -> None:
    one = load(Loading(UncompressedAsset))
    other = load(Loading(UncompressedAsset, engine=one.engine, page="p2"))
    assert [len(one.found), len(other.found)] == [1, 1]


def test_size_and_time_can_be_chosen() -> None:
    assert len(load(Loading(UncompressedAsset, at_least_bytes=10_000), size=10_000).found) == 1
    assert len(load(Loading(UncompressedAsset, after_ms=0), took_ms=1).found) == 1
