"""`firstcause run`: whatever starts the browser, it is observed, and the command runs and ends as it would without us."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.correlator.event import Event
from firstcause.correlator.linked import Linked
from firstcause.observer.sources.discover import find_browser

from ..npm_packages import npm_packages
from .runner_checks import FLAGS, HERE, node_script, playwright_project
from .support import Answer, Site

RUN_S = 120.0
REPORTER = Path(__file__).parents[2] / "api/runner/reporter.cjs"
FAILING_CART = """
    addEventListener("unhandledrejection", () => { document.title = "failed"; });
    document.querySelector("#add").addEventListener("click", async () => {
        const answer = await fetch("/api/cart", {method: "POST"});
        if (!answer.ok) throw new TypeError("no cart in the answer");
        document.querySelector("#total").textContent = "1";
    });
"""
SPEC = """
const {test, expect} = require("@playwright/test");
test("adds to the cart", async ({page}) => {
  await page.goto("URL");
  await page.click("#add");
  await expect(page.locator("#total")).toHaveText("1", {timeout: 1000});
});
test("has a button", async ({page}) => {
  await page.goto("URL");
  await expect(page.locator("#add")).toBeVisible();
});
"""
CLICK = """
const page = await browser.newPage();
await page.goto("URL");
await page.click("#add");
await page.waitForFunction("document.title === 'failed'");
"""
PYTHON = """
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=sys.argv[3:])
    page = browser.new_page()
    page.goto(sys.argv[2])
    page.click("#add")
    page.wait_for_function("document.title === 'failed'")
    browser.close()
sys.exit(9)
"""
PYTEST = """
import pytest

@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": BROWSER, "args": FLAGS}

def test_adds(page):
    page.goto("URL")
    page.click("#add")
    page.wait_for_function("document.title === 'failed'")
    assert page.inner_text("#total") == "1"
"""
SELENIUM = """
import os, sys
from pathlib import Path
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait
options = webdriver.ChromeOptions()
options.binary_location = sys.argv[2]
for flag in ("--headless=new", *sys.argv[4:]):
    options.add_argument(flag)
driver = webdriver.Chrome(options=options, service=Service(sys.argv[1]))
# It is not held back until it is observed, as what Node starts is.
WebDriverWait(driver, 30).until(lambda _: list(Path(os.environ["_FIRSTCAUSE_RUN"]).glob("*.ready")))
driver.get(sys.argv[3])
driver.find_element("id", "add").click()
WebDriverWait(driver, 10).until(lambda _: driver.title == "failed")
driver.quit()
sys.exit(4)
"""

BY_PORT = """
import os, subprocess, sys
from pathlib import Path
from playwright.sync_api import sync_playwright
from firstcause.observer.sources.attach import read_port_file
profile, program, url, *flags = sys.argv[1:]
command = [program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", *flags]
process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
with sync_playwright() as playwright:
    browser = playwright.chromium.connect_over_cdp(read_port_file([Path(profile) / "DevToolsActivePort"]))
    page = browser.new_page()
    while not list(Path(os.environ["_FIRSTCAUSE_RUN"]).glob("*.ready")):
        page.wait_for_timeout(20)
    page.goto(url)
    page.click("#add")
    page.wait_for_function("document.title === 'failed'")
    browser.new_browser_cdp_session().send("Browser.close")
process.wait()
sys.exit(4)
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str
    events: list[Event]

    def kinds(self, severity: str = "high") -> list[str]:
        return sorted(event.kind for event in self.events if event.severity == severity)


@asynccontextmanager
async def started(*arguments: str, **options: Any) -> AsyncGenerator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "firstcause", "run", *arguments, stdin=pipe, stdout=pipe, stderr=pipe, **options
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def ran(folder: Path, *command: str, flags: tuple[str, ...] = (), given: bytes = b"") -> Ran:
    """With what was told about it, from the report."""
    report = folder / "report"
    async with (
        asyncio.timeout(RUN_S),
        started("--report", str(report), *flags, "--", *command, cwd=folder) as process,
    ):
        out, err = await process.communicate(given)
    lines = (report / "events.ndjson").read_text().splitlines()
    return Ran(process.returncode or 0, out.decode(), err.decode(), [*map(Event.model_validate_json, lines)])


@pytest.fixture
def shop(site: Site) -> str:
    """A page whose button asks a server that fails."""
    site.routes["/api/cart"] = Answer("{}", "application/json", status="500 Internal Server Error")
    return site.page("/shop", FAILING_CART, "<button id=add>Add</button><b id=total>0</b>")


@pytest.fixture(scope="module")
def packages() -> Path | None:
    folder = npm_packages(HERE)
    return folder and folder / "node_modules"


def assert_cart_failed(run: Ran) -> None:
    """What the page told is there once, with its cause, and the summary has it."""
    assert run.kinds() == ["http_error", "unhandled_rejection"], run.err
    linked = Linked(run.events)
    (rejection,) = (event for event in run.events if event.kind == "unhandled_rejection")
    assert "http_error" in [event.kind for event in linked.path_to(rejection)]
    # A busy machine may be slow, and that is told too.
    assert "firstcause: 1 browser observed, " in run.err, run.err
    assert "\n  ✖ high     http_error  POST /api/cart answered 500" in run.err, run.err


async def test_playwright_test(shop: str, packages: Path | None, tmp_path: Path) -> None:
    if packages is None:  # npm gives nothing here
        await ran_by_pytest(shop, tmp_path)
        return
    command = playwright_project(tmp_path, packages, SPEC.replace("URL", shop))
    run = await ran(tmp_path, *command, f"--reporter=line,{REPORTER}")
    assert run.code == 1
    assert "1 failed" in run.out
    assert "1 passed" in run.out
    assert run.kinds() == ["assertion_failed", "http_error", "test.failed", "unhandled_rejection"], run.err
    tests = [event for event in run.events if event.channel == "runs" and event.kind != "step"]
    assert [event.kind for event in tests] == ["test.started", "test.failed", "test.started", "test.passed"]
    (assertion,) = (event for event in run.events if event.kind == "assertion_failed")
    assert assertion.context["selector"] == "#total"
    assert assertion.context["at"] == "shop.spec.js:6"
    assert "http_error" in [event.kind for event in Linked(run.events).path_to(assertion)]


async def test_playwright_test_without_the_reporter(shop: str, packages: Path | None, tmp_path: Path) -> None:
    if packages is None:  # npm gives nothing here
        await ran_by_pytest(shop, tmp_path)
        return
    command = playwright_project(tmp_path, packages, SPEC.replace("URL", shop))
    run = await ran(tmp_path, *command, "--reporter=line", "-g", "adds")
    assert run.code == 1
    assert_cart_failed(run)


@pytest.mark.parametrize("pipe", [False, True], ids=["port", "pipe"])
async def test_puppeteer(shop: str, packages: Path | None, tmp_path: Path, pipe: bool) -> None:
    script = CLICK.replace("URL", shop) + "await browser.close();\nprocess.exit(6);"
    run = await ran(tmp_path, *node_script(tmp_path, packages, script, pipe=pipe))
    assert run.code == 6
    assert_cart_failed(run)


async def test_playwright_in_python(shop: str, tmp_path: Path) -> None:
    run = await ran(tmp_path, sys.executable, "-c", PYTHON, str(find_browser().path), shop, *FLAGS)
    assert run.code == 9
    assert_cart_failed(run)


async def test_pytest_with_playwright(shop: str, tmp_path: Path) -> None:
    await ran_by_pytest(shop, tmp_path)


async def ran_by_pytest(shop: str, folder: Path) -> None:
    script = PYTEST.replace("URL", shop).replace("BROWSER", repr(str(find_browser().path)))
    (folder / "test_shop.py").write_text(script.replace("FLAGS", repr([*FLAGS])))
    run = await ran(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py")
    assert run.code == 1
    assert "1 failed" in run.out
    assert_cart_failed(run)


async def test_selenium(shop: str, tmp_path: Path) -> None:
    """Or, where there is no chromedriver, a browser that is started as it would and driven over its port."""
    driver = shutil.which("chromedriver")
    started_with = (SELENIUM, driver) if driver is not None else (BY_PORT, str(tmp_path / "profile"))
    run = await ran(tmp_path, sys.executable, "-c", *started_with, str(find_browser().path), shop, *FLAGS)
    assert run.code == 4, run.err
    assert_cart_failed(run)


async def test_a_healthy_command_can_be_failed_for_what_its_pages_did(
    shop: str, packages: Path | None, tmp_path: Path
) -> None:
    command = node_script(tmp_path, packages, CLICK.replace("URL", shop) + "await browser.close();")
    assert (await ran(tmp_path, *command, flags=("--fail-on", "high"))).code == 3
    assert (await ran(tmp_path, *command, flags=("--fail-on", "critical"))).code == 0


async def test_a_crashed_browser_is_told_and_a_killed_one_is_not(
    packages: Path | None, tmp_path: Path
) -> None:
    for number, told in ((signal.SIGABRT, True), (signal.SIGKILL, False)):
        folder = tmp_path / number.name
        folder.mkdir()
        script = f"const gone = new Promise(done => browser.process().once('exit', done)); browser.process().kill({int(number)}); await gone;"
        run = await ran(folder, *node_script(folder, packages, script))
        assert ("browser_lost" in run.kinds()) is told, run.err


async def test_browsers_that_run_at_once_are_all_observed(
    shop: str, packages: Path | None, tmp_path: Path
) -> None:
    script = f"""
        const more = await Promise.all([1, 2].map(() => puppeteer.launch(options)));
        for (const one of [browser, ...more]) {{
            const page = await one.newPage();
            await page.goto("{shop}");
            await page.click("#add");
            await page.waitForFunction("document.title === 'failed'");
        }}
        await Promise.all([browser, ...more].map(one => one.close()));
    """
    run = await ran(tmp_path, *node_script(tmp_path, packages, script))
    assert run.kinds() == ["http_error"] * 3 + ["unhandled_rejection"] * 3, run.err
    assert len({event.session for event in run.events}) == 3
    assert "3 browsers observed" in run.err


async def test_a_signal_reaches_the_command_while_its_browser_is_observed(
    packages: Path | None, tmp_path: Path
) -> None:
    script = "process.on('SIGTERM', async () => { await browser.close(); process.exit(5); }); console.log('ready');"
    script += "setInterval(() => {}, 1000);"
    command = node_script(tmp_path, packages, script)
    async with asyncio.timeout(RUN_S), started("--", *command, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        process.terminate()
        _, err = await process.communicate()
    assert process.returncode == 5
    assert err.decode().startswith("firstcause: 1 browser observed, ")


async def test_what_is_typed_is_the_commands_and_no_browser_is_said(tmp_path: Path) -> None:
    run = await ran(tmp_path, "sh", "-c", "cat; exit 7", given=b"typed\n")
    assert (run.code, run.out, run.events) == (7, "typed\n", [])
    assert run.err.startswith("firstcause: no Chromium was seen.")


async def test_where_no_folder_can_be_made_the_command_runs_all_the_same(tmp_path: Path) -> None:
    hidden = "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: []"
    main = "sys.argv[0] = 'firstcause'; from firstcause.api.cli import main; main()"
    command = ["run", "--", "sh", "-c", "echo ran; exit 6"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"{hidden}; {main}", *command, cwd=tmp_path, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (6, b"ran\n")
    assert b"no browser could be observed" in err
    assert b"Traceback" not in err


async def test_what_went_wrong_is_told_to_a_server_too(
    shop: str, packages: Path | None, tmp_path: Path
) -> None:
    command = node_script(tmp_path, packages, CLICK.replace("URL", shop) + "await browser.close();")
    async with Server(Settings(state_dir=tmp_path / "state", journal="memory")) as server:
        told: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIRSTCAUSE_TOKEN", server.token)
            run = await ran(tmp_path, *command, flags=("--url", server.url))
        ring = server.service.hub.project("default").rings
        told += [entry.kind for name in ("network_errors", "errors") for entry in ring[name].after(0)]
    assert told == ["http_error", "unhandled_rejection"], run.err
