"""What is collected and counted of a real page's memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from firstcause.observer.domains.performance import DetachedNodes
from firstcause.observer.options import CaptureOptions

from .support import Chromium, Site, Tab, Watch, watching

ROWS = "'<p class=row>a row</p>'.repeat(100)"


@pytest.fixture
async def often(chromium: Chromium) -> AsyncGenerator[Watch]:
    async with watching(chromium.ws_url, CaptureOptions(sample_every_s=0.1, gc_every_s=0.1)) as watch:
        yield watch


async def opened(often: Watch, site: Site) -> Tab:
    """A page of which a first sample is there."""
    tab = await often.open(site.page("/", body="<main id=main></main>"))
    loaded = await often.seen.first("load_timing", target=tab.target)
    await often.seen.bell.until(
        lambda: [s for s in often.seen.all("metrics", target=tab.target) if s.order > loaded.order]
    )
    return tab


async def trees_after(often: Watch, tab: Tab, change: str) -> DetachedNodes:
    """The first count of detached trees that came of the change."""
    seen = len(often.seen.all("detached_nodes", target=tab.target))
    await tab.run(change)
    counted = await often.seen.count(seen + 1, "detached_nodes", target=tab.target)
    assert isinstance(counted[-1].detail, DetachedNodes)
    return counted[-1].detail


async def test_detached_trees_are_counted_and_not_held_by_that(often: Watch, site: Site) -> None:
    tab = await opened(often, site)
    lose = f"main.innerHTML = '<section class=panel></section>'; kept = main.firstChild; kept.innerHTML = {ROWS}; kept.remove(); 0"
    assert await trees_after(often, tab, lose) == DetachedNodes(1, ("section.panel",))
    show = f"kept = null; main.innerHTML = {ROWS} + {ROWS}; 0"
    assert await trees_after(often, tab, show) == DetachedNodes(0)


async def test_what_was_only_garbage_is_gone_after_a_collection(often: Watch, site: Site) -> None:
    tab = await opened(often, site)
    await tab.run(f"for (let i = 0; i < 20; i++) main.innerHTML = {ROWS}; main.innerHTML = ''; 0")
    left = await often.seen.first("metrics", target=tab.target, after_gc=True)
    before = [s for s in often.seen.all("metrics", target=tab.target, before_gc=True) if s.order < left.order]
    assert before[-1].detail.nodes - left.detail.nodes > 1000  # type: ignore[attr-defined]
