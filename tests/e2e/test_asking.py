"""What a page is asked over HTTP: what a selector finds, what axe finds, and what is said when it can't answer."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from firstcause.api.server import Server
from firstcause.observer.asking import ANSWER_LIMIT_S

from ..unit.serving import client_of, serving
from .support import PATIENCE_S, Chromium, Site, Tab, cdp_client

BODY = """
<h1>Cart</h1>
<button id=save>Save</button><button hidden>Save</button><button disabled>Save  all</button>
<div id=dialog></div><div id=sealed></div>
<label>Your mail <input id=mail value="anna@shop.test"></label>
<input type=password placeholder="Your password" value="correct horse">
<button aria-label="Remove pears" data-testid=remove><svg></svg></button>
<img src="data:,"><a href="#pay">Pay <b>now</b></a>
"""
SHADOWS = """
  const button = (text) => Object.assign(document.createElement('button'), { textContent: text });
  dialog.attachShadow({ mode: 'open' }).append(button('Confirm'));
  sealed.attachShadow({ mode: 'closed' }).append(button('Sealed'));
"""


class Asker:
    """A client of a server that observes the browser with the tab."""

    def __init__(self, client: httpx.AsyncClient, tab: Tab, page: str) -> None:
        self.client = client
        self.tab = tab
        self.page = page

    async def check(self, selector: str, **more: Any) -> dict[str, Any]:
        body = {"page": self.page, "selector": selector, **more}
        return (await self.client.post("/v1/check", json=body)).json()

    async def a11y(self, **more: Any) -> dict[str, Any]:
        return (await self.client.post("/v1/a11y", json={"page": self.page, **more})).json()

    async def words(self, selector: str) -> list[str]:
        return [element["words"] for element in (await self.check(selector))["elements"]]


async def name_of(client: httpx.AsyncClient, url: str) -> str:
    """The page that shows the address, once it is observed."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        [browser] = (await client.get("/v1/observe")).json()["browsers"]
        for name, address in browser["pages"].items():
            if address == url:
                return name
    raise AssertionError(f"{url} is not observed")


@asynccontextmanager
async def asking_at(server: Server, chromium: Chromium, url: str) -> AsyncGenerator[Asker]:
    async with client_of(server) as client, cdp_client(chromium.ws_url) as cdp:
        attached = await client.post("/v1/observe", json={"action": "attach", "cdp": str(chromium.port)})
        assert attached.status_code == 200, attached.text
        tab = await cdp.open()
        await tab.goto(url)
        yield Asker(client, tab, await name_of(client, url))


@pytest.fixture
async def asker(chromium: Chromium, site: Site, tmp_path: Path) -> AsyncGenerator[Asker]:
    async with (
        serving(tmp_path) as server,
        asking_at(server, chromium, site.page("/cart", SHADOWS, BODY)) as asker,
    ):
        yield asker


async def test_a_selector_finds_one_none_or_several(asker: Asker) -> None:
    assert await asker.check("#save") == {
        "browser": "b1",
        "page": asker.page,
        "selector": "#save",
        "state": "ok",
        "count": 1,
        "elements": [{"selector": "#save", "words": 'button "Save"'}],
        "reason": "",
    }
    missing = await asker.check("#pay")
    assert (missing["state"], missing["count"], missing["elements"]) == ("missing", 0, [])
    several = await asker.check("button")
    assert (several["state"], several["count"]) == ("ambiguous", 5)
    assert [element["words"] for element in several["elements"]] == [
        'button "Save"',
        'button "Save", hidden',
        'button "Save all", disabled',
    ]


ALIKE = {
    'role=button[name="Save"]': ['button "Save"'],
    'role=button[name="save"i]': ['button "Save"', 'button "Save all", disabled'],
    "role=button[disabled]": ['button "Save all", disabled'],
    'role=button[name="Remove pears"]': ['button "Remove pears"'],
    'role=button[name="Confirm"]': ['button "Confirm"'],
    'role=button[name="Sealed"]': ['button "Sealed", in a closed shadow root'],
    "role=heading[level=1]": ['heading "Cart"'],
    "role=heading[level=2]": [],
    "role=link": ['link "Pay now"'],
    "text=confirm": ['button "Confirm"'],
    "text=sealed": [],
    'text="Pay now"': ['link "Pay now"'],
    'text="Pay"': [],
    "label=your mail": ['text input "Your mail"'],
    'label="Remove pears"': ['button "Remove pears"'],
    "placeholder=password": ['password input "Your password"'],
    "testid=remove": ['button "Remove pears"'],
    "button[data-testid=remove]": ['button "Remove pears"'],
}
"""What selectors of each kind find in the page; in open shadow roots too."""


async def test_selectors_as_playwright_has_them(asker: Asker) -> None:
    assert {selector: await asker.words(selector) for selector in ALIKE} == ALIKE


async def test_what_is_no_selector_says_why(asker: Asker) -> None:
    for selector, reason in (
        ("button:::", "'button:::' is not a valid selector"),
        ("role=button[colour=red]", "[colour]"),
    ):
        told = await asker.check(selector)
        assert (told["state"], told["count"]) == ("invalid", 0)
        assert reason in told["reason"]


async def test_what_was_typed_is_never_told(asker: Asker) -> None:
    said = str(
        [await asker.check(selector) for selector in ("input", "label=mail", "text=horse", "role=textbox")]
    )
    assert "anna" not in said
    assert "correct" not in said


async def test_axe_looks_by_its_grave_rules_or_by_all(asker: Asker) -> None:
    grave, full = await asker.a11y(), await asker.a11y(full=True)
    assert {"image-alt", "html-has-lang"} <= {violation["rule"] for violation in grave["violations"]}
    assert {"landmark-one-main"} <= {violation["rule"] for violation in full["violations"]}
    assert grave["rules"] < full["rules"]
    assert (grave["left"], full["left"]) == ([], [])
    [image] = [violation for violation in full["violations"] if violation["rule"] == "image-alt"]
    assert (image["impact"], image["count"], image["nodes"]) == ("critical", 1, ["img"])


async def test_questions_leave_no_trace_that_the_page_could_see(asker: Asker) -> None:
    await asker.tab.run(
        "window.seen = []; new MutationObserver(records => seen.push(...records.map(record => record.type)))"
        ".observe(document, { subtree: true, childList: true, attributes: true, characterData: true });"
        "for (const type of ['focusin', 'scroll', 'message', 'error']) addEventListener(type, () => seen.push(type), true); 0"
    )
    globals_before = await asker.tab.run("Object.getOwnPropertyNames(window).sort().join()")
    for selector in ("button", "role=button", "text=Save"):
        await asker.check(selector)
    await asker.a11y(full=True)
    assert await asker.tab.run("seen") == []
    assert await asker.tab.run("Object.getOwnPropertyNames(window).sort().join()") == globals_before


async def test_a_page_that_hangs_or_is_none_is_refused_in_time(asker: Asker) -> None:
    unknown = await asker.check("#save", page="p99")
    assert unknown["code"] == "unknown_page"
    assert asker.page in unknown["hint"] or "/v1/observe" in unknown["hint"]
    await asker.tab.start("const end = Date.now() + 15000; while (Date.now() < end);")
    asked_s = time.monotonic()
    refused = await asker.check("#save")
    took_s = time.monotonic() - asked_s
    assert refused["code"] == "page_busy"
    assert f"{ANSWER_LIMIT_S:g} s" in refused["message"]
    assert refused["hint"]
    assert took_s >= ANSWER_LIMIT_S
    # What is no question to the page is answered all the same.
    assert (await asker.check("role=button[colour=red]"))["state"] == "invalid"


async def test_a_page_with_a_dialog_says_so_at_once(asker: Asker) -> None:
    await asker.tab.call("Page.enable")
    await asker.tab.start("alert('Sure?')")
    await asker.tab.cdp.event("Page.javascriptDialogOpening", asker.tab.session)
    refused = await asker.a11y()
    while refused.get("code") != "page_busy":  # until it has come to us as well
        refused = await asker.a11y()
    assert "dialog" in refused["message"]
    await asker.tab.call("Page.handleJavaScriptDialog", accept=True)
