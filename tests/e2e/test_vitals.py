"""What the page's own clock says of paints, shifts and interactions, in a real browser."""

from __future__ import annotations

from firstcause.observer.domains.page_script import FirstPaint, LargestPaint, LayoutShift

from .support import Site, Tab, Watch

BUSY = "const end = performance.now() + 160; while (performance.now() < end);"


async def clicked(tab: Tab, x: float, y: float) -> None:
    for kind in ("mousePressed", "mouseReleased"):
        await tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


async def test_paints_say_how_late_they_were(watch: Watch, site: Site) -> None:
    tab = await watch.open(site.page("/", body="<h1 id=hero>Large words</h1>"))
    first = await watch.seen.first("first_paint", target=tab.target)
    largest = await watch.seen.first("largest_paint", target=tab.target, element="#hero")
    assert isinstance(first.detail, FirstPaint)
    assert isinstance(largest.detail, LargestPaint)
    assert 0 < first.detail.after_ms <= largest.detail.after_ms < 20_000
    assert first.frame == first.target


async def test_a_page_that_was_hidden_meanwhile_says_nothing_of_it(watch: Watch, site: Site) -> None:
    tab = await watch.open(site.page("/empty"))
    other = await watch.open(site.page("/other"))
    await tab.goto(site.page("/hidden", body="<h1 id=hero>Words</h1>"))
    await other.close()
    await tab.call("Page.bringToFront")
    first = await watch.seen.first("first_paint", target=tab.target)
    assert first.detail == FirstPaint(0)
    visible = await tab.run("performance.getEntriesByType('visibility-state').map((e) => e.name).join()")
    assert visible == "hidden,visible"


async def test_shifts_say_how_far_the_nodes_went(watch: Watch, site: Site) -> None:
    body = "<div id=space></div><div id=story style='height: 500px; background: tan'>A long story</div>"
    tab = await watch.open(site.page("/", body=body))
    await tab.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    await tab.run("space.style.height = '120px'")
    told = await watch.seen.first("layout_shift", target=tab.target)
    assert isinstance(told.detail, LayoutShift)
    assert dict(zip(told.detail.nodes, told.detail.moved_px, strict=True))["#story"] == 120


async def test_a_slow_click_is_told_once_and_behind_its_long_frame(watch: Watch, site: Site) -> None:
    script = f"function match() {{ {BUSY} }} go.addEventListener('click', match)"
    tab = await watch.open(site.page("/", script, "<button id=go>Go</button>"))
    await clicked(tab, 20, 20)
    click = await watch.seen.first("interaction", name="click", target=tab.target)
    frames = [
        signal
        for signal in watch.seen.all("long_frame", target=tab.target)
        if "match" in [script.function for script in signal.detail.scripts]  # type: ignore[attr-defined]
    ]
    assert [frame.order < click.order for frame in frames] == [True]
    await watch.barrier(tab)
    assert len([s for s in watch.seen.all("interaction") if s.wall_ms >= click.wall_ms]) == 1
