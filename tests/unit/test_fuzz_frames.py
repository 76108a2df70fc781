"""Twenty thousand frames that Chrome would never send, and some that it might: nothing escapes, all is counted, and life goes on."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import KEPT_REQUESTS
from firstcause.observer.domains.runtime import ConsoleCalled

from .wire import Wire, observing, recorded

SEED = 20_000
BROKEN_FRAMES = 18_000
GENERATED_EXAMPLES = 100
FRAMES_PER_EXAMPLE = 20
FRAMES = recorded()
BY_METHOD: dict[str, list[bytes]] = {}
for each in FRAMES:
    BY_METHOD.setdefault(json.loads(each).get("method", ""), []).append(each)
METHODS = sorted(BY_METHOD)
ATTACHING = BY_METHOD["Target.attachedToTarget"]

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 0.5, 1e308, -1e308, 2**63, 10**30, "", "x", "\x00", "😀", "S1", "x" * 5000,
    [], {}, [[]], [None], {"": ""}, {"callFrames": [None]}, [{}] * 50,
)  # fmt: skip
RAW_JUNK = (
    b"", b" ", b"{}", b"[]", b"null", b"7", b'"text"', b'{"method":"', b'{"method":"Network.requestWillBeSent', b'{"method":"}',
    b'{"method":""}', b'{"id":1}', b'{"id":0,"method":"Runtime.consoleAPICalled"}', b'{"id":99999999999999999999}', b"\xff\xfe",
    b'{"method":"Log.entryAdded","params":' + b"[" * 100_000, b"[" * 100_000, b'{"a":' * 50_000, b"\x00" * 100, b"x" * 100_000,
    b'{"method":"Log.entryAdded","params":{"entry":{"source":"\\ud800","level":"","text":"","timestamp":NaN}},"sessionId":"S1"}',
    b'{"method":"Log.entryAdded","params":{"entry":{"source":"","level":"","text":"\xff","timestamp":1}},"sessionId":"S1"}',
    b'{"method":"Log.entryAdded","params":{"entry":{"source":"","level":"","text":"","timestamp":1e999}},"sessionId":"S1"}',
)  # fmt: skip


class Watched:
    """A wire that checks after every frame that it was either taken or counted, once."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.trouble: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.trouble.append(context))
        self.pushed = self.taken = 0

    def push(self, frame: bytes) -> bool:
        """Whether the frame was taken."""
        skipped = self.wire.observer.skipped
        before = skipped.total()
        self.wire.raw(frame)
        newly_skipped = skipped.total() - before
        assert newly_skipped in {0, 1}, frame[:500]
        self.pushed += 1
        self.taken += not newly_skipped
        return not newly_skipped

    def check(self) -> None:
        skipped = self.wire.observer.skipped
        assert self.taken + skipped.total() == self.pushed
        # The wire answers every command at once, and its own events are frames too.
        assert self.wire.observer.frames == self.pushed + len(self.wire.sent) + self.wire.events
        assert [reason for reason in skipped if reason.startswith("failed")] == []
        assert self.trouble == []


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a frame with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def packed(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def retype(rng: random.Random, message: Any) -> bytes:
    container, key = rng.choice(list(places(message)))
    container[key] = rng.choice(JUNK)
    return packed(message)


def remove(rng: random.Random, message: Any) -> bytes:
    container, key = rng.choice(list(places(message)))
    del container[key]
    return packed(message)


def truncate(rng: random.Random, message: Any) -> bytes:
    frame = packed(message)
    return frame[: rng.randrange(len(frame))]


def flip(rng: random.Random, message: Any) -> bytes:
    frame = bytearray(packed(message))
    for _ in range(rng.randint(1, 4)):
        frame[rng.randrange(len(frame))] = rng.randrange(256)
    return bytes(frame)


def splice(rng: random.Random, message: Any) -> bytes:
    frame, other = packed(message), rng.choice(FRAMES)
    return frame[: rng.randrange(len(frame))] + other[rng.randrange(len(other)) :]


def other_parameters(rng: random.Random, message: Any) -> bytes:
    message["params"] = json.loads(rng.choice(FRAMES)).get("params", {})
    return packed(message)


def other_session(rng: random.Random, message: Any) -> bytes:
    message["sessionId"] = rng.choice(
        ["", "S1", "nobody", json.loads(rng.choice(FRAMES)).get("sessionId", "")]
    )
    return packed(message)


def other_order(rng: random.Random, message: Any) -> bytes:
    return packed(dict(rng.sample(list(message.items()), len(message))))


def unknown(rng: random.Random, message: Any) -> bytes:
    message["method"] = rng.choice(
        ["Network.somethingNew", "New.thing", "", "Network", "network.requestWillBeSent", "x" * 3000]
    )
    return packed(message)


def half_character(rng: random.Random, message: Any) -> bytes:
    message.setdefault("sessionId", "S1")
    strings = [(at, key) for at, key in places(message) if isinstance(at[key], str)]
    container, key = rng.choice(strings)
    container[key] += rng.choice("\ud800\udfff")
    return packed(message)


def payload(rng: random.Random, _: Any) -> bytes:
    """What the page script tells is JSON within JSON."""
    message = json.loads(rng.choice(BY_METHOD["Runtime.bindingCalled"]))
    told = json.loads(message["params"]["payload"])
    container, key = rng.choice(list(places(told)))
    container[key] = rng.choice(JUNK)
    message["params"]["payload"] = json.dumps(told)
    return packed(message)


def unharmed(_: random.Random, message: Any) -> bytes:
    return packed(message)


def raw_junk(rng: random.Random, _: Any) -> bytes:
    return rng.choice(RAW_JUNK)


MUTATIONS: tuple[Callable[[random.Random, Any], bytes], ...] = (
    retype, retype, retype, remove, remove, truncate, flip, splice, other_parameters, other_session, other_order,
    unknown, half_character, payload, unharmed, raw_junk,
)  # fmt: skip


async def still_works(watched: Watched) -> None:
    """A page that appears now is observed as if nothing had happened."""
    wire = watched.wire
    wire.attach("fresh", targetId="T-fresh")
    entry = {"source": "network", "level": "error", "text": "good", "timestamp": 1.0}
    wire.event("Log.entryAdded", {"entry": entry}, "fresh")
    args = [{"type": "string", "value": "good"}]
    wire.event("Runtime.consoleAPICalled", {"type": "log", "args": args, "timestamp": 1.0}, "fresh")
    assert [s.detail for s in wire.told("fresh")] == [
        LogEntry("network", "error", "good"),
        ConsoleCalled("log", "good"),
    ]


async def settle(watched: Watched) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    watched.check()


async def test_a_real_session_is_told_completely() -> None:
    async with observing() as wire:
        watched = Watched(wire)
        for frame in FRAMES:
            watched.push(frame)
        await settle(watched)
        methods = Counter(json.loads(frame).get("method", "") for frame in FRAMES)
        kinds = Counter(signal.kind for signal in wire.signals)
        assert set(wire.observer.skipped) == {"unwanted"}
        for method, kind in {
            "Runtime.exceptionThrown": "exception",
            "Runtime.exceptionRevoked": "exception_revoked",
            "Runtime.consoleAPICalled": "console",
            "Log.entryAdded": "log",
            "Network.requestWillBeSent": "request",
            "Network.responseReceived": "response",
            "Network.loadingFailed": "request_failed",
            "Network.webSocketCreated": "socket_opened",
            "Page.frameNavigated": "navigation",
            "Page.javascriptDialogOpening": "dialog_opened",
            "Target.attachedToTarget": "target_opened",
            "Target.detachedFromTarget": "target_closed",
        }.items():
            assert (method, kinds[kind]) == (method, methods[method])
        assert kinds.keys() >= {
            "long_frame",
            "action",
            "selector",
            "interaction",
            "layout_shift",
            "issue",
            "crash",
            "download",
        }


async def test_broken_frames_among_good_ones() -> None:
    rng = random.Random(SEED)
    async with observing() as wire:
        watched = Watched(wire)
        wire.attach()
        while watched.pushed < BROKEN_FRAMES:
            for frame in ATTACHING:  # who was detached meanwhile is there again
                watched.push(frame)
            for frame in [*stretch(rng), *rare(rng)]:
                harmed = rng.choice(MUTATIONS)(rng, json.loads(frame)) if rng.random() < 0.6 else frame
                for _ in range(2 if rng.random() < 0.1 else 1):
                    watched.push(harmed)
            await asyncio.sleep(0)
        await settle(watched)
        skipped = wire.observer.skipped
        assert skipped["malformed"] > 100
        assert skipped["unwanted"] > 100
        assert sum(number for reason, number in skipped.items() if reason.startswith("malformed ")) > 1000
        assert len(wire.told()) > 3000
        assert len({signal.kind for signal in wire.told()}) > 25
        await still_works(watched)


def stretch(rng: random.Random) -> list[bytes]:
    """Some of the session as it was, or shuffled."""
    start = rng.randrange(len(FRAMES))
    frames = FRAMES[start : start + 100]
    if rng.random() < 0.3:
        rng.shuffle(frames)
    return frames


def rare(rng: random.Random) -> list[bytes]:
    """Every method as often as any other."""
    return [rng.choice(BY_METHOD[rng.choice(METHODS)]) for _ in range(100)]


async def test_a_frame_that_was_cut_off_is_never_taken() -> None:
    async with observing() as wire:
        watched = Watched(wire)
        wire.attach()
        rng = random.Random(SEED)
        for frame in FRAMES:
            assert not watched.push(frame[: rng.randrange(len(frame))])
        assert wire.told() == []
        await settle(watched)
        await still_works(watched)


async def test_nothing_is_kept_of_targets_that_are_gone() -> None:
    rng = random.Random(SEED)
    async with observing() as wire:
        watched = Watched(wire)
        for frame in FRAMES:
            watched.push(rng.choice(MUTATIONS)(rng, json.loads(frame)) if rng.random() < 0.3 else frame)
        tree = wire.observer._tree
        for session in [session for session in tree.sessions if session]:
            wire.detach(session)
        await settle(watched)
        assert list(tree.sessions) == [""]
        assert set(tree._histories) <= {""}
        assert tree._setups == {}
        assert wire.connection._pending == {}
        by_request = {"_flights", "_sockets"}
        for domain in wire.observer._domains:
            for name, state in vars(domain).items():
                if isinstance(state, dict | set | list | WeakKeyDictionary):
                    assert (name, len(state)) == (name, 0) or (
                        name in by_request and len(state) <= KEPT_REQUESTS
                    )


@pytest.mark.parametrize(
    "answer", [None, 7, "text", [], {}, {"id": 7}, {"identifier": []}, {"metrics": [{"name": 7}]}]
)
async def test_answers_of_another_shape(answer: Any) -> None:
    async with observing() as wire:
        watched = Watched(wire)
        for method in (
            "Runtime.getIsolateId",
            "Page.addScriptToEvaluateOnNewDocument",
            "Performance.getMetrics",
        ):
            wire.answers[method] = answer
        wire.attach()
        await wire.until(lambda: wire.methods().count("Runtime.getIsolateId") > 1)
        await settle(watched)
        await still_works(watched)


async def test_no_frame_takes_the_root_session_away() -> None:
    async with observing() as wire:
        watched = Watched(wire)
        wire.attach()
        wire.attach("")
        wire.detach("")
        wire.attach()  # the same session again
        assert [signal.session for signal in wire.signals] == ["S1"]
        await still_works(watched)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
known_keys = sorted({key for frame in FRAMES[::7] for key in json.loads(frame).get("params", {})})
frames = st.one_of(
    st.binary(max_size=80),
    st.builds(packed, json_values),
    st.builds(
        lambda method, params, session: packed({"method": method, "params": params, "sessionId": session}),
        st.sampled_from(METHODS) | st.text(max_size=10),
        st.dictionaries(st.sampled_from(known_keys), json_values, max_size=4) | json_values,
        st.sampled_from(["", "S1", "nobody"]) | json_values,
    ),
    st.builds(lambda number, result: packed({"id": number, "result": result}), json_values, json_values),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@given(st.lists(frames, min_size=FRAMES_PER_EXAMPLE, max_size=FRAMES_PER_EXAMPLE))
@settings(
    max_examples=GENERATED_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_frames_of_any_shape(runner: asyncio.Runner, some: list[bytes]) -> None:
    async def push() -> None:
        async with observing() as wire:
            watched = Watched(wire)
            wire.attach()
            for frame in some:
                watched.push(frame)
            await settle(watched)
            await still_works(watched)

    runner.run(push())
