"""A recording as JUnit XML: a case a test, else one a failure; the chain of causes is what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ...correlator.explanation import Explanation
from .content import Case, Content, Failure
from .runs import seconds_between

# What no XML may hold, not even by number.
FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
SEPARATORS: Final = re.compile(r"::| › ")
EPOCH: Final = "1970-01-01T00:00:00"


def render(content: Content) -> str:
    """Valid by the schemas of Ant and of Jenkins, which contradict each other in what is optional."""
    # What no test failed of is no failure of a run that has tests.
    cases = [_test_case(case) for case in content.tests] or [_failure_case(each) for each in content.failures]
    root = Element("testsuites")
    root.append(_suite(cases, content))
    indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _suite(cases: Sequence[Element], content: Content) -> Element:
    times = [event.timestamp for event in content.events]
    began, ended = (min(times), max(times)) if times else (EPOCH, EPOCH)
    began_at = TIME.match(began)
    suite = Element(
        "testsuite",
        name="firstcause",
        package="firstcause",
        id="0",
        hostname="localhost",
        timestamp=began_at[0] if began_at else EPOCH,
        tests=str(len(cases)),
        failures=str(_count(cases, "failure")),
        errors=str(_count(cases, "error")),
        skipped=str(_count(cases, "skipped")),
        time=f"{seconds_between(began, ended):.3f}",
    )
    SubElement(suite, "properties")
    suite.extend(cases)
    SubElement(suite, "system-out").text = _clean("\n".join(content.notes))
    SubElement(suite, "system-err")
    return suite


def _count(cases: Sequence[Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _test_case(case: Case) -> Element:
    # What a test was given stands in brackets, and may hold anything.
    bare, bracket, given = case.name.partition("[")
    *above, name = SEPARATORS.split(bare)
    within = ".".join(part.removesuffix(".py").replace("/", ".") for part in above)
    element = _element(f"{name}{bracket}{given}", within, case.run.duration_s)
    if case.explanation is not None:
        _failed(element, case.event.kind, case.first.summary, case.explanation)
    elif case.outcome == "skipped":
        SubElement(element, "skipped")
    elif case.outcome == "unfinished":
        SubElement(element, "error", type="unfinished", message="It began, and nothing tells how it ended.")
    return element


def _failure_case(failure: Failure) -> Element:
    events = failure.explanation.steps
    lasted_s = seconds_between(events[0].event.timestamp, events[-1].event.timestamp)
    where = f".{failure.first.page}" if failure.first.page else ""
    times = f" (×{failure.times})" if failure.times > 1 else ""
    element = _element(
        f"{failure.first.kind}: {failure.first.summary}{times}", f"firstcause{where}", lasted_s
    )
    _failed(element, failure.event.kind, failure.event.summary, failure.explanation)
    return element


def _element(name: str, classname: str, time_s: float) -> Element:
    return Element(
        "testcase",
        name=_token(name) or "test",
        classname=_token(classname) or "firstcause",
        time=f"{time_s:.3f}",
    )


def _failed(element: Element, kind: str, message: str, explanation: Explanation) -> None:
    failure = SubElement(element, "failure", type=_token(kind), message=_token(message))
    failure.text = _clean(explanation.text)


def _token(text: str) -> str:
    return _clean(" ".join(text.split()))


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
