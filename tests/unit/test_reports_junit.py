"""JUnit XML: what the two schemas in use both ask for, and the chain of causes as what a case says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from firstcause.api.reports import junit
from firstcause.correlator.event import Event
from firstcause.correlator.explain import explain

from .reported import HOSTILE, RUN, SAVE, STORY, content, event, hostile_events

REQUIRED = {"name", "package", "id", "hostname", "timestamp", "tests", "failures", "errors", "time"}


def suite_of(*events: Event) -> ElementTree.Element:
    root = ElementTree.fromstring(junit.render(content(*events)))
    assert root.tag == "testsuites"
    (suite,) = root
    return suite


def test_a_failure_without_a_test_is_a_case_of_its_own() -> None:
    suite = suite_of(*STORY)
    (case,) = suite.findall("testcase")
    (failure,) = case
    assert case.get("name") == f"http_error: {SAVE.summary}"
    assert (failure.get("type"), failure.get("message")) == ("assertion_failed", "The order was not saved")
    assert failure.text == explain(STORY).text


def test_a_test_is_a_case_and_its_first_cause_the_message() -> None:
    tests = suite_of(*RUN)
    told = {case.get("name"): [child.tag for child in case] for case in tests.findall("testcase")}
    assert told == {
        "test_save": ["failure"],
        "test_list": [],
        "test_skip": ["skipped"],
        "test_late": ["error"],
    }
    failed = tests.find("testcase/failure")
    assert failed is not None
    assert failed.get("message") == SAVE.summary
    assert "POST /api/save answered 500" in (failed.text or "")
    assert {case.get("classname") for case in tests.findall("testcase")} == {"tests.test_order"}


@pytest.mark.parametrize(
    "events", [[], STORY, RUN, [*RUN, *hostile_events()]], ids=["none", "story", "run", "hostile"]
)
def test_every_suite_has_what_the_schemas_ask_for(events: list[Event]) -> None:
    suite = suite_of(*events)
    assert set(suite.attrib) >= REQUIRED
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    order = [child.tag for child in suite]
    cases = ["testcase"] * int(suite.get("tests", "-1"))
    assert order == ["properties", *cases, "system-out", "system-err"]
    for tag, counted in {"failure": "failures", "error": "errors", "skipped": "skipped"}.items():
        assert len(suite.findall(f"testcase/{tag}")) == int(suite.get(counted, "-1"))
    for case in suite.findall("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert all(case.attrib.values())
        assert len(case) <= 1


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_makes_well_formed_xml(text: str) -> None:
    suite = suite_of(event(1, text or "x", text, page=text))
    assert len(suite.findall("testcase")) == 1


def test_a_recording_without_failures_is_a_suite_without_cases() -> None:
    suite = suite_of()
    assert (suite.get("tests"), suite.get("failures")) == ("0", "0")
