"""GitHub: ten annotations a level on one line each, and a summary that fits."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from firstcause.api.reports import github
from firstcause.api.reports.places import Sources
from firstcause.correlator.event import Event
from firstcause.correlator.explain import explain

from .reported import ALONE, HOSTILE, RUN, STORY, content, event, hostile_events

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def told(*events: Event, root: Path = Path("/nowhere")) -> list[tuple[str, dict[str, str], str]]:
    lines = github.annotated(content(*events), Sources(root))
    found = [COMMAND.fullmatch(line) for line in lines]
    return [
        (
            one[1],
            {
                name: unquote(value)
                for name, _, value in (field.partition("=") for field in one[2].split(","))
            },
            unquote(one[3]),
        )
        for one in found
        if one is not None
    ]


def test_a_failure_is_marked_where_it_began(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/app.js").touch()
    ((level, fields, text),) = told(*STORY, root=tmp_path)
    assert level == "error"
    assert (fields["file"], fields["line"]) == ("web/app.js", "7")
    assert fields["title"] == "http_error: POST /api/save answered 500 after 41 ms"
    assert text == explain(STORY).text


def test_a_place_that_is_not_in_the_repository_is_left_out() -> None:
    ((_, fields, _),) = told(*STORY)
    assert set(fields) == {"title"}


def test_a_failed_test_is_marked_in_the_test(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_order.py").touch()
    level, fields, _ = told(*RUN, root=tmp_path)[0]
    assert (level, fields["file"], fields["line"]) == ("error", "tests/test_order.py", "12")
    assert "POST /api/save answered 500" in fields["title"]


def test_what_failed_no_test_is_no_error_where_there_are_tests() -> None:
    crash = event(60, "page_crash", "The page crashed", "critical", correlation_id="c3")
    assert [level for level, *_ in told(crash)] == ["error"]
    assert [level for level, *_ in told(*RUN, crash)] == ["error", "warning", "notice"]


def test_there_are_ten_annotations_of_a_level_at_most() -> None:
    many = [event(n, "console_error", "No", fingerprint=str(n), correlation_id=str(n)) for n in range(30)]
    assert [level for level, *_ in told(*many, ALONE)] == ["error"] * 10 + ["notice"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_command_of_its_own(text: str) -> None:
    (line,) = github.annotated(
        content(event(1, text, text, context={"at": f"{text}:1:2"})), Sources(Path("/nowhere"))
    )
    assert len(line.splitlines()) == 1
    assert COMMAND.match(line)


def test_the_summary_fits_with_what_is_there_already() -> None:
    many = [
        event(n, "console_error", "ü" * 200, fingerprint=str(n), correlation_id=str(n), page=f"p{n}")
        for n in range(390)
    ]
    taken = github.MAX_SUMMARY_BYTES - 9_000
    text = github.summary(content(*many, *hostile_events()), taken)
    assert 2_000 < len(text.encode()) <= 9_000
    assert "which find no room here" in text


def test_a_summary_that_is_full_is_left_alone() -> None:
    assert github.summary(content(*STORY), github.MAX_SUMMARY_BYTES - 10) == ""
