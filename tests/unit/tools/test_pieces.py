"""Pieces of a long text: nothing between two of them is lost, and patterns find lines wherever these are long."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.filters import line_filter
from firstcause.api.tools.pieces import MAX_LINE_CHARS, count, piece_of

LATER_S = 3_600.0


def read_all(text: str, max_lines: int, max_bytes: int, *include: str) -> list[str]:
    wants = line_filter(include, ())
    until_s = time.monotonic() + LATER_S
    pieces: list[str] = []
    after: int | None = 0
    while after is not None:
        piece = piece_of(text, after, max_lines, max_bytes, wants, until_s)
        assert piece.next is None or piece.next > after
        assert len(json.dumps(piece.text, ensure_ascii=False).encode()) <= max_bytes + 16
        pieces.append(piece.text)
        after = piece.next
    return pieces


@given(st.text(st.sampled_from('ab"é\\\n\t '), max_size=3_000), st.integers(1, 9), st.integers(512, 900))
def test_pieces_hold_every_character_once(text: str, max_lines: int, max_bytes: int) -> None:
    joined = "".join(read_all(text, max_lines, max_bytes))
    assert joined.replace("\n", "") == text.replace("\n", "")


def test_only_wanted_lines_are_told() -> None:
    text = "\n".join(f"line {number}" for number in range(1_000))
    [piece] = read_all(text, 100, 4_096, "/^line 99[0-4]$/")
    assert piece.split("\n") == [f"line {number}" for number in range(990, 995)]
    wants = line_filter(["line 1"], ["/[0-8]$/"])
    assert count(text, 0, wants, time.monotonic() + LATER_S) == len(["19", *range(109, 200, 10)])


def test_a_pattern_finds_the_part_of_a_line_that_has_it() -> None:
    line = "x" * (MAX_LINE_CHARS - 3) + "needle" + "y" * 5_000
    [piece] = read_all(line, 100, 4_096, "needle")
    assert "needle" in piece.replace("\n", "")
    assert len(piece) <= 2 * MAX_LINE_CHARS + 1


def test_looking_ends_when_the_time_is_up() -> None:
    text = "line\n" * 10_000
    piece = piece_of(text, 0, 10, 512, line_filter(["nothing"], ()), time.monotonic() - 1)
    assert (piece.next, piece.timed_out, piece.lines) == (0, True, [])
    assert count(text, 0, line_filter(["nothing"], ()), time.monotonic() - 1) is None


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n"])
def test_a_text_of_nothing_ends(text: str) -> None:
    assert "".join(read_all(text, 10, 512)).strip() == ""
