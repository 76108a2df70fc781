"""Signals told anew: `replay` prints what today's engine makes of a recording, the same every time."""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
from pathlib import Path

import pytest
from uuid6 import UUID

from firstcause.api.commands.record import written_to
from firstcause.api.playback import CUT, Replay, told_by
from firstcause.api.recording import Recording
from firstcause.correlator.engine import Engine, iso_ms
from firstcause.correlator.event import Event
from firstcause.correlator.redact import Redactor
from firstcause.observer.domains.network import RequestSent, ResponseReceived
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionThrown
from firstcause.observer.errors import BadRecording, OutputFailed
from firstcause.observer.recorded import HEADER, RecordedSignals, encode_signal
from firstcause.observer.signal import StackFrame

from .signals import signal, write_signals
from .test_cli import Run, assert_refused, run

__all__ = ["run"]

AT = (StackFrame("save", "http://shop.test/app.js", 10, 3),)
URL = "http://shop.test/api/save"
STORY = [
    signal(Navigated("http://shop.test/"), order=1),
    signal(RequestSent("POST", URL, "Fetch"), 0.1, order=2, request_id="R1", stack=AT),
    signal(ResponseReceived("POST", URL, "Fetch", 500, 41), 0.2, order=3, request_id="R1"),
    signal(ExceptionThrown("Error: not saved", rejection=True, exception_id=1), 0.3, order=4, stack=AT),
    signal(ConsoleCalled("error", "Failed to save"), 0.4, order=5, stack=AT),
]
FAILURES = ["http_error", "console_error", "unhandled_rejection"]


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.ndjson.gz"
    write_signals(path, STORY)
    return path


def events_in(text: str) -> list[Event]:
    return [Event.model_validate_json(line) for line in text.splitlines()]


def links(events: list[Event]) -> list[tuple[str, str, str]]:
    """What caused what, by summaries."""
    summaries = {event.id: event.summary for event in events}
    return [
        (summaries[event.cause.id], event.cause.via, event.summary)
        for event in events
        if event.cause is not None
    ]


def test_events_come_out_as_a_watch_tells_them(run: Run, story: Path) -> None:
    ended = run("replay", story, "--json")
    assert (ended.code, ended.err) == (0, "")
    events = events_in(ended.out)
    assert sorted(event.kind for event in events) == sorted(FAILURES)
    assert events[0].summary == "POST /api/save answered 500 after 41 ms"
    assert events[0].timestamp == "2025-11-24T16:00:00.200Z"


def test_activity_and_project_are_asked_for(run: Run, story: Path) -> None:
    events = events_in(run("replay", story, "--json", "--activity", "--project", "shop").out)
    assert {event.project for event in events} == {"shop"}
    assert {event.kind for event in events} == {"navigation", *FAILURES}


def test_a_person_gets_lines_and_a_summary(run: Run, story: Path) -> None:
    ended = run("replay", story)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Replaying {story}\n")
    assert re.search(r"p1 +✖ high +POST /api/save answered 500", ended.out)
    assert "3 findings" in ended.out
    assert "navigat" not in ended.out


def test_the_same_file_gives_the_same_events_every_time(run: Run, story: Path) -> None:
    first, again = (run("replay", story, "--json", "--activity").out for _ in range(2))
    assert first == again
    ids = [event.id for event in events_in(first)]
    assert ids == sorted(set(ids))
    assert all(UUID(each).version == 7 for each in ids)
    assert iso_ms(int(ids[-1].replace("-", "")[:12], 16)) == "2025-11-24T16:00:00.400Z"


def test_what_causes_what_is_as_it_was_live(story: Path) -> None:
    engine = Engine()
    live = [event for each in STORY for event in engine.feed(each)] + engine.finish()
    assert links(list(Replay(story))) == links(live)
    assert [event.summary for event in told_by(story).events] == [event.summary for event in live]


def test_ids_stay_in_order_when_the_clock_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "story"
    back = [signal(ConsoleCalled("error", str(n)), 0.1 * n, order=n + 1, session=f"S{n}") for n in (5, 1, 3)]
    write_signals(path, back)
    ids = [event.id for event in Replay(path)]
    assert len(ids) == 3
    assert ids == sorted(set(ids))


def test_what_was_missing_is_said_on_stderr(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "story.ndjson"
    unknown = encode_signal(STORY[0]).replace(b'"kind":"navigation"', b'"kind":"levitation\x1b"')
    lines = [HEADER, unknown.replace(b"\x1b", b"\\u001b"), *map(encode_signal, STORY)]
    path.write_bytes(b"\n".join(lines)[:-20])
    ended = run("replay", path, "--json")
    assert ended.code == 0
    assert len(events_in(ended.out)) == 2
    assert ended.err == (
        f"firstcause: 1 signal of kinds that this version does not know: levitation␛.\nfirstcause: {CUT}\n"
    )


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_what_is_no_recording_of_signals(run: Run, tmp_path: Path, extra: list[str]) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text("{}\n")
    assert_refused(run("replay", events, *extra), "events.ndjson is not a recording of signals", "--signals")
    assert_refused(run("replay", tmp_path / "gone", *extra), "no such file or directory")
    assert_refused(run("replay", tmp_path, *extra), "is a directory")


def test_a_reader_that_went_away_is_no_failure(
    run: Run, story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "firstcause.api.recording.os.write", lambda *_: (_ for _ in ()).throw(BrokenPipeError())
    )
    assert run("replay", story, "--json")[:2] == (0, "")


def test_events_and_signals_are_both_read_as_what_they_are(run: Run, story: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text(run("replay", story, "--json", "--activity").out)
    assert told_by(events).events == told_by(story).events
    plain = shutil.copy(story, tmp_path / "renamed")
    assert told_by(Path(plain)).events == told_by(story).events


def test_weak_candidates_come_with_signals_only(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstcause.correlator.chains.Chains.weak_of", lambda _, event_id: (event_id,))
    told = told_by(story)
    assert set(told.weak) == {event.id for event in told.events}


def test_lines_that_are_no_events_are_named(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    for line, words in (("oops", "Invalid JSON"), ('{"id":"x"}', "seq: "), ("[]", "line 1")):
        path.write_text(f"{line}\n")
        with pytest.raises(BadRecording, match="is not a recording: line 1 is not an event") as refused:
            told_by(path)
        assert words in refused.value.message


async def test_what_is_recorded_has_no_secrets(tmp_path: Path) -> None:
    out = tmp_path / "story.ndjson.gz"
    secret = "Zq7Xv93kLmW2pR8tY5"
    frame = StackFrame("f", f"http://shop.test/?token={secret}")
    said = ConsoleCalled("error", f"password={secret} for customer 4711")
    with Recording(str(out), head=HEADER) as recording:
        write = written_to(recording, Redactor(patterns=("customer [0-9]+",)), asyncio.Event())
        write(signal(said, element=f"#a[token={secret}]", stack=(frame,), async_stack=(frame,)))
        for each in STORY:
            write(each)
    text = gzip.decompress(out.read_bytes()).decode()
    assert secret not in text
    assert "4711" not in text
    assert text.count("***") >= 5
    assert list(RecordedSignals(out))[1:] == STORY


async def test_a_recording_that_can_not_be_written_ends() -> None:
    stop = asyncio.Event()
    with pytest.raises(OutputFailed, match="no space left"), Recording("/dev/full", head=HEADER) as recording:
        written_to(recording, Redactor(), stop)(STORY[0])
    assert stop.is_set()
