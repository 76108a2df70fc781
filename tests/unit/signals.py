"""Literal signals, and the events that an engine makes of them."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.recorded import HEADER, encode_signal
from firstcause.observer.signal import Detail, Signal, StackFrame

WALL_MS = 1_764_000_000_000.0
ORDERS = itertools.count(1)
AT = (
    StackFrame("saveCart", "http://shop.test/js/cart.js?v=3", 88, 12),
    StackFrame("onClick", "http://shop.test/js/app.js", 7, 3),
)


def signal(detail: Detail, at_s: float = 0.0, **fields: Any) -> Signal:
    """One fact that arrives `at_s` seconds after the story began, on page p1 of browser b1 unless `fields` say otherwise.

    Each has an order of its own, the one in which they were made.
    """
    place: dict[str, Any] = {
        "browser": "b1",
        "session": "S1",
        "order": next(ORDERS),
        "page": "p1",
        "target_type": "page",
    }
    return Signal(detail=detail, monotonic_s=100 + at_s, wall_ms=WALL_MS + at_s * 1000, **(place | fields))


def engine() -> Engine:
    """One with ids that can be foretold: id1, id2 …"""
    numbers = itertools.count(1)
    return Engine("shop", lambda: f"id{next(numbers)}")


def told(*signals: Signal, by: Engine | None = None) -> list[Event]:
    """All that is told about the signals, with what is held back."""
    teller = by or engine()
    return [event for each in signals for event in teller.feed(each)] + teller.finish()


def failures(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.channel != "activity"]


def only(*signals: Signal) -> Event:
    """The one event about the signals."""
    [event] = told(*signals)
    return event


def write_signals(path: Path, signals: Iterable[Signal]) -> int:
    """A whole recording at once; how many there were."""
    lines = [encode_signal(signal) for signal in signals]
    text = b"\n".join((HEADER, *lines, b""))
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return len(lines)
