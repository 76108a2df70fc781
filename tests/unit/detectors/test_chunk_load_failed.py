"""A part of the app that could not be loaded names the script, says whether it is gone, and keeps its cause."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.chunk_load_failed import ChunkLoadFailed
from firstcause.observer.domains.network import RequestFailed
from firstcause.observer.domains.runtime import ConsoleCalled

from ..flows import SITE, at
from .loading import Loading

PATH = "/assets/reports.4f1d.js"
IMPORTED = f"TypeError: Failed to fetch dynamically imported module: {SITE}{PATH}"


def gone(story: Loading, path: str = PATH, status: int = 404, **more: str) -> Loading:
    return story.answered(story.begin(path, type="Script"), status, **more)


def test_the_script_is_named_and_a_stale_deploy() -> None:
    story = gone(Loading(ChunkLoadFailed))
    story.throw(IMPORTED, None, at("openReports", 7), rejection=True).end()
    [found] = story.found
    assert (found.channel, found.type, found.severity) == ("errors", "error", "high")
    assert found.summary == (
        f"A part of the app could not be loaded: {PATH} answered 404 (stale deploy: the page is older than the server)"
    )
    assert found.context == {
        "at": "app.js:7:5 openReports",
        "url": PATH,
        "error": said_of(IMPORTED),
    }


def said_of(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


@pytest.mark.parametrize(
    "text",
    [
        "ChunkLoadError: Loading chunk reports failed.",
        f"ChunkLoadError: Loading chunk 7 failed.\n(missing: {SITE}{PATH})",
        f"ChunkLoadError: Loading chunk 7 failed.\n(error: {SITE}{PATH})",
        "Error: Loading CSS chunk 7 failed.",
        f"Error: Unable to preload CSS for {PATH}",
        f"TypeError: error loading: Failed to fetch dynamically imported module: {SITE}{PATH}",
    ],
)
def test_what_bundlers_say_is_known(text: str) -> None:
    story = gone(Loading(ChunkLoadFailed))
    story.throw(text)
    assert [found.context["url"] for found in story.found] == [PATH]


def test_a_chunk_that_is_named_is_found_among_several() -> None:
    story = gone(gone(Loading(ChunkLoadFailed), "/assets/reports.js"), "/assets/editor.js")
    story.throw("ChunkLoadError: Loading chunk reports failed.")
    assert [found.context["url"] for found in story.found] == ["/assets/reports.js"]


def test_a_page_instead_of_a_script_is_a_stale_deploy_too() -> None:
    story = gone(Loading(ChunkLoadFailed), status=200, mime="text/html")
    story.throw(IMPORTED)
    assert "answered with a page (stale deploy" in story.found[0].summary


def test_a_network_that_fails_is_none() -> None:
    story = Loading(ChunkLoadFailed)
    failed = RequestFailed("GET", SITE + PATH, "Script", "net::ERR_INTERNET_DISCONNECTED")
    story.signal(failed, request_id=story.begin(PATH, type="Script")).throw(IMPORTED)
    [found] = story.found
    assert (
        found.summary
        == f"A part of the app could not be loaded: {PATH} failed: net::ERR_INTERNET_DISCONNECTED"
    )


def test_a_server_that_fails_is_none() -> None:
    story = gone(Loading(ChunkLoadFailed), status=502)
    story.throw(IMPORTED)
    assert story.found[0].summary.endswith("answered 502")


@pytest.mark.parametrize(("before_s", "known"), [(9.9, True), (10.1, False)])
def test_the_failure_was_not_long_ago(before_s: float, known: bool) -> None:
    story = gone(Loading(ChunkLoadFailed)).wait(before_s)
    story.throw("ChunkLoadError: Loading chunk 7 failed.")
    assert ("stale deploy" in story.found[0].summary) is known


def test_without_a_known_script_it_is_renamed_all_the_same() -> None:
    story = Loading(ChunkLoadFailed)
    story.throw("ChunkLoadError: Loading chunk 7 failed.")
    assert [found.summary for found in story.found] == ["A part of the app could not be loaded: a script"]


def test_what_is_logged_and_thrown_of_one_script_is_one() -> None:
    story = gone(Loading(ChunkLoadFailed)).signal(ConsoleCalled("error", IMPORTED))
    story.throw(IMPORTED).wait(2).throw(IMPORTED)
    assert len({found.id for found in story.found}) == len(story.found) == 2


def test_other_errors_pages_and_levels_keep_their_names() -> None:
    one = gone(Loading(ChunkLoadFailed)).signal(ConsoleCalled("log", IMPORTED))
    one.throw("TypeError: Failed to fetch")
    other = Loading(ChunkLoadFailed, engine=one.engine, page="p2")
    other.throw("ChunkLoadError: Loading chunk 7 failed.")
    assert one.found == []
    assert [found.summary for found in other.found] == ["A part of the app could not be loaded: a script"]


def test_its_cause_is_the_script_that_failed() -> None:
    story = Loading(ChunkLoadFailed)
    gone(story).throw(IMPORTED)
    assert story.link("A part of the app", f"GET {PATH} answered 404") == ("named", 0.97)
