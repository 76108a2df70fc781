"""Popups: whoever drives the browser, every popup and its opener come to life while we are attached, storm after storm."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Self

from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright

from firstcause.observer.sources.attach import ws_url_of, ws_url_of_sync
from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import running_as_root

from .support import Chromium, Seen, Site, watching

ROUNDS = 10
KINDS = ("same", "noopener", "cross")
EACH = 4
STORM_WITHIN_S = 15.0
UNBLOCKED = ("--disable-popup-blocking",)

OPENER = """
  function storm(round) {
    setTimeout(() => {
      for (let i = 0; i < %d; i++) {
        const popup = `/popup?round=${round}&i=${i}&kind=`
        open(popup + "same")
        open(popup + "noopener", "_blank", "noopener")
        open("ALT" + popup + "cross")
      }
      fetch(`/opened?round=${round}`)
    }, 0)
  }
"""
POPUP = "fetch('/came' + location.search)"


def serve_storms(site: Site) -> str:
    site.page("/popup", POPUP)
    return site.page("/opener", (OPENER % EACH).replace("ALT", site.alt("")))


async def weathered(site: Site, number: int) -> None:
    """Every popup of the storm has run its script, and so has its opener."""
    await site.hit("/opened", timeout_s=STORM_WITHIN_S, round=str(number))
    await site.hit("/came", EACH * len(KINDS), timeout_s=STORM_WITHIN_S, round=str(number))
    came = sorted((hit.query["kind"], hit.query["i"]) for hit in site.all("/came", round=str(number)))
    assert came == sorted((kind, str(i)) for kind in KINDS for i in range(EACH))


def nothing_broke(seen: Seen) -> None:
    assert not seen.all("crash")
    assert not seen.all("browser_lost")


def options() -> dict[str, Any]:
    return {
        "executable_path": find_browser().path,
        "args": ["--remote-debugging-port=0"],
        "chromium_sandbox": not running_as_root(),
    }


async def test_storms_beside_playwright(site: Site) -> None:
    url = serve_storms(site)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**options())
        async with watching(await ws_url_of(browser)) as watch:
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(url)
            for number in range(ROUNDS):
                await page.evaluate("round => storm(round)", number)
                await weathered(site, number)
                assert await page.evaluate("6 * 7") == 42
                for popup in context.pages[1:]:
                    await popup.close()
            nothing_broke(watch.seen)
        await browser.close()


class SyncDriver:
    """Playwright's sync API in a thread of its own, told what to do from the test's loop."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[SyncDriver], Any], asyncio.Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def do(self, job: Callable[[SyncDriver], Any]) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((job, done))
        return done

    def _work(self) -> None:
        with sync_playwright() as playwright:
            self.browser = playwright.chromium.launch(**options())
            self.context = self.browser.new_context()
            while task := self._jobs.get():
                job, done = task
                try:
                    self._loop.call_soon_threadsafe(done.set_result, job(self))
                except Exception as error:  # noqa: BLE001 - the test's to judge
                    self._loop.call_soon_threadsafe(done.set_exception, error)
            self.browser.close()


def close_popups(driver: SyncDriver) -> None:
    for popup in driver.context.pages[1:]:
        popup.close()


async def test_storms_beside_the_sync_playwright(site: Site) -> None:
    url = serve_storms(site)
    async with (
        SyncDriver() as driver,
        watching(await driver.do(lambda driver: ws_url_of_sync(driver.browser))) as watch,
    ):
        page = await driver.do(lambda driver: driver.context.new_page())
        await driver.do(lambda _: page.goto(url))
        for number in range(ROUNDS):
            await driver.do(lambda _, number=number: page.evaluate("round => storm(round)", number))
            await weathered(site, number)
            assert await driver.do(lambda _: page.evaluate("6 * 7")) == 42
            await driver.do(close_popups)
        nothing_broke(watch.seen)


async def test_storms_with_nobody_driving(site: Site) -> None:
    url = serve_storms(site)
    async with Chromium(UNBLOCKED) as chromium, watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        for number in range(ROUNDS):
            await tab.run(f"storm({number})")
            await weathered(site, number)
            assert await tab.run("6 * 7") == 42
            popups = [target for target in await watch.cdp.targets() if "/popup" in target["url"]]
            for popup in popups:
                await watch.cdp.call("Target.closeTarget", targetId=popup["targetId"])
        nothing_broke(watch.seen)


async def test_popups_that_close_at_once(site: Site) -> None:
    popups = 10
    site.page("/brief", "console.log('brief ' + location.search); navigator.sendBeacon('/came'); close()")
    url = site.page("/opener", "const brief = () => open('/brief?' + ++brief.count); brief.count = 0")
    async with Chromium(UNBLOCKED) as chromium, watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        for number in range(1, popups + 1):
            await tab.start("brief()")
            await site.hit("/came", number)
        await watch.seen.count(popups, "target_closed", type="page")
        assert watch.seen.texts("console") == [f"brief ?{number}" for number in range(1, popups + 1)]
        assert await tab.run("6 * 7") == 42
        nothing_broke(watch.seen)


async def test_popups_that_are_written_or_navigated_later(site: Site) -> None:
    site.page("/later", "console.log('line of later'); fetch('/later-came')")
    url = site.page("/opener")
    written = '<script>console.log("line of written"); fetch("/written-came")</scr' + "ipt>"
    async with Chromium(UNBLOCKED) as chromium, watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        await tab.start(f"const popup = open(''); popup.document.write('{written}'); popup.document.close()")
        await site.hit("/written-came")
        await tab.start(
            "const popup = open('about:blank'); setTimeout(() => { popup.location = '/later' }, 100)"
        )
        await site.hit("/later-came")
        for who in ("written", "later"):
            line = await watch.seen.first("console", text=f"line of {who}")
            await watch.seen.first("request", url=site.url(f"/{who}-came"))
            await watch.barrier(await watch.cdp.tab(line.target))
            assert len(watch.seen.all("console", text=f"line of {who}")) == 1
            assert len(watch.seen.all("request", url=site.url(f"/{who}-came"))) == 1
        assert await tab.run("6 * 7") == 42
        nothing_broke(watch.seen)


async def test_a_click_in_a_popup_whose_document_was_replaced(site: Site) -> None:
    site.page("/same", "onclick = () => fetch('/clicked')")
    url = site.page("/opener")
    async with Chromium(UNBLOCKED) as chromium, watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        await tab.start("open('/same')")
        loaded = await watch.seen.first("navigation", url=site.url("/same"))
        popup = await watch.cdp.tab(loaded.target)
        await watch.seen.first("lifecycle", target=loaded.target, name="load", loader_id=loaded.loader_id)
        for kind in ("mousePressed", "mouseReleased"):
            await popup.call("Input.dispatchMouseEvent", type=kind, x=20, y=20, button="left", clickCount=1)
        await site.hit("/clicked")
        await watch.seen.first("action", target=loaded.target, type="click")
