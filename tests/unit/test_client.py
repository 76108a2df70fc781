"""The Python client against a server that drops connections, loses and repeats frames, forgets, refuses and is slow."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firstcause.api.client import link
from firstcause.api.client.address import address_of
from firstcause.api.client.session import WAITING_FRAMES
from firstcause.api.client.stream import Stream, connect
from firstcause.api.errors import (
    BadField,
    BadFilter,
    Forbidden,
    ServerUnreachable,
    StreamBroken,
    TooMany,
    Unauthorized,
)
from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.api.wire import (
    FORBIDDEN,
    RESTARTING,
    TOO_MANY,
    UNAUTHORIZED,
    AnyFrame,
    Batch,
    Close,
    Digest,
    Fetched,
    Gap,
    Live,
    Mute,
    Muted,
    Publish,
    Published,
    Subscribe,
    Subscribed,
)
from firstcause.observer.errors import BadUrl

from .stream_server import Dropped, StreamServer, streaming, whole

NEWS: dict[str, Any] = {"channel": "errors", "kind": "custom", "summary": "told by a client"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coming back takes no time, and nothing is taken from the machine's own server."""
    monkeypatch.setattr(link, "BACKOFF_S", (0.001, 0.01))
    for name in ("FIRSTCAUSE_URL", "FIRSTCAUSE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIRSTCAUSE_STATE_DIR", "/nowhere")


@pytest.fixture
async def server() -> AsyncGenerator[StreamServer]:
    async with streaming() as server:
        yield server


async def ids(stream: Stream, count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [(await anext(stream)).id for _ in range(count)]


async def ended(stream: Stream) -> list[str]:
    """What it gives until it ends or breaks."""
    async with asyncio.timeout(10):
        return [event.id async for event in stream]


async def all_of(stream: Stream, given: list[str]) -> None:
    while True:
        given += await ids(stream, 1)


def once(kind: type[AnyFrame], instead: Any) -> Any:
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


async def test_every_event_comes_once_and_the_cursor_goes_with_it(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        told = await server.tell(250)
        assert await ids(stream, 120) == told[:120]
        cursor = stream.cursor
    async with connect(server.url, cursor=cursor) as stream:
        assert await ids(stream, 130) == told[120:]


async def test_an_iteration_that_was_left_goes_on_where_it_was(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        told = await server.tell(5)
        async for event in stream:
            assert event.id == told[0]
            break
        assert await ids(stream, 4) == told[1:]


async def test_closing_ends_the_iteration(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        told = await server.tell(3)
        given = await ids(stream, 3)
        waiting = asyncio.create_task(ended(stream))
        await stream.close()
        assert await waiting == []
    assert given == told


@pytest.mark.parametrize("seed", range(5))
async def test_frames_lost_with_their_connection_are_told_again_and_none_twice(
    server: StreamServer, seed: int
) -> None:
    chance = random.Random(seed)

    def fault(frame: AnyFrame) -> Iterable[AnyFrame]:
        if chance.random() < 0.2:
            raise Dropped
        yield frame
        if chance.random() < 0.1:
            raise Dropped

    channels = ("errors", "activity")
    told: dict[str, list[str]] = defaultdict(list)
    given: dict[str, list[str]] = defaultdict(list)
    async with connect(server.url, channels=channels) as stream:
        server.fault = fault
        for _ in range(30):
            for _ in range(3):
                channel = chance.choice(channels)
                told[channel] += await server.tell(chance.randrange(1, 9), channel)
            async with asyncio.timeout(20):
                while sum(map(len, given.values())) < sum(map(len, told.values())):
                    event = await anext(stream)
                    given[event.channel].append(event.id)
    assert given == told
    assert len(server.requests) > 5


@pytest.mark.parametrize(
    "instead",
    [
        pytest.param(lambda frame: (frame, frame), id="repeated"),
        pytest.param(lambda _: (), id="lost"),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=frame.events[1:]),), id="an event lost"
        ),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=[frame.events[0]] * 2),),
            id="an event repeated",
        ),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=frame.events[::-1]),), id="disorder"
        ),
        pytest.param(lambda frame: (msgspec.structs.replace(frame, channel="runs"),), id="another channel"),
        pytest.param(
            lambda frame: (msgspec.structs.replace(frame, events=[msgspec.Raw(b"{}")] * 2),), id="no event"
        ),
    ],
)
async def test_a_stream_that_was_tampered_with_breaks(server: StreamServer, instead: Any) -> None:
    async with connect(server.url) as stream:
        told = await server.tell(2)
        assert await ids(stream, 2) == told
        server.fault = once(Batch, instead)
        await server.tell(2)
        await server.tell(2)
        given: list[str] = []
        with pytest.raises(StreamBroken) as broken:
            await all_of(stream, given)
        with pytest.raises(StreamBroken):
            await anext(stream)
        cursor = stream.cursor
    assert broken.value.code == "stream_broken"
    server.fault = whole
    async with connect(server.url, cursor=cursor) as stream:
        given += await ids(stream, 4 - len(given))
    assert given == [f"errors-{number}" for number in range(2, 6)]


async def test_a_server_that_goes_on_elsewhere_than_it_was_asked_to_breaks_the_stream(
    server: StreamServer,
) -> None:
    async with connect(server.url) as stream:
        await server.tell(3)
        await ids(stream, 3)
        server.fault = once(
            Subscribed,
            lambda frame: (msgspec.structs.replace(frame, positions=dict.fromkeys(frame.positions, 7)),),
        )
        server.drop()
        with pytest.raises(StreamBroken, match="errors 3"):
            await anext(stream)


async def test_a_slow_reader_leaves_the_rest_with_the_server(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        told = [one for _ in range(20) for one in await server.tell(90, context={"text": "x" * 700})]
        await server.until(lambda: len(stream._session._frames) == WAITING_FRAMES)
        given: list[str] = []
        for _ in told:
            assert len(stream._session._frames) <= WAITING_FRAMES
            given += await ids(stream, 1)
    assert given == told


async def test_what_a_digest_omits_is_fetched_page_by_page_and_in_order() -> None:
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(450)
        async with connect(server.url, cursor="start") as stream:
            assert await ids(stream, 300) == told[:300]
            cursor = stream.cursor
            assert await ids(stream, 150) == told[300:]
        assert [frame.omitted for frame in server.sent if isinstance(frame, Digest)] == [445]
        assert sum(isinstance(frame, Fetched) for frame in server.sent) == 3
        async with connect(server.url, cursor=cursor) as stream:
            assert await ids(stream, 150) == told[300:]


async def test_only_what_a_digest_brings_is_given_when_that_is_asked_for() -> None:
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(30)
        async with connect(server.url, cursor="start", complete=False) as stream:
            assert await ids(stream, 5) == told[25:]
            assert stream.cursor == server.sent[-1].cursor  # type: ignore[union-attr]


async def test_fetching_goes_on_after_a_drop() -> None:
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(450)
        server.fault = once(Fetched, dropped)
        async with connect(server.url, cursor="start") as stream:
            assert await ids(stream, 450) == told
        assert len(server.requests) == 2


async def test_what_is_gone_before_it_is_fetched_is_a_gap() -> None:
    gaps: list[Gap] = []
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        await server.tell(5, severity="high")
        await server.tell(45)

        def evict(frame: AnyFrame) -> Iterable[AnyFrame]:
            server.hub.projects["default"].rings["errors"].trim(10, 1 << 20)
            return (frame,)

        server.fault = once(Digest, evict)
        async with connect(server.url, cursor="start", on_gap=gaps.append) as stream:
            given = await ids(stream, 15)
            assert given == [f"errors-{number}" for number in (*range(5), *range(40, 50))]
            assert stream.lost == 35
    assert [(gap.channel, gap.prev, gap.upto, gap.lost) for gap in gaps] == [("errors", 0, 40, 35)]


async def test_what_a_forgetful_server_has_not_told_is_a_gap() -> None:
    gaps: list[Gap] = []
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        told = await server.tell(50)
        forgetting: list[asyncio.Task[None]] = []

        def forget(_: AnyFrame) -> Iterable[AnyFrame]:
            forgetting.append(asyncio.create_task(server.forget()))
            return ()

        server.fault = once(Fetched, forget)
        async with connect(server.url, cursor="start", on_gap=gaps.append) as stream:
            assert await ids(stream, 5) == told[45:]
            assert stream.lost == 45
            assert await server.tell(1) == await ids(stream, 1)
        await forgetting[0]
    assert [(gap.prev, gap.upto, gap.lost) for gap in gaps] == [(0, 50, 45)]


async def test_a_page_that_lacks_an_event_breaks_the_stream() -> None:
    def less(frame: Any) -> Iterable[AnyFrame]:
        return (msgspec.structs.replace(frame, events=frame.events[1:], count=frame.count - 1),)

    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        await server.tell(50)
        server.fault = once(Fetched, less)
        async with connect(server.url, cursor="start") as stream:
            with pytest.raises(StreamBroken, match="counted 50 events, and there are 49"):
                await ids(stream, 50)


async def test_a_changed_filter_is_no_break_of_a_digest() -> None:
    async with streaming(inline_events=5, throttle_ms=60_000) as server:
        await server.tell(30, severity="low")
        await server.tell(30, severity="medium")
        async with connect(server.url, cursor="start") as stream:
            await stream.update(min_severity="medium")
            assert await ids(stream, 30) == [f"errors-{number}" for number in range(30, 60)]


async def test_a_gap_is_counted_and_told() -> None:
    gaps: list[Gap] = []
    async with streaming(ring_events=10) as server:
        async with connect(server.url) as stream:
            await server.tell(3)
            await ids(stream, 3)
            cursor = stream.cursor
        told = await server.tell(30)
        async with connect(server.url, cursor=cursor, on_gap=gaps.append) as stream:
            assert await ids(stream, 10) == told[20:]
            assert stream.lost == 20
        assert [(gap.prev, gap.upto, gap.lost, gap.reason) for gap in gaps] == [(3, 23, 20, "evicted")]


async def test_frames_are_given_as_they_come() -> None:
    async with streaming(inline_events=5, throttle_ms=60_000, ring_events=30) as server:
        await server.tell(40)
        async with connect(server.url, cursor="start") as stream, asyncio.timeout(10):
            frames = stream.frames()
            given = [await anext(frames) for _ in range(3)]
            assert [type(frame) for frame in given] == [Subscribed, Digest, Live]
            assert stream.cursor == given[2].cursor


async def test_a_server_that_forgot_everything_is_followed_from_its_beginning(
    server: StreamServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(server.url) as stream:
        await server.tell(3)
        await ids(stream, 3)
        await server.forget()
        told = await server.tell(2)
        assert await ids(stream, 2) == told
        assert stream.cursor.startswith(server.hub.project("default").epoch)
    assert "another log" in caplog.text


async def test_muting_holds_back_and_unmuting_tells(server: StreamServer) -> None:
    async with connect(server.url, channels=["errors", "runs"]) as stream:
        assert await stream.mute("errors") == ["errors"]
        hidden = await server.tell(2)
        shown = await server.tell(1, "runs")
        assert await ids(stream, 1) == shown
        assert await stream.unmute() == []
        assert await ids(stream, 2) == hidden


async def test_what_was_changed_stays_so_after_a_drop(server: StreamServer) -> None:
    async with connect(server.url, channels=["errors", "runs"]) as stream:
        await stream.mute("runs")
        await stream.update(min_severity="high", include={"text": ["event"]})
        server.drop()
        await server.tell(2, "errors", severity="low")
        told = await server.tell(2, "errors", severity="high")
        assert await ids(stream, 2) == told
    again = [op for op in server.ops if isinstance(op, Subscribe)][1]
    assert (again.min_severity, again.include.text) == ("high", ["event"])
    assert [op.channels for op in server.ops if isinstance(op, Mute)] == [["runs"], ["runs"]]


async def test_an_answer_comes_through_though_nobody_reads(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        told = [one for _ in range(40) for one in await server.tell(1)]
        assert await stream.mute() == list(stream._session.spec.channels)
        assert await ids(stream, 40) == told


async def test_a_request_whose_answer_was_lost_is_made_again(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        server.fault = once(Muted, dropped)
        assert await stream.mute("errors") == ["errors"]
    assert len(server.requests) == 2


async def test_what_is_published_is_told_to_all(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        published = await stream.publish({**NEWS, "context": {"step": 3}})
        event = await anext(stream)
    assert (event.id, event.seq, event.context) == (published.event, published.seq, {"step": 3})


async def test_publishing_is_not_repeated_when_its_answer_was_lost(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        server.fault = once(Published, dropped)
        with pytest.raises(ServerUnreachable, match="before the answer"):
            await stream.publish(NEWS)
        assert (await anext(stream)).kind == "custom"
    assert sum(isinstance(op, Publish) for op in server.ops) == 1


async def test_a_refusal_carries_the_servers_words(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        with pytest.raises(BadFilter) as refused:
            await stream.update(include={"url": ["/(?=x)/"]})
        assert "RE2" in refused.value.message
        with pytest.raises(BadField) as misspelt:
            await stream.publish({**NEWS, "sumary": ""})
        assert misspelt.value.hint == "Did you mean 'summary'?"
        await server.tell(1)
        await ids(stream, 1)


async def test_a_filter_that_the_server_refuses_is_an_error_of_the_block(server: StreamServer) -> None:
    with pytest.raises(BadFilter):
        async with connect(server.url, include={"url": ["/(/"]}):
            pass
    assert len(server.requests) == 1


def test_a_misspelt_argument_is_told_before_anything_is_asked() -> None:
    with pytest.raises(BadField) as wrong:
        connect(include={"txt": ["a"]})
    assert wrong.value.hint == "Did you mean 'text'?"


@pytest.mark.parametrize(
    ("close", "error"), [(UNAUTHORIZED, Unauthorized), (FORBIDDEN, Forbidden), (TOO_MANY, TooMany)]
)
async def test_a_refused_client_is_told_why_and_does_not_insist(
    server: StreamServer, close: Close, error: type[Exception]
) -> None:
    server.refuse = close
    with pytest.raises(error) as refused:
        async with connect(server.url):
            pass
    assert str(refused.value) == "No. Say please."
    assert len(server.requests) == 1


async def test_a_token_that_was_withdrawn_ends_the_stream(server: StreamServer) -> None:
    async with connect(server.url) as stream:
        server.refuse = UNAUTHORIZED
        server.drop()
        with pytest.raises(Unauthorized):
            await anext(stream)
    assert len(server.requests) == 2


@pytest.mark.parametrize("close", [TOO_MANY, RESTARTING])
async def test_a_full_or_restarting_server_is_tried_again(server: StreamServer, close: Close) -> None:
    async with connect(server.url) as stream:
        server.refuse = close
        server.drop()
        await server.until(lambda: len(server.requests) > 3)
        server.refuse = None
        told = await server.tell(2)
        assert await ids(stream, 2) == told


async def test_no_server_at_first_is_an_error(server: StreamServer) -> None:
    await server.stop_listening()
    with pytest.raises(ServerUnreachable) as missed:
        async with connect(server.url):
            pass
    assert "firstcause serve" in missed.value.hint
    await server.listen()


async def test_no_server_later_is_waited_for_and_for_no_longer_than_was_said(server: StreamServer) -> None:
    async with connect(server.url) as patient, connect(server.url, give_up_s=0.0) as impatient:
        await server.stop_listening()
        with pytest.raises(ServerUnreachable):
            await anext(impatient)
        await server.listen()
        told = await server.tell(1)
        assert await ids(patient, 1) == told


async def test_a_stream_is_used_within_its_block(server: StreamServer) -> None:
    stream = connect(server.url)
    with pytest.raises(RuntimeError, match="within its block"):
        await anext(stream)
    async with stream:
        pass
    with pytest.raises(ServerUnreachable):
        await stream.mute()
    assert await ended(stream) == []


async def test_the_token_goes_in_a_header(server: StreamServer) -> None:
    async with connect(server.url, token="secret"):
        pass
    assert server.requests[0].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8787", "ws://127.0.0.1:8787/v1/stream"),
        ("https://dev.example/base/", "wss://dev.example/base/v1/stream"),
        ("ws://localhost:1/v1/stream", "ws://localhost:1/v1/stream"),
        ("wss://dev.example", "wss://dev.example/v1/stream"),
        ("dev.example:80", "ws://dev.example:80/v1/stream"),
        ("[::1]:80", "ws://[::1]:80/v1/stream"),
        ("8787", "ws://127.0.0.1:8787/v1/stream"),
    ],
)
def test_an_address_may_be_written_in_many_ways(given: str, url: str) -> None:
    assert address_of(given).url == url


@pytest.mark.parametrize("given", ["ftp://a", "http://", "http://a:b", "http://user:word@a", "http://[::1"])
def test_an_address_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(BadUrl):
        address_of(given)


def test_a_server_here_is_found_by_what_it_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTCAUSE_STATE_DIR", str(tmp_path))
    with pytest.raises(ServerUnreachable) as missed:
        address_of()
    assert "firstcause serve" in missed.value.hint
    (tmp_path / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:4000", "pid": 1}))
    (tmp_path / "token").write_text("of-this-machine\n")
    assert address_of() == ("ws://127.0.0.1:4000/v1/stream", "of-this-machine", True)
    monkeypatch.setenv("FIRSTCAUSE_TOKEN", "of-the-environment")
    monkeypatch.setenv("FIRSTCAUSE_URL", "http://127.0.0.1:5000")
    assert address_of() == ("ws://127.0.0.1:5000/v1/stream", "of-the-environment", True)
    assert address_of("6000", "given") == ("ws://127.0.0.1:6000/v1/stream", "given", True)


@pytest.mark.parametrize(
    ("host", "token"),
    [
        ("localhost", "mine"),
        ("127.1.2.3", "mine"),
        ("[::1]", "mine"),
        ("10.0.0.1", ""),
        ("localhost.evil", ""),
    ],
)
def test_the_token_of_this_machine_is_for_this_machine(
    host: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_STATE_DIR", str(tmp_path))
    (tmp_path / "token").write_text("mine")
    assert address_of(f"http://{host}:1").token == token


async def test_a_server_that_came_back_elsewhere_is_found(
    server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_STATE_DIR", str(tmp_path))
    (tmp_path / "server.json").write_text(json.dumps({"url": server.url}))
    async with connect() as stream:
        await server.stop_listening()
        (tmp_path / "server.json").unlink()
        server.port = 0
        await server.listen()
        (tmp_path / "server.json").write_text(json.dumps({"url": server.url}))
        told = await server.tell(1)
        assert await ids(stream, 1) == told


async def test_the_server_of_this_machine_needs_neither_address_nor_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_STATE_DIR", str(tmp_path))
    settings = Settings(state_dir=tmp_path)
    async with Server(settings) as server, connect(throttle_ms=0) as stream, asyncio.timeout(10):
        published = await stream.publish(NEWS)
        assert (await anext(stream)).id == published.event
        await server.__aexit__()
        async with Server(settings), connect(cursor=stream.cursor) as later:
            published = await stream.publish(NEWS)
            assert (await anext(stream)).id == published.event == (await anext(later)).id


async def test_a_token_that_the_server_does_not_know_is_refused(tmp_path: Path) -> None:
    async with Server(Settings(state_dir=tmp_path, journal="memory")) as server:
        with pytest.raises(Unauthorized):
            async with connect(server.url, token="wrong-wrong-wrong"):
                pass
