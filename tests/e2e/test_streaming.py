"""The stream with a real Chromium at both ends: pages that are observed, and pages that follow what is told."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from firstcause.api.server import Server

from ..unit.serving import client_of, serving, streaming, told
from .support import Chromium, Site, Tab, cdp_client
from .test_cli import FIRSTCAUSE, Running, running

FOLLOW = """
const seen = {sse: [], ws: [], refused: []};
const take = (into, text) => into.push(...(JSON.parse(text).events ?? []).map(event => event.id));
function followSse(address) {
    const source = new EventSource(address, {withCredentials: true});
    source.onmessage = message => take(seen.sse, message.data);
    source.onerror = () => source.readyState === EventSource.CLOSED && seen.refused.push(address);
    return new Promise(done => source.onopen = () => done('open'));
}
function followWs(address) {
    const socket = new WebSocket(address, ['firstcause']);
    socket.onmessage = message => take(seen.ws, message.data);
    socket.onclose = end => seen.refused.push(end.code);
    return new Promise(done => socket.onopen = () => {
        socket.send(JSON.stringify({op: 'subscribe'}));
        done('open');
    });
}
const until = condition => new Promise(done => {
    const look = () => condition() ? done(seen) : setTimeout(look, 5);
    look();
});
"""


class Place(NamedTuple):
    """Where a server of another process is."""

    url: str
    token: str


@asynccontextmanager
async def page_at(chromium: Chromium, site: Site) -> AsyncGenerator[Tab]:
    async with cdp_client(chromium.ws_url) as cdp:
        tab = await cdp.open()
        await tab.goto(site.page("/", FOLLOW))
        yield tab


def origin_of(site: Site) -> str:
    return site.url("")


async def ticket_of(server: Server) -> str:
    async with client_of(server) as client:
        return (await client.post("/v1/tickets")).json()["ticket"]


async def follow(tab: Tab, server: Server) -> None:
    """By both transports, each with a ticket of its own."""
    for how, url in (("Sse", server.url), ("Ws", server.url.replace("http", "ws", 1))):
        address = f"{url}/v1/stream?ticket={await ticket_of(server)}"
        assert await tab.run(f"follow{how}({json.dumps(address)})") == "open"


async def test_a_page_of_an_allowed_origin_follows_by_both_transports(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    allowed = (origin_of(site),)
    async with serving(tmp_path, allowed_origins=allowed) as server, page_at(chromium, site) as tab:
        before = await told(server)
        await follow(tab, server)
        async with client_of(server) as client:

            async def subscribed() -> bool:
                return (await client.get("/v1/stats")).json()["subscriptions"] == 2

            while not await subscribed():
                await asyncio.sleep(0.005)
        ids = await told(server, 3)
        seen = await tab.run(f"until(() => seen.sse.length >= {len(ids)} && seen.ws.length >= {len(ids)})")
        assert seen == {"sse": ids, "ws": ids, "refused": []}
        assert not set(before) & set(ids)


async def test_a_page_of_another_origin_gets_nothing(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    async with serving(tmp_path) as server, page_at(chromium, site) as tab:
        sse = f"{server.url}/v1/stream?ticket={await ticket_of(server)}"
        ws = f"{server.url.replace('http', 'ws', 1)}/v1/stream?ticket={await ticket_of(server)}"
        await tab.run(f"void followSse({json.dumps(sse)}); void followWs({json.dumps(ws)})")
        await told(server)
        seen = await tab.run("until(() => seen.refused.length >= 2)")
        assert (seen["sse"], seen["ws"]) == ([], [])
        assert not server.service.connected


async def test_an_event_source_resumes_by_itself_after_a_restart(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"journal": "sqlite", "allowed_origins": (origin_of(site),)}
    async with page_at(chromium, site) as tab:
        async with serving(tmp_path, **settings) as server:
            port = server.service.port
            address = f"{server.url}/v1/stream?ticket={await ticket_of(server)}"
            await tab.run(f"followSse({json.dumps(address)})")
            ids = await told(server, 3)
            await tab.run(f"until(() => seen.sse.length >= {len(ids)})")
        for _ in range(2):
            async with serving(tmp_path, port=port, **settings) as again:
                ids += await told(again, 30)
                ids += await told(again, 2, channel="performance")
                await tab.run(f"until(() => seen.sse.length >= {len(ids)})")
                ids += await told(again, 1)
                seen = await tab.run(f"until(() => seen.sse.length >= {len(ids)})")
        assert sorted(seen["sse"]) == ids
        assert seen["refused"] == []


@asynccontextmanager
async def serve(state_dir: Path, *arguments: object) -> AsyncGenerator[tuple[Running, Place]]:
    async with running("serve", "--json", "--state-dir", state_dir, *arguments) as started:
        said = await started.until(lambda: started.events)
        yield started, Place(said[0]["url"], (state_dir / "token").read_text().strip())


async def test_a_served_api_attaches_and_tells_what_a_page_does_wrong(
    chromium: Chromium, site: Site, tmp_path: Path
) -> None:
    page = site.page("/", "setTimeout(() => { throw new Error('of the page') })")
    async with serve(tmp_path) as (server, place), client_of(place) as client, streaming(place) as stream:
        await stream.subscribe(1, project="shop")
        body = {"action": "attach", "cdp": str(chromium.port), "project": "shop"}
        answer = await client.post("/v1/observe", json=body)
        assert answer.status_code == 200, answer.text
        (browser,) = answer.json()["browsers"]
        assert (browser["how"], browser["project"], browser["connected"]) == ("attached", "shop", True)
        async with cdp_client(chromium.ws_url) as cdp:
            tab = await cdp.open(page)
            batch = await stream.frame("batch", channel="errors")
            assert "of the page" in batch["events"][0]["summary"]
            pages = (await client.get("/v1/observe")).json()["browsers"][0]["pages"]
            assert page in pages.values()
            answer = await client.post("/v1/observe", json={"action": "detach", "id": browser["id"]})
            assert answer.json() == {"browsers": []}
            assert await tab.run("1 + 1") == 2
        assert await server.end(signal.SIGTERM) == 0
        assert server.err == ""
        assert await stream.closed() == (1012, "restarting")
    assert not (tmp_path / "server.json").exists()


async def test_a_served_api_launches_lists_and_lets_go(site: Site, tmp_path: Path) -> None:
    page = site.page("/", "console.error('launched')")
    async with serve(tmp_path) as (server, place), client_of(place) as client, streaming(place) as stream:
        client.timeout = 30
        await stream.subscribe(1)
        answer = await client.post("/v1/observe", json={"action": "launch", "url": page})
        (browser,) = answer.json()["browsers"]
        assert (browser["how"], browser["connected"]) == ("launched", True)
        batch = await stream.frame("batch", channel="errors")
        assert batch["events"][0]["summary"] == "launched"
        text = (await client.get("/metrics")).text
        assert f'firstcause_browser_connected{{browser="{browser["id"]}"}} 1.0' in text
        assert re.search(rf'firstcause_signals_total{{browser="{browser["id"]}"}} [1-9]', text)
        answer = await client.post("/v1/observe", json={"action": "detach", "id": browser["id"]})
        assert answer.json() == {"browsers": []}
        answer = await client.post("/v1/observe", json={"action": "detach", "id": browser["id"]})
        assert answer.status_code == 404
        # One that is left to the end ends with the server.
        await client.post("/v1/observe", json={"action": "launch", "url": page})
        assert await server.end(signal.SIGINT) == 0


async def place_of(watch: Running, state_dir: Path) -> Place:
    found = await watch.until(lambda: re.search(r"events at (http://\S+)\n", watch.err))
    return Place(found[1], (state_dir / "token").read_text().strip())


async def test_a_watch_prints_and_serves_the_same(site: Site, tmp_path: Path) -> None:
    page = site.page("/", "console.error('one'); fetch('/gone'); setTimeout(() => console.error('two'), 50)")
    async with running("watch", page, "--json", "--state-dir", tmp_path) as watch:
        place = await place_of(watch, tmp_path)
        await watch.told(summary="two")
        async with streaming(place) as stream, client_of(place) as client:
            await stream.subscribe(1, cursor="start")
            assert sorted(stream.ids()) == [event["id"] for event in watch.events]
            (browser,) = (await client.get("/v1/observe")).json()["browsers"]
            refused = await client.post("/v1/observe", json={"action": "detach", "id": browser["id"]})
            assert refused.status_code == 400
            event = {"channel": "runs", "kind": "step", "summary": "told by a test"}
            await stream.ask("publish", event=event)
            await watch.told(summary="told by a test")
        assert await watch.end(signal.SIGINT) == 0


async def test_a_watch_whose_output_nobody_reads_goes_on_serving(site: Site, tmp_path: Path) -> None:
    # In letters: numbers would make it one flood, of which only the first ten are told.
    tick = "'tick ' + [...String(n++)].map(digit => 'abcdefghij'[digit]).join('') + ' x'.repeat(75)"
    page = site.page("/", f"let n = 0; setInterval(() => console.error({tick}), 1)")
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *FIRSTCAUSE, "watch", page, "--json", "--state-dir", tmp_path, stdout=writing, stderr=subprocess.PIPE
    )  # fmt: skip
    os.close(writing)
    watch = Running(process, None, reads_out=False)
    try:
        place = await place_of(watch, tmp_path)
        async with streaming(place) as stream:
            await stream.subscribe(1, throttle_ms=0)
            size = 0
            while size < 300_000:  # a pipe holds 64 kB
                size += len(json.dumps((await stream.frame("batch"))["events"]))
            assert (await stream.ask("ping"))["op"] == "pong"
        assert await watch.end(signal.SIGINT) == 0
    finally:
        os.close(reading)
        await watch.close()


async def test_a_second_watch_keeps_in_memory_and_leaves_the_first_alone(site: Site, tmp_path: Path) -> None:
    page = site.page("/", "console.error('here')")
    arguments = ("watch", page, "--json", "--state-dir", tmp_path)
    async with running(*arguments) as first:
        one = await place_of(first, tmp_path)
        await first.told(summary="here")
        async with running(*arguments) as second:
            two = await place_of(second, tmp_path)
            assert "kept in memory only" in second.err
            await second.told(summary="here")
            assert one.url != two.url
            kinds = {}
            for place in (one, two):
                async with client_of(place) as client:
                    kinds[place.url] = (await client.get("/v1/stats")).json()["journal"]["kind"]
            assert kinds == {one.url: "sqlite", two.url: "memory"}
            assert await second.end(signal.SIGINT) == 0
        assert json.loads((tmp_path / "server.json").read_text())["url"] == one.url
        assert await first.end(signal.SIGINT) == 0
        assert "memory" not in first.err
