"""Hangs: a page that stops answering is told while it hangs, with the function that keeps it busy, and told again when it ends."""

from __future__ import annotations

import re

import pytest

from firstcause.observer.domains.watchdog import PageHang, PageHangEnded
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal

from .support import Chromium, Site, Tab, Watch, functions, watching

TOLD_AGAIN_MS = 5000
LASTS_MS = 2500
# The site's pages, not the empty one and the tools that a browser starts with.
SERVED = re.compile("^http:")
# What a busy machine adds: between a page's clock and ours lie four processes that want the same processor.
NOISE_MS = 1500

SYNC_LOOP = """
  function squares(n) { let sum = 0; for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i * n); return sum }
  function recount(ms) { const end = performance.now() + ms; while (performance.now() < end) squares(3) }
"""
MICROTASK_LOOP = """
  function recount(ms) {
    const end = performance.now() + ms
    const again = () => { if (performance.now() < end) Promise.resolve().then(again) }
    again()
  }
"""
# How long a call takes is measured first; the shortest of three times is what it takes without other programs in between.
SHORTEST = """
  function shortest(of) {
    return Math.min(...[1, 2, 3].map(() => { const start = performance.now(); of(); return performance.now() - start }))
  }
"""
# Twice as long with every letter: it will last 2 to 4 s.
REGEX = f"""{SHORTEST}
  const nested = /^(a+)+$/
  function validate(letters) {{ return nested.test("a".repeat(letters) + "!") }}
  function recount() {{
    let letters = 16, once
    while ((once = shortest(() => validate(letters))) < 30) letters++
    validate(letters + Math.floor(Math.log2(4000 / once)))
  }}
"""
# The function matters: Chrome lets a debugger in where a function begins, and a bare loop may not begin one for seconds.
LAYOUT_LOOP = """
  for (let i = 0; i < 300; i++) document.body.append(Object.assign(document.createElement("p"), { textContent: "row " + i }))
  function fit(width) { document.body.style.width = width + "px"; return document.body.offsetHeight }
  function recount(ms) { const end = performance.now() + ms; while (performance.now() < end) fit(300 + Math.random() * 300) }
"""
# What is undefined is not written: much for Chrome to read, and nothing to keep.
NATIVE_CALL = f"""{SHORTEST}
  const blank = Object.fromEntries(Array.from({{ length: 100 }}, (_, i) => ["k" + i, undefined]))
  const sheets = (count) => Array(count).fill(Array(1000).fill(blank))
  function recount() {{
    let count = 10, once
    while ((once = shortest(() => JSON.stringify(sheets(count)))) < 30) count *= 2
    JSON.stringify(sheets(Math.ceil(count * 3000 / once)))
  }}
"""


def hang_in(signal: Signal) -> PageHang:
    assert isinstance(signal.detail, PageHang)
    return signal.detail


def ended_in(signal: Signal) -> PageHangEnded:
    assert isinstance(signal.detail, PageHangEnded)
    return signal.detail


async def hang_of(watch: Watch, tab: Tab) -> tuple[Signal, Signal]:
    """The first word about the hang, which must come while it lasts, by the page's own clock, and the last."""
    await tab.start(f"console.log('begins'); recount({LASTS_MS}); setTimeout(console.log, 0, 'through')")
    hang = await watch.seen.first("hang", url=SERVED)
    ended = await watch.seen.first("hang_ended", url=SERVED)
    begins = await watch.seen.first("console", text="begins")
    through = await watch.seen.first("console", text="through")
    assert hang_in(hang).duration_ms < TOLD_AGAIN_MS
    assert hang.wall_ms < through.wall_ms
    assert hang.target == ended.target == tab.target
    lasted_ms = through.wall_ms - begins.wall_ms
    assert abs(ended_in(ended).duration_ms - lasted_ms) < 250 + NOISE_MS
    await watch.barrier(tab)
    assert len(watch.seen.all("hang", url=SERVED)) == 1 + (ended_in(ended).duration_ms > TOLD_AGAIN_MS)
    assert len(watch.seen.all("hang_ended", url=SERVED)) == 1
    return hang, ended


async def clock(watch: Watch, site: Site) -> Tab:
    """A page in a process of its own, whose timers tell the time to those who wait for nothing to happen."""
    site.page("/clock")
    return await watch.open(site.alt("/clock"))


async def passes(clock: Tab, wait_ms: int) -> None:
    await clock.run(f"new Promise(done => setTimeout(done, {wait_ms}))")


@pytest.mark.parametrize(
    ("script", "busy_with", "function"),
    [
        pytest.param(SYNC_LOOP, "script", "recount", id="sync"),
        pytest.param(MICROTASK_LOOP, "script", "again", id="microtasks"),
        pytest.param(REGEX, "script", "validate", id="regex"),
        pytest.param(LAYOUT_LOOP, "layout", "recount", id="layout"),
    ],
)
async def test_a_hang_names_the_function(
    watch: Watch, site: Site, script: str, busy_with: str, function: str
) -> None:
    tab = await watch.open(site.page("/busy", script))
    hang, ended = await hang_of(watch, tab)
    assert hang_in(hang).busy_with == busy_with
    assert function in functions(hang)
    assert hang.stack[0].url == hang_in(hang).url == site.url("/busy")
    assert ended.stack == hang.stack


async def test_a_hang_that_is_terminated_ends(watch: Watch, site: Site) -> None:
    tab = await watch.open(site.page("/busy", SYNC_LOOP))
    await tab.start("recount(1e9)")
    hang = await watch.seen.first("hang", url=SERVED)
    assert functions(hang)[-2:-1] == ["recount"]
    await tab.call("Runtime.terminateExecution")
    await watch.seen.first("hang_ended", url=SERVED)
    assert await tab.run("6 * 7") == 42


async def test_a_long_native_call_has_no_stack(watch: Watch, site: Site) -> None:
    tab = await watch.open(site.page("/busy", NATIVE_CALL))
    hang, _ = await hang_of(watch, tab)
    assert hang_in(hang).busy_with == "native"
    assert hang.stack == ()


async def test_without_stacks_a_hang_is_still_told(chromium: Chromium, site: Site) -> None:
    async with watching(chromium.ws_url, CaptureOptions(hang_stacks=False)) as watch:
        hang, _ = await hang_of(watch, await watch.open(site.page("/busy", SYNC_LOOP)))
        assert hang_in(hang).busy_with == "script"
        assert hang.stack == ()


async def test_an_open_dialog_is_no_hang(watch: Watch, site: Site) -> None:
    other = await clock(watch, site)
    tab = await watch.open(site.page("/asks"))
    await tab.call("Page.enable")
    await tab.start("alert('sure?'); console.log('through')")
    await watch.seen.first("dialog_opened", message="sure?")
    await passes(other, 2500)
    await tab.call("Page.handleJavaScriptDialog", accept=True)
    closed = await watch.seen.first("dialog_closed")
    assert closed.detail.open_ms > 2000  # type: ignore[attr-defined]
    await watch.seen.first("console", text="through")
    await passes(other, 1500)
    assert not watch.seen.all("hang", url=SERVED)


@pytest.mark.parametrize("busy", ["opener", "popup"])
async def test_a_hang_of_two_pages_on_one_thread_is_told_of_the_busy_one(
    watch: Watch, site: Site, busy: str
) -> None:
    site.page("/popup", SYNC_LOOP)
    opener = await watch.open(site.page("/opener", SYNC_LOOP))
    await opener.run("void open('/popup')")
    navigated = await watch.seen.first("navigation", url=site.url("/popup"))
    await watch.seen.first("lifecycle", loader_id=navigated.loader_id, name="load")
    popup = await watch.cdp.tab(navigated.target)
    hang, _ = await hang_of(watch, {"opener": opener, "popup": popup}[busy])
    assert "recount" in functions(hang)


DEBUGGED = """
  let before = performance.now(); debugger
  let longest = performance.now() - before, rounds = 0
  setInterval(() => {
    const before = performance.now(); debugger
    longest = Math.max(longest, performance.now() - before)
    if (++rounds === 5) fetch(`/ran?longest=${Math.round(longest)}`)
  }, 10)
"""
NOT_STOPPED_MS = 250


async def test_debugger_statements_never_stop_a_page(watch: Watch, site: Site) -> None:
    site.page("/debugged", DEBUGGED + SYNC_LOOP)
    tab = await watch.open(site.url("/debugged"))
    await site.hit("/ran")
    await tab.goto(site.alt("/debugged"))
    await site.hit("/ran", 2)
    await tab.goto(site.url("/debugged"))
    await site.hit("/ran", 3)
    await tab.start(f"recount({LASTS_MS})")
    await watch.seen.first("hang", url=SERVED)
    await watch.seen.first("hang_ended", url=SERVED)
    await tab.run("rounds = longest = 0")
    await site.hit("/ran", 4)
    await tab.goto(site.alt("/debugged"))
    await site.hit("/ran", 5)
    assert max(int(hit.query["longest"]) for hit in site.all("/ran")) < NOT_STOPPED_MS


async def test_a_pause_is_left_to_a_person_with_devtools(watch: Watch, site: Site) -> None:
    other = await clock(watch, site)
    await watch.cdp.open("devtools://devtools/bundled/inspector.html")
    tab = await watch.open(site.page("/debugged"))
    await tab.call("Debugger.enable")
    await tab.start("debugger; console.log('through')")
    await watch.cdp.event("Debugger.paused", tab.session)
    await passes(other, 2500)
    assert not watch.seen.all("console", text="through")
    assert not [event for event in watch.cdp.events if event["method"] == "Debugger.resumed"]
    await tab.call("Debugger.resume")
    await watch.seen.first("console", text="through")
    assert not watch.seen.all("hang", url=SERVED)
