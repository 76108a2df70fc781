"""The detectors as a whole: thresholds, isolation of one that fails, growth of episodes, causes, and time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from pydantic import Field

from firstcause.correlator.detecting import ThresholdRefused, options_of
from firstcause.correlator.detectors.detector import Detector, Found, Options, Told, counted
from firstcause.correlator.detectors.windows import Growth, Windows
from firstcause.correlator.engine import Engine
from firstcause.correlator.findings.finding import Finding
from firstcause.observer.domains.network import ResponseReceived
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionThrown
from firstcause.observer.signal import Signal

from .signals import signal

ERROR = ConsoleCalled("error", "no stock")


class LogLimit(Options):
    most: int = Field(default=3, ge=1, description="How many logs are fine.")


class TooManyLogs(Detector[LogLimit]):
    id = "too_many_logs"
    channel = "anomalies"
    severity = "medium"
    options_type = LogLimit
    hears = ("console_error",)

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.first = ""
        self.count = 0
        self.growth = Growth()

    def hear(self, told: Told) -> Iterable[Found]:
        self.first = self.first or told.event_id
        self.count += 1
        if self.count > self.options.most and self.growth.is_due("logs", self.count):
            found = self.finding("medium", f"{self.count} logs", count=self.count)
            yield Found(found, told.signal, counted(self.first), episode="logs")


class Broken(Detector[Options]):
    id = "broken"
    channel = "anomalies"
    needs = (ConsoleCalled,)

    def see(self, signal: Signal) -> Iterable[Found]:
        raise KeyError("token=abcdefghijklmnop")


class BrokenName(Detector[Options]):
    id = "broken_name"
    channel = "errors"
    renames = (ConsoleCalled,)

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        raise ZeroDivisionError


class BrokenClock(Detector[Options]):
    id = "broken_clock"
    channel = "anomalies"
    needs = (ConsoleCalled,)

    def see(self, signal: Signal) -> Iterable[Found]:
        self.due_s = signal.monotonic_s + 1
        return ()

    def advance(self, now_s: float) -> Iterable[Found]:
        raise RuntimeError("no clock")


class Patient(Detector[Options]):
    id = "patient"
    channel = "anomalies"
    needs = (ConsoleCalled,)

    def see(self, signal: Signal) -> Iterable[Found]:
        self.due_s = signal.monotonic_s + 2
        self.seen = signal
        return ()

    def advance(self, now_s: float) -> Iterable[Found]:
        self.due_s = float("inf")
        yield Found(self.finding("low", "waited"), self.seen)


class Louder(Detector[Options]):
    id = "louder"
    channel = "errors"
    renames = (ExceptionThrown,)

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        return self.finding("critical", finding.summary.upper()) if "loud" in finding.summary else None


def engine(*kinds: type, **thresholds: dict[str, bool | float]) -> Engine:
    return Engine("shop", detectors=kinds, thresholds=thresholds)


def kinds(events: Iterable[object]) -> list[str]:
    return [event.kind for event in events]  # type: ignore[attr-defined]


def errors(teller: Engine, many: int) -> list[object]:
    words = "abcdefghijklmnopqrstuvwxyz"
    return [
        event
        for number in range(many)
        for event in teller.feed(signal(ConsoleCalled("error", words[number % 26]), number * 0.01))
    ]


def test_a_count_comes_of_the_first_that_it_counts_and_shares_its_chain() -> None:
    events = errors(engine(TooManyLogs), 4)
    first, anomaly = events[0], events[-1]
    assert kinds(events) == ["console_error"] * 4 + ["too_many_logs"]
    assert (anomaly.cause.id, anomaly.cause.via, anomaly.count) == (first.id, "counted", 4)  # type: ignore[attr-defined]
    assert anomaly.correlation_id == first.correlation_id  # type: ignore[attr-defined]


def test_an_episode_that_grows_is_told_again_as_what_it_has_come_to() -> None:
    told = [event for event in errors(engine(TooManyLogs), 50) if event.kind == "too_many_logs"]  # type: ignore[attr-defined]
    assert [event.count for event in told] == [4, 40]  # type: ignore[attr-defined]
    assert told[1].context["repeats"] == told[0].id  # type: ignore[attr-defined]
    assert told[1].cause == told[0].cause  # type: ignore[attr-defined]


def test_thresholds_may_be_given_and_changed_while_it_runs() -> None:
    teller = engine(TooManyLogs, too_many_logs={"most": 1})
    assert kinds(errors(teller, 2))[-1] == "too_many_logs"
    teller.set_thresholds({"too_many_logs": {"most": 1, "enabled": False}})
    assert "too_many_logs" not in kinds(errors(teller, 20))


def test_a_change_leaves_what_the_other_detectors_saw() -> None:
    teller = engine(TooManyLogs, Patient)
    errors(teller, 3)
    teller.set_thresholds({"patient": {"enabled": False}})
    assert kinds(errors(teller, 1))[-1] == "too_many_logs"


@pytest.mark.parametrize(
    ("thresholds", "says"),
    [
        ({"too_many_log": {}}, "too_many_log is not a detector; did you mean too_many_logs?"),
        ({"nothing": {}}, "nothing is not a detector"),
        (
            {"too_many_logs": {"least": 1}},
            "too_many_logs: least is not one of its options, which are enabled, most",
        ),
        ({"too_many_logs": {"most": 0}}, "too_many_logs: most: input should be greater than or equal to 1"),
        ({"too_many_logs": {"most": True}}, "too_many_logs: most: input should be a valid integer"),
        ({"too_many_logs": {"enabled": 1}}, "too_many_logs: enabled: input should be a valid boolean"),
    ],
)
def test_thresholds_that_can_not_be_are_refused(
    thresholds: dict[str, dict[str, bool | float]], says: str
) -> None:
    with pytest.raises(ThresholdRefused) as refused:
        options_of(thresholds, (TooManyLogs, Patient))
    assert str(refused.value) == says


def test_a_refused_change_changes_nothing() -> None:
    teller = engine(TooManyLogs, too_many_logs={"most": 1})
    with pytest.raises(ThresholdRefused):
        teller.set_thresholds({"too_many_logs": {"most": 0}})
    assert kinds(errors(teller, 2))[-1] == "too_many_logs"


@pytest.mark.parametrize("broken", [Broken, BrokenName])
def test_one_that_fails_is_reported_once_and_the_others_go_on(broken: type) -> None:
    events = errors(engine(broken, TooManyLogs), 5)
    assert kinds(events).count("detector_failed") == 1
    assert kinds(events).count("console_error") == 5
    assert "too_many_logs" in kinds(events)
    [report] = [event for event in events if event.kind == "detector_failed"]  # type: ignore[attr-defined]
    assert report.context["detector"] == broken.id  # type: ignore[attr-defined]
    assert "abcdefghijklmnop" not in report.line()  # type: ignore[attr-defined]


def test_one_that_fails_by_the_clock_is_reported_too() -> None:
    teller = engine(BrokenClock)
    teller.feed(signal(ERROR))
    assert teller.next_due_s == 101
    assert kinds(teller.advance(101)) == ["detector_failed"]
    assert teller.next_due_s is None


def test_what_becomes_clear_by_time_alone_is_told_when_it_is_due() -> None:
    teller = engine(Patient)
    teller.feed(signal(ERROR))
    assert teller.next_due_s == 102
    assert teller.advance(101.9) == []
    assert kinds(teller.advance(102)) == ["patient"]
    assert teller.next_due_s is None


def test_the_end_is_no_time_that_has_passed() -> None:
    teller = engine(Patient)
    teller.feed(signal(ERROR))
    assert teller.finish() == []


def test_a_better_name_replaces_the_kind() -> None:
    teller = engine(Louder)
    quiet, loud = (teller.feed(signal(ExceptionThrown(text)))[0] for text in ("Error: quiet", "Error: loud"))
    assert [(event.kind, event.severity) for event in (quiet, loud)] == [
        ("uncaught_exception", "high"),
        ("louder", "critical"),
    ]


def test_a_detector_sees_answers_only_if_it_needs_them() -> None:
    teller = engine(Patient)
    teller.feed(signal(ResponseReceived("GET", "http://shop.test/", "Fetch", 200)))
    assert teller.next_due_s is None


def test_a_window_holds_what_came_within_its_time_and_no_more_than_its_bound() -> None:
    windows: Windows[str, int] = Windows(within_s=1.0, per_key=3)
    assert [value for _, value in windows.add("a", 0.0, 1)] == [1]
    assert [value for _, value in windows.add("a", 1.0, 2)] == [1, 2]
    assert [value for _, value in windows.add("a", 1.01, 3)] == [2, 3]
    windows.add("a", 1.02, 4)
    assert [value for _, value in windows.add("a", 1.03, 5)] == [3, 4, 5]
    assert [value for _, value in windows.add("b", 1.03, 6)] == [6]
    windows.forget("a")
    assert [value for _, value in windows.add("a", 1.04, 7)] == [7]


def test_growth_is_due_at_first_and_at_each_tenfold_until_it_is_over() -> None:
    growth = Growth()
    assert [count for count in range(5, 600) if growth.is_due("storm", count)] == [5, 50, 500]
    assert growth.is_due("other", 7)
    growth.over("storm")
    assert growth.is_due("storm", 5)
