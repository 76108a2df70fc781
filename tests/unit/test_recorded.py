"""Recordings of signals: what is written comes back as it was, and a file that is none is told in a sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from firstcause.observer.domains.network import RequestSent, ResponseReceived
from firstcause.observer.domains.page_script import FrameScript, LongFrame
from firstcause.observer.domains.runtime import ConsoleCalled
from firstcause.observer.errors import BadRecording
from firstcause.observer.observer import Gap, Observer
from firstcause.observer.recorded import (
    HEADER,
    RecordedSignals,
    UnknownSignal,
    decode_signal,
    encode_signal,
    is_recording,
)
from firstcause.observer.signal import Detail, Signal

from .signals import AT, signal, write_signals

STORY = [
    signal(RequestSent("POST", "http://shop.test/api/cart", "Fetch"), request_id="R1", stack=AT),
    signal(ResponseReceived("POST", "http://shop.test/api/cart", "Fetch", 500, 12.5), 0.1, request_id="R1"),
    signal(ConsoleCalled("error", "zwei\nZeilen \u2028 \x00 é 😀"), 0.2, order=3, replayed=True),
    signal(LongFrame(80.5, scripts=(FrameScript("a.js"),)), 0.3),
    signal(Gap(1.0, 2.0, "same", ("requests",), pages_gone=("p2",)), 0.4, page="", target_type="browser"),
]


def filled(kind: Any) -> Any:
    """Some value of a type that is not its default."""
    if kind in {str, int, float, bool}:
        return {str: "é", int: 7, float: 1.25, bool: True}[kind]
    if get_origin(kind) is Literal:
        return get_args(kind)[-1]
    if get_origin(kind) is tuple:
        return (filled(get_args(kind)[0]),) * 2
    hints = get_type_hints(kind)
    return kind(**{field.name: filled(hints[field.name]) for field in msgspec.structs.fields(kind)})


@pytest.mark.parametrize("detail", Observer.details, ids=lambda detail: detail.__name__)
def test_every_kind_of_signal_comes_back_as_it_was(detail: type[Detail]) -> None:
    hints = get_type_hints(Signal)
    fields = {name: filled(hints[name]) for name in Signal.__struct_fields__ if name != "detail"}
    given = Signal(detail=filled(detail), **fields)
    line = encode_signal(given)
    assert b"\n" not in line
    assert decode_signal(line) == given
    assert type(decode_signal(line).detail) is detail


@pytest.mark.parametrize("name", ["story.ndjson", "story.ndjson.gz"])
def test_a_file_gives_back_what_was_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_signals(path, STORY) == len(STORY)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")
    recorded = RecordedSignals(path)
    assert list(recorded) == STORY
    assert list(recorded) == STORY
    assert (recorded.skipped, recorded.cut) == ({}, False)


def test_a_packed_file_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "story.ndjson.gz"
    write_signals(path, STORY)
    renamed = path.rename(tmp_path / "story")
    assert list(RecordedSignals(renamed)) == STORY


def test_the_first_line_says_what_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "story.ndjson"
    write_signals(path, ())
    assert json.loads(path.read_text()) == {"firstcause": "signals", "version": 1}
    assert list(RecordedSignals(path)) == []
    assert is_recording(HEADER)
    assert not is_recording(b'{"firstcause":"events","version":1}')
    assert not is_recording(b"firstcause")


def lines_of(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


ONE, TWO = encode_signal(STORY[0]), encode_signal(STORY[1])


def test_what_this_version_does_not_know_is_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "story"
    other = ONE.replace(b'"kind":"request"', b'"kind":"request_of_tomorrow"')
    older = ONE.replace(b'"method":"POST",', b"")
    newer = TWO.replace(b'"browser"', b'"mood":"good","browser"').replace(b'"status"', b'"shape":1,"status"')
    path.write_bytes(lines_of(HEADER, other, older, ONE, other, newer))
    recorded = RecordedSignals(path)
    assert list(recorded) == STORY[:2]
    assert recorded.skipped == {"request_of_tomorrow": 2, "request": 1}
    with pytest.raises(UnknownSignal, match="request_of_tomorrow"):
        decode_signal(other)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_that_ends_in_the_middle_is_read_up_to_there(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "story"
    path.write_bytes(pack(lines_of(HEADER, ONE) + TWO[:-10]))
    recorded = RecordedSignals(path)
    assert list(recorded) == STORY[:1]
    assert recorded.cut


def test_a_packed_file_without_its_end_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "story"
    path.write_bytes(gzip.compress(lines_of(HEADER, ONE, TWO))[:-8])
    recorded = RecordedSignals(path)
    assert list(recorded) == STORY[:2]
    assert recorded.cut


NEWER = HEADER.replace(b'"version":1', b'"version":2')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a recording of signals"),
        (b"\n", "is not a recording of signals"),
        (lines_of(ONE), "is not a recording of signals"),
        (b"\x00\xff" * 100 + b"\n", "is not a recording of signals"),
        (lines_of(NEWER, ONE), "newer firstcause (version 2 of signals; this one reads 1)"),
        (lines_of(HEADER, ONE, b"oops", TWO), "line 3 is not a signal"),
        (lines_of(HEADER, ONE, TWO.replace(b'"order":', b'"border":')), "line 3 is not a signal"),
        (lines_of(HEADER, b'"\xff"'), "line 2 is not a signal"),
        (b"\x1f\x8b" + b"\x00" * 20, "can't be read: "),
    ],
    ids=["empty", "blank", "no header", "binary", "newer", "garbage", "no order", "no text", "no gzip"],
)
def test_what_is_no_recording_is_said_and_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "story"
    path.write_bytes(content)
    with pytest.raises(BadRecording) as refused:
        list(RecordedSignals(path))
    assert str(path) in refused.value.message
    assert words in refused.value.message
    assert refused.value.hint
    assert refused.value.code == "bad_recording"


@pytest.mark.parametrize(
    ("path", "reason"), [("", "is a directory"), ("gone", "no such file"), ("a\0b", "null byte")]
)
def test_what_can_not_be_opened(tmp_path: Path, path: str, reason: str) -> None:
    with pytest.raises(BadRecording, match=reason):
        list(RecordedSignals(tmp_path / path))
