"""A button that was healthy, what it may have become, and a page that tells of its selector."""

from __future__ import annotations

from typing import Any

import msgspec

from firstcause.correlator.detectors import DETECTORS
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.page_script import SelectorMatches
from firstcause.observer.fingerprint import Fingerprint

from ..flows import Story

PAY = Fingerprint(
    tag="button",
    role="button",
    name="Pay now",
    text="Pay now",
    test="data-testid=pay",
    id="pay",
    classes=("btn", "primary"),
    path=("div.actions", "form#checkout"),
    rect=(400, 600, 120, 32),
    around="Your order 84.00",
)
RENAMED = msgspec.structs.replace(PAY, id="order", test="", unique=("role",), css="#checkout > button")
CANCEL = Fingerprint(
    tag="button",
    role="button",
    name="Cancel",
    text="Cancel",
    id="cancel",
    classes=("btn",),
    path=("div.actions", "form#checkout"),
    rect=(540, 600, 80, 32),
    around="Your order 84.00",
    unique=("role", "id"),
    css="#cancel",
)


def page(kind: str, **thresholds: float) -> Story:
    detectors = tuple(detector for detector in DETECTORS if detector.id == kind)
    return Story(Engine("shop", detectors=detectors, thresholds={kind: thresholds})).load()


def matches(count: int, state: Any, selector: str = "#pay", **more: Any) -> SelectorMatches:
    return SelectorMatches(selector, count, state=state, **{"before": 1, "was": PAY} | more)


def of_selectors(story: Story) -> list[Event]:
    return [event for event in story.events if event.channel == "selectors"]
