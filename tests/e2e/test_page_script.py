"""What the in-page script sees of a real page: actions, long frames, interactions, shifts, paints, watched selectors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from firstcause.observer.domains.page_script import (
    Interaction,
    SelectorMatches,
    UserAction,
)
from firstcause.observer.options import CaptureOptions

from .support import Chromium, Site, Tab, Watch, watching

SECRET = "Xyzzy-4711"


@pytest.fixture
async def selecting(chromium: Chromium) -> AsyncGenerator[Watch]:
    """An observer that watches selectors too, one of them no selector at all."""
    options = CaptureOptions(watched_selectors=(".row", "#late", "::: no"))
    async with watching(chromium.ws_url, options) as watch:
        yield watch


async def opened(watch: Watch, url: str) -> Tab:
    """A tab whose page is painted: before that Chromium drops input."""
    tab = await watch.open(url)
    await watch.seen.first("first_paint", target=tab.target)
    return tab


async def click(tab: Tab, selector: str) -> None:
    """A real click in the middle of an element."""
    find = f"(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()"
    x, y = await tab.run(find)
    for kind in ("mousePressed", "mouseReleased"):
        await tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


async def press(tab: Tab, key: str, text: str = "") -> None:
    codes = {"Enter": 13, "Tab": 9}
    down: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0]))}
    if text:
        down["text"] = text
    await tab.call("Input.dispatchKeyEvent", type="keyDown", **down)
    await tab.call("Input.dispatchKeyEvent", type="keyUp", key=key)


async def told_of(watch: Watch, tab: Tab, kind: str, fits: Callable[[Any], object]) -> Any:
    """The first signal of a kind that fits."""
    return await watch.seen.bell.until(
        lambda: next((s for s in watch.seen.all(kind, target=tab.target) if fits(s)), None), what=kind
    )


def actions(watch: Watch) -> list[tuple[str, str, str]]:
    told = [(signal.detail, signal.element) for signal in watch.seen.all("action")]
    return [(detail.type, element, detail.key) for detail, element in told if isinstance(detail, UserAction)]


async def test_what_the_user_did_is_told_and_what_was_typed_is_not(watch: Watch, site: Site) -> None:
    body = (
        "<h1>Login</h1><form onsubmit='event.preventDefault()'><input name=user><input name=code type=password>"
        "<button data-testid=go>Go</button></form>"
    )
    tab = await opened(watch, site.page("/", body=body))
    await click(tab, "[name=user]")
    for letter in SECRET:
        await press(tab, letter, letter)
    await press(tab, "Tab")
    await tab.call("Input.insertText", text=SECRET)
    await press(tab, "Enter", "\r")
    await watch.seen.first("action", type="submit")
    await click(tab, "[data-testid=go]")
    await watch.seen.count(2, "action", type="submit")
    assert actions(watch) == [
        ("click", 'input[name="user"]', ""),
        ("input", 'input[name="user"]', ""),
        ("key", 'input[name="user"]', "Tab"),
        ("input", 'input[name="code"]', ""),
        ("key", 'input[name="code"]', "Enter"),
        ("click", 'button[data-testid="go"]', ""),
        ("submit", "form", ""),
        ("click", 'button[data-testid="go"]', ""),
        ("submit", "form", ""),
    ]
    assert SECRET not in str(watch.seen.signals)
    assert await tab.run("document.forms[0].user.value") == SECRET


async def test_events_made_by_scripts_are_no_actions(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body="<button id=go>Go</button><button id=real>Real</button>"))
    await tab.run("go.click(), go.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' })), 0")
    await click(tab, "#real")
    await watch.seen.first("action")
    await watch.barrier(tab)
    assert actions(watch) == [("click", "#real", "")]


async def test_a_long_frame_names_its_function_and_the_layout_it_forced(watch: Watch, site: Site) -> None:
    script = """
    function measureAll() {
      const end = performance.now() + 200;
      for (let i = 0; performance.now() < end; i++) { box.style.width = i % 300 + 'px'; box.offsetHeight; }
    }
    go.addEventListener('click', measureAll)"""
    rows = "<div id=box>" + "<p>row</p>" * 300 + "</div>"
    url = site.page("/", script, f"<button id=go>Go</button>{rows}")
    tab = await opened(watch, url)
    await click(tab, "#go")
    # A busy machine makes other frames long too.
    frame = await told_of(
        watch,
        tab,
        "long_frame",
        lambda signal: [f for f in signal.detail.scripts if f.function == "measureAll"],
    )
    script_told = frame.detail.scripts[0]
    assert frame.detail.duration_ms >= 200
    assert frame.detail.blocking_ms > 0
    assert (script_told.function, script_told.url) == ("measureAll", url)
    assert script_told.invoker == "BUTTON#go.onclick"
    assert script_told.duration_ms >= 200
    assert script_told.forced_layout_ms > 20


async def test_a_slow_interaction_is_timed(watch: Watch, site: Site) -> None:
    script = "go.onclick = () => { const end = performance.now() + 120; while (performance.now() < end); }"
    tab = await opened(watch, site.page("/", script, "<button id=go>Go</button>"))
    await click(tab, "#go")
    told = await watch.seen.first("interaction", name="click")
    assert isinstance(told.detail, Interaction)
    assert told.element == "#go"
    assert told.detail.duration_ms >= 120
    assert told.detail.processing_ms >= 115
    assert told.detail.interaction > 0


async def test_a_layout_shift_names_what_moved(watch: Watch, site: Site) -> None:
    body = "<h1>Title</h1><div id=space></div><section id=list><p class='row first'>moved, and large enough to count</p></section>"
    tab = await opened(
        watch, site.page("/", body=body + "<style>p { height: 300px; background: tan }</style>")
    )
    await tab.run("space.style.height = '200px'")
    await told_of(
        watch,
        tab,
        "layout_shift",
        lambda signal: signal.detail.value > 0.05 and "#list" in signal.detail.nodes,
    )


async def test_paints_are_told_with_the_largest_element(watch: Watch, site: Site) -> None:
    tab = await opened(
        watch, site.page("/", body="<p>small</p><h1 id=hero style='font-size: 90px'>Large words</h1>")
    )
    largest = await told_of(watch, tab, "largest_paint", lambda signal: signal.element == "#hero")
    assert largest.detail.size > 5000
    timing = await watch.seen.first("load_timing", target=tab.target, status=200)
    assert timing.wall_ms <= largest.wall_ms


async def test_watched_selectors_tell_none_one_and_several(selecting: Watch, site: Site) -> None:
    tab = await opened(selecting, site.page("/", body="<p>here</p><ul id=list><li class=row>1</li></ul>"))

    def rows() -> list[SelectorMatches]:
        told = selecting.seen.all("selector", target=tab.target, selector=".row")
        return [signal.detail for signal in told if isinstance(signal.detail, SelectorMatches)]

    def late() -> list[Any]:
        return [s.detail for s in selecting.seen.all("selector", target=tab.target, selector="#late")]

    async def now(count: int) -> None:
        await selecting.seen.bell.until(lambda: rows() and rows()[-1].count == count)

    await now(1)
    await tab.run("list.replaceChildren()")
    await now(0)
    await tab.run("list.innerHTML = '<li class=row>1</li><li class=row>2</li>'")
    await now(2)
    await tab.run("list.insertAdjacentHTML('beforeend', '<li class=row>3</li>')")
    await tab.run("list.firstChild.id = 'late'")
    await selecting.seen.bell.until(lambda: late()[-1] == SelectorMatches("#late", 1, 0, "healthy"))
    assert [(told.count, told.before) for told in rows()[-3:]] == [(1, rows()[-3].before), (0, 1), (2, 0)]
    assert rows()[-3].before in {-1, 0}
    assert SelectorMatches("::: no", -1, state="invalid") in [
        signal.detail for signal in selecting.seen.all("selector")
    ]


async def test_a_window_that_a_script_opened_is_watched_after_its_document_was_replaced(
    watch: Watch, site: Site
) -> None:
    popup_url = site.page("/popup", body="<h1>Popup</h1><button id=inside>Inside</button>")
    tab = await opened(watch, site.page("/", body="<h1>Opener</h1>"))
    await tab.run(f"void (window.popup = open({popup_url!r}))")
    navigated = await watch.seen.first("navigation", url=popup_url)
    popup = await watch.cdp.tab(navigated.target)
    await watch.seen.first("first_paint", target=popup.target)
    await click(popup, "#inside")
    told = await watch.seen.first("action", target=popup.target)
    assert isinstance(told.detail, UserAction)
    assert (told.element, told.detail.type) == ("#inside", "click")


async def test_the_page_sees_nothing_of_it(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body="<p>here</p>"))
    seen = "[typeof firstcause, typeof firstcauseTell, Object.getOwnPropertyNames(globalThis).filter((n) => n.includes('firstcause')).length]"
    assert await tab.run(seen) == ["undefined", "undefined", 0]


async def test_every_frame_has_its_own_script(watch: Watch, site: Site) -> None:
    site.page("/inner", body="<h1>Inner</h1><button id=inner>Inner</button>")
    near, far = site.url("/inner"), site.alt("/inner")
    tab = await opened(
        watch, site.page("/", body=f"<h1>Outer</h1><iframe src={near}></iframe><iframe src={far}></iframe>")
    )
    await watch.seen.count(3, "first_paint", page=watch.seen.all("first_paint", target=tab.target)[0].page)
    paints = {(signal.target_type, signal.frame) for signal in watch.seen.all("first_paint")}
    assert sorted(kind for kind, _ in paints) == ["iframe", "page", "page"]
    assert len({frame for _, frame in paints}) == 3
