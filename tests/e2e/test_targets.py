"""Targets: whatever a page is made of, its first console line, first exception and first request are seen, each exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from firstcause.observer.options import CaptureOptions, TargetMode

from .support import Answer, Chromium, Hit, Site, Watch, cdp_client, watching

FIRST = """
  console.log("line of WHO");
  setTimeout(() => { throw new Error("error of WHO") }, 0);
  fetch("BASE/first?who=WHO", { mode: "no-cors" });
"""


def first(site: Site, who: str) -> str:
    return FIRST.replace("WHO", who).replace("BASE", site.url("")).replace("\n", " ")


def first_page(site: Site, who: str, more: str = "") -> str:
    return site.page(f"/{who}", first(site, who) + more)


def first_script(site: Site, who: str, more: str = "") -> str:
    return site.script(f"/{who}.js", first(site, who) + more)


def inline_page(site: Site, who: str) -> str:
    return f"<!doctype html><script>{first(site, who)}</script>"


async def each_once(watch: Watch, site: Site, *realms: str, times: int = 1) -> None:
    """Each of them has told its first line, error and request, and none of these was told more often than it happened."""
    for who in realms:
        await site.hit("/first", times, who=who)
        await watch.seen.count(times, "console", text=f"line of {who}")
        await watch.seen.count(times, "exception", text=f"Error: error of {who}")
        await watch.seen.count(times, "request", url=site.url(f"/first?who={who}"))
    for target in await watch.cdp.targets():
        if target["type"] == "page":
            await watch.barrier(await watch.cdp.tab(target["targetId"]))
    for who in realms:
        told = {
            "console": len(watch.seen.all("console", text=f"line of {who}")),
            "exception": len(watch.seen.all("exception", text=f"Error: error of {who}")),
            "request": len(watch.seen.all("request", url=site.url(f"/first?who={who}"))),
        }
        assert told == dict.fromkeys(told, times), who


def type_of(watch: Watch, who: str) -> str:
    return watch.seen.all("console", text=f"line of {who}")[0].target_type


async def test_pages_popups_and_frames(watch: Watch, site: Site) -> None:
    first_page(site, "inside")
    first_page(site, "elsewhere")
    first_page(site, "popup")
    first_page(site, "stranger")
    frames = f"<iframe src=/inside></iframe><iframe src='{site.alt('/elsewhere')}'></iframe>"
    tab = await watch.open(site.page("/page", first(site, "page"), frames))
    await tab.run("void open('/popup')")
    await tab.run("void open('/stranger', '_blank', 'noopener')")
    await each_once(watch, site, "page", "inside", "elsewhere", "popup", "stranger")
    assert [type_of(watch, who) for who in ("page", "inside", "elsewhere", "popup")] == [
        "page",
        "page",
        "iframe",
        "page",
    ]
    pages = {
        who: watch.seen.all("console", text=f"line of {who}")[0].page
        for who in ("page", "inside", "elsewhere", "popup")
    }
    assert pages["page"] == pages["inside"] == pages["elsewhere"] != pages["popup"]
    popup = watch.seen.all("console", text="line of popup")[0]
    assert watch.seen.all("target_opened", target=popup.target)[0].detail.opener == pages["page"]  # type: ignore[attr-defined]


async def test_workers(watch: Watch, site: Site) -> None:
    first_script(site, "nested")
    first_script(site, "worker", "new Worker('/nested.js')")
    first_script(site, "module", "export {}")
    first_script(site, "shared")
    first_script(site, "service")
    script = """
      new Worker("/worker.js")
      new Worker("/module.js", { type: "module" })
      new SharedWorker("/shared.js").port.start()
      navigator.serviceWorker.register("/service.js")
    """
    await watch.open(site.page("/page", script))
    await each_once(watch, site, "worker", "nested", "module", "shared", "service")
    kinds = {who: type_of(watch, who) for who in ("worker", "nested", "module", "shared", "service")}
    assert kinds == {
        "worker": "worker",
        "nested": "worker",
        "module": "worker",
        "shared": "shared_worker",
        "service": "service_worker",
    }


async def test_an_audio_worklet_talks(watch: Watch, site: Site) -> None:
    site.script("/worklet.js", "console.log('line of worklet')")
    tab = await watch.open(site.page("/page"))
    await tab.run("new AudioContext().audioWorklet.addModule('/worklet.js').then(() => 0)")
    await watch.seen.first("console", text="line of worklet")
    await watch.barrier(tab)
    assert [signal.target_type for signal in watch.seen.all("console", text="line of worklet")] == ["worklet"]


async def test_a_context_made_later(watch: Watch, site: Site) -> None:
    context = await watch.cdp.call("Target.createBrowserContext")
    await watch.open(first_page(site, "newcomer"), **context)
    await each_once(watch, site, "newcomer")


async def test_frames_and_workers_without_an_address(watch: Watch, site: Site) -> None:
    script = """
      const blob = (text, type) => URL.createObjectURL(new Blob([decodeURIComponent(text)], { type }))
      const frame = src => document.body.append(Object.assign(document.createElement("iframe"), { src }))
      frame("data:text/html,DATA_FRAME")
      frame(blob("BLOB_FRAME", "text/html"))
      new Worker("data:text/javascript,DATA_WORKER")
      new Worker(blob("BLOB_WORKER", "text/javascript"))
    """
    script = script.replace("DATA_FRAME", quote(inline_page(site, "dataframe")))
    script = script.replace("BLOB_FRAME", quote(inline_page(site, "blobframe")))
    script = script.replace("DATA_WORKER", quote(first(site, "dataworker")))
    script = script.replace("BLOB_WORKER", quote(first(site, "blobworker")))
    await watch.open(site.page("/page", script))
    await each_once(watch, site, "dataframe", "blobframe", "dataworker", "blobworker")


async def test_to_another_process_and_back(watch: Watch, site: Site) -> None:
    tab = await watch.open(first_page(site, "here"))
    first_page(site, "there")
    await tab.goto(site.alt("/there"))
    await tab.goto(site.url("/here"))
    await each_once(watch, site, "there")
    await each_once(watch, site, "here", times=2)
    addresses = [signal.detail.url for signal in watch.seen.all("navigation", target=tab.target)]  # type: ignore[attr-defined]
    assert addresses == [site.url("/here"), site.alt("/there"), site.url("/here")]


async def test_a_crashed_tab_is_reloaded(watch: Watch, site: Site) -> None:
    tab = await watch.open(first_page(site, "page"))
    await each_once(watch, site, "page")
    await tab.post("Page.crash")
    crash = await watch.seen.first("crash")
    assert crash.target == tab.target
    await tab.call("Page.reload")
    await watch.seen.first("crash_reload")
    await each_once(watch, site, "page", times=2)
    assert len(watch.seen.all("crash")) == len(watch.seen.all("crash_reload")) == 1
    assert not watch.seen.all("hang")


async def test_back_from_the_cache_nothing_is_told_again(watch: Watch, site: Site) -> None:
    back = "onpageshow = event => { if (event.persisted) { console.log('is back'); fetch('/back') } }"
    tab = await watch.open(first_page(site, "page", back))
    first_page(site, "other")
    await each_once(watch, site, "page")
    await tab.goto(site.url("/other"))
    await each_once(watch, site, "other")
    await tab.start("history.back()")
    await site.hit("/back")
    await watch.seen.first("navigation", restored=True, url=site.url("/page"))
    await watch.seen.first("console", text="is back")
    await each_once(watch, site, "page", "other")
    assert len(watch.seen.all("console", text="is back")) == 1


@pytest.mark.parametrize(
    ("mode", "started_by", "prerendered"),
    [
        # Watching pages makes Chrome only fetch what it would have rendered; watching tabs leaves prerendering alone.
        pytest.param("page", "/next", "false", id="page"),
        pytest.param("tab", "/ran", "true", id="tab"),
    ],
)
async def test_a_prerendered_page(
    chromium: Chromium, site: Site, mode: TargetMode, started_by: str, prerendered: str
) -> None:
    async def once_started(_: Hit) -> Answer:
        await site.hit(started_by)
        return Answer("now", "text/plain")

    rules = (
        '<script type=speculationrules>{"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script>'
    )
    site.routes["/go"] = once_started
    site.page("/start", "fetch('/go').then(() => { location.href = '/next' })", rules)
    site.page(
        "/next",
        """
          console.log("line of next")
          fetch(`/ran?prerendered=${document.prerendering}`)
          const shown = () => { console.log("is shown"); fetch("/shown") }
          document.prerendering ? document.addEventListener("prerenderingchange", shown) : shown()
        """,
    )
    async with watching(chromium.ws_url, CaptureOptions(target_mode=mode)) as watch:
        # No other client may attach to the tab: that alone would keep Chrome from prerendering.
        await watch.cdp.call("Target.createTarget", url=site.url("/start"))
        await site.hit("/shown")
        await watch.seen.first("console", text="is shown")
        await watch.seen.first("request", url=site.url("/shown"))
        assert [hit.query["prerendered"] for hit in site.all("/ran")] == [prerendered]
        assert len(watch.seen.all("console", text="line of next")) == 1
        assert len(watch.seen.all("request", url=site.url(f"/ran?prerendered={prerendered}"))) == 1


async def test_a_download(watch: Watch, site: Site, tmp_path: Path) -> None:
    await watch.cdp.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    attachment = {"Content-Disposition": "attachment; filename=tides.csv"}
    site.routes["/tides"] = Answer("high,low\n" * 100, "text/csv", attachment)
    tab = await watch.open(site.page("/page", body="<a href=/tides>tides</a>"))
    await tab.run("document.links[0].click()")
    download = await watch.seen.first("download", filename="tides.csv", url=site.url("/tides"))
    await watch.seen.first("download_ended", state="completed", request_id=download.request_id)
    await watch.barrier(tab)
    assert len(watch.seen.all("download")) == len(watch.seen.all("download_ended")) == 1


async def test_fifty_tabs_at_once(watch: Watch, site: Site) -> None:
    tabs = 50
    site.page("/tab", "throw new Error('error of ' + location.search)")
    await asyncio.gather(
        *(watch.cdp.call("Target.createTarget", url=site.url(f"/tab?{number}")) for number in range(tabs))
    )
    await watch.seen.count(tabs, "exception", timeout_s=60)
    assert Counter(watch.seen.texts("exception")) == {
        f"Error: error of ?{number}": 1 for number in range(tabs)
    }


NAMES = """
  var early = Object.getOwnPropertyNames(window), inWorker
  new Worker("/names.js").onmessage = event => { inWorker = event.data; console.log("named") }
"""
NAMES_IN_WORKER = """
  const early = Object.getOwnPropertyNames(self)
  setTimeout(() => postMessage([early, Object.getOwnPropertyNames(self)]), 100)
"""


async def test_pages_and_workers_can_not_see_us(chromium: Chromium, site: Site) -> None:
    site.script("/names.js", NAMES_IN_WORKER)
    url = site.page("/names", NAMES)
    look = "new Promise(done => { const look = () => inWorker ? done([early, Object.getOwnPropertyNames(window), inWorker]) : setTimeout(look, 20); look() })"

    async def names(watch: Watch | None) -> list[Any]:
        async with cdp_client(chromium.ws_url) as client:
            tab = await (watch.open() if watch else client.open())
            await tab.goto(url)
            return await tab.run(look)

    unwatched = await names(None)
    async with watching(chromium.ws_url) as watch:
        watched = await names(watch)
        await watch.seen.first("console", text="named")
    assert watched == unwatched
