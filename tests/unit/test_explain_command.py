"""`explain`: from a file of events or of signals to sentences, and what it says when there is nothing to explain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firstcause.correlator.event import Event
from firstcause.correlator.explain import explain

from .signals import write_signals
from .test_cli import Run, assert_refused, run
from .test_explain import CLICK, FAILED, SAVE, STORY, event, name
from .test_replay_command import STORY as SIGNALS
from .test_replay_command import events_in

__all__ = ["run"]

OTHER = event(20, "page_crash", "The page / crashed", "critical", correlation_id="c2", page="p2")
QUIET = event(21, "request", "GET /ok answered 200", "info", correlation_id="c3")


def written(folder: Path, *events: Event) -> Path:
    path = folder / "events.ndjson"
    path.write_text("".join(f"{one.line()}\n" for one in events))
    return path


def test_the_worst_failure_is_explained(run: Run, tmp_path: Path) -> None:
    ended = run("explain", written(tmp_path, *STORY))
    assert ended == (0, f"{explain(STORY).text}\n", "")
    ended = run("explain", written(tmp_path, *STORY, OTHER, QUIET))
    assert ended.out.startswith("page_crash (critical) on p2 has no known cause")


def test_the_same_as_json(run: Run, tmp_path: Path) -> None:
    ended = run("explain", written(tmp_path, *STORY), "--json")
    assert ended.code == 0
    assert json.loads(ended.out) == explain(STORY).json()
    assert ended.out.count("\n") == 1


def test_an_event_is_named_by_its_id_or_by_how_that_begins(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, *STORY, OTHER)
    wanted = f"{explain([*STORY, OTHER], SAVE.id).text}\n"
    assert run("explain", path, SAVE.id).out == wanted
    close = [one.model_copy(update={"id": f"{'abcde'[n]}-id", "cause": None}) for n, one in enumerate(STORY)]
    assert run("explain", written(tmp_path, *close), "b").out.startswith("http_error")


def test_what_began_a_chain_stands_for_the_worst_that_came_of_it(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, *STORY, OTHER)
    assert run("explain", path, CLICK.id).out == f"{explain(STORY, FAILED.id).text}\n"


def test_events_that_are_not_there(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, *STORY)
    many = run("explain", path, "019aa4e2-5c1d")
    assert_refused(many, "how 5 events begin", f"{name(1)}, {name(2)}, {name(3)} …", "Give more of the id")
    near = run("explain", path, name(6))
    assert_refused(near, f"no event {name(6)} among the 5 events of {path}", "Did you mean", name(1))
    assert_refused(run("explain", path, "x\x1b"), "There is no event x␛", f"firstcause explain {path} --all")


def test_all_first_failures_are_listed_the_worst_and_latest_first(run: Run, tmp_path: Path) -> None:
    early = event(0, "uncaught_exception", "Uncaught x", correlation_id="c0")
    path = written(tmp_path, early, *STORY, OTHER, QUIET)
    ended = run("explain", path, "--all")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"critical {OTHER.id} 1 failure  page_crash: The page / crashed",
        (
            f"high     {FAILED.id} 4 failures  assertion_failed: The order was not saved"
            " ← http_error: POST /api/save answered 500 after 41 ms"
        ),
        f"high     {early.id} 1 failure  uncaught_exception: Uncaught x",
    ]
    lines = [json.loads(line) for line in run("explain", path, "--all", "--json").out.splitlines()]
    assert [line["event"] for line in lines] == [OTHER.id, FAILED.id, early.id]
    assert lines[1] | {"summary": ""} == {
        "correlation_id": STORY[0].correlation_id,
        "severity": "high",
        "failures": 4,
        "event": FAILED.id,
        "kind": "assertion_failed",
        "summary": "",
        "first_failure": SAVE.id,
    }


def test_nothing_wrong_is_said(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, CLICK, QUIET)
    assert run("explain", path) == (0, "Nothing went wrong in 2 events.\n", "")
    assert json.loads(run("explain", path, "--json").out) == {
        "steps": [],
        "text": "Nothing went wrong in 2 events.",
    }
    assert run("explain", path, "--all") == (0, "Nothing went wrong in 2 events.\n", "")
    assert run("explain", path, "--all", "--json") == (0, "", "")


def test_what_is_no_recording(run: Run, tmp_path: Path) -> None:
    assert_refused(run("explain", written(tmp_path)), "events.ndjson holds no events", "firstcause record")
    path = tmp_path / "notes.txt"
    path.write_text("milk\neggs\n")
    assert_refused(run("explain", path), "notes.txt is not a recording: line 1 is not an event")
    assert_refused(run("explain", tmp_path / "gone"), "no such file or directory")


@pytest.mark.parametrize("name", ["story.ndjson", "story.ndjson.gz"])
def test_signals_are_explained_as_well_and_their_events_keep_their_ids(
    run: Run, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    write_signals(path, SIGNALS)
    replayed = events_in(run("replay", path, "--json").out)
    failed = next(one for one in replayed if one.kind == "http_error")
    ended = run("explain", path, failed.id)
    assert ended.code == 0
    assert "POST /api/save answered 500 after 41 ms" in ended.out


def test_the_end_of_a_cut_recording_is_told_and_the_rest_explained(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, *STORY)
    path.write_text(path.read_text()[:-30])
    ended = run("explain", path)
    assert ended.out.startswith("selector_missing (high)")
    assert (
        ended.err == "firstcause: The recording ends in the middle of a line: what came after is missing.\n"
    )


def test_a_page_can_not_command_the_terminal(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, event(1, "console_error", "one\x1b[2J two", context={"at": "\x1b[31m"}))
    for extra in ([], ["--all"]):
        out = run("explain", path, *extra).out
        assert "\x1b" not in out
        assert "one" in out
