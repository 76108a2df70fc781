"""GitLab's code quality: every field that it wants, and the same fingerprints in every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from firstcause.api.reports import gitlab
from firstcause.api.reports.places import Sources
from firstcause.correlator.event import Event

from .reported import ALONE, RUN, STORY, content, event, hostile_events


def issues(*events: Event) -> list[dict[str, Any]]:
    return json.loads(gitlab.render(content(*events), Sources(Path("/nowhere"))))


def test_a_failure_is_an_issue_at_its_place() -> None:
    (issue,) = issues(*STORY)
    assert issue.pop("fingerprint")
    assert issue == {
        "description": "POST /api/save answered 500 after 41 ms; it led to: The order was not saved",
        "check_name": "http_error",
        "severity": "critical",
        "location": {"path": "app.js", "lines": {"begin": 7}},
    }


def test_a_failed_test_is_an_issue_in_the_test() -> None:
    test, beside = issues(*RUN)
    assert test["check_name"] == "test_failed"
    assert test["location"] == {"path": "tests/test_order.py", "lines": {"begin": 12}}
    assert beside["severity"] == "minor"


def test_fingerprints_are_the_same_in_another_run() -> None:
    later = [
        one.model_copy(
            update={
                "id": f"{one.id}-again",
                "timestamp": one.timestamp.replace("2026", "2027"),
                "cause": one.cause and one.cause.model_copy(update={"id": f"{one.cause.id}-again"}),
            }
        )
        for one in RUN
    ]
    assert [each["fingerprint"] for each in issues(*later)] == [each["fingerprint"] for each in issues(*RUN)]


def test_no_fingerprint_is_there_twice() -> None:
    elsewhere = ALONE.model_copy(update={"id": "other", "page": "p2", "correlation_id": "c9"})
    told = [each["fingerprint"] for each in issues(ALONE, elsewhere, *hostile_events())]
    assert len(told) == len({*told})


def test_what_happened_nowhere_has_a_path_all_the_same() -> None:
    (issue,) = issues(event(1, "page_crash", "The page crashed", "critical"))
    assert (issue["location"], issue["severity"]) == ({"path": ".", "lines": {"begin": 1}}, "blocker")


def test_without_failures_it_is_an_empty_list() -> None:
    assert issues() == []
