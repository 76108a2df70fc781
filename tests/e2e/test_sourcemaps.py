"""Errors in compiled scripts are told where they were written, once the map is there; and at once whether it is or not."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from firstcause.api.observation import Observation
from firstcause.correlator import storms
from firstcause.correlator.event import Event
from firstcause.correlator.sourcemaps import SourceMap, SourceMaps
from firstcause.observer.options import CaptureOptions

from ..unit.source_map_text import text_of
from .support import Answer, Bell, Chromium, Hit, Site, Tab, cdp_client

GENERATED = "function t(e){return e.lines.length}function n(e){t(null)}console.info('ready');"
"""A page calls n(); what fails is `.lines`, at 1:24 here and at 41:15 of src/cart.ts."""
MAP = text_of(
    ["../src/cart.ts", "../node_modules/tools/index.js"],
    (0, GENERATED.index("lines"), 0, 40, 14),
    (0, GENERATED.index("t(null)"), 0, 52, 2, 0),
    (0, GENERATED.index("null"), 0, 52, 18),
    names=["updateCartBadge"],
)
PLACE = "src/cart.ts:41:15 updateCartBadge"


class Followed:
    """An observation, what it has told, and a tab to drive."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.bell.ring()

    async def first(self, kind: str, count: int = 1) -> Event:
        """The `count`-th event of that kind."""
        of = lambda: [event for event in self.events if event.kind == kind]  # noqa: E731
        await self.bell.until(lambda: len(of()) >= count, what=lambda: f"{kind}; told: {self.events}")
        return of()[count - 1]

    async def fails(self, tab: Tab, count: int = 1) -> Event:
        """The next error of the page, which is its `count`-th."""
        await tab.start("n()")
        return await self.first("uncaught_exception", count)


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> tuple[Bell, list[str]]:
    """The scripts that have got their map, and a bell for it. The same error twice is told twice here."""
    monkeypatch.setattr(storms, "QUIET_S", 0.0)
    bell, scripts, add = Bell(), list[str](), SourceMaps.add

    def ringing(maps: SourceMaps, script_url: str, source_map: SourceMap) -> None:
        add(maps, script_url, source_map)
        scripts.append(script_url.rpartition("/")[2])
        bell.ring()

    monkeypatch.setattr(SourceMaps, "add", ringing)
    return bell, scripts


@asynccontextmanager
async def following(
    chromium: Chromium, bell: Bell, options: CaptureOptions | None = None
) -> AsyncGenerator[tuple[Followed, Tab]]:
    followed = Followed(bell)
    async with Observation(chromium.ws_url, followed, options), cdp_client(chromium.ws_url) as cdp:
        tab = await cdp.open()
        await followed.first("page_opened")
        yield followed, tab


def page(site: Site, script: str = GENERATED, map_url: str = "/assets/app.min.js.map") -> str:
    site.script("/assets/app.min.js", f"{script}\n//# sourceMappingURL={map_url}\n")
    site.routes["/"] = (
        "<!doctype html><link rel=icon href=data:,><body><script src=/assets/app.min.js></script>"
    )
    return site.url("/")


@pytest.mark.parametrize("level", ["full", "lean"])
async def test_an_error_is_told_where_it_was_written(
    chromium: Chromium, site: Site, mapped: tuple[Bell, list[str]], level: str
) -> None:
    bell, scripts = mapped
    site.routes["/assets/app.min.js.map"] = Answer(MAP, "application/json")
    options = CaptureOptions(level="lean" if level == "lean" else "full")
    async with following(chromium, bell, options) as (followed, tab):
        await tab.goto(page(site))
        await bell.until(lambda: scripts, what="the map")
        error = await followed.fails(tab)
        assert (error.context["at"], error.context["generated"]) == (PLACE, "app.min.js:1:24")
        await tab.run("console.error('no stock')")
        assert "app.min" not in str((await followed.first("console_error")).context)
        # Neither the page nor the stream hears of the map's own request.
        seen = await tab.run("performance.getEntriesByType('resource').map(entry => entry.name).join(' ')")
        assert ".map" not in seen
        assert [event.kind for event in followed.events if ".map" in event.line()] == []
        await tab.goto(site.url("/"))
        assert (await followed.fails(tab, 2)).context["at"] == PLACE
        assert len(site.all("/assets/app.min.js.map")) == 1


async def test_an_error_while_the_page_loads_waits_for_no_map(
    chromium: Chromium, site: Site, mapped: tuple[Bell, list[str]]
) -> None:
    bell, scripts = mapped
    told_first = asyncio.Event()

    async def when_told(_: Hit) -> Answer:
        await told_first.wait()
        return Answer(MAP, "application/json")

    site.routes["/assets/app.min.js.map"] = when_told
    async with following(chromium, bell) as (followed, tab):
        await tab.goto(page(site, f"{GENERATED}n()"))
        early = await followed.first("uncaught_exception")
        assert early.context["at"] == "app.min.js:1:24 t"
        assert "generated" not in early.context
        assert scripts == []
        told_first.set()
        await bell.until(lambda: scripts, what="the map")
        late = await followed.fails(tab, 2)
        assert late.context["at"] == PLACE
        assert late.fingerprint == early.fingerprint


async def test_a_map_may_need_the_cookies_of_the_page(
    chromium: Chromium, mapped: tuple[Bell, list[str]]
) -> None:
    bell, scripts = mapped
    heads: list[bytes] = []

    class Guarded(Site):
        async def _answer(
            self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            heads.append(head)
            await super()._answer(head, reader, writer)

    async def guarded(_: Hit) -> Answer:
        if b"staff=yes" not in heads[-1]:
            return Answer("who are you?", status="403 Forbidden")
        return Answer(MAP, "application/json")

    async with Guarded() as site:
        url = page(site)
        site.routes["/"] = Answer(str(site.routes["/"]), headers={"Set-Cookie": "staff=yes; HttpOnly"})
        site.routes["/assets/app.min.js.map"] = guarded
        async with following(chromium, bell) as (followed, tab):
            await tab.goto(url)
            await bell.until(lambda: scripts, what="the map")
            assert (await followed.fails(tab)).context["at"] == PLACE


async def test_a_map_within_its_script(
    chromium: Chromium, site: Site, mapped: tuple[Bell, list[str]]
) -> None:
    bell, scripts = mapped
    text = text_of(["cart.ts"], (0, GENERATED.index("lines"), 0, 40, 14))
    data = base64.b64encode(text.encode()).decode()
    async with following(chromium, bell) as (followed, tab):
        await tab.goto(page(site, map_url=f"data:application/json;charset=utf-8;base64,{data}"))
        await bell.until(lambda: scripts, what="the map")
        assert (await followed.fails(tab)).context["at"] == "assets/cart.ts:41:15 t"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer("gone", status="404 Not Found"), "answered 404"),
        (Answer("<!doctype html>the app's fallback page"), "malformed"),
        (Answer('{"version":2,"sources":[],"mappings":""}'), "version 2"),
    ],
    ids=["missing", "a page", "an old version"],
)
async def test_an_error_is_told_all_the_same_without_a_map(
    chromium: Chromium, site: Site, mapped: tuple[Bell, list[str]], answer: Answer, reason: str
) -> None:
    bell, scripts = mapped
    site.routes["/assets/app.min.js.map"] = answer
    async with following(chromium, bell) as (followed, tab):
        await tab.goto(page(site))
        error = await followed.fails(tab)
        assert error.context["at"] == "app.min.js:1:24 t"
        note = await followed.first("sourcemap_missing")
        assert (note.channel, note.severity) == ("errors", "info")
        assert reason in note.summary
        assert note.context == {"url": "/assets/app.min.js", "map": "/assets/app.min.js.map"}
        await followed.fails(tab, 2)
        assert [event.kind for event in followed.events].count("sourcemap_missing") == 1
        assert scripts == []
