"""Layout that shifts, summed over sessions of shifts."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.layout_shift import LayoutShifts
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.page_script import LayoutShift

from ..flows import SITE, Story
from .long_frames import kinds

NODES = ("#list", "p.row")


def story(**thresholds: float) -> Story:
    return Story(Engine("shop", detectors=(LayoutShifts,), thresholds={"layout_shift": thresholds})).load()


def shift(on: Story, value: float, after_s: float = 0.1, **fields: str) -> Story:
    return on.wait(after_s - 0.0021).signal(LayoutShift(value, NODES, (72, 40)), **fields)


@pytest.mark.parametrize(("value", "severity"), [(0.1001, "medium"), (0.25, "medium"), (0.2501, "high")])
def test_one_large_shift_is_told(value: float, severity: str) -> None:
    event = shift(story(), value).end().event("shifted")
    assert (event.severity, event.count) == (severity, 1)
    assert event.summary == f"The layout shifted by {value:.2f}, moving #list by 72 px"
    assert event.context == {"value": value, "nodes": ["#list", "p.row"], "moved_px": [72, 40]}


def test_a_tenth_is_not() -> None:
    assert kinds(shift(story(), 0.1).end()) == []
    assert kinds(shift(story(shift=0.3), 0.3).end()) == []


def test_small_shifts_add_up_and_are_told_again_when_they_are_severe() -> None:
    told = story()
    for _ in range(8):
        shift(told, 0.04, 0.9)
    shifts = [event for event in told.end().events if event.kind == "layout_shift"]
    # 0.12 after three; the sixth is the last within 5 s.
    assert [(event.severity, event.count, event.context["value"]) for event in shifts] == [
        ("medium", 3, 0.12)
    ]
    told = story()
    for _ in range(8):
        shift(told, 0.04)
    first, again = [event for event in told.end().events if event.kind == "layout_shift"]
    assert first.summary == "The layout shifted by 0.12 in 3 shifts, moving #list by 72 px"
    assert (again.severity, again.count, again.context["repeats"]) == ("high", 7, first.id)


def test_a_pause_of_a_second_begins_anew() -> None:
    assert kinds(shift(shift(story(), 0.06), 0.06, 1.0).end()) == []
    assert kinds(shift(shift(story(), 0.06), 0.06, 0.998).end()) == ["layout_shift"]
    assert kinds(shift(shift(story(gap_s=2), 0.06), 0.06, 1.9).end()) == ["layout_shift"]


def test_no_session_is_longer_than_five_seconds() -> None:
    told = story(shift=0.45)
    for _ in range(6):  # at 0, 0.9 … 4.5 s
        shift(told, 0.08, 0.9)
    assert kinds(told) == ["layout_shift"]
    told = story(shift=0.45)
    for _ in range(6):  # at 0, 0.999 … 4.995 s, then one of a new session
        shift(told, 0.07, 0.999)
    shift(told, 0.07, 0.999)
    assert kinds(told) == []


def test_documents_are_kept_apart() -> None:
    told = shift(story(), 0.06)
    shift(told, 0.06, frame="another frame")
    shift(told, 0.06, page="p2", session="S2")
    assert kinds(told) == []
    told.signal(Navigated(f"{SITE}/next"), loader_id="L2")
    assert kinds(shift(told, 0.06).end()) == []


def test_the_nodes_of_the_largest_shift_are_named() -> None:
    told = shift(story(), 0.09)
    told.signal(LayoutShift(0.02, ("#footer",), (3,))).end()
    assert told.event("shifted").context["nodes"] == ["#list", "p.row"]
    bare = story().signal(LayoutShift(0.2)).end()
    assert bare.event("shifted").summary == "The layout shifted by 0.20"
    assert bare.event("shifted").context == {"value": 0.2}
    appeared = story().signal(LayoutShift(0.2, ("#banner",), (0,))).end()
    assert appeared.event("shifted").context == {"value": 0.2, "nodes": ["#banner"]}
