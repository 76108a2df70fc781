"""An agent reads what is long, in pieces: bodies, console lines, stacks, HTML; from pages that hang or are gone, too."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client

from firstcause.api.tools.budget import tokens_of

from ..mcp_clients import agent_of, asked
from ..unit.serving import serving
from .support import PATIENCE_S, Answer, Chromium, Site, Tab, cdp_client

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
PASSWORD = "correct horse battery"
ITEMS = 30_000
WAIT_S = 50
LOAD = "globalThis.load = async (path) => (await fetch(path)).text()"


class Seat(NamedTuple):
    """An agent that observes the browser with the tab."""

    agent: Client
    tab: Tab

    async def read(self, ref: str, **arguments: Any) -> dict[str, Any]:
        return await asked(self.agent, "read_output", ref=ref, **arguments)

    async def refused(self, tool: str, **arguments: Any) -> dict[str, str]:
        result = await self.agent.call_tool(tool, arguments)
        assert result.is_error, result  # type: ignore[union-attr]
        return (result.structured_content or {})["error"]  # type: ignore[union-attr]

    async def page(self) -> str:
        listed = (await asked(self.agent, "observe"))["pages"]
        [name] = [one["page"] for one in listed if one["url"].startswith("http://127")]
        return name

    async def event(self, text: str, kind: str = "") -> str:
        """The id of the latest event that says so, once it is there."""
        deadline_s = time.monotonic() + PATIENCE_S
        include = {"text": [text], **({"kind": [kind]} if kind else {})}
        channels = ["errors", "network_errors", "activity"]
        while time.monotonic() < deadline_s:
            answer = await asked(self.agent, "observe", what="events", include=include, channels=channels)
            if answer["latest"]:
                return answer["latest"][0]["id"]
            await asked(self.agent, "wait_for_events", timeout_s=1, channels=channels)
        raise AssertionError(f"{text} is not told")

    async def until_readable(self, ref: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        event_id = ref.removeprefix("event:").partition("/")[0]
        while time.monotonic() < deadline_s:
            answer = await asked(self.agent, "observe", what="output", id=event_id)
            if {"ref": ref} in answer["refs"]:
                return
        raise AssertionError(f"{ref} is not there")

    async def body(self, path: str) -> str:
        """The reference to the body of what the page loads."""
        ref = f"event:{await self.event(path)}/body"
        await self.until_readable(ref)
        return ref


Seating = Callable[[], AbstractAsyncContextManager[Seat]]


@pytest.fixture
def seating(chromium: Chromium, site: Site, tmp_path: Path) -> Seating:
    """The client can't be a fixture itself: it has to be closed by the task that opened it."""
    return lambda: seated(chromium, tmp_path, site.page("/", LOAD))


@asynccontextmanager
async def seated(chromium: Chromium, state: Path, url: str) -> AsyncGenerator[Seat]:
    async with (
        serving(state) as server,
        agent_of(server, "auto") as agent,
        cdp_client(chromium.ws_url) as cdp,
    ):
        tab = await cdp.open()
        await tab.goto(url)
        await asked(agent, "observe", attach=chromium.ws_url)
        yield Seat(agent, tab)


async def test_a_large_body_is_read_in_pieces_by_patterns(seating: Seating, site: Site) -> None:
    async with seating() as seat:
        items = [{"id": number, "name": f"item {number:06}", "left": "x" * 40} for number in range(ITEMS)]
        items[20_000]["password"] = PASSWORD
        items[20_001]["note"] = f"charged by {SECRET}"
        body = json.dumps(items, separators=(",", ":"))
        assert len(body) > 2_500_000
        site.routes["/api/items"] = Answer(body, "application/json", status="500 Internal Server Error")
        await seat.tab.run("load('/api/items').then(() => 0)")
        ref = await seat.body("/api/items")
        first = await seat.read(ref, max_bytes=512, include_stats=True, timeout=20)
        assert first["bytes"] == len(body)
        assert len(json.dumps(first["text"])) < 700
        assert first["stats"]["lines"] > 4 * ITEMS
        wanted = await seat.read(ref, include=["/item 0299[89]\\d/"], max_lines=15, timeout=20)
        assert wanted["text"].split() == [
            word for number in range(29_980, 29_995) for word in ('"name":', '"item', f'{number:06}",')
        ]
        rest = await seat.read(ref, include=["/item 0299[89]\\d/"], after=wanted["next"], timeout=20)
        assert rest["text"].count("item") == 5
        assert rest["end"]
        hidden = await seat.read(ref, include=["password", "charged"], timeout=20)
        assert hidden["text"].count("***") == 2
        assert SECRET not in str(hidden)
        assert PASSWORD not in str(hidden)
        found = await seat.read(ref, include=[PASSWORD, SECRET], timeout=20)
        assert found["text"] == ""


async def test_pieces_put_together_are_the_body(seating: Seating, site: Site) -> None:
    async with seating() as seat:
        body = "\n".join(f"line {number} of a log, {'é' * (number % 50)}" for number in range(2_000))
        site.routes["/log.txt"] = Answer(body, "text/plain; charset=utf-8")
        await seat.tab.run("load('/log.txt').then(() => 0)")
        ref = await seat.body("/log.txt")
        pieces: list[str] = []
        after = 0
        while True:
            piece = await seat.read(ref, after=after, max_bytes=4_096, max_lines=1_000)
            assert tokens_of(json.dumps(piece, ensure_ascii=False)) < 1_800
            pieces.append(piece["text"])
            if "next" not in piece:
                break
            after = piece["next"]
        assert "\n".join(pieces) == body


async def test_a_line_of_fifty_megabytes_is_read_in_pieces(seating: Seating) -> None:
    async with seating() as seat:
        await seat.tab.start("console.error('begin ' + 'x'.repeat(50 << 20)); setTimeout(() => after())")
        ref = f"event:{await seat.event('begin', 'console_error')}/text"
        piece = await seat.read(ref, max_bytes=1_024)
        assert piece["text"].startswith("begin xxx")
        assert piece["bytes"] <= 2 << 20
        assert piece["cut"]
        assert len(piece["text"]) <= 1_024
        assert (await seat.read(ref, after=piece["next"], max_bytes=512))["text"].startswith("xxx")
        await seat.event("after is not defined")


async def test_a_stack_is_read_whole(seating: Seating) -> None:
    async with seating() as seat:
        script = "".join(f"function step{n}() {{ step{n + 1}(); }}\n" for n in range(12))
        await seat.tab.start(f"{script} function step12() {{ throw new Error('deep') }}\n setTimeout(step0)")
        piece = await seat.read(f"event:{await seat.event('deep', 'uncaught_exception')}/stack")
        assert [line.split()[1] for line in piece["text"].splitlines()] == [
            f"step{n}" for n in range(12, -1, -1)
        ]


async def test_a_body_that_does_not_end_is_refused(seating: Seating, site: Site) -> None:
    async with seating() as seat:
        more = {"Content-Length": "2000"}
        site.routes["/unread"] = Answer("x" * 1_000, "text/plain", more, "500 Internal Server Error")
        await seat.tab.run("fetch('/unread').then(answer => { globalThis.unread = answer; return 0 })")
        event_id = await seat.event("/unread", "http_error")
        error = await seat.refused("read_output", ref=f"event:{event_id}/body", timeout=20)
        assert error["code"] == "not_found"
        assert "does not read to its end" in error["hint"]


async def test_html_has_nothing_that_was_typed(seating: Seating) -> None:
    async with seating() as seat:
        await seat.tab.run(
            f"document.body.innerHTML = `<main id=cart data-key='{SECRET}'><h1>Cart</h1><input name=card value='4111 1111 1111 1111'>"
            f"<input type=password><textarea>{PASSWORD}</textarea><div contenteditable>{PASSWORD}</div>"
            "<input type=submit value=Pay><my-list></my-list></main>`;"
            f"document.querySelector('[type=password]').value = {PASSWORD!r};"
            "document.querySelector('my-list').attachShadow({mode: 'open'}).innerHTML = '<p>in the shadow</p>'; 0"
        )
        page = await seat.page()
        whole = (await seat.read(f"page:{page}/dom"))["text"]
        assert "<h1>" in whole
        assert "in the shadow" in whole
        assert 'value="Pay"' in whole
        for typed in (SECRET, PASSWORD, "4111"):
            assert typed not in whole
        part = (await seat.read(f"page:{page}/dom/role=heading"))["text"]
        assert part.split() == ["<h1>", "Cart", "</h1>"]
        error = await seat.refused("read_output", ref=f"page:{page}/dom/#nothing")
        assert "Nothing is found" in error["message"]


async def test_a_page_that_hangs_is_refused_in_time(seating: Seating, site: Site) -> None:
    async with seating() as seat:
        page = await seat.page()
        await seat.tab.start("const end = Date.now() + 8000; while (Date.now() < end);")
        error = await seat.refused("read_output", ref=f"page:{page}/dom", timeout=1)
        assert error["code"] == "page_busy"


async def test_a_page_that_is_gone_says_so(seating: Seating, site: Site) -> None:
    async with seating() as seat:
        site.routes["/api/cart"] = site.routes["/api/pay"] = Answer(
            '{"error": 1}', "application/json", status="500 Internal Server Error"
        )
        await seat.tab.run("load('/api/cart').then(() => 0)")
        await seat.tab.run("load('/api/pay').then(() => 0)")
        ref, unread = await seat.body("/api/cart"), await seat.body("/api/pay")
        assert "error" in (await seat.read(ref))["text"]
        event_id = ref.removeprefix("event:").removesuffix("/body")
        await seat.tab.call("Page.close")
        error = await seat.refused("read_output", ref=unread)
        assert error["code"] in ("unknown_page", "command_failed")
        assert error["hint"]
        error = await seat.refused("read_output", ref="page:p9/dom")
        assert error["code"] == "unknown_page"
        assert (await asked(seat.agent, "observe", what="event", id=event_id))["event"][
            "kind"
        ] == "http_error"


async def test_selectors_and_accessibility_are_looked_at_on_demand(seating: Seating) -> None:
    async with seating() as seat:
        await seat.tab.run(
            "document.body.innerHTML = '<button>Save</button><button>Save</button><img src=data:,>'; 0"
        )
        page = await seat.page()
        found = await asked(seat.agent, "observe", what="selectors", page=page, selector="text=Save")
        assert (found["state"], found["count"], len(found["elements"])) == ("ambiguous", 2, 2)
        looked = await asked(seat.agent, "observe", what="a11y", page=page)
        assert "image-alt" in {one["rule"] for one in looked["violations"]}
        await asked(seat.agent, "configure", action="selectors", selectors=["#pay"])
        async with asyncio.timeout(PATIENCE_S):
            while not (await asked(seat.agent, "observe", what="selectors"))["selectors"]:
                await asked(seat.agent, "wait_for_events", timeout_s=1)


SHOP = """
globalThis.buy = async () => {
    const answer = await fetch('/api/cart', {method: 'POST'});
    (await answer.json()).items.length;
};
"""
FORM = "<button onclick=buy()>Buy</button><input id=name><button disabled>Pay</button><b id=none></b>"


async def test_a_step_tells_what_it_led_to(seating: Seating, site: Site) -> None:
    site.routes["/api/cart"] = Answer("{}", "application/json", status="500 Internal Server Error")
    url = site.page("/shop", SHOP, FORM)
    async with seating() as seat:
        page = await seat.page()
        went = await asked(seat.agent, "act", action="navigate", page=page, value=url)
        assert (went["url"], went["chains"]) == (url, [])
        clicked = await asked(seat.agent, "act", action="click", page=page, selector="text=Buy")
        [chain] = clicked["chains"]
        assert chain["after"].startswith("click")
        assert "/api/cart answered 500" in chain["first"]
        await asked(seat.agent, "act", action="fill", page=page, selector="#name", value="Anna", wait_s=0)
        await asked(seat.agent, "act", action="press", page=page, value="!", wait_s=0)
        assert await seat.tab.run("document.getElementById('name').value") == "Anna!"


async def test_a_step_that_no_person_could_do_is_refused(seating: Seating, site: Site) -> None:
    url = site.page("/shop", SHOP, FORM)
    async with seating() as seat:
        page = await seat.page()
        await asked(seat.agent, "act", action="navigate", page=page, value=url)
        for step, says in (
            ({"action": "click", "selector": "text=Pay"}, "is disabled"),
            ({"action": "click", "selector": "#none"}, "no room"),
            ({"action": "click", "selector": "button"}, "finds 2 elements"),
            ({"action": "click", "selector": "#gone"}, "Nothing is found"),
            ({"action": "click"}, "selector is missing"),
            ({"action": "fill", "selector": "text=Buy", "value": "x"}, "no field"),
            ({"action": "press", "value": "Ctrl+C"}, "no key"),
        ):
            assert says in (await seat.refused("act", page=page, **step))["message"]


async def test_a_step_that_opens_a_dialog_ends(seating: Seating, site: Site) -> None:
    url = site.page("/ask", "", "<button onclick='confirm(1)'>Ask</button>")
    async with seating() as seat:
        page = await seat.page()
        await seat.tab.call("Page.enable")  # it is not answered while a dialog is open
        await asked(seat.agent, "act", action="navigate", page=page, value=url)
        await asked(seat.agent, "act", action="click", page=page, selector="text=Ask", wait_s=0)
        error = await seat.refused("act", action="click", page=page, selector="text=Ask")
        assert "dialog" in error["message"]
        await seat.tab.call("Page.handleJavaScriptDialog", accept=True)


async def test_what_lies_beneath_something_is_not_clicked(seating: Seating, site: Site) -> None:
    veil = "<div id=veil style='position:fixed;inset:0'></div>"
    below = "<div style='height:3000px'></div><button id=low onclick='globalThis.hit=1'>Low</button>"
    url = site.page("/veiled", "", below + veil)
    async with seating() as seat:
        page = await seat.page()
        await asked(seat.agent, "act", action="navigate", page=page, value=url)
        error = await seat.refused("act", action="click", page=page, selector="#low")
        assert "covered by #veil" in error["message"]
        await seat.tab.run("document.getElementById('veil').remove()")
        await asked(seat.agent, "act", action="click", page=page, selector="#low", wait_s=0)
        assert await seat.tab.run("globalThis.hit") == 1
