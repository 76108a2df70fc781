"""Pages that show nothing for long."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.slow_fcp import SlowFcp
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page_script import FirstPaint

from ..flows import Story
from .long_frames import kinds


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(SlowFcp,), thresholds={"slow_fcp": thresholds})).load("/tickets")


@pytest.mark.parametrize(("after_ms", "severity"), [(1800.1, "medium"), (3000, "medium"), (3000.1, "high")])
def test_a_late_first_paint_is_told(after_ms: float, severity: str) -> None:
    event = story().signal(FirstPaint(after_ms)).end().event("showed nothing")
    assert (event.kind, event.severity) == ("slow_fcp", severity)
    assert event.summary == f"The page showed nothing for {after_ms / 1000:.1f} s"
    assert event.context == {"url": "/tickets", "fcp_ms": after_ms}


def test_one_in_time_is_not_nor_one_that_nobody_looked_at() -> None:
    assert kinds(story().signal(FirstPaint(1800)).end()) == []
    assert kinds(story().signal(FirstPaint()).end()) == []
    assert kinds(story(over_ms=5000).signal(FirstPaint(4900)).end()) == []


def test_frames_in_a_page_are_not_the_page() -> None:
    assert kinds(story().signal(FirstPaint(9000), frame="F2").end()) == []
