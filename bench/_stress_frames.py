"""Stress: what no client should send, as a list; the server says what is wrong with it and goes on, or ends that one connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from _stress_client import CUT, Link, Publishers, Reader, Talk, ask, frame
from _stress_server import Served, serving
from _stress_truth import Checks, Truth

CHANNEL = "runs"
BIG = 10**30
DEEP = 5000
BAD_JSON, BAD_FIELD, UNKNOWN_OP, BAD_FILTER = "bad_json", "bad_field", "unknown_op", "bad_filter"
PROTOCOL, NOT_UTF8, TOO_LARGE = 1002, 1007, 1009
MUCH = 64 * 1024
FIELD_REFUSALS = (BAD_FIELD, BAD_FILTER, "bad_cursor")


class Refused(NamedTuple):
    """A message that is answered with an error of one of these codes."""

    name: str
    message: bytes
    codes: tuple[str, ...]
    opcode: int = 1


class Fatal(NamedTuple):
    """Bytes that end a connection with one of these close codes."""

    name: str
    data: bytes
    codes: tuple[int, ...]


def odd() -> Iterator[Refused]:
    """Events at the edge of what is taken: kept, or refused for one of these reasons."""
    codes = ("", *FIELD_REFUSALS, BAD_JSON, "too_large")
    event: dict[str, Any] = {"op": "publish", "event": {"channel": CHANNEL, "kind": "stress", "summary": "s"}}

    def odd(name: str, **fields: Any) -> Refused:
        return Refused(name, _json({**event, "event": {**event["event"], **fields}}), codes)

    for depth in (10, 16, 17, 100, 300, 450, 500, 900):
        deep: Any = 1
        for _ in range(depth):
            deep = {"a": [deep]} if depth < 400 else [deep]
        yield odd(f"depth {depth}", context={"a": deep})
    for time in (
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999-23:59",
        "0001-01-01",
        "2026-W01",
        "20260101",
        "2026-02-30",
        "2026-01-01T24:00:00",
        "2026-01-01T00:00:00+99:00",
        "١٢٣٤-٠١-٠١",
    ):
        yield odd(f"time {time}", timestamp=time)
    for value in (
        BIG,
        -BIG,
        2**63,
        2**64,
        1e308,
        -0.0,
        "\0",
        "\x1b[2J",
        "\u202e",
        "\u2028",
        "😀" * 300,
        "é" * 900,
    ):
        yield odd(f"context {str(value)[:9]!a}", context={"a": value, "url": value, "selector": value})
        yield odd(f"name {str(value)[:9]!a}", context={str(value): 1})
        yield odd(
            f"text {str(value)[:9]!a}", summary=str(value), page=str(value)[:60], session=str(value)[:60]
        )


def refused() -> Iterator[Refused]:
    yield from odd()
    yield from _not_json()
    yield from _wrong_fields()
    yield from _filters()


def _not_json() -> Iterator[Refused]:
    texts: dict[str, bytes] = {
        "empty": b"",
        "blank": b" \n\t ",
        "word": b"nope",
        "cut off": b'{"op":"ping"',
        "cut off in a string": b'{"op":"pi',
        "two objects": b'{"op":"ping"}{"op":"ping"}',
        "something behind": b'{"op":"ping"} x',
        "single quotes": b"{'op':'ping'}",
        "trailing comma": b'{"op":"ping",}',
        "comment": b'{"op":"ping"/**/}',
        "NaN": b'{"op":"ping","id":NaN}',
        "Infinity": b'{"op":"ping","id":-Infinity}',
        "leading zeros": b'{"op":"ping","id":007}',
        "hexadecimal": b'{"op":"ping","id":0x10}',
        "lone high surrogate": rb'{"op":"\ud800"}',
        "lone low surrogate": rb'{"op":"ping","id":"\udc00"}',
        "bad escape": rb'{"op":"\x70ing"}',
        "byte order mark": b'\xef\xbb\xbf{"op":"ping"}',
        "null byte": b'{"op":"ping"\x00}',
        "control character in a string": b'{"op":"pi\x01ng"}',
        "many brackets": b"[" * DEEP,
        "many braces": b'{"a":' * DEEP,
        "deep in an unknown field": b'{"op":"ping","id":' + b"[" * DEEP + b"]" * DEEP + b"}",
        "deep context": b'{"op":"publish","event":{"channel":"runs","kind":"a","summary":"a","context":{"a":'
        + b'{"a":' * DEEP
        + b"1"
        + b"}" * DEEP
        + b"}}}",
        "array": b"[]",
        "string": b'"ping"',
        "number": b"1",
        "null": b"null",
        "true": b"true",
    }
    for name, text in texts.items():
        yield Refused(name, text, (BAD_JSON, BAD_FIELD, UNKNOWN_OP, "too_large"))
    yield Refused("binary rubbish", bytes(range(256)), (BAD_JSON,), 2)
    yield Refused("binary empty", b"", (BAD_JSON,), 2)
    yield Refused("binary invalid UTF-8", b'{"op":"ping","id":"\xff\xfe"}', (BAD_JSON, BAD_FIELD), 2)


def _wrong_fields() -> Iterator[Refused]:
    """Every field of every message with values of every wrong type."""
    event = {"channel": CHANNEL, "kind": "stress", "summary": "s"}
    values: dict[str, Any] = {
        "null": None,
        "true": True,
        "text": "x",
        "empty text": "",
        "float": 1.5,
        "negative": -1,
        "huge": BIG,
        "2**53": 2**53,
        "list": [],
        "list of numbers": [1],
        "list of lists": [[]],
        "object": {"x": 1},
        "long text": "x" * 5000,
    }
    fields = {
        "subscribe": (
            "id",
            "project",
            "channels",
            "include",
            "exclude",
            "min_severity",
            "throttle_ms",
            "cursor",
        ),
        "unsubscribe": ("sub", "id"),
        "mute": ("sub", "id", "channels"),
        "unmute": ("sub", "id", "channels"),
        "update": ("sub", "id", "include", "exclude", "min_severity", "throttle_ms"),
        "fetch": ("sub", "id", "channel", "after", "upto"),
        "publish": ("id", "project", "event"),
        "ping": ("id",),
    }
    whole: dict[str, dict[str, Any]] = {
        "fetch": {"channel": CHANNEL, "after": 0, "upto": 1},
        "publish": {"event": event},
    }
    good = {("project", "text"), ("cursor", "empty text"), ("channels", "list")}
    for op, names in fields.items():
        for name in names:
            for kind, value in values.items():
                if (name, kind) in good and (op, name) != ("subscribe", "channels"):
                    continue
                message = {"op": op, **whole.get(op, {}), name: value}
                yield Refused(f"{op}.{name} {kind}", _json(message), FIELD_REFUSALS)
    for name in (
        "channel",
        "kind",
        "summary",
        "severity",
        "type",
        "context",
        "page",
        "session",
        "timestamp",
        "correlation_id",
        "cause",
    ):
        for kind, value in values.items():
            # Text is what most of them are, and each of the others says which it is.
            if (kind == "object" and name == "context") or (
                "text" in kind and name not in {"channel", "severity"}
            ):
                continue
            yield Refused(
                f"event.{name} {kind}",
                _json({"op": "publish", "event": {**event, name: value}}),
                FIELD_REFUSALS,
            )
    yield Refused(
        "event.summary too long",
        _json({"op": "publish", "event": {**event, "summary": "x" * 2001}}),
        (BAD_FIELD,),
    )
    yield Refused(
        "event too large",
        _json({"op": "publish", "event": {**event, "context": {"a": "x" * 5000}}}),
        ("too_large",),
    )
    yield Refused(
        "event with seq", _json({"op": "publish", "event": {**event, "seq": 1, "id": "x"}}), (BAD_FIELD,)
    )
    for kind, value in values.items():
        yield Refused(f"op {kind}", _json({"op": value}), (UNKNOWN_OP, BAD_FIELD))
    yield Refused("no op", b"{}", (UNKNOWN_OP,))
    yield Refused("op in capitals", _json({"op": "PING"}), (UNKNOWN_OP,))
    yield Refused("unknown field", _json({"op": "ping", "idd": 1}), (BAD_FIELD,))
    yield Refused("no such subscription", _json({"op": "mute", "sub": 99}), ("unknown_subscription",))
    yield Refused(
        "fetch of none",
        _json({"op": "fetch", "sub": 99, "channel": CHANNEL, "after": 0, "upto": 1}),
        ("unknown_subscription",),
    )
    yield Refused(
        "a second time",
        _json({"op": "subscribe", "id": 7, "channels": [CHANNEL]}),
        ("duplicate_subscription",),
    )
    for cursor in (
        "x",
        "..",
        "abc.zz9",
        "abc.r" + "9" * 400,
        "ABC.r1",
        "abc.r-1",
        "abc.r01",
        "start ",
        "é.r1",
    ):
        yield Refused(
            f"cursor {cursor[:9]}", _json({"op": "subscribe", "id": 8, "cursor": cursor}), FIELD_REFUSALS
        )


def _filters() -> Iterator[Refused]:
    patterns = {
        "look-ahead": "/(?=a)b/",
        "look-behind": "/(?<!a)b/",
        "back reference": r"/(a)\1/",
        "open group": "/(/",
        "open class": "/[/",
        "nothing to repeat": "/*/",
        "reversed range": "/[z-a]/",
        "too many repeats": "/a{1001}/",
        "repeats of repeats": "/((a{100}){100}){100}/",
        "large alternation": "/(" + "|".join(f"\\w{{{n}}}" for n in range(900, 960)) + "){9}/",
    }
    for name, pattern in patterns.items():
        yield Refused(f"pattern: {name}", _subscribe(text=[pattern]), (BAD_FILTER,))
    yield Refused("pattern: empty", _subscribe(text=[""]), (BAD_FIELD,))
    yield Refused("pattern: too long", _subscribe(text=["x" * 513]), (BAD_FIELD,))
    yield Refused("too many patterns", _subscribe(text=[f"x{n}" for n in range(65)]), (BAD_FILTER,))
    yield Refused(
        "very many patterns", _subscribe(url=[f"/x{n}+/" for n in range(2000)]), (BAD_FILTER, BAD_FIELD)
    )
    yield Refused("unknown filter field", _subscribe(host=["x"]), (BAD_FIELD,))
    yield Refused("pattern of a wrong type", _subscribe(url=[1]), (BAD_FIELD,))
    yield Refused("unknown severity", _subscribe(severity=["worst"]), (BAD_FIELD,))


def _subscribe(**include: Any) -> bytes:
    return _json({"op": "subscribe", "id": 9, "channels": [CHANNEL], "include": include})


def _json(message: Any) -> bytes:
    return json.dumps(message).encode()


def fatal() -> Iterator[Fatal]:
    ping = b'{"op":"ping","id":1}'
    wrong = (PROTOCOL, CUT)
    yield Fatal("no mask", frame(ping, mask=False), wrong)
    for bit in (1, 2, 4):
        yield Fatal(f"reserved bit {bit}", frame(ping, reserved=bit), wrong)
    for opcode in (3, 7, 11, 15):
        yield Fatal(f"opcode {opcode}", frame(ping, opcode), wrong)
    yield Fatal("long ping", frame(b"x" * 126, 9), wrong)
    yield Fatal("fragmented ping", frame(b"x", 9, final=False), wrong)
    yield Fatal("continuation of nothing", frame(ping, 0), wrong)
    yield Fatal("text within a fragmented text", frame(ping, final=False) + frame(ping), wrong)
    yield Fatal("invalid UTF-8", frame(b"\xff\xfe\xfd"), (NOT_UTF8, *wrong))
    yield Fatal("UTF-8 cut off", frame('{"op":"é'.encode()[:-1]), (NOT_UTF8, *wrong))
    yield Fatal("surrogate in UTF-8", frame(b"\xed\xa0\x80"), (NOT_UTF8, *wrong))
    yield Fatal("overlong UTF-8", frame(b"\xc0\xaf"), (NOT_UTF8, *wrong))
    yield Fatal("too large", frame(b" " * (MUCH + 1)), (TOO_LARGE, CUT))
    yield Fatal("too large and binary", frame(b"x" * (MUCH + 1), 2), (TOO_LARGE, CUT))
    yield Fatal(
        "too large in pieces", frame(b" " * MUCH, final=False) + frame(b" " * MUCH, 0), (TOO_LARGE, CUT)
    )
    yield Fatal(
        "very many pieces",
        frame(b" ", final=False) + frame(b" ", 0, final=False) * (MUCH + 1),
        (TOO_LARGE, CUT),
    )
    yield Fatal("a length of 2**62", b"\x81\xff" + (2**62).to_bytes(8, "big") + bytes(4), (TOO_LARGE, *wrong))
    yield Fatal("a length of 2**63", b"\x81\xff" + (2**63).to_bytes(8, "big") + bytes(4), (TOO_LARGE, *wrong))
    yield Fatal("close of one byte", frame(b"\x03", 8), wrong)
    yield Fatal("close with a reserved code", frame(b"\x03\xed", 8), wrong)
    yield Fatal("close with a code of none", frame(b"\x00\x01", 8), wrong)
    yield Fatal("close with invalid UTF-8", frame(b"\x03\xe8\xff\xfe", 8), (NOT_UTF8, *wrong))
    yield Fatal("HTTP again", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", wrong)
    yield Fatal("rubbish", bytes(range(256)), wrong)


def tolerated() -> Iterator[tuple[str, bytes]]:
    """Unusual and allowed: every one is followed by the answer to a ping."""
    yield "ping", frame(b"are you there", 9)
    yield "many pings", frame(b"x" * 125, 9) * 500
    yield "unasked pong", frame(b"x", 10) * 100
    yield (
        "in pieces",
        frame(b'{"op":', final=False) + frame(b'"ping",', 0, final=False) + frame(b'"id":2}', 0),
    )
    yield (
        "in pieces with a ping between",
        frame(b'{"op":', final=False) + frame(b"", 9) + frame(b'"ping"}', 0),
    )
    yield (
        "empty pieces",
        frame(b"", final=False) + frame(b"", 0, final=False) * 1000 + frame(b'{"op":"ping"}', 0),
    )
    yield "a character in two pieces", frame('{"op":"é'.encode()[:-1], final=False) + frame(b'\xa9"}', 0)
    yield "binary", frame(b'{"op":"ping","id":3}', 2)
    yield "blanks around", frame(b" " * 1000 + b'{"op":"ping"}' + b"\n" * 1000)
    yield "as large as may be", frame(b'{"op":"ping"}' + b" " * (MUCH - 13))
    yield "a field twice", frame(b'{"op":"ping","id":1,"id":2}')
    # What makes other engines hang; RE2 takes linear time.
    for pattern in ("/(a+)+$/", "/(a|aa)+$/", "/(.*a){20}/", "/^(([a-z])+.)+[A-Z]([a-z])+$/", "*" * 500):
        spec = {"op": "subscribe", "id": 20, "channels": [CHANNEL], "include": {"text": [pattern]}}
        yield f"slow pattern {pattern[:20]}", frame(_json(spec)) + frame(b'{"op":"unsubscribe","sub":20}')


async def malformed(checks: Checks, quick: bool, seed: int) -> None:
    """All of it, while others publish and read."""
    truth = Truth()
    async with serving(checks, max_body_kb=MUCH >> 10) as served:
        watcher = Reader(truth, served.token, channels=["activity"])
        await watcher.connect(served.port)
        await watcher.live.wait()
        async with Publishers(
            served.port, served.token, truth, 50, lines=2, channels=["activity"]
        ) as publishers:
            await _provoke(checks, served)
            await _break(checks, served)
            await _tolerate(checks, served)
            await publishers.stop()
            checks.none("refused", publishers.refused)
            checks.none("others_disturbed", publishers.unsure)
        last = truth.last("activity")
        await watcher.until("activity", last)
        watcher.account.check(checks, {"activity": last})
        truth.check(checks)
        checks.expect(not watcher.link or not watcher.link.ended.done(), "others_disturbed")
        watcher.drop()


async def _provoke(checks: Checks, served: Served) -> None:
    talk = await Talk.connect(served.port, served.token)
    talk.link.send({"op": "subscribe", "id": 7, "channels": ["selectors"]})
    for _ in ("subscribed", "live"):
        await talk.next()
    count = 0
    worst_s = 0.0
    loop = asyncio.get_running_loop()
    for one in refused():
        count += 1
        began_s = loop.time()
        talk.link.send_raw(frame(one.message, one.opcode))
        try:
            told = await talk.next(5)
        except TimeoutError:
            checks.expect(False, "not_answered", (one.name, one.message[:80]))
            told = None
        if told is not None:
            good = told.op == ("error" if told.code else "published") and told.code in one.codes
            checks.expect(good, "wrong_answer", (one.name, told))
            checks.expect(
                told.op != "error" or (told.message and told.hint), "told_too_little", (one.name, told)
            )
            size = len(told.message) + len(told.hint)
            checks.expect(size < 2000, "told_too_much", (one.name, size))
        pong = await talk.ask({"op": "ping"}, 5)
        checks.expect(pong.op == "pong", "connection_lost", one.name)
        worst_s = max(worst_s, loop.time() - began_s)
    await talk.link.close()
    checks.figures.update(refused=count, worst_answer_ms=round(worst_s * 1000))


async def _break(checks: Checks, served: Served) -> None:
    ended = await asyncio.gather(*[_ends(served, one) for one in fatal()])
    for one, code in zip(fatal(), ended, strict=True):
        checks.expect(code in one.codes, "wrong_close", (one.name, code))
    closed_1009 = sum(code == TOO_LARGE for code in ended)
    checks.expect(closed_1009 >= 4, "wrong_close", ended)
    healthy = await ask(served.port, "GET", "/healthz")
    checks.expect(healthy.status == 200, "not_healthy", healthy)
    checks.figures["fatal"] = len(ended)


async def _ends(served: Served, one: Fatal) -> int:
    link = await Link.connect(served.port, token=served.token)
    link.send_raw(one.data)
    try:
        return await link.end(5)
    except TimeoutError:
        link.drop()
        return 0


async def _tolerate(checks: Checks, served: Served) -> None:
    count = 0
    for name, data in tolerated():
        count += 1
        talk = await Talk.connect(served.port, served.token)
        talk.link.send_raw(data)
        try:
            pong = await talk.ask({"op": "ping"}, 5)
        except (TimeoutError, ConnectionError) as error:
            checks.expect(False, "not_tolerated", (name, error))
        else:
            checks.expect(pong.op == "pong", "not_tolerated", (name, pong))
        talk.link.drop()
    checks.figures["tolerated"] = count
