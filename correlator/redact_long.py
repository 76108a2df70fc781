"""Takes secrets out of texts of any length, a block at a time, without a secret being cut in two between blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .redact import HIDDEN, MAX_CHARS, Redactor

BLOCK_CHARS: Final = 6_000
AHEAD_CHARS: Final = MAX_CHARS - BLOCK_CHARS
LEAST_BLOCK_CHARS: Final = 1_000
NEAR_CHARS: Final = 1_500
NEAR_TRIES: Final = 6
STEP_CHARS: Final = 500
MAX_SECRET_CHARS: Final = 128_000
"""Behind the beginning of one that is longer nothing is told."""
ENDS: Final = "\n}>;, "
"""After which a text is cut rather than elsewhere."""


def redact_long(text: str, redactor: Redactor) -> str:
    return "".join(redacted_blocks(text, redactor))


def redacted_blocks(text: str, redactor: Redactor) -> Iterator[str]:
    start = 0
    while len(text) - start > BLOCK_CHARS:
        cuts = (
            cut
            for cut in _candidates(text, start)
            if _are_apart(text[start:cut], text[cut : cut + AHEAD_CHARS], redactor)
        )
        cut = next(cuts, 0)
        yield redactor.text(text[start:cut]) if cut else HIDDEN
        start = cut or _end_of_secret(text, start, redactor)
    yield redactor.text(text[start:])


def _are_apart(before: str, behind: str, redactor: Redactor) -> bool:
    """Whether both hold the same secrets apart as they do together."""
    return redactor.text(before + behind) == redactor.text(before) + redactor.text(behind)


def _candidates(text: str, start: int) -> Iterator[int]:
    """Where to cut a block: near its end, then further and further before, in case that a secret is all there is near the end."""
    last = at = start + BLOCK_CHARS
    for _ in range(NEAR_TRIES):
        found = max(text.rfind(end, last - NEAR_CHARS, at) for end in ENDS)
        if found < 0:
            break
        yield found + 1
        at = found - NEAR_CHARS // NEAR_TRIES // 2
    yield last
    for back in range(last - NEAR_CHARS, start + LEAST_BLOCK_CHARS, -STEP_CHARS):
        found = max(text.rfind(end, back - STEP_CHARS // 2, back) for end in ENDS)
        yield found + 1 if found >= 0 else back


def _end_of_secret(text: str, start: int, redactor: Redactor) -> int:
    """Of one that is longer than a block and begins near its start: the first place behind it."""
    opening = text[start : start + 2 * LEAST_BLOCK_CHARS]
    at = start + BLOCK_CHARS
    while at < min(len(text), start + MAX_SECRET_CHARS):
        window = text[at : at + BLOCK_CHARS]
        told = redactor.text(opening + window)
        for cut in range(0, len(window), STEP_CHARS):
            if told == redactor.text(opening + window[:cut]) + redactor.text(window[cut:]):
                return at + cut
        at += BLOCK_CHARS - STEP_CHARS  # what ends the secret may lie on the border of two windows
    return len(text)
