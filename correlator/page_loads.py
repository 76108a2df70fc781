"""What the findings about the loading of a page have in common."""

from __future__ import annotations

from ..observer.signal import Signal
from .event import Severity


def is_of_page(signal: Signal) -> bool:
    """Whether it is about the page itself, not about a frame in it."""
    return signal.target_type == "page" and is_of_target(signal)


def is_of_target(signal: Signal) -> bool:
    """Whether it is about the document of a page, or of a frame in a process of its own."""
    return signal.frame == signal.target


def graded(value: float, high_above: float) -> Severity:
    return "high" if value > high_above else "medium"


def seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s"
