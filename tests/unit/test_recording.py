"""Recordings: whole lines only, also when the disk is full or the reader goes away."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.recording import GZIP_FORMAT, Recording
from firstcause.correlator.event import Event
from firstcause.observer.errors import OutputFailed

LIMIT_BYTES = 10_000

# Writes events until the recording says stop, as `record` does; the first argument is where to, the second how many.
WRITER = """
import resource, sys
from firstcause.api.cli import main
from firstcause.api.recording import Recording
from firstcause.correlator.event import Event
from firstcause.api import cli

def event(seq):
    return Event(id=str(seq), seq=seq, timestamp="2026-01-01T00:00:00.000Z", project="p", session="s", channel="errors",
        type="error", kind="console_error", severity="medium", summary="x" * 300, fingerprint="f", count=1)

def write(out, count, limit):
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with Recording(out) as recording:
        for seq in range(count):
            if not recording.write(event(seq)):
                break

cli.app = lambda **_: write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
main()
"""


def event(seq: int = 1, channel: str = "errors", **fields: object) -> Event:
    return Event.model_validate(
        {
            "id": str(seq),
            "seq": seq,
            "timestamp": "2026-01-01T00:00:00.000Z",
            "project": "p",
            "session": "s",
            "channel": channel,
            "type": "error",
            "kind": "console_error",
            "severity": "medium",
            "summary": "x",
            "fingerprint": "f",
            "count": 1,
            **fields,
        }
    )


def writer(out: str, count: int = 1000, limit: int = 0) -> list[str]:
    return [sys.executable, "-c", WRITER, out, str(count), str(limit)]


def seqs(text: str) -> list[Any]:
    assert text == "" or text.endswith("\n")
    return [json.loads(line)["seq"] for line in text.splitlines()]


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    with Recording(str(out)) as recording:
        for seq in range(3):
            assert recording.write(event(seq))
            assert seqs(out.read_text()) == list(range(seq + 1))
    assert recording.count == 3


def test_line_breaks_and_control_characters_of_a_page_stay_inside_their_line(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    nasty = "one\ntwo\r\x1b[2J\x00 \N{LINE SEPARATOR} é 😀"
    with Recording(str(out)) as recording:
        recording.write(event(summary=nasty, context={"at": nasty}))
    (line,) = out.read_bytes().removesuffix(b"\n").split(b"\n")
    assert json.loads(line)["summary"] == nasty
    assert b"\x1b" not in line


def test_activity_is_written_when_it_is_asked_for(tmp_path: Path) -> None:
    events = [event(1), event(2, "activity"), event(3)]
    for activity, kept in ((True, [1, 2, 3]), (False, [1, 3])):
        out = tmp_path / str(activity)
        with Recording(str(out), activity=activity) as recording:
            for one in events:
                assert recording.write(one)
        assert seqs(out.read_text()) == kept
        assert recording.count == len(kept)


def test_an_older_recording_is_replaced_by_the_first_event(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    out.write_text("old\n" * 1000)
    with Recording(str(out)) as recording:
        assert out.read_text().startswith("old")
        recording.write(event(7))
        assert seqs(out.read_text()) == [7]


def test_an_older_recording_is_replaced_by_an_end_without_events_but_not_by_a_failure(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    out.write_text("old\n")
    with pytest.raises(ZeroDivisionError), Recording(str(out)):
        raise ZeroDivisionError
    assert out.read_text() == "old\n"
    with Recording(str(out)):
        pass
    assert out.read_text() == ""


def test_places_that_can_not_be_opened(tmp_path: Path) -> None:
    for out, reason in ((tmp_path, "is a directory"), (tmp_path / "no" / "x", "no such file")):
        with pytest.raises(OutputFailed, match=reason):
            Recording(str(out))
    with pytest.raises(OutputFailed, match="null byte"):
        Recording("a\0b")


def test_a_full_disk_leaves_whole_lines_and_says_how_many(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    ended = subprocess.run(writer(str(out), limit=LIMIT_BYTES), capture_output=True, text=True, check=False)
    kept = seqs(out.read_text())
    assert len(kept) > 10
    assert kept == list(range(len(kept)))
    # It was full: one line more would not have fitted.
    assert out.stat().st_size + len(out.read_text().splitlines()[-1]) + 1 > LIMIT_BYTES
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        f"firstcause: {out} can't be written: file too large; the {len(kept)} lines before are whole."
        " Give --out another path, or - for stdout.\n"
    )


def test_a_device_that_is_full_from_the_start() -> None:
    ended = subprocess.run(writer("/dev/full"), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("firstcause: /dev/full can't be written: no space left on device. ")
    assert ended.stderr.count("\n") == 1


def test_stdout_that_is_full() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(writer("-"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("firstcause: stdout can't be written: no space left on device. ")


def test_a_full_file_behind_stdout_keeps_what_was_there_before(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    out.write_text('{"seq":-1}\n')
    with out.open("a") as stdout:
        ended = subprocess.run(
            writer("-", limit=LIMIT_BYTES), stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )
    kept = seqs(out.read_text())
    assert kept == list(range(-1, len(kept) - 1))
    assert f"the {len(kept) - 1} lines before are whole" in ended.stderr
    assert ended.returncode == 2


def test_a_reader_that_goes_away_is_no_failure() -> None:
    with subprocess.Popen(
        writer("-", count=10**9), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["seq"] == 0
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_pipe_that_does_not_block_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    filled = os.write(write_end, b" " * 10_000_000)  # as much as a pipe holds
    read: list[bytes] = []

    def read_all() -> None:
        with os.fdopen(read_end, "rb") as pipe:
            read.append(pipe.read())

    reader = threading.Thread(target=read_all)
    with os.fdopen(write_end, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with Recording() as recording:
            reader.start()
            for seq in range(500):
                assert recording.write(event(seq, summary="x" * 1000))
        monkeypatch.undo()
    reader.join()
    assert read[0][:filled].isspace()
    assert seqs(read[0][filled:].decode()) == list(range(500))


def test_a_packed_recording_can_be_read_up_to_its_last_line_at_any_time(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson.gz"
    out.write_bytes(b"old" * 1000)
    with Recording(str(out), head=b'{"seq":"head"}') as recording:
        for seq in range(3):
            assert recording.write(event(seq))
            unpacked = zlib.decompressobj(wbits=GZIP_FORMAT).decompress(out.read_bytes())
            assert seqs(unpacked.decode()) == ["head", *range(seq + 1)]
    assert seqs(gzip.decompress(out.read_bytes()).decode()) == ["head", 0, 1, 2]
    assert recording.count == 3


def test_a_first_line_is_written_once_and_not_counted(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    for count in (0, 2):
        with Recording(str(out), head=b'{"seq":"head"}') as recording:
            for seq in range(count):
                recording.write(event(seq))
        assert seqs(out.read_text()) == ["head", *range(count)]
        assert recording.count == count


def test_a_recording_that_never_began_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson.gz"
    out.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), Recording(str(out), head=b"{}"):
        raise ZeroDivisionError
    assert out.read_bytes() == b"old"


def test_a_packed_recording_has_its_end_also_after_a_failure(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson.gz"

    def fail_after_one() -> None:
        with Recording(str(out)) as recording:
            recording.write(event(7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_one()
    assert seqs(gzip.decompress(out.read_bytes()).decode()) == [7]
