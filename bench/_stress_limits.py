"""Stress: who takes more than their share, of connections, of time, of memory, and what is left when all have gone."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

from _stress_client import (
    Link,
    Publishers,
    Reader,
    Talk,
    answer_of,
    ask,
    bearer,
    exchange,
    frame,
    request,
    upgrade,
)
from _stress_server import Served, serving, settled
from _stress_truth import Checks, Truth

from firstcause.api.auth import Keyring

CHANNEL = "runs"
SPEC = {"channels": [CHANNEL]}
TOO_MANY, STALLED, UNAUTHORIZED = 4429, 4408, 4401
REQUEST_S = 10.0
"""How long the server lets a request take to arrive."""
TICKET_S = 30.0
MARGIN_S = 3.0
GREW_MB = 48


async def greed(checks: Checks, quick: bool, seed: int) -> None:
    """Too many connections, subscriptions and events of one token; answers that are asked for and not read."""
    await asyncio.gather(_counted(checks), _unread(checks, quick))


async def _counted(checks: Checks) -> None:
    most, rate = 10, 20
    async with serving(checks, max_connections=most, max_subscriptions=4, publish_per_s=rate) as served:
        await _rates(checks, served, rate)
        token = Keyring(served.token).issue(["read"], [], 3600)
        links = [await Link.connect(served.port, token=token) for _ in range(most)]
        talk = await Talk.connect(served.port, token)
        told, code = await talk.next(), await talk.link.end()
        checks.expect(
            (told.op, told.code, code) == ("error", "too_many", TOO_MANY), "too_many_let_in", (told, code)
        )
        checks.expect(told.message and told.hint, "told_too_little", told)
        for path in ("/v1/stream", "/v1/events"):
            answer = await ask(served.port, "GET", path, token=token)
            checks.expect(
                (answer.status, answer.code) == (429, "too_many"), "too_many_let_in", (path, answer)
            )
        other = await Talk.connect(served.port, served.token)
        checks.expect((await other.ask({"op": "ping"})).op == "pong", "others_disturbed")
        for number in range(5):
            answer = await _answer_to_subscribe(other, number)
            checks.expect(
                answer == ("error" if number == 4 else "subscribed"), "too_many_let_in", (number, answer)
            )
        other.link.drop()
        links.pop().drop()
        links.pop().send_raw(frame(b"\xff"))  # one that breaks the protocol gives its place back as well
        await asyncio.sleep(0.3)
        for _ in range(2):
            talk = await Talk.connect(served.port, token)
            checks.expect((await talk.ask({"op": "ping"})).op == "pong", "place_not_given_back")
            links.append(talk.link)
        for link in links:
            link.drop()


async def _answer_to_subscribe(talk: Talk, number: int) -> str:
    talk.link.send({"op": "subscribe", "id": 100 + number, **SPEC})
    while (told := await talk.next()).op not in {"subscribed", "error"}:
        pass
    return told.op


async def _rates(checks: Checks, served: Served, rate: int) -> None:
    token = Keyring(served.token).issue(["read", "publish"], [], 3600)
    truth = Truth()
    talk = await Talk.connect(served.port, token, truth)
    began_s = asyncio.get_running_loop().time()
    answers = [await talk.publish(CHANNEL, f"p {number}") for number in range(3 * rate)]
    took_s = asyncio.get_running_loop().time() - began_s
    taken = sum(answer.op == "published" for answer in answers)
    checks.expect({answer.code for answer in answers} == {"", "too_many"}, "too_much_taken", taken)
    checks.expect(taken <= rate * (1 + took_s) + 1, "too_much_taken", (taken, took_s))
    event = {"channel": CHANNEL, "kind": "stress", "summary": "p 999"}
    answer = await ask(served.port, "POST", "/v1/events", token=token, body=event)
    checks.expect(answer.status in {201, 429}, "too_much_taken", answer)
    answer = await ask(served.port, "POST", "/v1/events", token=served.token, body=event)
    checks.expect(answer.status == 201, "others_disturbed", answer)
    talk.link.drop()


async def _unread(checks: Checks, quick: bool) -> None:
    """Many large answers, asked for by clients that read none, and a stream of events that nobody reads."""
    async with serving(checks, stall_s=1, max_body_kb=64) as served:
        truth = Truth()
        async with Publishers(served.port, served.token, truth, 2000, lines=16, pad=1500) as publishers:
            await asyncio.sleep(1)
            await publishers.stop()
        before_mb = served.rss_mb
        reader = Reader(truth, served.token, **SPEC)
        await reader.connect(served.port)
        greedy = [await _greedy(served, quick) for _ in range(4)]
        sse = await _deaf(served, "/v1/stream?channels=runs&cursor=start&throttle_ms=0")
        loop = asyncio.get_running_loop()
        began_s, worst_mb = loop.time(), 0.0
        async with Publishers(served.port, served.token, truth, 400, lines=4, pad=1500) as publishers:
            while loop.time() < began_s + 2.5:
                await asyncio.sleep(0.05)
                worst_mb = max(worst_mb, served.rss_mb - before_mb)
            await publishers.stop()
        checks.expect(worst_mb < GREW_MB, "memory_grew", worst_mb)
        checks.figures["rss_grew_mb"] = round(worst_mb, 1)
        await reader.until(CHANNEL, truth.last(CHANNEL))
        reader.account.check(checks, {CHANNEL: truth.last(CHANNEL)})
        stats = await served.stats()
        checks.none("stalled_and_kept", max(0, stats["subscribers"]["websocket"] - 1))
        for link in greedy:
            link.transport.resume_reading()
        codes = [await link.end() for link in greedy]
        checks.expect(set(codes) <= {STALLED, 1006}, "wrong_close", codes)
        sse.close()
        reader.drop()


async def _greedy(served: Served, quick: bool) -> Link:
    link = await Link.connect(served.port, token=served.token, receive_buffer=4096)
    link.send({"op": "subscribe", "id": 1, **SPEC})
    link.transport.pause_reading()
    for number in range(2000 if quick else 20_000):
        link.send({"op": "fetch", "sub": 1, "id": number, "channel": CHANNEL, "after": 0, "upto": 300})
    return link


async def _deaf(served: Served, path: str) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", served.port)
    transport.write(request(served.port, "GET", path, b"", bearer(served.token)))
    transport.pause_reading()
    return transport


async def patience(checks: Checks, quick: bool, seed: int) -> None:
    """Requests that arrive byte by byte or not at all are cut off, and nobody else waits; tickets and tokens that are too old."""
    slow = 30 if quick else 200
    async with serving(checks) as served:
        port = served.port
        ticket = (await ask(port, "POST", "/v1/tickets", token=served.token)).json["ticket"]
        brief = Keyring(served.token).issue(["read"], [], 2)
        loop = asyncio.get_running_loop()
        issued_s = loop.time()
        checks.expect((await ask(port, "GET", "/v1/stats", token=brief)).status == 200, "not_let_in")
        cookie = await _cookie(served, brief)
        headers = bearer(served.token)
        body = request(port, "POST", "/v1/events", b"", {**headers, "Content-Length": "1000"})
        chunks = request(port, "POST", "/v1/tickets", b"", {**headers, "Transfer-Encoding": "chunked"})
        kinds = {
            "nothing": (b"", b""),
            "head": (b"GET /v1/stats HTTP/1.1\r\n", b"X: y\r\n"),
            "half a head": (b"GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n", b""),
            "handshake": (upgrade(port, "/v1/stream", headers)[:-2], b"X"),
            "body": (body, b"{"),
            "body that ends": (body + b'{"channel":', b""),
            "chunks": (chunks, b"1\r\n{\r\n"),
            "a second request": (
                request(port, "GET", "/healthz", b"", {"Connection": "keep-alive"}) + b"GET /",
                b"x",
            ),
        }
        watching = asyncio.create_task(_watch(served))
        lasted = {
            name: asyncio.gather(*[_drip(port, first, rest) for _ in range(slow)])
            for name, (first, rest) in kinds.items()
        }
        for name, lasting in lasted.items():
            worst_s = max(await lasting)
            checks.expect(worst_s <= REQUEST_S + MARGIN_S, "waited_for", (name, worst_s))
            checks.figures[f"{name.replace(' ', '_')}_s"] = round(worst_s, 1)
        checks.expect((await ask(port, "GET", "/v1/stats", token=brief)).status == 401, "let_in_too_late")
        answer = await ask(port, "GET", "/v1/stats", headers={"Cookie": cookie})
        checks.expect(answer.status == 401, "let_in_too_late", ("the cookie of a ticket of a token", answer))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        checks.figures["connections"] = slow * len(kinds)
        checks.figures["worst_answer_ms"] = worst_ms = round(1000 * max(_watched))
        checks.expect(worst_ms < 2000, "others_waited", worst_ms)
        await asyncio.sleep(max(0.0, issued_s + TICKET_S + 0.5 - loop.time()))
        talk = await Talk.connect(port, path=f"/v1/stream?ticket={ticket}")
        checks.expect(await talk.link.end() == UNAUTHORIZED, "let_in_too_late")


async def _cookie(served: Served, token: str) -> str:
    """What a ticket leaves with a browser."""
    ticket = (await ask(served.port, "POST", "/v1/tickets", token=token)).json["ticket"]
    answer = await ask(served.port, "GET", f"/v1/stats?ticket={ticket}")
    _, _, cookie = answer.head.partition("set-cookie: ")
    return cookie.partition(";")[0] or "none"


_watched: list[float] = [0.0]


async def _watch(served: Served) -> None:
    """How long others wait for an answer meanwhile."""
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        answer = await ask(served.port, "GET", "/healthz")
        _watched.append(loop.time() - began_s if answer.status == 200 else 60.0)
        await asyncio.sleep(0.1)


async def _drip(port: int, first: bytes, rest: bytes) -> float:
    """How long the server bears it."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began_s = loop.time()
    with suppress(ConnectionError):
        writer.write(first)
        while loop.time() < began_s + REQUEST_S + 2 * MARGIN_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    if not await reader.read(1 << 16):
                        break
            writer.write(rest)
    writer.close()
    return loop.time() - began_s


async def leaks(checks: Checks, quick: bool, seed: int) -> None:
    """Clients of every kind that end in every way, many times; then nothing of them may be left."""
    rounds, at_once, warm_up = (4, 25, 2) if quick else (40, 50, 4)
    chance = random.Random(seed)
    async with serving(checks) as served:
        truth = Truth()
        async with Publishers(served.port, served.token, truth, 50, lines=2) as publishers:
            for _ in range(warm_up):
                await asyncio.gather(*[_visit(served, chance.random(), number) for number in range(at_once)])
            before_mb, descriptors, threads = served.rss_mb, 0, served.threads
            for index in range(rounds):
                await asyncio.gather(*[_visit(served, chance.random(), number) for number in range(at_once)])
                descriptors = max(descriptors, served.descriptors)
                del index
            await publishers.stop()
        subscribers, _ = await settled(served, None)
        checks.none("subscribers_left", subscribers)
        await ask(served.port, "POST", "/v1/config/optimize", token=served.token)
        grew_mb = served.rss_mb - before_mb
        # Events that are kept are no leak: 2 kB each are plenty.
        checks.expect(grew_mb < 16 + len(truth.acked) / 500, "memory_left", grew_mb)
        checks.figures.update(visits=(rounds + warm_up) * at_once, rss_grew_mb=round(grew_mb, 1))
        checks.figures.update(most_descriptors=descriptors, threads=[threads, served.threads])


async def _visit(served: Served, chance: float, number: int) -> None:
    """One client, as most are or as they should not be; some ways take some time."""
    port, token = served.port, served.token
    pause_s = chance / 5
    match number % 12:
        case 0 | 1 | 2:
            reader = Reader(Truth(), token, **SPEC, cursor="start")
            await reader.connect(port)
            await asyncio.sleep(pause_s)
            assert reader.link
            await (reader.link.close() if number % 2 else _dropped(reader.link))
        case 3:
            talk = await Talk.connect(port, token)
            talk.link.transport.pause_reading()
            for sub in range(20):
                talk.link.send({"op": "subscribe", "id": sub, **SPEC, "cursor": "start"})
            await asyncio.sleep(pause_s)
            talk.link.drop()
        case 4:
            transport = await _deaf(served, "/v1/stream?channels=runs&cursor=start")
            await asyncio.sleep(pause_s)
            transport.abort()
        case 5:
            await exchange(
                port, request(port, "GET", "/v1/stream?channels=runs", b"", bearer(token)), within_s=pause_s
            )
        case 6:
            cursor = (await ask(port, "GET", "/v1/events?channels=output", token=token)).json["cursor"]
            path = f"/v1/events?channels=output&wait=30&cursor={cursor}"
            await exchange(port, request(port, "GET", path, b"", bearer(token)), within_s=pause_s)
        case 7:
            await exchange(port, upgrade(port, "/v1/stream", bearer(token))[:-2], within_s=pause_s)
        case 8:
            talk = await Talk.connect(port)
            await talk.link.end()
        case 9:
            body = request(port, "POST", "/v1/events", b"{", {**bearer(token), "Content-Length": "100"})
            await exchange(port, body, within_s=pause_s)
        case 10:
            link = await Link.connect(port, token=token)
            link.send_raw(frame(b"{", final=False))
            await asyncio.sleep(pause_s)
            link.send_raw(bytes(range(256)))
            await link.end()
        case _:
            answer = answer_of(await exchange(port, request(port, "GET", "/v1/stats", b"", bearer(token))))
            assert answer.status == 200, answer


async def _dropped(link: Link) -> Any:
    link.drop()
    return await link.end()
