"""A long text a piece at a time: the wanted lines from a place on, as many as fit, and where to read on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

MAX_LINE_CHARS: Final = 500
"""A longer line is looked at in parts of this length, so that a pattern finds a part of it and not all."""
AROUND_CHARS: Final = 100
CLOCK_EVERY: Final = 256

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Piece:
    """`next` is where to read on, None at the end; `timed_out` that looking for wanted lines took too long."""

    lines: list[str] = field(default_factory=list[str])
    next: int | None = None
    timed_out: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def piece_of(
    text: str, after: int, max_lines: int, max_bytes: int, wants: Callable[[str], bool], until_s: float
) -> Piece:
    """Bytes are counted as they are sent, with their quoting."""
    piece, left = Piece(), max_bytes
    for number, (start, end) in enumerate(parts(text, after)):
        if number % CLOCK_EVERY == 0 and time.monotonic() > until_s:
            piece.next, piece.timed_out = start, True
            return piece
        if not wants(around(text, start, end)):
            continue
        line = text[start:end]
        size = sent_bytes(line) + 2
        if len(piece.lines) >= max_lines or size > left:
            piece.next = start
            if not piece.lines:
                fitting = fitting_chars(line, left)
                piece.lines, piece.next = [line[:fitting]], start + fitting
            return piece
        piece.lines.append(line)
        left -= size
    return piece


def count(text: str, after: int, wants: Callable[[str], bool], until_s: float) -> int | None:
    """How many lines from the place on are wanted; None if counting takes too long."""
    found = 0
    for number, (start, end) in enumerate(parts(text, after)):
        if number % CLOCK_EVERY == 0 and time.monotonic() > until_s:
            return None
        found += wants(around(text, start, end))
    return found


def parts(text: str, after: int) -> Iterator[tuple[int, int]]:
    start = after
    while start < len(text):
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        while line_end - start > MAX_LINE_CHARS:
            yield start, start + MAX_LINE_CHARS
            start += MAX_LINE_CHARS
        yield start, line_end
        start = line_end + 1


def around(text: str, start: int, end: int) -> str:
    """The part with a little of the line around it, in which a pattern may begin or end."""
    before = max(text.rfind("\n", max(0, start - AROUND_CHARS), start) + 1, start - AROUND_CHARS, 0)
    behind = text.find("\n", end, end + AROUND_CHARS)
    return text[before : end + AROUND_CHARS if behind < 0 else behind]


def sent_bytes(text: str) -> int:
    return len(encode(text)) - 2


def fitting_chars(line: str, limit_bytes: int) -> int:
    """At least one, or nobody would get on."""
    size = min(len(line), limit_bytes)
    while size > 1 and sent_bytes(line[:size]) > limit_bytes:
        size = size * 3 // 4
    return max(size, 1)
