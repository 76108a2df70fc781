"""The parts of the plugin that need no browser: guards, steps, pages by traceback, the thread, launches, the lives of tests."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any, cast

import pytest

from firstcause.api.testing.background import Background
from firstcause.api.testing.browsers import Browsers
from firstcause.api.testing.guard import Guard
from firstcause.api.testing.hooks import attach_to_html
from firstcause.api.testing.observed import Observed, SeenPage
from firstcause.api.testing.pages import failing_page, page_of
from firstcause.api.testing.runs import Runs
from firstcause.api.testing.steps import Step, Steps, as_written
from firstcause.correlator.event import Event
from firstcause.observer.errors import BrowserUnreachable


def test_what_fails_within_a_guard_is_noted_once_and_goes_no_further() -> None:
    guard = Guard()
    with guard:
        raise ValueError("first")
    with guard:
        raise ValueError("second")
    assert guard.trouble == "ValueError: first"


def test_a_person_who_interrupts_is_not_kept_from_it_by_a_guard() -> None:
    with pytest.raises(KeyboardInterrupt), Guard():
        raise KeyboardInterrupt


def test_trouble_is_told_without_secrets() -> None:
    guard = Guard()
    guard.note(BrowserUnreachable("http://host/?token=s3cr3t-t0ken-value can't be reached."))
    assert "s3cr3t" not in guard.trouble


@pytest.mark.parametrize(
    ("selector", "written"),
    [
        ("#save", "#save"),
        ('internal:role=button[name="Save"i]', 'get_by_role("button", name="Save")'),
        ("internal:role=heading", 'get_by_role("heading")'),
        ('internal:testid=[data-testid="row"s]', 'get_by_test_id("row")'),
        ('internal:label="Street"i', 'get_by_label("Street")'),
        ('internal:text="Total"i', 'get_by_text("Total")'),
        ('internal:attr=[placeholder="Name"i]', 'get_by_placeholder("Name")'),
        ('internal:attr=[alt="Logo"i]', 'get_by_alt_text("Logo")'),
        ("main >> internal:role=button", "main >> internal:role=button"),
    ],
)
def test_playwrights_own_spelling_is_told_as_people_write_it(selector: str, written: str) -> None:
    assert as_written(selector) == written


def call(name: str, *files: str) -> Any:
    frames = [{"file": file, "line": 7} for file in files]
    return types.SimpleNamespace(api_name=name, frames=frames, error=None)


def test_a_call_that_does_something_is_a_step_with_its_place_in_the_test() -> None:
    told: list[Step] = []
    steps = Steps(told.append, Guard())
    steps.is_on = True
    library, own = "/venv/site-packages/pages/base.py", "/work/test_shop.py"
    steps.on_api_call_begin(
        call("Locator.click", library, own), {"method": "click", "params": {"selector": "#a"}}
    )
    steps.on_api_call_begin(
        call("Locator.count", own), {"method": "queryCount", "params": {"selector": "#a"}}
    )
    assert [(step.api, step.selector, step.at) for step in told] == [
        ("Locator.click", "#a", "test_shop.py:7")
    ]


def test_what_is_typed_is_never_in_a_step() -> None:
    told: list[Step] = []
    steps = Steps(told.append, Guard())
    steps.is_on = True
    steps.on_api_call_begin(
        call("Locator.fill"), {"method": "fill", "params": {"selector": "#p", "value": "hunter2"}}
    )
    assert "hunter2" not in str(told)


def test_between_tests_there_are_no_steps() -> None:
    told: list[Step] = []
    Steps(told.append, Guard()).on_api_call_begin(call("Locator.click"), {"method": "click", "params": {}})
    assert not told


def test_a_call_that_can_not_be_read_disturbs_nobody() -> None:
    guard = Guard()
    steps = Steps(lambda _: None, guard)
    steps.is_on = True
    steps.on_api_call_begin(object(), {"method": "click"})
    assert guard.trouble.startswith("AttributeError")


def playwright_class(name: str, **fields: Any) -> Any:
    cls = type(name, (), {"__module__": "playwright._impl.page"})
    made = cls()
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def a_page(url: str, browser: object) -> Any:
    context = types.SimpleNamespace(_browser=browser)
    return playwright_class("Page", url=url, _browser_context=context)


def frames_of(error: BaseException) -> list[types.FrameType]:
    found: list[types.FrameType] = []
    trace = error.__traceback__
    while trace is not None:
        found.append(trace.tb_frame)
        trace = trace.tb_next
    return found


def raised_in_playwright(value: Any) -> list[types.FrameType]:
    """As a traceback goes through a method of Playwright's."""
    scope: dict[str, Any] = {"__name__": "playwright.sync_api._generated"}
    exec("def click(self):\n    raise ValueError('no')", scope)
    try:
        scope["click"](value)
    except ValueError as error:
        return frames_of(error)
    return []


def test_the_page_of_a_failing_locator_is_the_failing_page() -> None:
    browser = object()
    first, second = a_page("http://a/", browser), a_page("http://a/", browser)
    frame = playwright_class("Frame", _page=second)
    locator = playwright_class("Locator", _frame=frame)
    wrapper = playwright_class("Locator", _impl_obj=locator)
    found = failing_page(raised_in_playwright(wrapper), {"page": first}, [first, second])
    assert found is not None
    assert (found.url, found.place, found.alike) == ("http://a/", 1, 2)
    assert found.owners[0] is browser


def test_an_expectation_is_about_the_page_of_its_locator() -> None:
    page = a_page("http://a/", object())
    locator = playwright_class("Locator", _frame=playwright_class("Frame", _page=page))
    assertions = playwright_class("LocatorAssertions", _actual_locator=locator)
    assert page_of(playwright_class("LocatorAssertions", _impl_obj=assertions)) is page


def test_a_plain_assert_is_about_the_only_page_of_the_test() -> None:
    page = playwright_class("Page", _impl_obj=a_page("http://a/", object()))
    found = failing_page([], {"page": page, "other": 3}, [])
    assert found is not None
    assert found.url == "http://a/"


def test_a_plain_assert_with_two_pages_is_about_none_of_them_for_sure() -> None:
    one, other = a_page("http://a/", object()), a_page("http://b/", object())
    assert failing_page([], {"one": one, "other": other}, []) is None


def seen(*pages: SeenPage) -> Any:
    return types.SimpleNamespace(pages={page.name: page for page in pages})


def test_a_page_is_found_by_its_address_and_its_place_among_its_likes() -> None:
    browser = seen(SeenPage("p1", "http://a/"), SeenPage("p2", "http://b/"), SeenPage("p3", "http://a/#top"))
    assert Observed.page_at(browser, "http://a/", 1, 2) == "p3"
    assert Observed.page_at(browser, "http://b/", 0, 1) == "p2"
    assert Observed.page_at(browser, "http://b/", 0, 3) == "p2"
    assert Observed.page_at(browser, "http://c/", 0, 0) == ""


def test_a_page_that_was_closed_with_its_browser_is_found_all_the_same() -> None:
    browser = seen(SeenPage("p1", "http://a/", is_open=False), SeenPage("p2", "http://b/", is_open=False))
    assert Observed.page_at(browser, "http://b/", 0, 0) == "p2"


def test_the_thread_starts_with_its_first_use_and_ends_when_it_is_stopped() -> None:
    background = Background(Guard())
    background.stop()
    assert "firstcause" not in [thread.name for thread in threading.enumerate()]

    async def answer() -> int:
        return 7

    assert background.ask(answer(), 30) == 7
    background.stop()
    assert "firstcause" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(RuntimeError):
        background.ask(answer(), 1)


def test_a_browser_that_is_not_there_is_an_error_that_says_so() -> None:
    background = Background(Guard())
    with pytest.raises(BrowserUnreachable):
        background.attach("ws://127.0.0.1:9/devtools/browser/none", object()).result(30)
    background.stop()


class Launched:
    """A browser as Playwright's public API shows it."""

    def __init__(self) -> None:
        self.heard: dict[str, Any] = {}

    def new_browser_cdp_session(self) -> Any:
        raise RuntimeError("not in this test")

    def on(self, event: str, heard: Any) -> None:
        self.heard[event] = heard


def launching(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> tuple[Any, list[dict[str, Any]], Browsers, Guard]:
    launches: list[dict[str, Any]] = []

    class BrowserType:
        def __init__(self) -> None:
            self.name = name

        def launch(self, **kwargs: Any) -> Launched:
            launches.append(kwargs)
            return Launched()

        def launch_persistent_context(self, user_data_dir: str, **kwargs: Any) -> Launched:
            launches.append(kwargs)
            return Launched()

        def connect_over_cdp(self, endpoint_url: str, **kwargs: Any) -> Launched:
            launches.append(kwargs)
            return Launched()

    module = types.ModuleType("playwright.sync_api")
    cast("Any", module).BrowserType = BrowserType
    monkeypatch.setitem(sys.modules, "playwright.sync_api", module)
    monkeypatch.delitem(sys.modules, "playwright.async_api", raising=False)
    guard = Guard()
    background = cast("Background", types.SimpleNamespace(start=lambda: None))
    browsers = Browsers(background, Steps(lambda _: None, guard), guard)
    browsers.install()
    return BrowserType, launches, browsers, guard


def test_a_launched_chromium_gets_a_devtools_port_beside_its_own_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser_type, launches, browsers, _ = launching(monkeypatch, "chromium")
    browser_type().launch(args=["--mute-audio"], headless=True)
    assert launches == [{"args": ["--mute-audio", "--remote-debugging-port=0"], "headless": True}]
    browsers.uninstall()


def test_a_port_that_is_given_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    browser_type, launches, browsers, _ = launching(monkeypatch, "chromium")
    browser_type().launch(args=["--remote-debugging-port=9222"])
    assert launches == [{"args": ["--remote-debugging-port=9222"]}]
    browsers.uninstall()


def test_another_browser_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    browser_type, launches, browsers, guard = launching(monkeypatch, "firefox")
    browser_type().launch(headless=True)
    assert (launches, browsers.others, guard.trouble) == ([{"headless": True}], {"firefox"}, "")
    browsers.uninstall()


def test_a_browser_that_can_not_be_observed_is_launched_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    browser_type, _, browsers, guard = launching(monkeypatch, "chromium")
    assert isinstance(browser_type().launch(), Launched)
    assert guard.trouble
    browsers.uninstall()


def test_after_the_tests_playwright_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    browser_type, _, browsers, _ = launching(monkeypatch, "chromium")
    assert hasattr(browser_type.launch, "__wrapped__")
    browsers.uninstall()
    assert not hasattr(browser_type.launch, "__wrapped__")


def phase(when: str, outcome: str) -> Any:
    return types.SimpleNamespace(when=when, failed=outcome == "failed", skipped=outcome == "skipped")


@pytest.mark.parametrize(
    ("outcomes", "kind"),
    [
        (("passed", "passed", "passed"), "test.passed"),
        (("passed", "failed", "passed"), "test.failed"),
        (("passed", "passed", "failed"), "test.failed"),
        (("skipped", "passed"), "test.skipped"),
    ],
)
def test_the_life_of_a_test_is_told_from_its_beginning_to_its_end(
    tmp_path: Path, outcomes: tuple[str, ...], kind: str
) -> None:
    runs = Runs(str(tmp_path))
    runs.begin("test_a.py::test_it")
    for outcome in outcomes:
        runs.phase("test_a.py::test_it", phase("call", outcome))
    events = [Event.model_validate_json(line) for line in runs.end("test_a.py::test_it")]
    assert [event.kind for event in events] == ["test.started", kind]
    assert all(event.context["test"] == "test_a.py::test_it" for event in events)


def test_without_a_folder_nothing_is_kept_of_a_test() -> None:
    runs = Runs("")
    runs.begin("test_a.py::test_it")
    assert runs.end("test_a.py::test_it") == []


def config_with(html: Any, path: str | None) -> Any:
    return types.SimpleNamespace(
        pluginmanager=types.SimpleNamespace(getplugin={"html": html}.get),
        option=types.SimpleNamespace(htmlpath=path),
    )


def test_the_report_is_attached_for_pytest_html_if_that_is_there_and_asked_for() -> None:
    extras = types.SimpleNamespace(text=lambda text, name: (name, text))
    html, told = types.SimpleNamespace(extras=extras), types.SimpleNamespace(extras=["a screenshot"])
    attach_to_html(config_with(None, "report.html"), cast("Any", told), "why")
    attach_to_html(config_with(html, None), cast("Any", told), "why")
    assert told.extras == ["a screenshot"]
    attach_to_html(config_with(html, "report.html"), cast("Any", told), "why")
    assert told.extras == ["a screenshot", ("firstcause", "why")]


def test_the_plugin_that_is_not_asked_for_imports_nothing_else_of_firstcause() -> None:
    """As pytest loads it; what the package's own face imports is not the plugin's."""
    told = (
        "import sys, firstcause; before = set(sys.modules)\n"
        "import firstcause.api.testing.plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [
        "firstcause.api",
        "firstcause.api.testing",
        "firstcause.api.testing.plugin",
    ]
