"""The stress program must notice what it is there for: its own account of frames that are missing, doubled or out of order."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
try:
    from _stress_client import answer_of, frame  # pyright: ignore[reportMissingImports]
    from _stress_truth import Account, Checks, Truth  # pyright: ignore[reportMissingImports]
finally:
    sys.path.pop(0)


def event(seq: int, summary: str = "", id_: str = "") -> dict[str, Any]:
    return {"id": id_ or f"id{seq}", "seq": seq, "summary": summary or f"p {seq}"}


def batch(prev: int, *seqs: int, upto: int = 0, **fields: Any) -> dict[str, Any]:
    events = [event(seq) for seq in seqs]
    upto = upto or max(seqs, default=prev)
    return {
        "op": "batch",
        "channel": "runs",
        "prev": prev,
        "upto": upto,
        "count": len(seqs),
        "events": events,
    } | fields


SUBSCRIBED = {
    "op": "subscribed",
    "recovered": True,
    "reason": "fresh",
    "positions": {"runs": 0},
    "cursor": "e.r0",
}


def wrong_after(*frames: dict[str, Any], last: int | None = None) -> set[str]:
    truth, account, checks = Truth(), Account(), Checks("test")
    for one in frames:
        account.take(truth.read(msgspec.json.encode(one)))
    account.check(checks, {} if last is None else {"runs": last})
    truth.check(checks)
    return {what for what, count in checks.wrong.items() if count}


def test_a_whole_stream_is_good() -> None:
    digest = batch(3, 5, upto=6, op="digest", count=3, omitted=2, by_severity={"info": 3})
    gap = {"op": "gap", "channel": "runs", "prev": 6, "upto": 9, "lost": 3}
    assert wrong_after(SUBSCRIBED, batch(0, 1, 2, 3), digest, gap, batch(9, 10), last=10) == set()


@pytest.mark.parametrize(
    ("frames", "last", "noticed"),
    [
        ([batch(0, 1), batch(2, 3)], 3, "gaps"),
        ([batch(0, 1), batch(0, 1)], 1, "duplicates"),
        ([batch(0, 1), {**SUBSCRIBED, "reason": "complete"}], 1, "duplicates"),
        ([batch(0, 1), {**SUBSCRIBED, "reason": "complete", "positions": {"runs": 2}}], 2, "gaps"),
        ([batch(0, 2, 1)], 2, "disordered"),
        ([batch(0, 1, 3)], 3, "missing"),
        ([batch(0, 1)], 2, "missing"),
        ([batch(0, 1, 2)], 1, "duplicates"),
        ([{"op": "gap", "channel": "runs", "prev": 0, "upto": 3, "lost": 2}], 3, "missing"),
        ([batch(0, 2, upto=3, op="digest", count=3, omitted=1, by_severity={"info": 3})], 3, "missing"),
        ([{"op": "pos", "positions": {"runs": 1}}], 1, "surprises"),
        ([{"op": "error", "code": "bad_json", "message": "m", "hint": "h"}], 0, "surprises"),
        ([batch(0, 1), batch(1, 2, events=[event(2, "p 0")])], 2, "out_of_order"),
        ([batch(0, 1), batch(1, 2, events=[event(2, "p 1")])], 2, "doubled"),
    ],
)
def test_what_is_wrong_is_noticed(frames: list[dict[str, Any]], last: int, noticed: str) -> None:
    assert noticed in wrong_after(SUBSCRIBED, *frames, last=last)


def test_a_place_belongs_to_one_event() -> None:
    assert "reassigned" in wrong_after(batch(0, 1), batch(0, 1, events=[event(1, id_="another")]))


def test_a_promise_is_kept() -> None:
    truth, checks = Truth(), Checks("test")
    truth.published("runs", 1, "id1", "p 1")
    truth.published("runs", 2, "id2", "p 2")
    truth.read(msgspec.json.encode(batch(0, 1)))
    truth.check(checks)
    assert checks.wrong["promised_and_lost"] == 1


def test_frames_of_every_size() -> None:
    assert frame(b"hi") == b"\x81\x82\0\0\0\0hi"
    assert frame(b"x" * 126)[:4] == b"\x81\xfe\x00\x7e"
    assert frame(b"x" * 65536)[:10] == b"\x81\xff" + (65536).to_bytes(8, "big")
    assert frame(b"", 9, final=False, mask=False, reserved=4) == b"\x49\x00"


def test_answers_are_read() -> None:
    got = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert answer_of(got).json == {}
    assert answer_of(b'HTTP/1.1 400 Bad\r\n\r\n{"code":"c","message":"m","hint":"h"}').code == "c"
    assert answer_of(b"").status == 0
