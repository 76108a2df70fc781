"""A page is the same with and without markers: what it can see of its functions, the order of things, and what libraries do to both."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from firstcause.observer.options import CaptureOptions

from ..npm_packages import npm_packages
from .support import Answer, Chromium, Site, Tab, Watch, watching
from .test_tasks import Story, run_alone

HERE = Path(__file__).parent
FACTS = (HERE / "markers_page.js").read_text("utf-8")
NPM = HERE / "npm"
BUNDLE_TIMEOUT_S = 60
OFF, ON = CaptureOptions(markers=False), CaptureOptions()
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}


@pytest.fixture
async def served(site: Site) -> Site:
    site.script("/facts.js", FACTS)
    site.routes["/page"] = Answer("<p>a page</p>", headers=ANY_ORIGIN)
    return site


def differences(off: Any, on: Any, path: str = "") -> list[str]:
    """Where two facts differ."""
    if isinstance(off, dict) and isinstance(on, dict):
        names = sorted({*off, *on})
        return [
            found for name in names for found in differences(off.get(name), on.get(name), f"{path}.{name}")
        ]
    if isinstance(off, list) and isinstance(on, list) and len(off) == len(on):
        pairs = enumerate(zip(off, on, strict=True))
        return [found for at, (a, b) in pairs for found in differences(a, b, f"{path}[{at}]")]
    return [] if off == on else [f"{path}: {str(off)[:300]} -> {str(on)[:300]}"]


async def both(chromium: Chromium, ask: Callable[[Watch], Awaitable[Any]]) -> tuple[Any, Any]:
    """What is found without markers, and with."""
    found: list[Any] = []
    for options in (OFF, ON):
        async with watching(chromium.ws_url, options) as watch:
            found.append(await ask(watch))
            for target in await watch.cdp.targets():
                if (
                    target["url"].startswith("http") and target["type"] == "page"
                ):  # else its lines are told again
                    await watch.cdp.call("Target.closeTarget", targetId=target["targetId"])
    return found[0], found[1]


async def same(chromium: Chromium, ask: Callable[[Watch], Awaitable[Any]]) -> Any:
    off, on = await both(chromium, ask)
    assert differences(off, on) == []
    return on


async def facts_of(tab: Tab) -> Any:
    return json.loads(await tab.run("facts().then(JSON.stringify)"))


async def answer_of(tab: Tab) -> Any:
    """What a frame or a worker found, which the page keeps."""
    told = await tab.run(
        "new Promise((done) => { globalThis.answer ? done(answer) : globalThis.done = done })"
    )
    return json.loads(told)


KEEP = "const keep = (event) => { globalThis.answer = event.data; globalThis.done?.(event.data) }; "
TELL = "facts().then(JSON.stringify, (error) => JSON.stringify(String(error.stack)))"


async def test_a_page_sees_the_same(chromium: Chromium, served: Site) -> None:
    url = served.page("/plain", body="<script src=/facts.js></script>")

    async def ask(watch: Watch) -> Any:
        return await facts_of(await watch.open(url))

    assert len(await same(chromium, ask)) > 40


async def test_the_console_that_others_replace_is_the_same(chromium: Chromium, served: Site) -> None:
    url = served.page("/plain", body="<script src=/facts.js></script>")

    async def ask(watch: Watch) -> Any:
        return await (await watch.open(url)).run("consoleFacts()")

    await same(chromium, ask)


async def test_a_page_with_a_strict_policy_sees_the_same(chromium: Chromium, served: Site) -> None:
    policy = "default-src 'none'; script-src 'self'; connect-src 'self' ws:; require-trusted-types-for 'script'; trusted-types none"
    page = "<!doctype html><link rel=icon href=data:,><body><script src=/facts.js></script>"
    served.routes["/strict"] = Answer(page, headers={"Content-Security-Policy": policy})

    async def ask(watch: Watch) -> Any:
        tab = await watch.open(served.url("/strict"))
        found = await tab.run(f"{TELL}.then((told) => told.replace(/:\\d+:\\d+/g, ''))")
        told = [(s.detail.level, s.detail.text[:40]) for s in watch.seen.all("log")]  # type: ignore[attr-defined]
        return [json.loads(found), sorted(told)]

    await same(chromium, ask)


@pytest.mark.parametrize(
    "frame",
    ["sandbox=allow-scripts src=/inside", "srcdoc", "sandbox=allow-scripts srcdoc", "src=/inside", "blank"],
)
async def test_a_frame_sees_the_same(chromium: Chromium, served: Site, frame: str) -> None:
    tell = f"<script>{TELL}.then((told) => parent.postMessage(told, '*'))</script>"
    inside = f"<body><script src={served.url('/facts.js')}></script>{tell}"
    served.routes["/inside"] = f"<!doctype html><link rel=icon href=data:,>{inside}"
    if frame == "blank":
        evaluated = "document.body.appendChild(document.createElement('iframe')).contentWindow.eval(text)"
        script = f"{KEEP} onload = () => fetch('/blank.js').then((r) => r.text()).then((text) => {evaluated})"
        served.script("/blank.js", f"{FACTS};{TELL}.then((told) => parent.keep({{ data: told }}))")
        url = served.page("/outer", script.replace("const keep", "window.keep"))
    else:
        filled = frame.replace("srcdoc", "srcdoc='" + inside.replace("'", "&#39;") + "'")
        served.routes["/outer"] = (
            f"<!doctype html><link rel=icon href=data:,><script>{KEEP} onmessage = keep</script><iframe {filled}></iframe>"
        )
        url = served.url("/outer")

    async def ask(watch: Watch) -> Any:
        return await answer_of(await watch.open(url))

    assert len(await same(chromium, ask)) > 30


WORKERS = {
    "classic": (
        "importScripts('/facts.js')",
        "const w = new Worker('/w.js'); w.onmessage = keep; w.postMessage(0)",
    ),
    "module": (
        FACTS,
        "const w = new Worker('/w.js', { type: 'module' }); w.onmessage = keep; w.postMessage(0)",
    ),
    "nested": (
        "importScripts('/facts.js')",
        "const w = new Worker('/outer.js'); w.onmessage = keep; w.postMessage(0)",
    ),
    "shared": (
        "importScripts('/facts.js'); onconnect = (c) => { c.ports[0].onmessage = (e) => answer(e, c.ports[0]) }",
        "const w = new SharedWorker('/w.js'); w.port.onmessage = keep; w.port.postMessage(0)",
    ),
    "service": (
        "importScripts('/facts.js'); oninstall = (e) => e.waitUntil(0)",
        "navigator.serviceWorker.onmessage = keep; navigator.serviceWorker.register('/w.js').then(() => navigator.serviceWorker.ready).then((r) => r.active.postMessage(0))",
    ),
}


@pytest.mark.parametrize("kind", WORKERS)
async def test_a_worker_sees_the_same(chromium: Chromium, served: Site, kind: str) -> None:
    script, start = WORKERS[kind]
    served.script(
        "/outer.js",
        "const w = new Worker('/w.js'); onmessage = () => w.postMessage(0); w.onmessage = (e) => postMessage(e.data)",
    )
    served.script(
        "/w.js",
        f"{script};\nglobalThis.answer = (e, to) => {TELL}.then((told) => to.postMessage(told));\nonmessage = (e) => answer(e, e.source || self)",
    )
    url = served.page("/outer", f"{KEEP}{start}")

    async def ask(watch: Watch) -> Any:
        tab = await watch.open(url)
        found = await answer_of(tab)
        await tab.run("navigator.serviceWorker.getRegistration().then((r) => r?.unregister()).then(() => 0)")
        return found

    found = await same(chromium, ask)
    assert isinstance(found, dict), found
    assert len(found) > 30


TAMPERED = """
const broken = (name) => () => { throw new Error('tampered ' + name) };
const all = [Map.prototype, 'get', WeakMap.prototype, 'get', WeakMap.prototype, 'set', WeakMap.prototype, 'has', Array.prototype, 'push',
  Array.prototype, 'shift', Array.prototype, Symbol.iterator, String.prototype, 'slice', String.prototype, 'indexOf', String.prototype, 'replace',
  String.prototype, 'split', JSON, 'stringify', Object, 'defineProperty', Object, 'keys', Object, 'getOwnPropertyDescriptor', Reflect, 'apply',
  Reflect, 'get', Reflect, 'construct', Reflect, 'defineProperty', Reflect, 'getOwnPropertyDescriptor', Performance.prototype, 'now',
  EventTarget.prototype, 'addEventListener', Function.prototype, 'call', Function.prototype, 'apply', Function.prototype, 'bind',
  Scheduler.prototype, 'postTask', RegExp.prototype, 'exec'];
for (let i = 0; i < all.length; i += 2) all[i][all[i + 1]] = broken(String(all[i + 1]));
for (const name in { apply: 1, construct: 1, priority: 1, signal: 1, delay: 1, capture: 1, passive: 1, toJSON: 1 })
  Object.prototype.__defineGetter__(name, broken(name));
Object.freeze(Response.prototype); Object.freeze(XMLHttpRequest.prototype); Object.freeze(console); Object.freeze(Promise.prototype);
"""


async def test_a_page_that_breaks_its_own_built_ins_is_left_alone(chromium: Chromium, served: Site) -> None:
    served.script("/w.js", "onmessage = () => postMessage('worker')")
    script = (
        TAMPERED
        + """
    globalThis.told = '';
    const say = (text) => { told += text + ' '; console.error(text) };
    onerror = (text) => { told += text + ' ' };
    fetch('/page').then((r) => r.text()).then(() => { say('fetched'); setTimeout(() => say('waited'), 5) });
    const x = new XMLHttpRequest(); x.open('GET', '/page'); x.onload = () => say('loaded'); x.send();
    const w = new Worker('/w.js'); w.onmessage = () => say('worker'); w.postMessage(0);
    const c = new MessageChannel(); c.port1.onmessage = () => say('port'); c.port2.postMessage(0);
    onmessage = () => say('message'); postMessage(0, '*');
    document.body.lastElementChild.remove();
    """
    )
    url = served.page("/tampered", script, "<p id=p>p</p>")
    words = {"fetched", "waited", "loaded", "worker", "port", "message"}

    async def ask(watch: Watch) -> Any:
        tab = await watch.open(url)
        await watch.seen.bell.until(lambda: words <= set(watch.seen.texts("console")), what=str(words))
        return sorted((await tab.run("told")).split())

    assert await same(chromium, ask) == sorted(words)


async def test_a_marker_that_fails_never_reaches_the_page(watch: Watch, served: Site) -> None:
    """Even what is called before each hook of ours, and can't be saved from a page, may throw."""
    script = "Object.defineProperty(window, 'scheduler', { get() { throw new Error('no scheduler') } }); globalThis.location2 = new Proxy(function () {}, {})"
    tab = await watch.open(served.page("/", script))
    await tab.run(
        "fetch(new Proxy({}, { get(t, n) { return n === 'toString' || n === Symbol.toPrimitive ? () => '/page' : undefined } })).then((r) => r.status)"
    )
    told = await tab.run(
        "fetch('/page', new Proxy({}, { getOwnPropertyDescriptor() { throw new Error('mine') } })).then((r) => r.status, String)"
    )
    assert told in (200, "Error: mine")
    assert await tab.run("fetch('/page', { get signal() { return undefined } }).then((r) => r.status)") == 200
    assert watch.seen.all("exception") == []


# --- libraries that patch what the markers patch -----------------------------------------------------------------------


def bundled(folder: Path) -> None:
    """Of Sentry there is no script that a page can load as it is."""
    modules = folder / "node_modules"
    command = [
        str(modules / ".bin/esbuild"),
        str(modules / "@sentry/browser/build/npm/esm/prod/index.js"),
        "--bundle",
        "--format=iife",
        "--global-name=Sentry",
        "--outfile=sentry.js",
    ]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=BUNDLE_TIMEOUT_S, check=True)


LIBRARIES = {
    "zone.js": (
        "node_modules/zone.js/bundles/zone.umd.js",
        (
            "new Promise((done) => { const seen = []; Zone.current.fork({ name: 'z', onInvokeTask: (d, c, t, task, ...rest) => { seen.push(task.source); return d.invokeTask(t, task, ...rest) } })"
            ".run(() => fetch('/page').then((r) => r.text()).then((text) => setTimeout(() => done([text, Zone.current.name, seen.filter((s) => s !== 'fetch')])))) })"
        ),
    ),
    "@sentry/browser": (
        "sentry.js",
        (
            "new Promise((done) => { const sent = []; Sentry.init({ dsn: 'https://k@127.0.0.1/1', beforeSend: (event) => { sent.push([event.exception?.values[0].value, (event.breadcrumbs || []).map((b) => b.category + (b.data?.url || b.message || ''))]); return null } });"
            "fetch('/page').then(async (r) => { await r.text(); console.error('logged'); setTimeout(() => { setTimeout(() => done(sent), 100); throw new Error('in a timer') }); throw new Error('rejected') }) })"
        ),
    ),
    "core-js-bundle": (
        "node_modules/core-js-bundle/index.js",
        "Promise.allSettled([fetch('/page').then((r) => r.text()), Promise.reject(new Error('no'))]).then((all) => all.map((one) => one.status + (one.value || one.reason.message)))",
    ),
    "axios": (
        "node_modules/axios/dist/axios.js",
        "Promise.all([axios.get('/page').then((r) => r.data), axios.get('/page', { adapter: 'fetch' }).then((r) => r.data), axios.get('/none', { timeout: 5000 }).then((r) => r.status), axios.get('http://127.0.0.1:1/').catch((e) => [e.code, e.message])])",
    ),
    "rxjs": (
        "node_modules/rxjs/dist/bundles/rxjs.umd.js",
        "rxjs.lastValueFrom(rxjs.timer(5).pipe(rxjs.mergeMap(() => rxjs.ajax.ajax({ url: '/page', responseType: 'text' })), rxjs.map((r) => r.response), rxjs.combineLatestWith(rxjs.from(fetch('/page').then((r) => r.text())), rxjs.animationFrames().pipe(rxjs.take(1), rxjs.map(() => 'frame')))))",
    ),
}
TWIN_USE = "fetch('/page').then((r) => r.text()).then((text) => { console.error('logged'); return [text, twin.errors] })"


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_library_does_the_same(chromium: Chromium, served: Site, name: str) -> None:
    folder = await asyncio.to_thread(npm_packages, NPM, bundled)
    file, use = LIBRARIES[name]
    source = (folder / file if folder else NPM / "twin.js").read_text("utf-8")
    served.script("/library.js", source)
    url = served.page("/library", body="<script src=/library.js></script><script src=/facts.js></script>")

    async def ask(watch: Watch) -> Any:
        tab = await watch.open(url)
        used = await tab.run(use if folder else TWIN_USE)
        fresh = await watch.open(url)
        return [used, await facts_of(fresh), sorted(watch.seen.texts("exception", target=tab.target))]

    used, _, _ = await same(chromium, ask)
    assert used


async def test_what_patches_everything_does_the_same_and_contexts_survive_it(
    chromium: Chromium, served: Site
) -> None:
    served.script("/twin.js", (NPM / "twin.js").read_text("utf-8"))
    url = served.page("/twin", body="<script src=/twin.js></script><script src=/facts.js></script>")

    async def ask(watch: Watch) -> Any:
        tab = await watch.open(url)
        return [await facts_of(tab), await tab.run("twin.errors")]

    await same(chromium, ask)
    async with watching(chromium.ws_url) as watch:
        tab = await watch.open(url)
        flow = "fetch('/page').then((r) => r.text()).then(() => setTimeout(() => console.error('at last')))"
        await run_alone(watch, tab, flow, "at last")
        assert Story(watch).of("at last") == "/page~t"
