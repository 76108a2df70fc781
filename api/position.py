"""Where a reader is in a log: an epoch, and for every channel the seq of the last event that is accounted for; as text, a cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from ..correlator.event import Channel
from .errors import BadCursor

LETTERS: Mapping[Channel, str] = {
    "errors": "e",
    "network_errors": "n",
    "performance": "p",
    "selectors": "s",
    "anomalies": "a",
    "activity": "v",
    "runs": "r",
    "output": "o",
}
CHANNEL_OF: Mapping[str, Channel] = {letter: channel for channel, letter in LETTERS.items()}
SHAPE = re.compile(r"([a-z0-9]{1,40})\.((?:[a-z](?:0|[1-9][0-9]{0,15}))*)", re.ASCII)
PART = re.compile(r"([a-z])([0-9]+)", re.ASCII)


def place(channel: Channel, seq: int) -> str:
    """One channel's part of a cursor."""
    return LETTERS[channel] + str(seq)


class Position(NamedTuple):
    """`epoch` names the life of the log that the seqs belong to: seqs of another one are other events."""

    epoch: str
    seqs: Mapping[Channel, int]

    def __str__(self) -> str:
        return f"{self.epoch}.{''.join([place(channel, seq) for channel, seq in self.seqs.items()])}"

    @classmethod
    def parse(cls, cursor: str) -> Self:
        shape = SHAPE.fullmatch(cursor)
        parts = PART.findall(shape[2]) if shape else []
        seqs: dict[Channel, int] = {
            CHANNEL_OF[letter]: int(seq) for letter, seq in parts if letter in CHANNEL_OF
        }
        if shape is None or len(seqs) != len(parts):
            raise BadCursor(
                f"{cursor[:60]!r} is not a cursor.",
                "Send one as it came from the server, or none to begin anew.",
            )
        return cls(shape[1], seqs)
