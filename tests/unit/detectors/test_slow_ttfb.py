"""Pages whose first byte comes late."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.slow_ttfb import SlowTtfb
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page_script import LoadTiming

from ..flows import Story
from .long_frames import kinds


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(SlowTtfb,), thresholds={"slow_ttfb": thresholds})).load("/report")


@pytest.mark.parametrize(("ttfb_ms", "severity"), [(800.1, "medium"), (1800, "medium"), (1800.1, "high")])
def test_a_late_first_byte_is_told(ttfb_ms: float, severity: str) -> None:
    event = story().signal(LoadTiming(ttfb_ms, 2000, 2400, 200)).end().event("first byte of the page")
    assert (event.kind, event.severity) == ("slow_ttfb", severity)
    assert event.summary == f"The first byte of the page came after {ttfb_ms / 1000:.1f} s"
    assert event.context == {"url": "/report", "ttfb_ms": ttfb_ms, "load_ms": 2400, "status": 200}


def test_one_in_time_is_not() -> None:
    assert kinds(story().signal(LoadTiming(800)).end()) == []
    assert kinds(story(over_ms=3000).signal(LoadTiming(2900)).end()) == []


def test_frames_in_a_page_are_not_the_page() -> None:
    told = story().signal(LoadTiming(3000), frame="F2")
    told.signal(LoadTiming(3000), target_type="iframe", target="T9", frame="T9", session="S9")
    assert kinds(told.end()) == []
