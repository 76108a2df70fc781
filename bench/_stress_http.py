"""Stress: HTTP as no client should speak it. Refused in our words or cut off, never a 500, and nothing of it disturbs others."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from _stress_client import Answer, Publishers, Reader, Talk, answer_of, ask, bearer, exchange, request
from _stress_server import Served, serving
from _stress_truth import Checks, Truth

CHANNEL = "runs"
BODY_KB = 64
SMUGGLED = "/smuggled-by-the-stress-test"
BODIES: dict[str, bytes] = {
    "empty": b"",
    "word": b"nope",
    "cut off": b'{"channel":',
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "NaN": b'{"throttle_ms":NaN}',
    "infinite": b'{"throttle_ms":1e999}',
    "huge number": b'{"throttle_ms":' + b"9" * 5000 + b"}",
    "text for a number": b'{"throttle_ms":"x"}',
    "true for a number": b'{"throttle_ms":true}',
    "deep list": b"[" * 20_000,
    "deep value": b'{"throttle_ms":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "deep object": b'{"a":' * 3000 + b"1" + b"}" * 3000,
    "invalid UTF-8": b'{"a":"\xff\xfe"}',
    "invalid UTF-8 in a name": b'{"\xff":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "lone surrogate": rb'{"a":"\ud800"}',
    "lone surrogate in a name": rb'{"\udfff":1}',
    "lone surrogate in a known field": rb'{"throttle_ms":"\ud800","action":"\ud800","scopes":["\ud800"],"channel":"\ud800"}',
    "null byte": b'{"a\x00":1}',
    "unknown field": b'{"no_such_setting":1}',
    "long name": b'{"' + b"x" * 10_000 + b'":1}',
    "many names": json.dumps({f"a{n}": n for n in range(3000)}).encode(),
    "unknown action": b'{"action":"explode"}',
    "attach to rubbish": rb'{"action":"attach","cdp":"http://[::1"}',
    "attach to a surrogate": rb'{"action":"attach","cdp":"\ud800"}',
    "attach to a file": b'{"action":"attach","cdp":"file:///etc/passwd"}',
    "attach to a port too high": b'{"action":"attach","cdp":"99999999"}',
    "detach a surrogate": rb'{"action":"detach","id":"\ud800"}',
    "project of a surrogate": rb'{"projects":["\ud800"]}',
    "too many scopes": b'{"scopes":["read","read","read","read"]}',
    "fixed setting": b'{"host":"0.0.0.0"}',
    "a token": b'{"token":"0123456789abcdef0123"}',
    "half good": b'{"throttle_ms":5,"ring_events":1}',
}
QUERIES = (
    "cursor=%ff",
    "cursor=%",
    "cursor=%00",
    "cursor=%ED%A0%80",
    f"cursor={'9' * 600}",
    "cursor=abc.r" + "9" * 300,
    "throttle_ms=-1",
    "throttle_ms=1e99",
    "throttle_ms=" + "9" * 5000,
    "throttle_ms=nan",
    "channels=nope",
    "channels=,",
    "channels=" + "runs," * 3000,
    "include=",
    "include=url",
    "include=host:x",
    "include=text:/(/",
    "include=text:/(?=a)/",
    "include=text:%ED%A0%80",
    "&".join(f"include=text:x{n}" for n in range(100)),
    "min_severity=worst",
    "project=../x",
    "project=%00",
    "project=" + "x" * 65,
)
FINE = ("include=text:%ED%A0%80", "channels=" + "runs," * 3000, "channels=,")
"""What is left of bytes that are no UTF-8 is a text like any other, and a channel may be named twice."""
ODD_PATHS = (
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "//etc/passwd",
    "/client.js/../../../../etc/passwd",
    "/client.js%00.html",
    "/client.js/..%5c..%5ctoken",
    "/v1/events/..%2f..%2ftoken",
    "/v1/events/%00",
    "/v1/events/%ff",
    "/v1/events/%ED%A0%80",
    "/v1/events/" + "x" * 65,
    "/v1/events/'%20OR%201=1--",
    "/v1/chains/%00",
    "/v1/chains/" + "x" * 65,
    "/v1/channels/nope/events",
    "/v1/channels/runs/events?after=-1",
    "/v1/channels/runs/events?after=99999999999999999999",
    "/v1/channels/runs/events?upto=x",
    "/v1/events?wait=nan&cursor=start",
    "/v1/events?wait=1e9",
    "/.git/config",
    "/token",
    "/state/token",
    "/journal.db",
    "/docs",
    "/%",
    "/%zz",
    "/?" + "a" * 20_000,
    "*",
    "x",
)


class Raw(NamedTuple):
    name: str
    data: bytes
    answers: int = 1
    """How many there may be at most: one more would be one to a smuggled request."""


def raws(port: int, token: str) -> Iterator[Raw]:
    """Bytes that are no good request; none of them may be done."""
    host = f"Host: 127.0.0.1:{port}\r\n"
    auth = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    post = f"POST /v1/events HTTP/1.1\r\n{host}{auth}"
    smuggled = f"GET {SMUGGLED} HTTP/1.1\r\n{host}\r\n"
    event = '{"channel":"runs","kind":"smuggled","summary":"smuggled"}'

    def raw(name: str, text: str, answers: int = 1) -> Raw:
        return Raw(name, text.encode("latin-1"), answers)

    both = f"Content-Length: {len(smuggled) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
    yield raw("length and chunks", post + both)
    yield raw(
        "chunks and length",
        f"{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{len(event):x}\r\n{event}\r\n0\r\n\r\n",
    )
    yield raw("two lengths", f"{post}Content-Length: 0\r\nContent-Length: {len(smuggled)}\r\n\r\n{smuggled}")
    yield raw("a list of lengths", f"{post}Content-Length: 0, {len(smuggled)}\r\n\r\n{smuggled}")
    for value in ("-1", "+5", "1e3", "0x10", "abc", "", "9" * 30, "²", "5 5", "18446744073709551616"):
        yield raw(f"length {value[:6]}", f"{post}Content-Length: {value}\r\n\r\n{event}")
    for value in (
        "xchunked",
        "chunked, identity",
        "identity",
        "chunked, chunked",
        "\x0bchunked",
        "gzip, chunked, x",
    ):
        yield raw(f"encoding {value}", f"{post}Transfer-Encoding: {value}\r\n\r\n0\r\n\r\n{smuggled}")
    yield raw(
        "encoding with a blank before the colon",
        f"{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}",
    )
    yield raw("encoding after a fold", f"{post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{smuggled}")
    for size in ("-1", "zz", "ffffffffffffffffff", "5\n", "0x5", ""):
        yield raw(
            f"chunk of {size!r}", f"{post}Transfer-Encoding: chunked\r\n\r\n{size}\r\n{event}\r\n0\r\n\r\n"
        )
    yield raw(
        "endless chunk extension", f"{post}Transfer-Encoding: chunked\r\n\r\n5;{'x' * 100_000}\r\nhello\r\n"
    )
    yield raw("lines end with LF", f"GET /healthz HTTP/1.1\n{host.strip()}\nX: y\n\n")
    yield raw("lines end with CR", f"GET /v1/stats HTTP/1.1\r{host.strip()}\r\r")
    yield raw("no colon", f"GET /v1/stats HTTP/1.1\r\n{host}nonsense\r\n\r\n")
    yield raw("no name", f"GET /v1/stats HTTP/1.1\r\n{host}: x\r\n\r\n")
    yield raw("blank in a name", f"GET /v1/stats HTTP/1.1\r\n{host}A b: x\r\n\r\n")
    yield raw("null in a value", f"GET /v1/stats HTTP/1.1\r\n{host}A: x\0y\r\n\r\n")
    yield raw("null in the path", f"GET /\0 HTTP/1.1\r\n{host}\r\n")
    yield raw("no host", "GET /healthz HTTP/1.1\r\nX: y\r\n\r\n")
    yield raw("two hosts", f"GET /healthz HTTP/1.1\r\n{host}Host: evil.example\r\n\r\n")
    yield raw("two hosts, ours last", f"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n{host}\r\n")
    yield raw(
        "another server's address", "GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    )
    yield raw("a tunnel", f"CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n")
    yield raw("HTTP/0.9", "GET /healthz\r\n\r\n")
    yield raw("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield raw("HTTP/9.9", f"GET /healthz HTTP/9.9\r\n{host}\r\n")
    yield raw("no HTTP", f"GET /healthz FTP/1.1\r\n{host}\r\n")
    yield raw("an unknown method", f"HACK /healthz HTTP/1.1\r\n{host}\r\n")
    yield raw("a method in small letters", f"get /healthz HTTP/1.1\r\n{host}\r\n")
    yield Raw("TLS", bytes.fromhex("16030100c8010000c40303") + bytes(200))
    yield Raw("rubbish", bytes(range(256)) * 4)
    yield Raw("zeros", bytes(5000))
    yield raw("long head", f"GET /healthz HTTP/1.1\r\n{host}X: {'x' * 200_000}\r\n\r\n")
    yield raw(
        "many headers",
        f"GET /healthz HTTP/1.1\r\n{host}" + "".join(f"X{n}: y\r\n" for n in range(10_000)) + "\r\n",
    )
    yield raw("long path", f"GET /{'x' * 200_000} HTTP/1.1\r\n{host}\r\n")
    yield raw("long method", "X" * 200_000)
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    version = "Sec-WebSocket-Version: 13\r\n"
    stream = f"GET /v1/stream HTTP/1.1\r\n{host}{upgrade}"
    yield raw("handshake without a key", f"{stream}{version}\r\n")
    yield raw("handshake with a short key", f"{stream}{version}Sec-WebSocket-Key: eA==\r\n\r\n")
    yield raw("handshake of version 8", f"{stream}{key}Sec-WebSocket-Version: 8\r\n\r\n")
    yield raw(
        "handshake by POST",
        f"POST /v1/stream HTTP/1.1\r\n{host}{upgrade}{key}{version}Content-Length: 0\r\n\r\n",
    )
    yield raw("handshake with a body", f"{stream}{key}{version}Content-Length: {BODY_KB * 2000}\r\n\r\n")
    yield raw("handshake elsewhere", f"GET /v1/nothing HTTP/1.1\r\n{host}{upgrade}{key}{version}\r\n")
    yield raw("handshake at a route of HTTP", f"GET /v1/stats HTTP/1.1\r\n{host}{upgrade}{key}{version}\r\n")
    yield raw("handshake of HTTP/1.0", f"GET /v1/stream HTTP/1.0\r\n{host}{upgrade}{key}{version}\r\n")
    yield raw("handshake with a long line", f"{stream}{key}{version}X: {'x' * 20_000}\r\n\r\n")
    yield raw(
        "handshake with many headers",
        stream + "".join(f"X{n}: y\r\n" for n in range(300)) + f"{key}{version}\r\n",
    )
    yield raw(
        "handshake of h2c",
        f"GET /v1/stats HTTP/1.1\r\n{host}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    )


async def requests(checks: Checks, quick: bool, seed: int) -> None:
    truth = Truth()
    async with serving(checks, max_body_kb=BODY_KB) as served:
        watcher = Reader(truth, served.token, channels=["activity"])
        await watcher.connect(served.port)
        await watcher.live.wait()
        async with Publishers(
            served.port, served.token, truth, 50, lines=2, channels=["activity"]
        ) as publishers:
            before = (await ask(served.port, "GET", "/v1/config", token=served.token)).body
            await _bodies(checks, served)
            await _addresses(checks, served)
            await _raws(checks, served)
            await _sizes(checks, served)
            await _pipelined(checks, served)
            after = (await ask(served.port, "GET", "/v1/config", token=served.token)).body
            checks.expect(before == after, "done_in_spite", (before, after))
            await publishers.stop()
            checks.none("refused", publishers.refused)
            checks.none("others_disturbed", publishers.unsure)
        last = truth.last("activity")
        await watcher.until("activity", last)
        watcher.account.check(checks, {"activity": last})
        watcher.drop()
        told = (await served.stats())["projects"]["default"]
        checks.expect(set(told) == {"activity"}, "done_in_spite", told)


async def _bodies(checks: Checks, served: Served) -> None:
    count = 0
    harmless = {("empty", "/v1/tickets"), ("null", "/v1/tickets"), ("empty", "/v1/config/optimize")}
    for method, path in (
        ("POST", "/v1/events"),
        ("PATCH", "/v1/config"),
        ("POST", "/v1/observe"),
        ("POST", "/v1/tickets"),
    ):
        for name, body in BODIES.items():
            if (name, path) in harmless:
                continue
            count += 1
            answer = await ask(served.port, method, path, token=served.token, body=body)
            _refused(checks, f"{path} {name}", answer)
    for kind in (
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "x" * 1000,
    ):
        answer = await ask(
            served.port,
            "PATCH",
            "/v1/config",
            token=served.token,
            body=b"--x\r\n",
            headers={"Content-Type": kind},
        )
        _refused(checks, f"content type {kind[:20]}", answer)
    checks.figures["bodies"] = count


async def _addresses(checks: Checks, served: Served) -> None:
    for route in ("/v1/events?wait=0&", "/v1/stream?", "/v1/channels/runs/events?"):
        for query in QUERIES:
            if ("cursor" in query and "channels" in route) or ("throttle" in query and "channels" in route):
                continue
            answer = await ask(served.port, "GET", f"{route}{query}", token=served.token, within_s=0.5)
            checks.expect(answer.status < 500, "failed", (query[:60], answer))
            if query in FINE and answer.status == 200:
                continue
            _refused(checks, f"{route}{query[:60]}", answer)
    for path in ODD_PATHS:
        for method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS"):
            answer = await ask(served.port, method, path, token=served.token, within_s=3)
            secret = (
                b"root:" in answer.body or served.token.encode() in answer.body or b"SQLite" in answer.body
            )
            checks.expect(not secret, "told_a_secret", (method, path, answer))
            known = path.startswith("/?") and answer.status in {200, 404}
            checks.expect(
                known or 400 <= answer.status < 500 or not answer.status,
                "not_refused",
                (method, path[:60], answer),
            )
    for method, path in (
        ("PUT", "/v1/events"),
        ("DELETE", "/v1/events/x"),
        ("TRACE", "/healthz"),
        ("POST", "/v1/stats"),
        ("PATCH", "/v1/stream"),
    ):
        _refused(checks, f"{method} {path}", await ask(served.port, method, path, token=served.token))
    checks.figures["addresses"] = len(QUERIES) * 3 + len(ODD_PATHS) * 5


def _refused(checks: Checks, name: str, answer: Answer) -> None:
    checks.expect(answer.status < 500, "failed", (name, answer))
    checks.expect(400 <= answer.status < 500, "not_refused", (name, answer))
    checks.expect(answer.code or not 400 <= answer.status < 500, "told_too_little", (name, answer))
    checks.expect(len(answer.body) < 4000, "told_too_much", (name, len(answer.body)))


async def _raws(checks: Checks, served: Served) -> None:
    everything = list(raws(served.port, served.token))
    got = await asyncio.gather(*[exchange(served.port, one.data, within_s=1.5) for one in everything])
    for one, answer in zip(everything, got, strict=True):
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3})", answer)]
        checks.expect(len(statuses) <= one.answers, "smuggled", (one.name, answer))
        checks.expect(all(status < 500 for status in statuses), "failed", (one.name, answer))
        checks.expect(SMUGGLED.encode() not in answer, "smuggled", (one.name, answer))
        lenient = one.name in LENIENT and statuses == [LENIENT[one.name]]
        checks.expect(
            lenient or not [status for status in statuses if status < 400], "not_refused", (one.name, answer)
        )
    checks.figures["raw"] = len(everything)


LENIENT = {"handshake of HTTP/1.0": 101}
"""Not as it should be, and no harm."""


async def _sizes(checks: Checks, served: Served) -> None:
    """Bodies beyond the limit, told beforehand or not, and a body that ends early."""
    port, headers = served.port, bearer(served.token)
    large = b'{"a":"' + b"x" * (BODY_KB << 10) + b'"}'
    for method, path in (
        ("POST", "/v1/events"),
        ("PATCH", "/v1/config"),
        ("POST", "/v1/observe"),
        ("POST", "/v1/tickets"),
    ):
        answer = await ask(port, method, path, token=served.token, body=large)
        checks.expect(
            (answer.status, answer.code) == (413, "too_large"), "not_refused", ("large", path, answer)
        )
        chunks = [
            b"%x\r\n%b\r\n" % (len(part), part)
            for part in (large[i : i + 8192] for i in range(0, len(large), 8192))
        ]
        head = request(
            port,
            method,
            path,
            b"",
            {**headers, "Transfer-Encoding": "chunked", "Content-Type": "application/json"},
        )
        answer = answer_of(await exchange(port, head, *chunks, b"0\r\n\r\n", within_s=5))
        good = (answer.status, answer.code) == (413, "too_large")
        checks.expect(good, "not_refused", ("large in chunks", path, answer))
    early = request(port, "POST", "/v1/events", b'{"channel":', {**headers, "Content-Length": "1000"})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(early)
    await writer.drain()
    writer.close()
    del reader
    for more in (
        {"Content-Length": str(1 << 40)},
        {"Content-Length": str(1 << 30), "Expect": "100-continue"},
    ):
        # The server may read on for a while, so that the answer is not lost in a reset.
        got = await exchange(
            port, request(port, "POST", "/v1/events", b"", {**headers, **more}), within_s=0.5
        )
        checks.expect(answer_of(got).status in {0, 100, 413}, "not_refused", (more, got))


async def _pipelined(checks: Checks, served: Served) -> None:
    """Many requests in one piece are answered each, in order."""
    many = 300
    one = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode()
    got = await exchange(served.port, one * many + request(served.port, "GET", "/v1/nothing"), within_s=10)
    checks.expect(got.count(b'{"ok":true}') == many, "pipelined", got.count(b'{"ok":true}'))
    checks.expect(got.count(b"HTTP/1.1 404") == 1, "pipelined", got[-300:])
    talk = await Talk.connect(served.port, served.token)
    checks.expect((await talk.ask({"op": "ping"})).op == "pong", "not_healthy")
    await talk.link.close()
