"""What frameworks say of a server's HTML that is not what the page renders, under one name and once."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.hydration_mismatch import HydrationMismatch
from firstcause.observer.domains.runtime import ConsoleCalled

from ..flows import at
from .loading import Loading

MINIFIED_18 = (
    "Error: Minified React error #425; visit https://reactjs.org/docs/error-decoder.html?invariant=425 for the full message "
    "or use the non-minified dev environment for full errors and additional helpful warnings."
)
MINIFIED_19 = (
    "Error: Minified React error #418; visit https://react.dev/errors/418?args[]=text&args[]= for the full message or use the "
    "non-minified dev environment for full errors and additional helpful warnings."
)


def test_an_exception_is_renamed_and_keeps_its_place() -> None:
    story = Loading(HydrationMismatch)
    story.throw("Error: Text content does not match server-rendered HTML.", None, at("Receipt", 14))
    [found] = story.found
    assert (found.channel, found.type, found.severity) == ("errors", "error", "high")
    assert found.summary == "Hydration mismatch: Text content does not match server-rendered HTML."
    assert found.context == {"at": "app.js:14:5 Receipt", "url": "/app.js"}
    assert {event.channel for event in story.events} == {"activity", "errors"}


@pytest.mark.parametrize("code", [418, 419, 422, 423, 425])
def test_what_the_production_build_says_by_number_is_said_in_words(code: int) -> None:
    story = Loading(HydrationMismatch)
    story.throw(MINIFIED_18.replace("425", str(code)))
    [found] = story.found
    assert found.context["react_error"] == code
    assert found.summary.endswith(f"(React error #{code})")


def test_react_19_says_in_its_arguments_what_is_different() -> None:
    story = Loading(HydrationMismatch)
    story.throw(MINIFIED_19).wait(2).throw(MINIFIED_19.replace("text", "HTML"))
    assert [found.summary for found in story.found] == [
        "Hydration mismatch: a text that the server rendered is not the one that the page renders (React error #418)",
        "Hydration mismatch: what the server rendered is not what the page renders (React error #418)",
    ]


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("error", 'Warning: Text content did not match. Server: "09:41" Client: "10:41"'),
        ("error", "Warning: Prop `className` did not match. Server: dark Client: light"),
        ("error", "Warning: Expected server HTML to contain a matching <div> in <main>."),
        ("error", 'Warning: Did not expect server HTML to contain the text node "x" in <main>.'),
        (
            "error",
            "Warning: An error occurred during hydration. The server HTML was replaced with client content.",
        ),
        (
            "error",
            "A tree hydrated but some attributes of the server rendered HTML didn't match the client properties.",
        ),
        (
            "warning",
            "[Vue warn]: Hydration node mismatch:\n- rendered on server: <p>\n- expected on client: div",
        ),
        ("warning", "[Vue warn]: Hydration text content mismatch on <p>"),
        ("warning", "[Vue warn]: Hydration class mismatch on <p>"),
        ("warning", "[Vue warn]: Hydration children mismatch on <ul>"),
        ("error", "Hydration completed but contains mismatches."),
        (
            "error",
            "[Vue warn]: The client-side rendered virtual DOM tree is not matching server-rendered content.",
        ),
        ("error", "NG0500: During hydration Angular expected <p> but found a comment"),
        ("warning", "[svelte] hydration_mismatch"),
    ],
)
def test_what_is_logged_of_it_is_renamed(level: str, text: str) -> None:
    story = Loading(HydrationMismatch).signal(ConsoleCalled(level, text), stack=(at("warn", 3),))
    [found] = story.found
    assert (found.severity, found.context["at"]) == ("high", "app.js:3:5 warn")
    assert "Warning:" not in found.summary


@pytest.mark.parametrize(
    "text",
    [
        "Error: Hydration failed because the initial UI does not match what was rendered on the server.",
        "Error: Hydration failed because the server rendered HTML didn't match the client. As a result this tree will be regenerated.",
        "Error: There was an error while hydrating. Because the error happened outside of a Suspense boundary, the root …",
        "Error: The server could not finish this Suspense boundary, likely due to an error during server rendering.",
    ],
)
def test_what_is_thrown_in_development_is_renamed(text: str) -> None:
    story = Loading(HydrationMismatch)
    story.throw(text)
    assert len(story.found) == 1


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("log", "Hydration failed because of me"),
        ("error", "Hydration level of the plant is low"),
        ("error", "Error: Minified React error #185; visit https://react.dev/errors/185"),
        ("error", "The answer did not match"),
    ],
)
def test_other_words_keep_their_names(level: str, text: str) -> None:
    story = Loading(HydrationMismatch).signal(ConsoleCalled(level, text))
    assert story.found == []


@pytest.mark.parametrize(("apart_s", "many"), [(0.4, 1), (0.9, 2), (1.1, 3)])
def test_reports_within_a_second_of_the_first_are_one(apart_s: float, many: int) -> None:
    story = Loading(HydrationMismatch)
    for code in (425, 418, 423):
        story.throw(MINIFIED_18.replace("425", str(code))).wait(apart_s)
    assert len(story.found) == many


def test_pages_are_kept_apart() -> None:
    one = Loading(HydrationMismatch)
    other = Loading(HydrationMismatch, engine=one.engine, page="p2")
    one.throw(MINIFIED_18)
    other.throw(MINIFIED_18)
    assert [len(one.found), len(other.found)] == [1, 1]


def test_it_keeps_the_cause_that_the_evidence_finds() -> None:
    story = Loading(HydrationMismatch)
    story.marked = True
    story.load()
    request, asked = story.ask("/api/me")
    story.answer(request, "/api/me", 500).throw(MINIFIED_18, asked)
    assert story.link("Hydration mismatch", "GET /api/me answered 500") is not None
