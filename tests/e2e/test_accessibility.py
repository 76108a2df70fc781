"""Looks by axe that nobody asked for: while a page rests and never else, seen by no page, told once, and cut short."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

import pytest

from firstcause.observer.asking import check_accessibility
from firstcause.observer.domains import accessibility
from firstcause.observer.domains.accessibility import REST_S, AccessibilityChecked, Violation
from firstcause.observer.options import CaptureOptions
from firstcause.observer.world import World

from .support import Chromium, Hit, Site, Tab, Watch, watching
from .test_page_script import click

CLICKS = 10
CLICK_EVERY_MS = 300
CLOCKS_DIFFER_MS = 50
NAMELESS = "<h1>Basket</h1><button id=drop class=icon></button><button id=go>Go</button>"
CLICKED_MS = "(window.clicked ??= []).push(performance.timeOrigin + event.timeStamp)"


@pytest.fixture
async def checking(chromium: Chromium) -> AsyncGenerator[Watch]:
    """An observer that has pages looked at."""
    async with watching(chromium.ws_url, CaptureOptions(a11y=True)) as watch:
        yield watch


def found(watch: Watch, tab: Tab, rule: str) -> list[Violation]:
    details = [signal.detail for signal in watch.seen.all("a11y_violation", target=tab.target, rule=rule)]
    return [detail for detail in details if isinstance(detail, Violation)]


def looks(watch: Watch, tab: Tab) -> list[float]:
    """When something of a look was told."""
    kinds = ("a11y_violation", "a11y_checked")
    return [signal.wall_ms for kind in kinds for signal in watch.seen.all(kind, target=tab.target)]


async def pause(tab: Tab, pause_ms: float) -> None:
    """The page's own time."""
    await tab.run(f"new Promise(done => setTimeout(done, {pause_ms}))")


async def test_a_page_that_rests_is_looked_at_once(checking: Watch, site: Site) -> None:
    tab = await checking.open(site.page("/basket", body=NAMELESS))
    checked = (await checking.seen.first("a11y_checked", target=tab.target)).detail
    assert isinstance(checked, AccessibilityChecked)
    [button] = found(checking, tab, "button-name")
    assert button == Violation("button-name", "critical", 1, ("#drop",), "Buttons must have discernible text")
    assert checked.broken == len(checking.seen.all("a11y_violation", target=tab.target))
    # Not the empty tab that was there before.
    assert {signal.target for signal in checking.seen.all("a11y_checked")} == {tab.target}


async def test_never_while_somebody_uses_the_page(checking: Watch, site: Site) -> None:
    body = f'{NAMELESS}<script>go.addEventListener("click", event => {{ {CLICKED_MS} }})</script>'
    tab = await checking.open(site.page("/basket", body=body))
    for _ in range(CLICKS):
        await click(tab, "#go")
        await pause(tab, CLICK_EVERY_MS)
    await checking.seen.first("a11y_checked", target=tab.target)
    clicked_ms: list[float] = await tab.run("clicked")
    assert len(clicked_ms) == CLICKS
    for look_ms in looks(checking, tab):
        # A machine that takes seconds for a click has given the page its rest before it.
        before = max((at_ms for at_ms in clicked_ms if at_ms < look_ms), default=0.0)
        assert look_ms - before >= REST_S * 1000 - CLOCKS_DIFFER_MS


async def test_never_while_a_request_is_on_its_way(checking: Watch, site: Site) -> None:
    tab, other = await checking.open(site.page("/basket", body=NAMELESS)), await checking.cdp.open()
    answered_ms: list[float] = []

    async def late(_: Hit) -> str:
        await pause(other, 2 * REST_S * 1000)
        answered_ms.append(time.time() * 1000)
        return "late"

    site.routes["/offers"] = late
    await tab.run("fetch('/offers').then(answer => answer.text())")
    await checking.seen.first("a11y_checked", target=tab.target)
    assert min(looks(checking, tab)) >= answered_ms[0] + REST_S * 1000 - CLOCKS_DIFFER_MS


async def test_off_unless_it_is_asked_for(watch: Watch, site: Site) -> None:
    tab = await watch.open(site.page("/basket", body=NAMELESS))
    await pause(tab, REST_S * 1000 + 1500)
    await watch.barrier(tab)
    assert looks(watch, tab) == []


async def test_the_page_sees_nothing_of_it(checking: Watch, site: Site) -> None:
    watching_itself = """
      window.seen = [];
      new MutationObserver(records => seen.push(...records.map(record => record.type)))
        .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      for (const type of ['focusin', 'scroll', 'message', 'error', 'securitypolicyviolation'])
        addEventListener(type, () => seen.push(type), true);
      for (const name of ['querySelectorAll', 'elementsFromPoint', 'createElement']) {
        const real = Document.prototype[name];
        Document.prototype[name] = function (...given) { seen.push(name); return real.apply(this, given) };
      }
      window.names = "";
      addEventListener('load', () => { names = Object.getOwnPropertyNames(window).sort().join() });
    """
    frame = "<iframe srcdoc='<p>Ad</p>'></iframe>"
    tab = await checking.open(site.page("/basket", watching_itself, f"{NAMELESS}{frame}"))
    hits = len(site.hits)
    await checking.seen.first("a11y_checked", target=tab.target)
    assert await tab.run("seen") == []
    assert await tab.run("Object.getOwnPropertyNames(window).sort().join() === names")
    assert await tab.run("typeof axe") == "undefined"
    assert len(site.hits) == hits


async def test_of_many_elements_three_are_named(checking: Watch, site: Site) -> None:
    images = "".join(f"<img id=p{number} src='data:,'>" for number in range(300))
    tab = await checking.open(site.page("/gallery", body=images))
    await checking.seen.first("a11y_violation", target=tab.target, rule="image-alt")
    [image] = found(checking, tab, "image-alt")
    assert (image.count, image.nodes) == (300, ("#p0", "#p1", "#p2"))


async def test_later_only_what_is_new_is_told(
    checking: Watch, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accessibility, "CHECK_EVERY_S", 0.0)
    tab = await checking.open(site.page("/gallery", body="<img id=first src='data:,'>"))
    await checking.seen.first("a11y_checked", target=tab.target)
    add = "for (let n = 0; n < {}; n++) document.body.append(Object.assign(new Image(), {{ id: 'more' + n }})), 0"
    await tab.run(add.format(3))  # too few to be worth a look
    await pause(tab, REST_S * 1000 + 1500)
    assert [image.nodes for image in found(checking, tab, "image-alt")] == [("#first",)]
    await tab.run(add.format(12))
    await checking.seen.count(2, "a11y_checked", target=tab.target)
    first, more = found(checking, tab, "image-alt")
    assert (first.count, more.count) == (1, 15)


async def test_what_we_take_of_the_main_thread_is_not_said_of_the_page(checking: Watch, site: Site) -> None:
    rows = "".join(f"<p><input><a href='#'>row {number}</a></p>" for number in range(1_300))
    tab = await checking.open(site.page("/table", body=f"{rows}<iframe srcdoc='<p>Ad</p>'></iframe>"))
    await checking.seen.first("a11y_checked", target=tab.target)
    page = next(name for name, url in checking.observer.pages().items() if url.endswith("/table"))
    session = checking.observer.session_of(page)
    await tab.run(
        "window.long = []; new PerformanceObserver(list => long.push(...list.getEntries().map(entry => "
        "performance.timeOrigin + entry.startTime + entry.duration))).observe({ type: 'longtask' }); 0"
    )
    began_ms = time.time() * 1000
    assert (await check_accessibility(session, full=True)).violations
    ended_ms = time.time() * 1000
    await pause(tab, 100)
    await checking.barrier(tab)
    assert await tab.run("long.length") > 0, "it was no long task at all"
    told = [
        signal
        for kind in ("long_task", "long_frame")
        for signal in checking.seen.all(kind, target=tab.target)
    ]
    assert [signal for signal in told if began_ms < signal.wall_ms < ended_ms] == []


async def test_what_was_put_into_the_page_goes_with_the_observer(checking: Watch, site: Site) -> None:
    tab = await checking.open(site.page("/basket", body=NAMELESS))
    await checking.seen.first("a11y_checked", target=tab.target)
    page = next(name for name, url in checking.observer.pages().items() if url.endswith("/basket"))
    world = World(checking.observer.session_of(page), 10)
    await world.enter()
    there = "[typeof axe, typeof firstcause.axe, typeof firstcause.resting].join()"
    assert bytes(await world.run(there)) == b'"undefined,object,object"'
    # What the observer says when it leaves the page.
    assert bytes(await world.run(f"firstcause.stop(), {there}")) == b'"undefined,undefined,undefined"'
