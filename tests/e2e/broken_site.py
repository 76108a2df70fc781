"""A site where every kind of page, frame, worker and worklet fails in every way, and the plan of what must be told about it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from .support import Answer, Hit, Site

# Every failure has a name of its own, which its text or its address carries: `f-worker-throw`, `f-page-404`.
NAME = re.compile(r"f-[a-z]+-[a-z0-9]+")

# Runs in every kind of realm; `done` comes when each of its failures has happened.
KIT = """
(() => {
  const f = (fault) => "f-REALM-" + fault
  console.error(f("error"))
  console.warn(f("warn"))
  console.assert(1 > 2, f("assert"))
  console.log("all is well")
  setTimeout(() => { throw new Error(f("throw")) }, 0)
  setTimeout(() => { throw f("string") }, 0)
  Promise.reject(new Error(f("rejection")))
  const late = Promise.reject(new Error(f("late")))
  // A later task, and one that no background page holds up.
  const later = new MessageChannel()
  const handled = new Promise((pass) => later.port1.onmessage = () => { late.catch(() => {}); later.port1.close(); pass() })
  later.port2.postMessage("now")
  const loads = ["BASE/404?" + f("404"), "BASE/500?" + f("500"), "REFUSED/?" + f("refused")]
  const passed = new Promise((pass) => setTimeout(pass, 60))
  Promise.allSettled([passed, handled, ...loads.map((url) => fetch(url))]).then(() => fetch("BASE/done?realm=REALM"))
})();
"""
KIT_KINDS = {
    "error": "console_error",
    "warn": "console_warning",
    "assert": "console_assert",
    "throw": "uncaught_exception",
    "string": "uncaught_exception",
    "rejection": "unhandled_rejection",
    "404": "http_error",
    "500": "http_error",
    "refused": "request_failed",
}
# Worklets have neither timers nor fetch.
WORKLET = (
    'console.error("f-REALM-error"); console.warn("f-REALM-warn"); BODY; throw new Error("f-REALM-throw")'
)

LOADS = """
<title>loads</title><link rel=icon href=data:,>
<link rel=stylesheet href="/404?f-style-404"><link rel=stylesheet href="/500?f-style-500">
<body>
<script src="/404?f-script-404"></script><script src="/500?f-script-500"></script>
<img src="/404?f-image-404"><img src="/500?f-image-500">
<iframe src="/404?f-document-404"></iframe><iframe src="/500?f-document-500"></iframe>
<iframe src="REFUSED/?f-document-refused"></iframe>
<script>
  const quiet = (promise) => promise.catch(() => {})
  const ended = (target) => new Promise((end) => target.onloadend = target.onerror = target.onclose = end)
  const xhr = (url) => { const x = new XMLHttpRequest(); x.open("GET", url); x.send(); return ended(x) }
  const image = (url) => { const i = new Image(); i.src = url; return new Promise((end) => i.onload = i.onerror = end) }
  const video = (url) => ended(Object.assign(document.createElement("video"), { src: url, preload: "auto" }))
  const events = (url) => { const e = new EventSource(url); return ended(e).then(() => e.close()) }
  const aborted = () => {
    const stop = new AbortController()
    const gone = quiet(fetch("/never?f-fetch-abort", { signal: stop.signal }))
    setTimeout(() => stop.abort(), 50)
    return gone
  }
  const abortedXhr = () => {
    const x = new XMLHttpRequest(); x.open("GET", "/never?f-xhr-abort"); x.send()
    setTimeout(() => x.abort(), 50)
    return ended(x)
  }
  addEventListener("load", async () => {
    await Promise.all([
      xhr("/404?f-xhr-404"), xhr("/500?f-xhr-500"), xhr("/reset?f-xhr-reset"),
      quiet(fetch("/reset?f-fetch-reset")),
      quiet(fetch("ALT/plain?f-cors-simple")), quiet(fetch("ALT/404?f-cors-status")),
      quiet(fetch("ALT/plain?f-cors-preflight", { method: "PUT", headers: { "X-Any": "1" } })),
      quiet(fetch("/redirect?to=/redirect%3Fto%3D/404%253Ff-redirect-404")),
      quiet(fetch("/redirect?to=ALT/redirect%3Fto%3DBASE/plain%253Ff-redirect-cors")),
      quiet(fetch("/loop?f-redirect-loop")),
      quiet(fetch("/large?f-unread-large")),
      quiet(fetch("/500large?f-unread-500")),
      aborted(), abortedXhr(),
      image("REFUSED/?f-image-refused"), image("/reset?f-image-reset"),
      ended(new WebSocket("WS/404?f-socket-404")), ended(new WebSocket("WSREFUSED/?f-socket-refused")),
      quiet(import("/404?f-import-404")),
      quiet(new FontFace("f", "url(/404?f-font-404)").load()),
      events("/404?f-events-404"), events("/reset?f-events-reset"),
      video("/404?f-video-404"),
      quiet(fetch("/404?f-keepalive-404", { method: "POST", keepalive: true, body: "x" })),
      navigator.sendBeacon("/404?f-beacon-404", "x"),
      quiet(fetch("/204")),
    ])
    // Two failures of one address at the same time are two.
    await Promise.all([1, 2].map(() => fetch("/404?f-twice-404")))
    fetch("/done?realm=loads")
  })
</script>
"""
LOADS_KINDS = {
    "f-style-404": "resource_failed",
    "f-style-500": "resource_failed",
    "f-script-404": "resource_failed",
    "f-script-500": "resource_failed",
    "f-image-404": "resource_failed",
    "f-image-500": "resource_failed",
    "f-image-refused": "resource_failed",
    "f-image-reset": "resource_failed",
    "f-import-404": "resource_failed",
    "f-font-404": "resource_failed",
    "f-video-404": "resource_failed",
    "f-events-404": "http_error",
    "f-events-reset": "request_failed",
    "f-keepalive-404": "http_error",
    "f-beacon-404": "http_error",
    "f-document-404": "http_error",
    "f-document-500": "http_error",
    "f-document-refused": "request_failed",
    "f-xhr-404": "http_error",
    "f-xhr-500": "http_error",
    "f-xhr-reset": "request_failed",
    "f-xhr-abort": "request_aborted",
    "f-fetch-reset": "request_failed",
    "f-fetch-abort": "request_aborted",
    "f-cors-simple": "cors_blocked",
    "f-cors-status": "cors_blocked",
    "f-cors-preflight": "cors_blocked",
    "f-redirect-404": "http_error",
    "f-redirect-cors": "cors_blocked",
    "f-redirect-loop": "redirect_loop",
    "f-unread-500": "http_error",
    "f-socket-404": "websocket_failed",
    "f-socket-refused": "websocket_failed",
}

# What the inline script is refused for is the policy, so the policy carries its name.
POLICY = "script-src 'nonce-ours' http://f-inline-script.test; connect-src 'self'; img-src data:; style-src 'nonce-ours' http://f-inline-style.test"
CSP = """
<title>csp</title><link rel=icon href=data:,>
<body>
<script>console.error("this never runs")</script>
<style>p { color: red }</style>
<script src="/plain?f-csp-script"></script>
<img src="/plain?f-csp-image">
<script nonce=ours>
  addEventListener("load", () => fetch("ALT/plain?f-csp-connect").catch(() => {}).then(() => fetch("/done?realm=csp")))
</script>
"""
CSP_KINDS = dict.fromkeys(
    ["f-inline-script", "f-inline-style", "f-csp-script", "f-csp-image", "f-csp-connect"], "csp_violation"
)


def kit_kinds(realm: str, *, worker: bool = False) -> dict[str, str]:
    kinds = {f"f-{realm}-{fault}": kind for fault, kind in KIT_KINDS.items()}
    return {
        name: "worker_error" if worker and kind == "uncaught_exception" else kind
        for name, kind in kinds.items()
    }


def worklet_kinds(realm: str) -> dict[str, str]:
    return {
        f"f-{realm}-error": "console_error",
        f"f-{realm}-warn": "console_warning",
        f"f-{realm}-throw": "worker_error",
    }


class BrokenSite(Site):
    """Every page, frame and worker of the story, and every way in which a server can fail."""

    def __init__(self) -> None:
        super().__init__()
        self._over = asyncio.Event()
        self._nobody = socket.socket()
        self._nobody.bind(("127.0.0.1", 0))  # bound and never listening: whoever connects is refused
        self.routes = {
            "/404": Answer("not here", "text/plain", status="404 Not Found"),
            "/500": Answer("broken", "text/plain", status="500 Internal Server Error"),
            "/500large": Answer("broken" * 500_000, "text/plain", status="500 Internal Server Error"),
            "/large": Answer("much" * 500_000, "text/plain"),
            "/204": Answer("", "text/plain", status="204 No Content"),
            "/plain": Answer("fine", "text/plain"),
            "/loop": self._loop,
            "/redirect": self._redirect,
            "/reset": self._reset,
            "/never": self._never,
        }

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.add_pages()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._over.set()
        await super().__aexit__(*error)
        self._nobody.close()

    def address(self, path: str) -> str:
        return self.url(path) if path.startswith("/") else self.filled(path)

    def add_pages(self) -> None:
        top, other = self.url(""), self.alt("")
        blob = json.dumps(self.kit("blob"))
        self._page("/page", self.script_tag("page"))
        self._page(
            "/frames",
            f"<iframe src='/frame'></iframe><iframe src='{other}/site'></iframe><iframe srcdoc=\"{self.script_tag('srcdoc', quote=True)}\"></iframe>",
        )
        self._page("/frame", self.script_tag("frame"))
        self._page(
            "/site",
            self.script_tag("site", other)
            + f"<iframe src='{top}/inner'></iframe><script>new Worker('/siteworker.js')</script>",
        )
        self._page("/inner", self.script_tag("inner"))
        self._page(
            "/workers",
            "<script>new Worker('/worker.js'); new Worker('/module.js', { type: 'module' });"
            f" new Worker(URL.createObjectURL(new Blob([{blob}])))</script>",
        )
        self._page("/shared", "<script>new SharedWorker('/shared.js').port.start()</script>")
        self._page(
            "/service",
            "<script>navigator.serviceWorker.register('/service.js', { scope: '/service' })</script>",
        )
        self._page(
            "/worklets",
            "<script>(async () => {"
            "  await new OfflineAudioContext(1, 128, 44100).audioWorklet.addModule('/audio.js').catch(() => {});"
            "  await CSS.paintWorklet.addModule('/paint.js').catch(() => {});"
            "  fetch('/done?realm=audio'); fetch('/done?realm=paint') })()</script>",
        )
        self._page(
            "/popups",
            "<script>open('/opened'); open('/noopener', '_blank', 'noopener');"
            f" open('{other}/othersite')</script>",
        )
        for realm in ("opened", "noopener", "context"):
            self._page(f"/{realm}", self.script_tag(realm))
        self._page("/othersite", self.script_tag("othersite", other))
        for realm in ("module", "shared", "service", "nested"):
            self.script(f"/{realm}.js", self.kit(realm))
        self.script("/siteworker.js", self.kit("siteworker", other))
        self.script("/worker.js", self.kit("worker") + "new Worker('/nested.js')")
        self.script("/audio.js", WORKLET.replace("REALM", "audio").replace("BODY", "registerProcessor"))
        self.script("/paint.js", WORKLET.replace("REALM", "paint").replace("BODY", "registerPaint"))
        self._page("/loads", self.filled(LOADS))
        self.routes["/csp"] = Answer(
            "<!doctype html>" + self.filled(CSP), headers={"Content-Security-Policy": POLICY}
        )
        self._page("/doomed", "<script>fetch('/done?realm=doomed')</script>")

    def kit(self, realm: str, base: str = "") -> str:
        return self.filled(KIT.replace("REALM", realm), base)

    def script_tag(self, realm: str, base: str = "", *, quote: bool = False) -> str:
        tag = f"<script>{self.kit(realm, base)}</script>"
        return tag.replace('"', "&quot;") if quote else tag

    def _page(self, path: str, body: str) -> None:
        self.routes[path] = f"<!doctype html><title>{path}</title><link rel=icon href=data:,>{body}"

    def filled(self, text: str, base: str = "") -> str:
        refused = f"127.0.0.1:{self._nobody.getsockname()[1]}"
        values = {
            "WSREFUSED": f"ws://{refused}",
            "REFUSED": f"http://{refused}",
            "BASE": base or self.url(""),
            "ALT": self.alt(""),
            "WS": f"ws://127.0.0.1:{self.port}",
        }
        return re.sub("|".join(values), lambda found: values[found[0]], text)

    async def _loop(self, hit: Hit) -> Answer:
        return Answer("", headers={"Location": "/loop?f-redirect-loop"}, status="302 Found")

    async def _redirect(self, hit: Hit) -> Answer:
        return Answer("", headers={"Location": hit.query["to"]}, status="302 Found")

    async def _reset(self, hit: Hit) -> Answer:
        raise ConnectionResetError

    async def _never(self, hit: Hit) -> Answer:
        await self._over.wait()
        raise ConnectionResetError


@dataclass(frozen=True)
class Stage:
    """One page to open, the realms that say when they are through, and the failures that then have happened."""

    path: str
    realms: tuple[str, ...]
    kinds: dict[str, str]
    new_context: bool = False


def merged(parts: Iterable[dict[str, str]]) -> dict[str, str]:
    return {name: kind for part in parts for name, kind in part.items()}


WORKER_REALMS = frozenset({"siteworker", "worker", "nested", "module", "blob", "shared", "service"})
FRAMES = ("frame", "site", "srcdoc", "inner")
WORKERS = ("worker", "nested", "module", "blob")
STAGES = (
    Stage("/page", ("page",), kit_kinds("page")),
    Stage(
        "/frames",
        (*FRAMES, "siteworker"),
        merged([*(kit_kinds(realm) for realm in FRAMES), kit_kinds("siteworker", worker=True)]),
    ),
    Stage("/workers", WORKERS, merged(kit_kinds(realm, worker=True) for realm in WORKERS)),
    Stage("/shared", ("shared",), kit_kinds("shared", worker=True)),
    Stage("/service", ("service",), kit_kinds("service", worker=True)),
    Stage("/worklets", ("audio", "paint"), merged(map(worklet_kinds, ("audio", "paint")))),
    Stage(
        "/popups",
        ("opened", "noopener", "othersite"),
        merged(map(kit_kinds, ("opened", "noopener", "othersite"))),
    ),
    Stage("/context", ("context",), kit_kinds("context"), new_context=True),
    Stage("/loads", ("loads",), LOADS_KINDS),
    Stage("/csp", ("csp",), CSP_KINDS),
    Stage("/404?f-top-404", (), {"f-top-404": "http_error"}),
    Stage("REFUSED/?f-top-refused", (), {"f-top-refused": "request_failed"}),
)
COUNTS = {
    ("crash", "page_crash"): 1,
    ("f-twice-404", "http_error"): 2,
    # A paint worklet is two scopes on the main thread and two on the compositor's.
    ("f-paint-error", "console_error"): 4,
    ("f-paint-warn", "console_warning"): 4,
    ("f-paint-throw", "uncaught_exception"): 2,
    ("f-paint-throw", "worker_error"): 2,
}


def planned() -> Counter[tuple[str, str]]:
    """Name and kind of every event that must be told, and how often."""
    once = [failure for stage in STAGES for failure in stage.kinds.items()]
    return Counter({failure: COUNTS.get(failure, 1) for failure in [*once, *COUNTS]})


def realm_of(name: str) -> str:
    return name.split("-")[1]
