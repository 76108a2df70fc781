"""No detector tells a secret that a page puts into what it looks at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from firstcause.correlator.detectors import DETECTORS
from firstcause.correlator.detectors.detector import Detector
from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.fingerprint import Fingerprint
from firstcause.observer.observer import BrowserLost, Gap
from firstcause.observer.signal import Detail, Signal, StackFrame

from .canaries import CANARIES, leaks
from .signals import signal
from .test_findings import EVENTS

NUMBER = 5_000
TIMES = 12
IDS = itertools.count(1)
OWN_WORDS = (Gap, BrowserLost)  # no page has a part in these
LOOKED_AT = sorted(
    {detail for kind in DETECTORS for detail in kind.needs if detail not in OWN_WORDS},
    key=lambda detail: detail.__name__,
)


def lowest(kind: type[Detector[Any]]) -> dict[str, bool | float]:
    """The thresholds at which it fires at the slightest thing."""
    lows: dict[str, bool | float] = {}
    for name, field in kind.options_type.model_fields.items():
        bounds = {type(rule).__name__: rule for rule in field.metadata}
        if field.annotation is bool:
            lows[name] = True
        elif name.endswith("_s") or not bounds:
            lows[name] = field.default
        else:
            lows[name] = bounds["Ge"].ge if "Ge" in bounds else field.default
    return lows


THRESHOLDS = {kind.id: lowest(kind) for kind in DETECTORS}


def filled(of: Any, text: str) -> Any:
    """An instance with the text in every text and a large number in every number, at any depth."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(of):
        kind = str(field.type)
        if field.type is str:
            values[field.name] = text
        elif field.type in (int, float):
            values[field.name] = field.type(NUMBER)
        elif field.type is bool:
            values[field.name] = True
        elif kind.startswith("tuple[str"):
            values[field.name] = (text,)
        elif kind.startswith(("tuple[float", "tuple[int")):
            values[field.name] = (NUMBER,)
        elif (
            kind.startswith("tuple[")
            and isinstance(inner := field.type.__args__[0], type)
            and issubclass(inner, msgspec.Struct)
        ):
            values[field.name] = (filled(inner, text),)
        elif field.type is Fingerprint or "Fingerprint" in kind:
            values[field.name] = filled(Fingerprint, text)
        elif kind.startswith("typing.Literal"):
            values[field.name] = field.type.__args__[0]
        elif field.default is msgspec.NODEFAULT:
            raise AssertionError(f"{of.__name__}.{field.name}: {kind}")
    return of(**values)


def texts_of(detail: Detail) -> list[str]:
    return [name for name in detail.__struct_fields__ if isinstance(getattr(detail, name), str)]


def spoilt(detail: Detail, canary: str) -> Iterator[Detail]:
    """With the canary everywhere, and in each of its texts alone."""
    yield filled(type(detail), canary)
    yield filled(type(detail), f"http://shop.test/api/7 {canary}")
    for name in texts_of(detail):
        yield msgspec.structs.replace(detail, **{name: canary})
        yield msgspec.structs.replace(detail, **{name: f"{getattr(detail, name)} {canary}"})


def told(detail: Detail, canary: str) -> list[Event]:
    """What is told when it comes again and again, on a page whose addresses and elements hold the secret too."""
    engine = Engine("shop", lambda: f"id{next(IDS)}", thresholds=THRESHOLDS)
    frames = (StackFrame(canary, f"http://shop.test/{canary}.js", 1, 2),)

    def again(number: int) -> Signal:
        element = f"button[aria-label={canary}]"
        return signal(
            detail,
            number * 0.3,
            request_id=f"R{number}",
            stack=frames,
            element=element,
            loader_id="L1",
            frame="F1",
        )

    events = [event for number in range(TIMES) for event in engine.feed(again(number))]
    return events + engine.advance(200.0) + engine.finish()


ORDINARY = {type(detail): detail for detail, *_ in EVENTS}


@pytest.mark.parametrize("kind", CANARIES)
def test_no_detector_tells_a_secret(kind: str) -> None:
    for of in LOOKED_AT:
        for detail in spoilt(ORDINARY.get(of) or filled(of, "text"), CANARIES[kind]):
            for event in told(detail, CANARIES[kind]):
                assert not leaks(event.line()), (detail, event)


def test_enough_detectors_have_something_to_tell_about_that() -> None:
    kinds = {
        event.kind
        for of in LOOKED_AT
        for detail in (*spoilt(ORDINARY.get(of) or filled(of, "text"), "x"), filled(of, "text"))
        for event in told(detail, "x")
    }
    assert len(kinds & {kind.id for kind in DETECTORS}) >= 15, kinds
