"""Every benchmark starts; the quickest prints the line that is read by whoever compares runs; and those of the stream count right."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firstcause.correlator.event import Event

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT / "bench"))
try:
    from _stream import (  # pyright: ignore[reportMissingImports]
        SEQ,
        STAMPED,
        Account,
        Counting,
        Frame,
        Frames,
        Wanted,
        fields_of,
        lags_ms,
        masked,
    )
    from soak import CHANNELS, ends_after, event_at, slope, twenty  # pyright: ignore[reportMissingImports]
finally:
    sys.path.pop(0)

BENCHMARKS = sorted(file.stem for file in (ROOT / "bench").glob("[a-z]*.py"))


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"bench/{name}.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_tells_its_options(name: str) -> None:
    ended = run(name, "--help")
    assert ended.returncode == 0, ended.stderr
    assert "--quick" in ended.stdout


def test_the_readme_tells_of_every_benchmark() -> None:
    readme = (ROOT / "bench" / "README.md").read_text("utf-8")
    assert [name for name in BENCHMARKS if f"`{name}.py`" not in readme] == []


def test_decode_ends_with_one_line_of_figures() -> None:
    ended = run("decode", "--quick")
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["bench"] == "decode"
    assert last["figures"]["signals"] > 0
    assert not [reason for reason in last["figures"]["skipped"] if reason != "unwanted"]
    assert last["ok"] is all(must["ok"] for must in last["must"].values())
    assert ended.returncode == (0 if last["ok"] else 1), ended.stderr


# --- what is published and counted -------------------------------------------------------------------------------------


def test_an_event_is_as_large_as_most_and_has_its_seq_once() -> None:
    lines = [Event(**fields_of(index)).model_copy(update={"seq": 7}).line().encode() for index in (0, 1)]
    assert [350 <= len(line) <= 450 for line in lines] == [True, True]
    assert [line.count(SEQ) for line in lines] == [1, 1]
    assert [len(lags_ms(line, time.monotonic_ns())) for line in lines] == [1, 0]


def test_a_stamp_that_is_cut_off_is_passed_over() -> None:
    line = Event(**fields_of(STAMPED)).line().encode()
    cut = line.index(b'"at_ns":') + 20
    assert lags_ms(line[:cut], time.monotonic_ns()) == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
async def test_events_are_counted_wherever_the_bytes_are_cut(size: int) -> None:
    data = b'[{"seq":1},{"seq":22},{"seq":333}]'
    client = Counting("/", b"", [])
    client.open.cancel()
    for at in range(0, len(data), size):
        client.on_data(data[at : at + size])
    assert client.count == 3


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_frames_are_found_wherever_the_bytes_are_cut(size: int) -> None:
    long = b"x" * 300
    data = b"\x81\x02hi" + b"\x89\x00" + b"\x81\x7e" + len(long).to_bytes(2, "big") + long
    frames = Frames()
    found = [frame for at in range(0, len(data), size) for frame in frames.feed(data[at : at + size])]
    assert found == [(1, b"hi"), (9, b""), (1, long)]


def test_a_client_masks_with_zeros() -> None:
    assert masked(b"hi") == b"\x81\x82\0\0\0\0hi"
    assert masked(b"x" * 200)[:4] == b"\x81\xfe\x00\xc8"


# --- accounts ----------------------------------------------------------------------------------------------------------


def subscribed(at: int = 0, reason: str = "fresh") -> dict[str, Any]:
    return {"op": "subscribed", "reason": reason, "positions": {"errors": at}}


def batch(prev: int, upto: int, *seqs: int) -> dict[str, Any]:
    events = [{"seq": seq} for seq in seqs]
    return ranged("batch", prev, upto, count=len(seqs), events=events)


def ranged(op: str, prev: int, upto: int, **fields: Any) -> dict[str, Any]:
    return {"op": op, "channel": "errors", "prev": prev, "upto": upto, **fields}


ALL = Wanted()
EVEN = Wanted(2, (0,))


def account_of(*frames: dict[str, Any], wanted: Wanted = ALL) -> Account:
    account = Account(wanted)
    for frame in frames:
        account.take(msgspec.convert(frame, Frame))
    return account


@pytest.mark.parametrize(
    ("frames", "wanted"),
    [
        ([subscribed(), batch(0, 2, 1, 2), batch(2, 3, 3), batch(3, 6, 4, 5, 6)], ALL),
        ([subscribed(), batch(0, 3, 2), {"op": "pos", "positions": {"errors": 3}}, batch(3, 6, 4, 6)], EVEN),
        ([subscribed(), ranged("gap", 0, 4, lost=4), batch(4, 6, 5, 6)], ALL),
        ([subscribed(), ranged("gap", 0, 5, lost=4), batch(5, 6, 6)], EVEN),
        ([subscribed(), batch(0, 2, 1, 2), subscribed(2, "complete"), batch(2, 6, 3, 4, 5, 6)], ALL),
        (
            [
                subscribed(),
                ranged(
                    "digest", 0, 6, count=6, omitted=5, by_severity={"low": 5, "high": 1}, events=[{"seq": 4}]
                ),
            ],
            ALL,
        ),
    ],
)
def test_an_account_that_is_right(frames: list[dict[str, Any]], wanted: Wanted) -> None:
    account = account_of(*frames, wanted=wanted)
    assert (account.broken, account.unaccounted({"errors": 6})) == ([], 0)


@pytest.mark.parametrize(
    "frames",
    [
        [batch(0, 2, 1, 2), batch(3, 4, 4)],  # a hole between two ranges
        [batch(0, 2, 1, 2), batch(1, 3, 2, 3)],  # one event twice
        [batch(0, 3, 1, 3)],  # one is missing inside
        [batch(0, 2, 2, 1)],  # out of order
        [batch(0, 1, 1), subscribed(0, "complete")],  # resumed at another place
        [batch(0, 1, 1), subscribed(1, "epoch_changed")],
        [ranged("gap", 0, 4, lost=3)],  # of the first event nothing is told
        [ranged("digest", 0, 2, count=2, omitted=2, by_severity={"low": 1})],
        [{"op": "pos", "positions": {"errors": 1}}],  # passes over what was wanted
        [{"op": "error", "message": "no"}],
    ],
)
def test_an_account_that_is_wrong(frames: list[dict[str, Any]]) -> None:
    assert account_of(subscribed(), *frames).broken


def test_what_never_came_is_unaccounted() -> None:
    assert account_of(subscribed(), batch(0, 2, 1, 2)).unaccounted({"errors": 6}) == 4


# --- soak --------------------------------------------------------------------------------------------------------------


def test_events_are_what_their_seq_says() -> None:
    events = [event_at(index) for index in range(60)]
    assert {channel: sum(one.channel == channel for one in events) for channel in CHANNELS} == ends_after(60)
    assert ends_after(61)[CHANNELS[0]] == 21
    cart = [index // 3 + 1 for index, one in enumerate(events) if "cart" in str(one.context["url"])]
    assert cart == [10, 10, 10, 20, 20, 20]


def test_there_are_twenty_subscribers() -> None:
    assert len(twenty()) == 20


def test_a_slope_is_not_tilted_by_one_step() -> None:
    flat = [(count, 70.0 if count < 90_000 else 90.0) for count in range(0, 100_000, 1000)]
    assert slope(flat) == 0
    assert slope([(count, count / 1000) for count in range(0, 10_000, 1000)]) == pytest.approx(100)
