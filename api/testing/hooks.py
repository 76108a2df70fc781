"""What the plugin does at each step of pytest. Nothing in it can fail, hang or change a test: all is guarded, every wait ends."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from _pytest._code.code import TracebackEntry

from .background import Background
from .browsers import Browsers
from .guard import Guard
from .healing_hooks import OUTPUT, HealingHooks
from .messages import read
from .pages import failing_page
from .runs import Runs
from .steps import Step, Steps

if TYPE_CHECKING:
    from .observed import Observed
    from .story import Story

# Two barriers, what is held back and a hang that is about to be told come to less than five seconds.
LOOK_WITHIN_S: Final = 8.0
# A test that closes its browser on the way out fails a while after the call that failed.
CLOSED_WITHIN_MS: Final = 5_000.0
SECTION: Final = "firstcause"
EVENTS: Final = "firstcause_events"
TROUBLE: Final = "firstcause_trouble"


class Hooks:
    """In each worker of pytest-xdist there is one of its own; the controller collects what they report."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._guard = Guard()
        self._background = Background(self._guard)
        self._steps = Steps(self._step, self._guard)
        self._browsers = Browsers(self._background, self._steps, self._guard)
        self._healing = HealingHooks(config, self._background)
        self._test = self._file = ""
        self._story: Story | None = None
        self._runs = Runs(str(config.getoption("firstcause_report") or ""))
        self._troubles: set[str] = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None]:
        with self._guard:
            self._begin(item)
        yield
        self._steps.is_on = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self) -> None:
        """Some fixture may have imported Playwright just now."""
        self._browsers.install()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        self._browsers.install()

    # Outermost, so that the outcome is what all others made of it.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, Any]:
        outcome = yield
        with self._guard:
            told: pytest.TestReport = outcome.get_result()
            if told.failed and call.excinfo is not None:
                self._failed(item, call, told)
            elif told.passed and told.when == "call":
                self._passed()
            self._runs.phase(item.nodeid, told)
            if told.when == "teardown":
                lines = self._runs.end(item.nodeid)
                if lines:
                    setattr(told, EVENTS, lines)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """With pytest-xdist in the controller, for the reports of all workers."""
        with self._guard:
            self._runs.collect(cast("list[str]", getattr(report, EVENTS, [])))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        with self._guard:
            self._troubles.add(str(getattr(node, "workeroutput", {}).get(TROUBLE, "")))
            self._healing.take(node)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        with self._guard:
            self._background.stop()
        with self._guard:
            if hasattr(session.config, "workerinput"):
                output = cast("Any", session.config).workeroutput
                output[TROUBLE], output[OUTPUT] = self._guard.trouble, self._healing.output()
            else:
                self._healing.finish()
                self._runs.write()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        with self._guard:
            for trouble in sorted({*self._troubles, self._guard.trouble} - {""}):
                terminalreporter.write_line(f"firstcause: not all could be observed: {trouble}", yellow=True)
            if self._browsers.others and not self._background.observed:
                names = ", ".join(sorted(self._browsers.others))
                terminalreporter.write_line(f"firstcause observes Chromium; {names} was not observed")
            for line in self._healing.lines:
                terminalreporter.write_line(f"firstcause: {line}")
            if self._runs.written:
                terminalreporter.write_line(f"firstcause: {self._runs.written}")

    def pytest_unconfigure(self) -> None:
        with self._guard:
            self._browsers.uninstall()
            self._background.stop()

    def _begin(self, item: pytest.Item) -> None:
        self._browsers.install()
        self._test, self._story = item.nodeid, None
        self._file = item.nodeid.partition("::")[0]
        self._runs.begin(item.nodeid)
        for observed in self._background.live:
            self._background.post(observed.begin)
        self._healing.begin()
        self._background.forget_ended()
        self._steps.failed_ms = 0.0
        self._steps.is_on = True

    def _step(self, step: Step) -> None:
        live = self._background.live
        if len(live) == 1:  # of several, the client does not say which one it means
            self._background.post(self._told().step, step, live[0])
            if step.selector:
                self._healing.step(step.selector, live[0], self._file)

    def _told(self) -> Story:
        """Made when there is something to tell: what it needs is imported while the browser starts."""
        if self._story is None:
            from .story import Story

            self._story = Story(self._test)
        return self._story

    def _passed(self) -> None:
        live = self._background.live
        if len(live) == 1:
            self._healing.passed(live[0], self._file)

    def _failed(self, item: pytest.Item, call: pytest.CallInfo[Any], told: pytest.TestReport) -> None:
        error = call.excinfo
        if error is None or not (self._background.observed or self._runs.are_kept):
            return
        from .publications import Where
        from .story import unseen

        entries = [*error.traceback]
        frames = [entry.frame.raw for entry in entries]
        page = failing_page(frames, _fixtures(item), self._steps.opened())
        failed_ms = _failed_ms(self._steps.failed_ms, call.stop * 1000)
        failure, where = read(error.value), Where(*_place(entries, item))
        observed = self._observed_of(page.owners if page is not None else ())
        looked = None
        if observed is not None:
            looking = self._told().failed(observed, failure, page, where, failed_ms)
            looked = self._background.ask(looking, LOOK_WITHIN_S)
        if looked is None:
            event = unseen(failure, where, item.nodeid)
            self._runs.failed(item.nodeid, [event], event)
            return
        report = looked.report
        if observed is not None:
            with self._guard:
                report = self._healing.failed(observed, failure, looked, self._file, entries)
        told.sections.append((SECTION, report.text))
        item.user_properties.extend(report.properties)
        told.user_properties.extend(report.properties)
        self._runs.failed(item.nodeid, looked.events, looked.failed)
        attach_to_html(self._config, told, report.text)

    def _observed_of(self, owners: tuple[object, ...]) -> Observed | None:
        """The browser of the failing page; without one, the only browser that there is."""
        for observed in self._background.observed:
            if any(observed.owner is owner for owner in owners):
                return observed
        known = self._background.live or self._background.observed
        return known[-1] if len(known) == 1 else None


def _failed_ms(call_ms: float, stop_ms: float) -> float:
    """When the failing call of Playwright's ended, if it was one: a test may go on after a call that failed."""
    return call_ms if 0 <= stop_ms - call_ms <= CLOSED_WITHIN_MS else stop_ms


def _fixtures(item: pytest.Item) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", getattr(item, "funcargs", None) or {})


def _place(entries: Sequence[TracebackEntry], item: pytest.Item) -> tuple[str, int]:
    """The innermost line of the test's own file, named from the root of the project."""
    for entry in reversed(entries):
        if str(entry.path) == str(item.path):
            return Path(os.path.relpath(item.path, item.config.rootpath)).as_posix(), entry.lineno + 1
    return "", 0


def attach_to_html(config: pytest.Config, told: pytest.TestReport, text: str) -> None:
    """For pytest-html, if that is there and writes a report."""
    html: Any = config.pluginmanager.getplugin("html")
    if html is None or not getattr(config.option, "htmlpath", None):
        return
    known = cast("list[Any]", getattr(told, "extras", []))
    cast("Any", told).extras = [*known, html.extras.text(text, name="firstcause")]
