"""The plugin in a pytest of its own over the failing suite: each report names the true cause, and no outcome is another one."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firstcause.correlator.event import Event
from firstcause.observer.sources.discover import find_browser

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "e2e_fixtures" / "failing-suite"
PATIENCE_S = 240
MODULE = "firstcause.api.testing.plugin"
IS_INSTALLED = any(one.value == MODULE for one in importlib.metadata.entry_points(group="pytest11"))
MAX_LINES = 25

# By test: what the report names as the first cause, and where that is.
CAUSES = {
    "test_orders_are_listed": r"GET /api/orders answered 500 .*orders\.js:3:\d+ loadOrders",
    "test_profile_can_be_saved": r'locator\("#save"\) finds nothing, and nothing failed on the page: renamed\?',
    "test_teapot_can_be_bought": r'<div id="cookie-banner">.*</div> covers get_by_role\("button", name="Buy"\)',
    "test_customer_and_clerk_work_at_once": r"POST /api/cart answered 500 .*cart\.js:3:\d+",
    "test_report_is_built": r"The page has not answered for .* busy in report\.js:4:\d+ buildReport",
    "test_thumbnails_are_made": r"TypeError: .*length.*thumbnails-worker\.js:3:\d+ makeThumbnails",
    "test_calendar_is_shown": r"/calendar-library\.js answered 404",
    "test_statement_is_shown": r"GET /api/statement answered 401 .*account\.js:3:\d+",
    "test_teapots_are_found": r"GET /api/search\?q=tea had no answer yet after \d+ ms",
    "test_address_is_saved": r"PUT /api/address had no answer before the page went to /address\?street=",
    # On a busy machine the first navigation of a popup may be before us, and then its site is not known to be its own.
    "test_receipt_opens": r"GET \S*/api/receipt answered 500 .*receipt\.js:3:\d+ showReceipt",
    "test_payment_methods_are_offered": r"GET .*/api/payment-methods answered 503 .*payment\.js:3:\d+ offer",
}


@dataclass
class Told:
    name: str
    failed: bool
    text: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    code: int
    out: str
    tests: list[Told]

    def test(self, name: str) -> Told:
        return next(test for test in self.tests if test.name == f"{name}[chromium]" or test.name == name)

    @property
    def outcomes(self) -> list[tuple[str, bool]]:
        return [(test.name, test.failed) for test in self.tests]


def run_pytest(folder: Path, scratch: Path, *options: str, observed: bool = True) -> Run:
    junit = scratch / "junit.xml"
    loaded = [] if IS_INSTALLED else ["-p", MODULE]
    asked = ["--firstcause"] if observed else []
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", *loaded, *asked,
            f"--junitxml={junit}", f"--output={scratch / 'output'}", *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "FIRSTCAUSE_BROWSER": str(find_browser().path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )  # fmt: skip
    assert junit.exists(), done.stdout + done.stderr
    return Run(
        done.returncode, done.stdout, [read(case) for case in ET.parse(junit).getroot().iter("testcase")]
    )


def read(case: ET.Element) -> Told:
    failures = [*case.findall("failure"), *case.findall("error")]
    properties = {
        one.get("name", "").removeprefix("firstcause."): one.get("value", "") for one in case.iter("property")
    }
    return Told(case.get("name", ""), bool(failures), "".join(one.text or "" for one in failures), properties)


def sections(out: str) -> dict[str, str]:
    """What each failing test was told, by its name."""
    found: dict[str, str] = {}
    for part in re.split(r"^_{3,} ", out, flags=re.MULTILINE)[1:]:
        name = part.partition("[")[0].split()[0]
        told = re.search(
            r"^-+ firstcause -+\n(.*?)(?=^-{3,}|^_{3,}|^={3,}|\Z)", part, flags=re.MULTILINE | re.DOTALL
        )
        if told:
            found[name] = told[1].strip()
    return found


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    scratch = tmp_path_factory.mktemp("observed")
    return run_pytest(SUITE, scratch, f"--firstcause-report={scratch / 'report'}"), scratch / "report"


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_pytest(SUITE, tmp_path_factory.mktemp("xdist"), "-n", "2")


@pytest.fixture(scope="module")
def unobserved(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_pytest(SUITE, tmp_path_factory.mktemp("unobserved"), observed=False)


@pytest.mark.parametrize("name", CAUSES)
def test_the_report_of_a_failing_test_names_its_true_cause(observed: tuple[Run, Path], name: str) -> None:
    run, _ = observed
    first = sections(run.out)[name].splitlines()[0]
    assert re.search(CAUSES[name], first), f"{sections(run.out)[name]}\n\n{run.test(name).text}"
    assert re.search(CAUSES[name], run.test(name).properties["cause"])


@pytest.mark.parametrize("name", CAUSES)
def test_with_two_workers_the_true_cause_is_named_as_well(side_by_side: Run, name: str) -> None:
    assert re.search(CAUSES[name], sections(side_by_side.out)[name].splitlines()[0]), sections(
        side_by_side.out
    )[name]


def test_every_report_is_short_and_says_page_and_place(observed: tuple[Run, Path]) -> None:
    told = sections(observed[0].out)
    assert told.keys() == CAUSES.keys()
    for name, text in told.items():
        assert len(text.splitlines()) <= MAX_LINES, text
        assert re.search(r"^Failed at test_shop\.py:\d+: ", text, flags=re.MULTILINE), name
        assert re.search(r"^Page: http://127\.0\.0\.1:\d+/\S* \(p\d+\)$", text, flags=re.MULTILINE), text


def test_of_two_customers_only_the_guilty_one_is_told_of(observed: tuple[Run, Path]) -> None:
    assert "/api/stock" not in sections(observed[0].out)["test_customer_and_clerk_work_at_once"]


def test_the_same_suite_without_the_plugin_has_the_same_outcomes_in_the_same_order(
    observed: tuple[Run, Path], unobserved: Run
) -> None:
    run, _ = observed
    assert unobserved.outcomes == run.outcomes
    assert unobserved.code == run.code == 1
    assert [name for name, failed in run.outcomes if not failed] == ["test_the_shop_has_a_name[chromium]"]
    assert not sections(unobserved.out)


def test_nothing_went_wrong_in_the_plugin_itself(observed: tuple[Run, Path], side_by_side: Run) -> None:
    assert "not all could be observed" not in observed[0].out
    assert "not all could be observed" not in side_by_side.out


def test_the_report_folder_has_the_events_of_every_test_and_a_page(observed: tuple[Run, Path]) -> None:
    _, folder = observed
    events = [Event.model_validate_json(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    kinds = [event.kind for event in events]
    assert kinds.count("test.started") == 13
    assert (kinds.count("test.failed"), kinds.count("test.passed")) == (12, 1)
    assert kinds.count("assertion_failed") == 12
    failed = {event.id: event for event in events}
    for event in events:
        if event.kind == "test.failed":
            assert event.cause is not None
            assert failed[event.cause.id].kind == "assertion_failed"
            assert event.correlation_id == failed[event.cause.id].correlation_id
    assert (folder / "report.html").stat().st_size > 1000


Project = Callable[[str], Path]

PAGE = "data:text/html,<title>shop</title><script>setTimeout(() => missingFunction(), 50)</script>"
HEAD = f"""
import os
import pytest
from playwright.sync_api import expect, sync_playwright
from playwright.async_api import async_playwright, expect as async_expect
BROWSER = {{"executable_path": os.environ["FIRSTCAUSE_BROWSER"]}}
PAGE = {PAGE!r}
"""
# Warnings are errors, as in many a project; what pytest says of a fixture of another plugin's is not meant.
INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings =
    error
    ignore:Session-scoped fixtures defined as instance methods
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    def make(text: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "pytest.ini").write_text(INI)
        (folder / "test_it.py").write_text(HEAD + textwrap.dedent(text))
        return folder

    return make


def test_plain_playwright_that_closes_its_browser_on_the_way_out_is_observed(
    project: Project, tmp_path: Path
) -> None:
    folder = project(
        """
        def test_sync():
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(**BROWSER)
                page = browser.new_page()
                page.goto(PAGE)
                expect(page.get_by_text("Total")).to_be_visible(timeout=700)
        """
    )
    run = run_pytest(folder, tmp_path)
    assert "missingFunction is not defined" in sections(run.out)["test_sync"].splitlines()[0], run.out


def test_async_playwright_is_observed(project: Project, tmp_path: Path) -> None:
    folder = project(
        """
        @pytest.fixture
        async def page():
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(**BROWSER)
                yield await browser.new_page()
                await browser.close()

        async def test_async(page):
            await page.goto(PAGE)
            await async_expect(page.get_by_text("Total")).to_be_visible(timeout=700)

        async def test_async_in_order(page):
            await page.goto("data:text/html,<p>Total</p>")
            await async_expect(page.get_by_text("Total")).to_be_visible(timeout=700)
        """
    )
    run = run_pytest(folder, tmp_path)
    assert [test.failed for test in run.tests] == [True, False]
    assert "missingFunction is not defined" in sections(run.out)["test_async"].splitlines()[0], run.out


def test_of_several_browsers_the_failing_ones_page_is_told_of(project: Project, tmp_path: Path) -> None:
    folder = project(
        """
        def test_two(tmp_path):
            with sync_playwright() as playwright:
                kept = playwright.chromium.launch_persistent_context(tmp_path / "profile", **BROWSER)
                broken = playwright.chromium.launch(**BROWSER).new_page()
                mine = kept.new_page()
                broken.goto(PAGE)
                mine.goto("data:text/html,<script>setTimeout(() => mineIsMissing(), 50)</script>")
                expect(mine.get_by_text("Total")).to_be_visible(timeout=700)
        """
    )
    told = sections(run_pytest(folder, tmp_path).out)["test_two"]
    assert "mineIsMissing is not defined" in told.splitlines()[0], told
    assert "missingFunction" not in told


def test_a_failing_test_without_a_browser_is_told_nothing(project: Project, tmp_path: Path) -> None:
    folder = project(
        """
        def test_sum():
            assert 1 + 1 == 3
        """
    )
    run = run_pytest(folder, tmp_path)
    assert (run.code, sections(run.out)) == (1, {})


def test_when_the_plugin_itself_fails_the_tests_do_not_and_it_is_said_once(
    project: Project, tmp_path: Path
) -> None:
    folder = project(
        """
        def test_passes(page):
            page.goto(PAGE)

        def test_fails(page):
            page.goto(PAGE)
            assert page.title() == "cart"
        """
    )
    (folder / "conftest.py").write_text(
        textwrap.dedent(
            """
            import os, pytest
            from firstcause.api.testing import hooks, observed

            def broken(*_, **__):
                raise RuntimeError("broken on purpose")

            observed.Observed.barrier = broken
            hooks.failing_page = broken

            @pytest.fixture(scope="session")
            def browser_type_launch_args():
                return {"executable_path": os.environ["FIRSTCAUSE_BROWSER"]}
            """
        )
    )
    run = run_pytest(folder, tmp_path)
    assert run.outcomes == [("test_passes[chromium]", False), ("test_fails[chromium]", True)]
    assert run.out.count("not all could be observed: RuntimeError: broken on purpose") == 1


def test_a_browser_that_can_not_be_observed_lets_its_tests_pass(project: Project, tmp_path: Path) -> None:
    """Its port is that of something else, which says so to whoever asks for a browser."""
    folder = project(
        """
        def test_passes(page):
            page.goto(PAGE)
        """
    )
    (folder / "conftest.py").write_text(
        textwrap.dedent(
            """
            import os, pytest, threading
            from http.server import BaseHTTPRequestHandler, HTTPServer

            @pytest.fixture(scope="session")
            def browser_type_launch_args():
                server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
                threading.Thread(target=server.serve_forever, daemon=True).start()
                port = f"--remote-debugging-port={server.server_port}"
                yield {"executable_path": os.environ["FIRSTCAUSE_BROWSER"], "args": [port]}
                server.shutdown()
                server.server_close()
            """
        )
    )
    run = run_pytest(folder, tmp_path)
    assert run.outcomes == [("test_passes[chromium]", False)], run.out
    assert run.out.count("firstcause: not all could be observed: ") == 1, run.out
