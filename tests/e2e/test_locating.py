"""What a chain of locators finds on a page, next to what Playwright finds there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page

from firstcause.api.observation import resolver
from firstcause.api.testing.asked_for import page_steps
from firstcause.api.testing.locators import read
from firstcause.observer.asked_selector import parsed
from firstcause.observer.cdp.session import Session
from firstcause.observer.locating import count_of_role, look
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal
from firstcause.observer.sources.launch import launch

from .support import PATIENCE_S, Bell, Site

BODY = """
<form id=form><label for=mail>E-mail</label> <input id=mail placeholder="you@shop.test"> <input type=submit value="Send it">
<label>News <input type=checkbox checked></label> <label>Terms <input type=checkbox></label></form>
<ul><li>Ada <button>Edit</button></li><li class=me>Bo <button>Edit</button></li><li hidden>Carla <button>Edit</button></li></ul>
<button data-testid=save title="Save it all">Save <b>all</b></button> <button aria-label="Remove">x</button> <img alt="Our logo" src="data:,">
<h2>Total</h2><h3>Total  of
 all</h3><div id=host></div><iframe id=frame srcdoc="<button>Inside</button><p>Inside too</p>"></iframe><p>Save all of it</p>
"""
SHADOW = (
    "host.attachShadow({ mode: 'open' }).innerHTML = '<button class=deep>Deep</button><p>In the shade</p>'"
)
LOCATORS = """
locator("li")
locator("li").filter(has_text="ada")
locator("li").filter(has_not_text="ada")
locator("li").filter(visible=True)
locator("li").get_by_role("button", name="Edit")
locator("li").nth(1)
locator("li").nth(7)
locator("li").last.locator("button")
locator("li.me").locator("button").first
locator("ul >> li >> text=Edit")
get_by_role("button")
get_by_role("button", name="save")
get_by_role("button", name="Save all", exact=True)
get_by_role("button", name="save all", exact=True)
get_by_role("button", name=re.compile(r"^(Send|Remove)"))
get_by_role("heading", name="Total")
get_by_role("heading", name="Total of all", exact=True)
get_by_role("heading", level=3)
get_by_role("checkbox", checked=True)
get_by_role("textbox", name="E-mail")
get_by_role("img", name="logo")
get_by_role("listitem")
get_by_label("e-mail")
get_by_label("Remove")
get_by_label("News", exact=True)
get_by_placeholder("shop")
get_by_alt_text("our logo")
get_by_title("Save it")
get_by_test_id("save")
get_by_test_id("sav")
get_by_text("save all")
get_by_text("Save all", exact=True)
get_by_text("Send it")
get_by_text("Total", exact=True)
get_by_text("In the shade")
get_by_text(re.compile(r"^Tot", re.IGNORECASE))
locator("#host").locator(".deep")
locator(".deep")
locator("data-testid=save")
locator("role=button[name=\\"Deep\\"]")
locator("#frame").content_frame.get_by_text("Inside")
locator("#frame").content_frame.get_by_role("button", name="Inside")
locator("#none").content_frame.locator("b")
""".strip().splitlines()


class Shown:
    """A page that is driven by Playwright and observed."""

    def __init__(self, page: Page, session: Session) -> None:
        self.page = page
        self.session = session

    async def by_playwright(self, locator: str) -> int:
        found: Any = eval(f"page.{locator}", {"page": self.page, "re": re})
        return await found.count()

    async def by_us(self, locator: str) -> int:
        return (await look(self.session, page_steps(read(locator)))).count


@asynccontextmanager
async def shown(url: str) -> AsyncGenerator[Shown]:
    bell = Bell()

    def ring(_: Signal) -> None:
        bell.ring()

    async with launch() as launched:
        assert launched.browser is not None
        async with Observer(resolver(launched.ws_url), ring, CaptureOptions()) as observer:
            page = await (await launched.browser.new_context()).new_page()
            await page.goto(url)
            name = await bell.until(
                lambda: next((one for one, at in observer.pages().items() if at == url), "")
            )
            async with asyncio.timeout(PATIENCE_S):
                yield Shown(page, observer.session_of(name))


async def test_what_playwright_finds_is_found(site: Site) -> None:
    async with shown(site.page("/", SHADOW, BODY)) as page:
        await page.page.frame_locator("#frame").get_by_text("Inside too").wait_for()
        ours = {locator: await page.by_us(locator) for locator in LOCATORS}
        assert ours == {locator: await page.by_playwright(locator) for locator in LOCATORS}


async def test_each_step_is_counted_and_a_bad_one_is_said(site: Site) -> None:
    async with shown(site.page("/", SHADOW, BODY)) as page:
        await page.page.frame_locator("#frame").get_by_text("Inside too").wait_for()
        steps = page_steps(read('locator("#frame").content_frame.locator("button").filter(has_text="Out")'))
        assert (await look(page.session, steps)).counts == (1, 1, 1, 0)
        steps = page_steps(read('locator("#none").content_frame.locator("button")'))
        assert (await look(page.session, steps)).counts == (0, 0, 0)
        bad = await look(page.session, page_steps(read('locator("li:has-text(1)")')))
        assert (bad.counts, "not a valid selector" in bad.reason) == ((), True)


async def test_what_could_be_meant_is_told_where_it_is_looked_for(site: Site) -> None:
    async with shown(site.page("/", SHADOW, BODY)) as page:
        everywhere = await look(page.session, (), words=("save",), kind="click")
        assert "data-testid=save" in {each.test for each in everywhere.candidates}
        within = await look(page.session, page_steps(read('locator("#form")')), 1, ("mail",), "write")
        assert sorted(each.tag for each in within.candidates) == ["input", "label"]


async def test_chrome_counts_roles_below_a_step_and_in_a_frame(site: Site) -> None:
    async with shown(site.page("/", SHADOW, BODY)) as page:
        await page.page.frame_locator("#frame").get_by_text("Inside too").wait_for()
        edit, inside = parsed('role=button[name="Edit"]'), parsed('role=button[name="Inside"]')
        assert await count_of_role(page.session, (), edit) == 2
        assert await count_of_role(page.session, page_steps(read('locator("li.me")')), edit) == 1
        frame = page_steps(read('locator("#frame").content_frame'))
        assert await count_of_role(page.session, frame, inside) == 1
        assert await count_of_role(page.session, page_steps(read('locator("#none")')), edit) == 0
