"""What every report tells: tests with their first causes, failures once each, the worst first."""

from __future__ import annotations

from firstcause.api.reports import content as of_reports
from firstcause.api.reports.runs import runs_in

from .reported import ALONE, LATE, LISTED, RUN, SAVE, SAVED, SKIPPED, STORY, content, event, run_event


def test_a_failure_is_told_with_its_first_cause_and_what_it_led_to() -> None:
    (failure,) = content(*STORY).failures
    assert (failure.first, failure.event, failure.times) == (SAVE, STORY[-1], 1)
    assert [step.event for step in failure.explanation.steps] == STORY


def test_the_worst_failures_come_first() -> None:
    crash = event(60, "page_crash", "The page / crashed", "critical", correlation_id="c3")
    told = [failure.first for failure in content(ALONE, *STORY, crash).failures]
    assert told == [crash, SAVE, ALONE]


def test_failures_that_begin_and_end_alike_are_one() -> None:
    again = [event(70 + number, "console_error", "No", correlation_id=f"d{number}") for number in range(4)]
    elsewhere = event(80, "console_error", "No", correlation_id="d9", page="p2")
    told = content(*again, elsewhere).failures
    assert [(failure.first, failure.times) for failure in told] == [(again[0], 4), (elsewhere, 1)]


def test_no_more_failures_are_explained_than_somebody_reads(monkeypatch) -> None:
    monkeypatch.setattr(of_reports, "MAX_EXPLAINED", 2)
    many = [event(n, "console_error", "No", fingerprint=str(n), correlation_id=str(n)) for n in range(5)]
    told = content(*many)
    assert (len(told.failures), told.unexplained) == (2, 3)
    assert told.headline == "5 different failures"


def test_every_test_has_its_outcome() -> None:
    told = content(*RUN).tests
    outcomes = {LISTED: "passed", SAVED: "failed", SKIPPED: "skipped", LATE: "unfinished"}
    assert {case.name: case.outcome for case in told} == outcomes
    assert [case.run.duration_s for case in told if case.name == LISTED] == [1.5]


def test_a_failed_test_goes_back_to_its_first_cause() -> None:
    (case,) = content(*RUN).failed_tests
    assert case.event.kind == "assertion_failed"
    assert case.first == SAVE


def test_an_assertion_that_names_no_test_is_known_by_the_test_that_failed_of_it() -> None:
    nameless = RUN[6].model_copy(update={"context": {}})
    failed = run_event(41, "test.failed", SAVED, "high", cause=40)
    (case,) = content(*RUN[2:6], nameless, failed).failed_tests
    assert (case.event, case.first) == (nameless, SAVE)


def test_what_a_failed_test_goes_back_to_is_told_once() -> None:
    told = content(*RUN)
    assert [failure.first for failure in told.failures] == [ALONE]
    assert told.headline == "1 of 4 tests failed; 1 different failure beside them"


def test_a_test_that_is_tried_again_is_told_twice() -> None:
    again = [run_event(90, "test.started", SAVED), run_event(91, "test.passed", SAVED)]
    told = [run for run in runs_in([*RUN, *again]) if run.name == SAVED]
    assert [run.outcome for run in told] == ["failed", "passed"]


def test_a_test_without_a_field_of_its_name_is_named_by_its_summary() -> None:
    plain = [
        event(1, "test.started", "test_login started", "info", channel="runs"),
        event(2, "test.failed", "test_login failed after 3 s", channel="runs"),
    ]
    assert [(run.name, run.outcome) for run in runs_in(plain)] == [("test_login", "failed")]


def test_where_nothing_failed_that_is_said() -> None:
    assert content().headline == "Nothing went wrong"
    assert content(*RUN[:2]).headline == "0 of 1 test failed"


def test_tests_of_one_name_are_told_apart_by_their_ids() -> None:
    of = [run_event(n, "test.started", SAVED, test_id=f"id-{n}") for n in (90, 91)]
    ended = [
        run_event(92, "test.passed", SAVED, test_id="id-91"),
        run_event(93, "test.failed", SAVED, test_id="id-90"),
    ]
    assert [(run.events[0], run.outcome) for run in runs_in([*of, *ended])] == [
        (of[0], "failed"),
        (of[1], "passed"),
    ]
