"""Reconnect: whatever happens to the connection or the browser, the observer is back by itself and tells exactly what it missed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections import Counter
from contextlib import AbstractAsyncContextManager
from typing import Self

from firstcause.observer.observer import Gap
from firstcause.observer.signal import Signal
from firstcause.observer.sources.attach import resolve_ws_url

from .support import CdpError, Chromium, Site, Tab, Watch, cdp_client, watching

SLACK_MS = 100


class Line:
    """A TCP line to a browser that can be cut, and mended."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: set[asyncio.StreamWriter] = set()
        self.up = True
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, as a router does that forgot them."""
        for writer in self._ends:
            if (end := writer.get_extra_info("socket")) is not None:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.up:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends |= {writer, there_writer}
        try:
            await asyncio.gather(copied(reader, there_writer), copied(there_reader, writer))
        finally:
            self._ends -= {writer, there_writer}


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


def behind(line: Line, browser: Chromium) -> AbstractAsyncContextManager[Watch]:
    return watching(lambda: resolve_ws_url(line.port), drive=browser.ws_url)


def gap_in(signal: Signal) -> Gap:
    assert isinstance(signal.detail, Gap)
    return signal.detail


LOAD = """
  let n = 0
  const timer = setInterval(async () => {
    console.log(`WHO ${++n}`)
    if (n % 5 === 0) setTimeout(n => { throw new Error(`WHO ${n}`) }, 0, n)
    const answer = await fetch(`/tick?who=WHO&n=${n}`)
    if (await answer.text() === "enough") { clearInterval(timer); console.debug("over: WHO") }
  }, 20)
"""
REALMS = ("page", "frame", "worker")


def serve_load(site: Site) -> str:
    for realm in REALMS:
        site.script(f"/{realm}.js", LOAD.replace("WHO", realm))
    site.page("/frame", body="<script src=/frame.js></script>")
    frame = f"<iframe src='{site.alt('/frame')}'></iframe>"
    return site.page("/load", "new Worker('/worker.js')", f"{frame}<script src=/page.js></script>")


async def running(site: Site) -> None:
    for realm in REALMS:
        await site.hit("/tick", len(site.all("/tick", who=realm)) + 10, who=realm)


async def enough(watch: Watch, site: Site) -> None:
    """The load is over, and all of it is here."""
    site.routes["/tick"] = "enough"
    for realm in REALMS:
        await watch.seen.first("console", text=f"over: {realm}")


def missing(numbers: list[int], step: int = 1) -> list[int]:
    return sorted(set(range(step, max(numbers) + 1, step)) - set(numbers))


def numbers_of(watch: Watch, kind: str, realm: str) -> list[int]:
    said = (re.search(rf"{realm} (\d+)$", text) for text in watch.seen.texts(kind))
    return [int(found[1]) for found in said if found]


async def test_a_cut_line_costs_nothing_but_what_the_gap_names(chromium: Chromium, site: Site) -> None:
    cuts = 4
    async with Line(chromium.port) as line, behind(line, chromium) as watch:
        await watch.open(serve_load(site))
        for number in range(1, cuts + 1):
            await running(site)
            line.cut()
            await watch.seen.count(number, "gap")
        await running(site)
        await enough(watch, site)

        gaps = [gap_in(signal) for signal in watch.seen.all("gap")]
        assert [gap.browser for gap in gaps] == ["same"] * cuts
        assert len(watch.seen.all("browser_lost")) == cuts
        assert not any(gap.pages_gone or gap.pages_new or gap.console_incomplete for gap in gaps)
        for realm in REALMS:
            for kind, step in (("console", 1), ("exception", 5)):
                numbers = numbers_of(watch, kind, realm)
                assert [n for n, times in Counter(numbers).items() if times > 1] == [], (
                    f"{kind} of {realm} doubled"
                )
                assert missing(numbers, step) == [], f"{kind} of {realm} missing"
        requests = Counter(signal.detail.url for signal in watch.seen.all("request"))  # type: ignore[attr-defined]
        for hit in site.all("/tick"):
            url = f"http://{hit.host}:{site.port}/tick?who={hit.query['who']}&n={hit.query['n']}"
            unseen = requests[url] == 0
            assert requests[url] <= 1
            assert not unseen or any(
                gap.from_ms - SLACK_MS <= hit.wall_ms <= gap.to_ms + SLACK_MS for gap in gaps
            ), url


async def test_a_console_that_overflowed_in_the_gap_is_named(chromium: Chromium, site: Site) -> None:
    async with Line(chromium.port) as line, behind(line, chromium) as watch:
        talker = await watch.open(site.page("/talker", "console.log('before')"))
        quiet = await watch.open(site.page("/quiet", "console.log('before')"))
        await watch.barrier(talker)
        await watch.barrier(quiet)
        page = watch.seen.all("console", target=talker.target)[0].page
        line.up = False
        line.cut()
        await watch.seen.first("browser_lost")
        await talker.run("for (let i = 1; i <= 1500; i++) console.log('gap ' + i)")
        line.up = True
        gap = gap_in(await watch.seen.first("gap"))
        assert gap.console_incomplete == (page,)
        await watch.barrier(talker)
        heard = [
            int(text.split()[1])
            for text in watch.seen.texts("console", target=talker.target)
            if "gap " in text
        ]
        assert heard == list(range(heard[0], 1501))
        assert len(watch.seen.all("console", text="before")) == 2


async def test_a_browser_that_dies_and_comes_back(site: Site) -> None:
    site.page("/", "console.log('hello')")
    async with Chromium() as browser:
        port = browser.port
        async with watching(lambda: resolve_ws_url(port)) as watch:
            pages = set(watch.observer.pages())
            await browser.kill()
            await watch.seen.first("browser_lost", timeout_s=2)
            assert not watch.seen.all("gap")
            browser.port = port
            await browser.start()
            gap = gap_in(await watch.seen.first("gap"))
            assert gap.browser == "new"
            assert set(gap.pages_gone) == pages
            assert set(gap.pages_new) == set(watch.observer.pages())
            async with cdp_client(browser.ws_url) as client:
                again = Watch(watch.observer, watch.seen, client)
                await again.open(site.url())
                await watch.seen.first("console", text="hello")
            assert len(watch.seen.all("gap")) == len(watch.seen.all("browser_lost")) == 1


async def test_stopping_while_there_is_no_browser() -> None:
    async with Chromium() as browser, watching(browser.ws_url) as watch:
        await browser.kill()
        await watch.seen.first("browser_lost")
        assert not watch.observer.connected
        await watch.observer.stop()
        assert [gap_in(signal).browser for signal in watch.seen.all("gap")] == ["gone"]


TELLS = "firstcauseTell"
WORLD = "firstcause"


async def click(tab: Tab) -> None:
    for kind in ("mousePressed", "mouseReleased"):
        await tab.call("Input.dispatchMouseEvent", type=kind, x=20, y=20, button="left", clickCount=1)


async def scripts_in(watch: Watch, tab: Tab) -> list[str]:
    """Whether our script is there, for every world of ours that the tab still has."""
    found: list[str] = []
    for event in watch.cdp.events:
        if event["method"] == "Runtime.executionContextCreated" and event.get("sessionId") == tab.session:
            context = event["params"]["context"]
            if context["name"] == WORLD:
                with contextlib.suppress(CdpError):
                    asked = {
                        "expression": f"typeof globalThis.{WORLD}",
                        "uniqueContextId": context["uniqueId"],
                    }
                    found.append((await tab.call("Runtime.evaluate", **asked))["result"]["value"])
    return found


async def test_stopping_leaves_the_pages_as_they_were(chromium: Chromium, site: Site) -> None:
    site.page("/popup", "fetch('/popup-is-up')")
    site.script("/worker.js", "debugger; fetch('/worker-is-up')")
    url = site.page(
        "/button",
        "onclick = () => fetch('/clicked')",
        "<button style='width: 99px; height: 99px'>go</button>",
    )
    async with watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        # We listen in on what the in-page script tells: the same binding, in the same world.
        await tab.call("Runtime.enable")
        await tab.call("Runtime.addBinding", name=TELLS, executionContextName=WORLD)
        assert await scripts_in(watch, tab) == ["object"]
        await click(tab)
        await watch.seen.first("action", type="click")
        await site.hit("/clicked")
        await watch.cdp.event("Runtime.bindingCalled", tab.session, name=TELLS)

        await watch.observer.stop()
        told, events = len(watch.seen.signals), len(watch.cdp.events)
        await click(tab)
        await site.hit("/clicked", 2)
        await tab.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))")
        await tab.run("new Worker('/worker.js'), void open('/popup')")
        await site.hit("/worker-is-up")
        await site.hit("/popup-is-up")
        await tab.goto(url)
        assert not [
            event for event in watch.cdp.events[events:] if event["method"] == "Runtime.bindingCalled"
        ]
        # Chrome keeps the world of a frame, and it is empty.
        assert await scripts_in(watch, tab) == ["undefined"]
        assert await tab.run(f"[typeof {TELLS}, typeof {WORLD}]") == ["undefined", "undefined"]
        assert len(watch.seen.signals) == told

        async with watching(chromium.ws_url) as again:
            await click(tab)
            await again.seen.first("action", type="click")
            await site.hit("/clicked", 3)
            await tab.goto(url)
            await again.seen.first("navigation", url=url)
            await again.barrier(tab)
            assert len(again.seen.all("action", type="click")) == 1
