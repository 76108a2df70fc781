"""A real page puts secrets wherever it can, and nothing that anybody is told, and no file that is left, has one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from firstcause.api.observation import Observation
from firstcause.api.recording import Recording
from firstcause.api.server import Server
from firstcause.api.terminal import Terminal
from firstcause.correlator.event import Event

from ..unit.canaries import CANARIES, CORE, leaks
from ..unit.serving import client_of, feeding, serving, streaming
from .support import Answer, Bell, Chromium, Hit, Site, Tab, cdp_client

PAGE = """<!doctype html><title>token=CORE</title><link rel=icon href=data:,>
<meta http-equiv=Content-Security-Policy content="script-src 'self' 'unsafe-inline' blob:">
<body id="ghp_CORE">
<button aria-label="password: CORE" class="api_key_CORE" style="position:fixed;left:0;top:0;width:100px;height:50px">buy</button>
<input type=password name=password style="position:fixed;left:0;top:60px;width:100px;height:50px">
<iframe src="/frame?session_token=CORE"></iframe>
<script src="/app.js?token=CORE"></script>
<script src="ALT/blocked.js?api_key=CORE"></script>
<script>
const canaries = CANARIES;
const put = async () => {
    for (const canary of canaries) {
        console.error(canary);
        console.warn("said", {user: "ann", password: canary, deep: {password: canary}}, [canary], new Map([["token", canary]]));
        console.assert(false, JSON.stringify({body: JSON.stringify({canary, client_secret: "CORE"})}));
        console.error(new Error(`failed with ${canary}`));
        setTimeout(() => { throw new TypeError(canary); }, 0);
        Promise.reject(new Error(canary));
        Promise.reject({accessToken: "CORE", canary});
        Promise.reject(canary);
    }
    console.error("x".repeat(1975) + " ghp_CORECORE");
    console.error("%s: %o", "Authorization", "Bearer CORE");
    await fetch("/cart?access_token=CORE#id_token=CORE", {headers: {Authorization: "Bearer CORE"}});
    await fetch("/v1/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.CORE/me");
    await fetch("ALT/cors?next=%2Fcb%3Ftoken%3DCORE").catch(() => {});
    new WebSocket("ws://127.0.0.1:1/live?token=CORE");
    new Worker("/worker.js?token=CORE", {name: "secret=CORE"});
    history.pushState(null, "", "/next?code=CORE&state=1");
    new Image().src = "/picture?signature=CORE";
    const link = document.createElement("a");
    link.href = "/file?sig=CORE";
    link.download = "token=CORE.txt";
    link.click();
    alert("Your password: CORE");
    console.error("that was all");
};
</script>""".replace("CORE", CORE)

TOLD = {
    "uncaught_exception",
    "unhandled_rejection",
    "console_error",
    "console_warning",
    "console_assert",
    "http_error",
    "cors_blocked",
    "csp_violation",
    "websocket_failed",
    "worker_error",
    "resource_failed",
    "navigation",
    "navigation_within",
    "download",
    "dialog",
    "user_action",
}


async def fails(_: Hit) -> Answer:
    return Answer(CORE, "text/plain", {"Set-Cookie": f"sid={CORE}", "X-Request-Id": f"ghp_{CORE}"}, "500 No")


def furnish(site: Site) -> str:
    """The page and what it asks for; its address."""
    site.routes |= {
        "/": PAGE.replace("CANARIES", json.dumps([*CANARIES.values()])).replace("ALT", site.alt("")),
        "/frame": "<!doctype html><title>frame</title>",
        "/cart": fails,
        "/picture": fails,
        f"/v1/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{CORE}/me": fails,
        "/cors": Answer("", "text/plain", {"X-Request-Id": f"ghp_{CORE}"}),
        "/file": Answer("x", "application/octet-stream", {"Content-Disposition": "attachment"}),
    }
    site.script("/app.js", f"setTimeout(() => {{ throw new Error('password={CORE}') }}, 0)")
    site.script("/worker.js", f"throw new Error('password={CORE}')")
    return site.url(f"/?access_token={CORE}#id_token={CORE}")


async def use(tab: Tab) -> None:
    """What a person does there: a click, and a password that is typed."""
    for y in (20, 80):
        for kind in ("mousePressed", "mouseReleased"):
            await tab.call("Input.dispatchMouseEvent", type=kind, x=20, y=y, button="left", clickCount=1)
    await tab.call("Input.insertText", text=CORE)
    await tab.call(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13
    )


class Outputs:
    """Everything that takes events, at once."""

    def __init__(self, server: Server, recording: Recording, terminal: Terminal) -> None:
        self.events: list[Event] = []
        self.bell = Bell()
        self._server = server
        self._recording = recording
        self._terminal = terminal

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._server.publish(event)
        assert self._recording.write(event)
        assert self._terminal.write(event)
        self.bell.ring()

    async def all_told(self) -> None:
        def left() -> set[str]:
            return TOLD - {event.kind for event in self.events}

        await self.bell.until(lambda: not left(), what=lambda: f"never told: {left()}")
        await self.bell.until(lambda: any(event.summary == "that was all" for event in self.events))


async def said_by(server: Server) -> list[str]:
    """All that the server says, in every way that it has of saying something."""
    channels = ["errors", "network_errors", "performance", "anomalies", "activity"]
    async with client_of(server) as client, streaming(server) as stream:
        await stream.subscribe(1, channels=channels, cursor="start")
        paths = ("/v1/stats", "/metrics", "/v1/config", "/v1/observe", "/v1/events?cursor=start&wait=0")
        said = [json.dumps(stream.frames), *[(await client.get(path)).text for path in paths]]
        async with feeding(client, cursor="start", channels=",".join(channels)) as feed:
            said.append((await feed.until("batch")).data)
    return said


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()


async def test_no_secret_of_a_page_gets_out(
    site: Site, chromium: Chromium, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = furnish(site)
    shown = io.StringIO()
    state, out = tmp_path / "state", tmp_path / "events.ndjson"
    console: Any = Console(file=shown, width=300)
    with Recording(str(out)) as recording, Terminal(console, "a page", show_activity=True) as terminal:
        async with serving(state, journal="sqlite", inline_events=200) as server:
            outputs = Outputs(server, recording, terminal)
            async with Observation(chromium.ws_url, outputs), cdp_client(chromium.ws_url) as cdp:
                tab = await cdp.open()
                await tab.goto(page)
                await use(tab)
                await tab.start("put()")
                await cdp.event("Page.javascriptDialogOpening", tab.session)
                await tab.call("Page.handleJavaScriptDialog", accept=True)
                await outputs.all_told()
            await server.service.hub.kept()
            said = await said_by(server)
    captured = capfd.readouterr()
    lines = [event.line() for event in outputs.events]
    assert not [line for line in lines if leaks(line)]
    assert not [text[max(0, text.find(CORE) - 200) :][:400] for text in said if leaks(text)]
    assert not [name for name, content in files_in(tmp_path) if leaks(content)]
    assert not leaks(shown.getvalue() + captured.out + captured.err)
    assert sum("***" in line for line in lines) > 5 * len(CANARIES)
