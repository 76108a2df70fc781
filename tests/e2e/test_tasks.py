"""Whose a request, a failure, a navigation is: what the markers in a real page tell, for every way that leads from one task to another."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from firstcause.observer.domains.tasks import MessageSent
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal

from .support import Answer, Chromium, Hit, Site, Tab, Watch, watching
from .test_page_script import click, opened

FAILURES = {"console", "exception"}


async def dropped(_: Hit) -> str:
    raise ConnectionResetError


@pytest.fixture
async def api(site: Site) -> Site:
    site.routes["/json"] = Answer('{"ok":1}', "application/json", {"Cache-Control": "no-store"})
    site.routes["/events"] = Answer("data: 1\n\n", "text/event-stream")
    site.routes["/missing.png"] = Answer("", "text/plain", status="404 Not Found")
    site.routes["/drop"] = dropped
    return site


class Story:
    """What was told, with contexts in words: a request is its address, a realm its part of the page."""

    def __init__(self, watch: Watch) -> None:
        self.signals = watch.seen.signals
        self.names: dict[str, str] = {}
        for signal in self.signals:
            self._name(signal)

    def _name(self, signal: Signal) -> None:
        detail: Any = signal.detail
        match signal.kind:
            case "task_realm":
                self.names[detail.realm] = signal.target_type
            case "task_request" | "task_element" | "task_worker" | "task_intercepted":
                self.names[detail.id] = re.sub(r"^\w+://[^/]+", "", detail.url)
            case "task_action":
                self.names[detail.id] = detail.type

    def words(self, context: str) -> str:
        root, *hops = re.split(r"(?=[~.])", context, maxsplit=1)
        realm, _, rest = root.partition(":")
        named = self.names.get(root) or f"{self.names.get(realm, '?')}:{rest}"
        return "".join([named, *hops]) if context else ""

    def of(self, text: str) -> str:
        """The context in which something was logged or thrown: the one told last before it in its session."""
        context = None
        failed = next(s for s in self.signals if s.kind in FAILURES and getattr(s.detail, "text", "") == text)
        for signal in self.signals:
            if signal is failed:
                break
            if signal.kind == "task_fails" and signal.session == failed.session:
                context = getattr(signal.detail, "context", "")
        assert context is not None, f"nothing told before {text}"
        return self.words(context)

    def contexts(self, kind: str) -> list[tuple[str, str]]:
        """What of a kind was told, by its address or selector, and in which context."""
        told = [(signal.detail, signal) for signal in self.signals if signal.kind == kind]
        return [
            (
                re.sub(r"^\w+://[^/]+", "", getattr(d, "url", "") or getattr(d, "selector", "")),
                self.words(getattr(d, "context", "")),
            )
            for d, _ in told
        ]


FLOWS: dict[str, tuple[str, str]] = {
    "then": ("fetch('/json?1').then(() => console.error('then'))", "/json?1"),
    "body": (
        "fetch('/json?2').then((r) => r.json()).then(async () => { await 0; await 0; console.warn('body') })",
        "/json?2",
    ),
    "await": (
        "(async () => { const r = await fetch('/json?3'); await r.text(); console.assert(false, 'await') })()",
        "/json?3",
    ),
    "refused": ("fetch('/drop?1').catch(() => console.error('refused'))", "/drop?1"),
    "request": ("fetch(new Request('/json?4')).then(() => console.error('request'))", "/json?4"),
    "address": ("fetch(new URL('/json?5', location)).then(() => console.error('address'))", "/json?5"),
    "clone": ("fetch('/json?6').then((r) => r.clone().json()).then(() => console.error('clone'))", "/json?6"),
    "stream": (
        "(async () => { const reader = (await fetch('/json?7')).body.getReader(); while (!(await reader.read()).done); console.error('stream') })()",
        "/json?7",
    ),
    "cut short": (
        "{ const stop = new AbortController(); fetch('/json?8', { signal: stop.signal }).catch(async () => { await 0; console.error('cut short') }); stop.abort() }",
        "/json?8",
    ),
    "Error: thrown": ("fetch('/json?9').then(() => { throw new Error('thrown') })", "/json?9"),
    "Error: async": (
        "(async () => { await (await fetch('/json?10')).json(); throw new Error('async') })()",
        "/json?10",
    ),
    "loaded": ("xhr('/json?11', (x) => { x.onload = () => console.error('loaded') })", "/json?11"),
    "not loaded": ("xhr('/drop?2', (x) => { x.onerror = () => console.error('not loaded') })", "/drop?2"),
    "state": (
        "xhr('/json?12', (x) => { x.onreadystatechange = () => { if (x.readyState === 4) console.error('state') } })",
        "/json?12",
    ),
    "aborted": (
        "{ const x = xhr('/json?13', (x) => { x.onabort = () => console.error('aborted') }); x.abort() }",
        "/json?13",
    ),
    "after the abort": (
        "{ const x = xhr('/json?14', () => 0); x.abort(); console.error('after the abort') }",
        "",
    ),
    "Error: of the loaded": (
        "xhr('/json?15', (x) => { x.onload = async () => { throw new Error('of the loaded') } })",
        "/json?15",
    ),
    "socket": (
        "new WebSocket(`ws://${location.host}/socket`).onclose = () => console.error('socket')",
        "/socket",
    ),
    "source": (
        "{ const source = new EventSource('/events'); source.onmessage = () => { source.close(); console.error('source') } }",
        "/events",
    ),
    "timer": (
        "fetch('/json?16').then(() => setTimeout(() => setTimeout(() => console.error('timer'))))",
        "/json?16~t",
    ),
    "Error: in a timer": (
        "fetch('/json?17').then(() => setTimeout(() => { throw new Error('in a timer') }))",
        "/json?17~t",
    ),
    "slept": (
        "fetch('/json?18').then(async () => { await new Promise((done) => setTimeout(done, 5)); await 0; console.error('slept') })",
        "/json?18~t",
    ),
    "frame": (
        "fetch('/json?19').then(() => requestAnimationFrame(() => console.error('frame')))",
        "/json?19~t",
    ),
    "idle": ("fetch('/json?20').then(() => requestIdleCallback(() => console.error('idle')))", "/json?20~t"),
    "port": (
        "fetch('/json?21').then(() => { const c = new MessageChannel(); c.port1.onmessage = () => console.error('port'); c.port2.postMessage(0) })",
        "/json?21",
    ),
    "posted": (
        "{ addEventListener('message', () => console.error('posted'), { once: true }); fetch('/json?22').then(() => postMessage(0, '*')) }",
        "/json?22",
    ),
    "to the frame": ("fetch('/json?23').then(() => frames[0].postMessage('to the frame', '/'))", "/json?23"),
    "scheduled": (
        "fetch('/json?24').then(() => scheduler.postTask(() => console.error('scheduled')))",
        "/json?24~t",
    ),
    "yielded": (
        "fetch('/json?25').then(async () => { await scheduler.yield(); console.error('yielded') })",
        "/json?25",
    ),
    "transition": (
        "fetch('/json?26').then(() => document.startViewTransition(() => console.error('transition')))",
        "/json?26~t",
    ),
    "locked": (
        "fetch('/json?27').then(() => navigator.locks.request('a', () => console.error('locked')))",
        "/json?27~t",
    ),
    "file": (
        "fetch('/json?28').then(() => { const file = new FileReader(); file.onload = () => console.error('file'); file.readAsText(new Blob(['x'])) })",
        "/json?28",
    ),
    "piped": (
        "fetch('/json?29').then((r) => r.body.pipeTo(new WritableStream())).then(() => console.error('piped'))",
        "/json?29",
    ),
    "not played": (
        "fetch('/json?30').then(() => document.createElement('audio').play()).catch(() => console.error('not played'))",
        "/json?30",
    ),
    "no worker": (
        "fetch('/json?31').then(() => navigator.serviceWorker.register('/missing.png')).catch(() => console.error('no worker'))",
        "/json?31",
    ),
    "no font": (
        "fetch('/json?32').then(() => new FontFace('x', 'url(/missing.png)').load()).catch(() => console.error('no font'))",
        "/json?32",
    ),
    "no module": (
        "fetch('/json?33').then(() => WebAssembly.compile(new Uint8Array(4))).catch(() => console.error('no module'))",
        "/json?33",
    ),
    "seen": (
        "fetch('/json?34').then(() => requestAnimationFrame(() => new ResizeObserver((_, it) => { it.disconnect(); console.error('seen') }).observe(document.body)))",
        "",
    ),
    "image": (
        "{ const image = new Image(); image.onerror = () => console.error('image'); image.src = '/missing.png?1' }",
        "/missing.png?1",
    ),
    "picture": (
        "{ const image = document.body.appendChild(document.createElement('img')); image.onerror = () => console.error('picture'); image.src = '/missing.png?2' }",
        "/missing.png?2",
    ),
    "of nobody": ("console.error('of nobody')", ""),
    "Error: of nobody": ("void Promise.reject(new Error('of nobody'))", ""),
    "a page's own timer": ('setTimeout(() => console.error("a page\'s own timer"))', ""),
}
HELPERS = """
const xhr = (url, prepare) => { const x = new XMLHttpRequest(); x.open('GET', url); prepare(x); x.send(); return x };
"""


async def run_alone(watch: Watch, tab: Tab, script: str, text: str) -> None:
    """One flow from start to end, so that none runs into another."""
    await tab.call("Runtime.evaluate", expression=script)
    await watch.seen.bell.until(
        lambda: [s for s in watch.seen.signals if getattr(s.detail, "text", None) == text], what=text
    )


async def test_every_way_from_a_request_to_a_failure(watch: Watch, api: Site) -> None:
    api.page("/inner", "addEventListener('message', (event) => console.error(event.data))")
    tab = await opened(watch, api.page("/", HELPERS, "<h1>Page</h1><iframe src=/inner></iframe>"))
    for text, (script, _) in FLOWS.items():
        await run_alone(watch, tab, script, text)
    story = Story(watch)
    assert {text: story.of(text) for text in FLOWS} == {text: context for text, (_, context) in FLOWS.items()}


async def test_ticks_are_counted(watch: Watch, api: Site) -> None:
    script = """fetch('/json').then(() => { let k = 0; const tick = setInterval(() => {
        console.error(`tick ${++k}`); setTimeout(() => console.error(`after ${k}`)); if (k === 2) clearInterval(tick) }, 40) })"""
    tab = await watch.open(api.page("/"))
    await run_alone(watch, tab, script, "after 2")
    story = Story(watch)
    assert [story.of(text) for text in ("tick 1", "after 1", "tick 2", "after 2")] == [
        "/json~i1.1",
        "/json~i1.1~t",
        "/json~i1.2",
        "/json~i1.2~t",
    ]


async def test_a_context_ends_with_its_task(watch: Watch, api: Site) -> None:
    tab = await watch.open(api.page("/"))
    for number in range(5):
        script = f"fetch('/json').then(() => {{ console.error('first {number}') }})"
        await run_alone(watch, tab, script, f"first {number}")
        await run_alone(watch, tab, f"console.error('later {number}')", f"later {number}")
    story = Story(watch)
    assert {(story.of(f"first {n}"), story.of(f"later {n}")) for n in range(5)} == {("/json", "")}


async def test_flows_that_cross_are_kept_apart(watch: Watch, api: Site) -> None:
    script = """
    const load = async (name) => { const r = await fetch('/json?' + name); await r.json(); console.error('got ' + name); throw new Error(name) };
    const all = Array.from({ length: 12 }, (_, i) => 'n' + i)"""
    tab = await watch.open(api.page("/", script))
    await tab.call("Runtime.evaluate", expression="void all.map(load)")
    await watch.seen.count(12, "exception")
    story = Story(watch)
    assert {f"n{i}": story.of(f"got n{i}") for i in range(12)} == {f"n{i}": f"/json?n{i}" for i in range(12)}
    assert {f"n{i}": story.of(f"Error: n{i}") for i in range(12)} == {
        f"n{i}": f"/json?n{i}" for i in range(12)
    }


async def test_a_storm_of_failures_says_little_and_in_the_end_that_nothing_is_known(
    watch: Watch, api: Site
) -> None:
    script = "fetch('/json').then(() => { for (let i = 0; i < 300; i++) setTimeout(() => { throw new Error(`storm ${i}`) }) })"
    tab = await watch.open(api.page("/"))
    await tab.call("Runtime.evaluate", expression=script)
    await watch.seen.count(300, "exception")
    contexts = [signal.detail.context for signal in watch.seen.all("task_fails")]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(contexts) < 150
    assert Story(watch).words(contexts[0]) == "/json~t"
    assert contexts[-1] == ""


async def test_until_a_page_has_loaded_what_runs_is_its_own(watch: Watch, api: Site) -> None:
    script = "console.error('at once'); addEventListener('DOMContentLoaded', () => console.error('parsed')); addEventListener('load', () => console.error('loaded'))"
    tab = await watch.open(api.page("/", script))
    await run_alone(watch, tab, "console.error('much later')", "much later")
    story = Story(watch)
    assert [story.of(text) for text in ("at once", "parsed", "loaded", "much later")] == ["page:0"] * 3 + [""]


async def test_a_marker_comes_just_before_what_it_marks(watch: Watch, api: Site) -> None:
    script = "for (let i = 0; i < 20; i++) fetch('/json?' + i).then(() => { console.error(`got ${i}`); throw new Error(`broken ${i}`) })"
    tab = await watch.open(api.page("/", script))
    await watch.seen.count(20, "exception", target=tab.target)
    session = watch.seen.all("exception")[0].session
    told = [signal for signal in watch.seen.signals if signal.session == session]
    for before, signal in itertools.pairwise(told):
        detail: Any = signal.detail
        if signal.kind == "request" and detail.type == "Fetch":
            assert before.kind == "task_request"
            assert getattr(before.detail, "url", "") == detail.url
    marked = [signal for signal in told if signal.kind in {"task_fails", *FAILURES}]
    assert [signal.kind for signal in marked[:2]] == ["task_fails", "console"]
    assert all(
        before.kind == "task_fails" for before, s in itertools.pairwise(marked) if s.kind == "exception"
    )


async def test_a_click_is_told_with_the_first_thing_that_comes_of_it(watch: Watch, api: Site) -> None:
    script = """go.onclick = async () => { setTimeout(() => fetch('/json?later')); await fetch('/json?now'); console.error('clicked') };
    idle.onclick = () => 0; broken.onclick = () => { throw new Error('in the click') }"""
    body = "<button id=go>Go</button><button id=idle>Idle</button><button id=broken>Broken</button>"
    tab = await opened(watch, api.page("/", script, body))
    await click(tab, "#idle")
    await click(tab, "#go")
    await watch.seen.first("console", text="clicked")
    await click(tab, "#broken")
    await watch.seen.first("exception")
    await watch.seen.first("task_request", url=re.compile("later"))
    story = Story(watch)
    made = dict(story.contexts("task_request"))
    assert (made["/json?now"], made["/json?later"]) == ("click", "click~t")
    assert (story.of("clicked"), story.of("Error: in the click")) == ("/json?now", "click")
    began = watch.seen.all("task_action")
    acted = watch.seen.all("action", element="#go") + watch.seen.all("action", element="#broken")
    assert [round(signal.wall_ms) for signal in began] == [round(signal.wall_ms) for signal in acted]


async def test_what_a_task_removes_is_told(watch: Watch, api: Site) -> None:
    body = "<p id=one>1</p><p data-testid=two>2</p><p class=three>3</p><div id=box><p id=four>4</p></div>"
    tab = await watch.open(api.page("/", body=body))
    script = "fetch('/json').then(() => { one.remove(); document.querySelector('[data-testid]').remove(); document.querySelector('.three').remove(); document.body.append(box) })"
    await tab.call("Runtime.evaluate", expression=script)
    await watch.seen.count(2, "task_removed")
    await watch.barrier(tab)
    assert Story(watch).contexts("task_removed") == [("#one", "/json"), ('[data-testid="two"]', "/json")]


async def test_navigations_and_windows_are_told_before_they_happen(watch: Watch, api: Site) -> None:
    api.page("/next")
    tab = await watch.open(api.page("/"))
    await tab.run("fetch('/json?1').then(() => { history.pushState(0, '', '/pushed') })")
    await tab.run("fetch('/json?2').then(() => { window.other = open('/next?popup') })")
    await tab.call(
        "Runtime.evaluate", expression="fetch('/json?3').then(() => { location.href = '/next?here' })"
    )
    await watch.seen.first("navigation", url=api.url("/next?here"))
    await watch.seen.first("navigation", url=api.url("/next?popup"))
    told = [one for one in Story(watch).contexts("task_navigates") if one[1]]
    assert told == [("/pushed", "/json?1"), ("/next?popup", "/json?2"), ("/next?here", "/json?3")]


WORKER = """
onmessage = (event) => {
  if (event.data === 'throw') throw new Error('in the worker');
  fetch('/json?worker').then(() => setTimeout(() => { console.error('worker got it'); postMessage('back') }));
}"""


@pytest.mark.parametrize("options", ["{}", "{ type: 'module' }"])
async def test_a_worker_and_its_page_are_one_story(watch: Watch, api: Site, options: str) -> None:
    api.script("/w.js", WORKER)
    tab = await watch.open(api.page("/"))
    script = f"""fetch('/json?page').then(() => {{ const worker = new Worker('/w.js', {options});
        worker.onmessage = () => {{ console.error('page got it'); worker.postMessage('throw') }};
        worker.onerror = () => console.error('worker broke'); worker.postMessage('go') }})"""
    await run_alone(watch, tab, script, "worker broke")
    await watch.seen.first("exception", text="Error: in the worker")
    story = Story(watch)
    assert story.contexts("task_worker") == [("/w.js", "/json?page")]
    assert [story.of("worker got it"), story.of("Error: in the worker")] == ["/json?worker~t", "worker:m1"]
    assert [story.of("page got it"), story.of("worker broke")] == ["/w.js.0", "/w.js.e"]
    details = [s.detail for s in watch.seen.all("task_message")]
    sent = [
        (story.words(one.channel) if ":" in one.channel else "out", one.number, story.words(one.context))
        for one in details
        if isinstance(one, MessageSent)
    ]
    # Two threads tell them, in no common order.
    assert sorted(sent) == [("/w.js", 0, "/json?page"), ("/w.js", 1, "/w.js.0"), ("out", 0, "/json?worker~t")]
    assert dict(story.contexts("task_request"))["/json?worker"] == "worker:m0"
    order = [s.kind for s in watch.seen.signals if s.kind in {"task_worker", "target_opened"}]
    assert order[-2:] == ["task_worker", "target_opened"]


async def test_nested_and_shared_workers(watch: Watch, api: Site) -> None:
    api.script(
        "/outer.js",
        "const w = new Worker('/w.js'); onmessage = () => w.postMessage('go'); w.onmessage = () => postMessage(1)",
    )
    api.script("/w.js", WORKER)
    api.script(
        "/shared.js",
        "onconnect = (e) => { e.ports[0].onmessage = () => fetch('/json?shared').then(() => console.error('shared got it')) }",
    )
    tab = await watch.open(api.page("/"))
    script = "{ const w = new Worker('/outer.js'); w.onmessage = () => console.error('came through'); w.postMessage('go') }"
    await run_alone(watch, tab, script, "came through")
    await run_alone(watch, tab, "new SharedWorker('/shared.js').port.postMessage(0)", "shared got it")
    story = Story(watch)
    assert story.of("worker got it") == "/json?worker~t"
    assert story.of("shared got it") == "/json?shared"
    assert story.of("came through") == "/outer.js.0"


async def test_a_service_worker_tells_whose_request_it_handles(watch: Watch, api: Site) -> None:
    api.script(
        "/sw.js",
        "onactivate = (e) => e.waitUntil(clients.claim()); addEventListener('fetch', (e) => { if (e.request.url.includes('json')) e.respondWith(fetch('/json?within').then(() => { console.error('in between'); return new Response('{}') })) })",
    )
    tab = await watch.open(api.page("/"))
    await tab.run(
        "navigator.serviceWorker.register('/sw.js').then(() => new Promise((done) => navigator.serviceWorker.controller ? done() : navigator.serviceWorker.oncontrollerchange = done)).then(() => 0)"
    )
    await run_alone(
        watch,
        tab,
        "fetch('/json?asked').then((r) => r.json()).then(() => console.error('answered'))",
        "answered",
    )
    await watch.seen.first("task_intercepted")
    story = Story(watch)
    assert story.of("answered") == "/json?asked"
    assert story.of("in between") == "/json?within"
    assert dict(story.contexts("task_request"))["/json?within"] == "/json?asked"


async def test_frames_of_one_origin_share_their_tasks(watch: Watch, api: Site) -> None:
    api.page("/inner", "parent.load = () => fetch('/json?inner').then(() => parent.say('said outside'))")
    tab = await watch.open(
        api.page("/", "window.say = (text) => console.error(text)", "<iframe src=/inner></iframe>")
    )
    await run_alone(watch, tab, "fetch('/json?outer').then(() => load())", "said outside")
    story = Story(watch)
    assert story.of("said outside") == "/json?inner"
    assert dict(story.contexts("task_request"))["/json?inner"] == "/json?outer"


async def test_a_page_that_was_there_before_is_told_from_then_on(chromium: Chromium, api: Site) -> None:
    async with watching(chromium.ws_url) as first:
        tab = await first.open(api.page("/"))
    async with watching(chromium.ws_url) as watch:
        again = await watch.cdp.tab(tab.target)
        await watch.seen.first("task_realm", target=tab.target)
        await run_alone(watch, again, "fetch('/json').then(() => console.error('late'))", "late")
        realm = watch.seen.all("task_realm", target=tab.target)[0]
        assert realm.frame
        assert Story(watch).of("late") == "/json"


async def test_a_document_that_is_written_anew_is_still_told(watch: Watch, api: Site) -> None:
    tab = await watch.open(api.page("/"))
    await tab.run("document.open(), document.write('<p id=new>new</p>'), document.close(), 0")
    await watch.barrier(tab)
    await run_alone(
        watch,
        tab,
        "void fetch('/json').then(() => { document.getElementById('new').remove(); throw new Error('rewritten') })",
        "Error: rewritten",
    )
    await watch.seen.first("task_removed", selector="#new")
    assert Story(watch).of("Error: rewritten") == "/json"


async def test_a_window_whose_document_is_replaced_goes_on(watch: Watch, api: Site) -> None:
    popup = api.page(
        "/popup",
        "fetch('/json?popup').then(() => { document.getElementById('p').remove(); throw new Error('in the popup') })",
        "<p id=p>p</p>",
    )
    tab = await watch.open(api.page("/"))
    await tab.run(f"void (window.popup = open({popup!r}))")
    await watch.seen.first("exception", text="Error: in the popup")
    await watch.seen.first("task_removed", selector="#p")
    assert Story(watch).of("Error: in the popup") == "/json?popup"


async def test_lean_capture_tells_the_same(chromium: Chromium, api: Site) -> None:
    async with watching(chromium.ws_url, CaptureOptions(level="lean")) as watch:
        tab = await watch.open(api.page("/"))
        await run_alone(watch, tab, "fetch('/json?lean').then(() => console.error('lean'))", "lean")
        assert Story(watch).of("lean") == "/json?lean"


async def test_two_observers_of_one_page_do_not_see_each_other(
    watch: Watch, chromium: Chromium, api: Site
) -> None:
    async with watching(chromium.ws_url) as second:
        tab = await watch.open(api.page("/"))
        for seen in (watch.seen, second.seen):
            await seen.first("lifecycle", target=tab.target, name="load")
        await run_alone(watch, tab, "fetch('/json').then(() => console.error('seen twice'))", "seen twice")
        await second.seen.first("console", text="seen twice")
        assert [Story(one).of("seen twice") for one in (watch, second)] == ["/json", "/json"]
        assert (
            await tab.run("fetch.toString() + Reflect.ownKeys(fetch)")
            == "function fetch() { [native code] }length,name"
        )


async def test_after_the_last_observer_has_gone_everything_is_as_it_was(
    chromium: Chromium, api: Site
) -> None:
    async with watching(chromium.ws_url) as watch:
        tab = await watch.open(
            api.page("/", "globalThis.before = { fetch, setTimeout, Worker, error: console.error }")
        )
        assert "get" in await tab.run("Object.keys(Object.getOwnPropertyDescriptor(console, 'error')).join()")
        target = tab.target
    async with watching(chromium.ws_url, CaptureOptions(markers=False)) as watch:
        tab = await watch.cdp.tab(target)
        assert "get" not in await tab.run(
            "Object.keys(Object.getOwnPropertyDescriptor(console, 'error')).join()"
        )
        assert (
            await tab.run(
                "[before.fetch === fetch, before.setTimeout === setTimeout, before.Worker === Worker].join()"
            )
            == "false,false,false"
        )
        assert await tab.run("(0, before.fetch)('/json').then((r) => r.json()).then((r) => r.ok)") == 1
        assert (
            await tab.run("Reflect.ownKeys(globalThis).filter((n) => /^f[0-9a-f]{16}$/.test(n)).length") == 0
        )
