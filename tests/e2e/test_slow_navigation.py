"""A page that waits for its server does not hang, though Chrome answers no command to it meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from firstcause.observer.domains.watchdog import PageHang

from .support import Answer, Hit, Route, Site, Watch, functions

SLOW_S = 3.0
STUCK = """<!doctype html><script>
  function stuck() { const t = Date.now(); while (Date.now() - t < 2500); }
  setTimeout(stuck, 300)
</script>"""


def slowly(body: str) -> Route:
    async def answer(_: Hit) -> Answer:
        await asyncio.sleep(SLOW_S)  # the story itself: a server that takes its time
        return Answer(body)

    return answer


@pytest.mark.parametrize("other_site", [False, True], ids=["same site", "other site"])
async def test_a_slow_answer_is_no_hang(site: Site, watch: Watch, other_site: bool) -> None:
    slow = site.alt("/slow") if other_site else site.url("/slow")
    site.routes["/slow"] = slowly("<!doctype html><title>at last</title>")

    await watch.open(site.page("/", f"setTimeout(() => location.href = {slow!r}, 50)"))
    await watch.seen.first("navigation", url=slow)

    assert watch.seen.all("hang") == []


async def test_a_hang_after_a_slow_answer_is_told(site: Site, watch: Watch) -> None:
    site.routes["/slow"] = slowly(STUCK)

    await watch.open(site.page("/", "setTimeout(() => location.href = '/slow', 50)"))
    hang = await watch.seen.first("hang")

    assert functions(hang)[0] == "stuck"
    assert isinstance(hang.detail, PageHang)
    assert hang.detail.duration_ms < SLOW_S * 1000
