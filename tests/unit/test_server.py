"""A server from its start to its end, what it leaves for the next one, and readers in its own process."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.errors import BindRefused, JournalLocked, ServerStartFailed
from firstcause.api.recording import Recording
from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.api.transports.local import LineWriter, events_of, missing_in, subscribed
from firstcause.api.wire import CHANNELS, Subscribe
from firstcause.observer.errors import BrowserUnreachable
from firstcause.observer.options import CaptureOptions

from .serving import an_event, client_of, feeding, ids_of, serving, streaming, told, until

ALL = Subscribe(channels=list(CHANNELS), throttle_ms=0)


async def test_a_taken_port_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerStartFailed, match=f"127.0.0.1:{port} can't be listened on") as refused:
            async with serving(tmp_path, journal="sqlite", port=port):
                pass
    assert "--port" in refused.value.hint
    assert not (tmp_path / "server.json").exists()
    async with serving(tmp_path, journal="sqlite", port=port) as server:
        assert server.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "settings", [{"host": "0.0.0.0"}, {"host": "0.0.0.0", "token": "a-token-of-my-own", "auth": "off"}]
)
def test_beyond_this_machine_only_with_a_token(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(BindRefused):
        Server(Settings(state_dir=tmp_path, **settings))
    assert list(tmp_path.iterdir()) == []


async def test_one_server_writes_to_a_journal(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server:
        with pytest.raises(JournalLocked):
            async with serving(tmp_path, journal="sqlite"):
                pass
        assert json.loads((tmp_path / "server.json").read_text())["url"] == server.url
        async with client_of(server) as client:
            assert (await client.get("/healthz")).status_code == 200


async def test_the_address_is_in_the_state_folder_as_long_as_it_serves(tmp_path: Path) -> None:
    file = tmp_path / "state" / "server.json"
    async with serving(tmp_path / "state") as server:
        assert json.loads(file.read_text()) == {"url": server.url, "pid": os.getpid()}
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    assert not file.exists()


async def test_the_address_of_another_server_is_left_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as first:
        given = Settings(state_dir=tmp_path, journal="memory")
        async with Server(given, announced=False) as second:
            assert second.url != first.url
            assert json.loads((tmp_path / "server.json").read_text())["url"] == first.url
        assert json.loads((tmp_path / "server.json").read_text())["url"] == first.url
        async with serving(tmp_path) as third:
            assert json.loads((tmp_path / "server.json").read_text())["url"] == third.url
            (tmp_path / "server.json").write_text("{broken")
    assert (tmp_path / "server.json").read_text() == "{broken"


async def test_a_state_folder_that_can_not_be_written_ends_no_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with serving(tmp_path / "file", token="a-token-of-my-own") as server, client_of(server) as client:
        assert (await client.get("/v1/stats")).status_code == 200


async def test_it_serves_on_the_other_loopback_too(tmp_path: Path) -> None:
    async with serving(tmp_path, host="::1") as server, client_of(server) as client:
        assert server.url == f"http://[::1]:{server.service.port}"
        assert (await client.get("/v1/stats")).status_code == 200
        async with streaming(server) as stream:
            await stream.ask("ping")


async def test_a_restart_resumes_every_transport(tmp_path: Path) -> None:
    channels = ["errors", "runs"]
    async with serving(tmp_path, journal="sqlite") as server, client_of(server) as client:
        ids = await told(server, 3)
        ids += await told(server, 2, channel="runs", context={"huge": 10**40})
        async with streaming(server) as stream:
            await stream.subscribe(1, channels=channels, cursor="start")
            assert stream.ids() == ids
            cursor = stream.cursor
        token, epoch = server.token, cursor.partition(".")[0]
        late = [an_event(), an_event(channel="runs")]
        for one in late:
            server.publish(one)  # the end waits for what is not kept yet
    ids = [one.id for one in late]
    for _ in range(2):
        async with serving(tmp_path, journal="sqlite") as again, client_of(again) as client:
            assert again.token == token
            ids += await told(again)
            async with streaming(again) as stream:
                subscribed_to = await stream.subscribe(1, channels=channels, cursor=cursor)
                assert (subscribed_to["recovered"], subscribed_to["reason"]) == (True, "complete")
                assert not stream.cursor.startswith(epoch)
                assert sorted(stream.ids()) == ids
            async with feeding(client, {"Last-Event-ID": cursor}, channels=",".join(channels)) as feed:
                assert (await feed.until("subscribed")).json()["recovered"]
                seen: list[str] = []
                while len(seen) < len(ids):
                    seen += ids_of([(await feed.event()).json()])
                assert sorted(seen) == ids
            answer = await client.get("/v1/events", params={"cursor": cursor, "channels": ",".join(channels)})
            assert answer.json()["frames"][0]["recovered"]
            assert sorted(ids_of(answer.json()["frames"])) == ids


async def test_without_a_journal_a_restart_is_a_new_log(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, streaming(server) as stream:
        await stream.subscribe(1)
        await told(server, 3)
        await stream.ask("ping")
        cursor = stream.cursor
    async with serving(tmp_path) as again, streaming(again) as stream:
        subscribed_to = await stream.subscribe(1, cursor=cursor)
        assert (subscribed_to["recovered"], subscribed_to["reason"]) == (False, "epoch_changed")


async def test_an_end_with_everything_open_is_quick_and_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncExitStack() as open_:
        async with serving(tmp_path, journal="sqlite") as server:
            client = await open_.enter_async_context(client_of(server))
            stream = await open_.enter_async_context(streaming(server))
            await stream.subscribe(1)
            feed = await open_.enter_async_context(feeding(client))
            await feed.until("live")
            idle = await asyncio.open_connection("127.0.0.1", server.service.port)
            half = await asyncio.open_connection("127.0.0.1", server.service.port)
            half[1].write(b"POST /v1/events HTTP/1.1\r\nContent-Length: 10\r\n")
            loop = asyncio.get_running_loop()
            began_s = loop.time()
        assert loop.time() - began_s < 2.5
        for reader, writer in (idle, half):
            assert await reader.read() == b""
            writer.close()
    assert not caplog.records


async def test_browsers_that_are_not_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        browsers = server.service.browsers
        with pytest.raises(BrowserUnreachable):
            await browsers.attach("127.0.0.1:1", CaptureOptions(), "default")
        assert list(browsers) == []


async def test_a_reader_in_the_process_gets_every_frame(server: Server) -> None:
    frames: list[bytes] = []
    async with subscribed(server.service.hub, ALL, frames.extend):
        ids = await told(server, 3)
        ids += await told(server, 2, channel="output")
        server.publish(last := an_event())
    assert [json.loads(line)["id"] for line in events_of(frames)] == [*ids, last.id]
    assert [json.loads(frame)["op"] for frame in frames[:2]] == ["subscribed", "live"]
    assert not server.service.hub.projects["default"].readers


async def test_a_reader_may_be_a_coroutine_and_slow(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10) as server:
        go_on = asyncio.Event()
        frames: list[dict[str, Any]] = []

        async def take(some: Sequence[bytes]) -> None:
            frames.extend(json.loads(one) for one in some)
            await go_on.wait()

        async with subscribed(server.service.hub, ALL, take):
            await until(lambda: frames)
            ids = await told(server, 40)
            go_on.set()
        (gap,) = [frame for frame in frames if frame["op"] == "gap"]
        assert gap["lost"] == 30
        assert ids_of(frames) == ids[-10:]


async def test_a_reader_that_hangs_is_left_at_the_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firstcause.api.transports.local.LAST_S", 0.01)
    taking = asyncio.Event()

    async def take(_: Sequence[bytes]) -> None:
        taking.set()
        await asyncio.Event().wait()

    async with subscribed(server.service.hub, ALL, take):
        await taking.wait()
        await told(server, 3)
    assert not server.service.hub.projects["default"].readers


async def test_a_reader_that_fails_harms_nobody(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def take(some: Sequence[bytes]) -> None:
        calls.append(len(some))
        raise ValueError("of my own")

    frames: list[bytes] = []
    async with subscribed(server.service.hub, ALL, take), subscribed(server.service.hub, ALL, frames.extend):
        await until(lambda: calls)
        ids = await told(server, 3)
    assert len(calls) == 1
    assert [json.loads(line)["id"] for line in events_of(frames)] == ids
    assert "a reader of the stream failed" in caplog.text


def test_events_of_several_channels_are_in_the_order_in_which_they_were_made() -> None:
    frames = [
        b'{"op":"batch","events":[{"id":"02","seq":1},{"id":"04","seq":2}]}',
        b'{"op":"live","sub":0}',
        b'{"op":"batch","events":[{"id":"01","seq":1},{"id":"03","seq":2}]}',
    ]
    assert [json.loads(line)["id"] for line in events_of(frames)] == ["01", "02", "03", "04"]


class Pipe:
    """A pipe that a recording writes to, and that is read when the test says so."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, True)
        self.lines: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    @property
    def name(self) -> str:
        return f"/dev/fd/{self.writing}"

    def read(self) -> None:
        self._thread.start()

    def close(self) -> None:
        os.close(self.writing)
        if self._thread.ident is None:
            self.read()
        self._thread.join(10)

    def _read(self) -> None:
        with os.fdopen(self.reading, "rb") as pipe:
            self.lines += map(json.loads, pipe)


async def test_a_reader_knows_how_many_events_it_is_not_shown(tmp_path: Path) -> None:
    frames: list[bytes] = []
    async with serving(tmp_path, ring_events=10) as server:
        server.service.hub.digest_only = True
        async with subscribed(server.service.hub, ALL, frames.extend):
            ids = await told(server, 25)
    assert len(events_of(frames)) + missing_in(frames) == len(ids)
    assert {json.loads(frame)["op"] for frame in frames} == {"subscribed", "live", "gap", "digest"}


async def test_a_pipe_that_nobody_reads_stops_nobody_and_is_told_its_gap(tmp_path: Path) -> None:
    pipe = Pipe()
    ended: list[bool] = []
    async with serving(tmp_path, ring_events=50) as server, client_of(server) as client:
        with Recording(pipe.name) as recording:
            lines = LineWriter(recording, lambda: ended.append(True))
            async with subscribed(server.service.hub, ALL, lines.take):
                ids: list[str] = []
                # More than a pipe holds.
                for _ in range(30):
                    ids += await told(server, 20, context={"padding": "x" * 500})
                    assert (await client.get("/healthz")).status_code == 200
                pipe.read()
            lines.close()
    pipe.close()
    told_ids = [line["id"] for line in pipe.lines if "id" in line]
    gaps = [line for line in pipe.lines if "op" in line]
    assert told_ids == [one for one in ids if one in set(told_ids)]
    assert {gap["op"] for gap in gaps} == {"gap"}
    assert len(told_ids) + sum(gap["lost"] for gap in gaps) == len(ids)
    assert told_ids[-1] == ids[-1]
    assert not ended


async def test_what_memory_pressure_only_counts_is_a_line_too(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    async with serving(tmp_path) as server:
        with Recording(str(out)) as recording:
            lines = LineWriter(recording, lambda: None)
            async with subscribed(server.service.hub, ALL, lines.take):
                ids = await told(server, 2)
                await until(lambda: out.read_text().count("\n") == 2)
                server.service.hub.digest_only = True
                await told(server, 3)
            lines.close()
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line.get("id") for line in written[:2]] == ids
    assert (written[2]["op"], written[2]["omitted"]) == ("digest", 3)


async def test_a_reader_of_the_pipe_that_goes_away_ends_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    ended = asyncio.Event()
    async with serving(tmp_path) as server:
        with Recording(f"/dev/fd/{writing}") as recording:
            os.close(writing)
            os.close(reading)
            lines = LineWriter(recording, ended.set)
            async with subscribed(server.service.hub, ALL, lines.take):
                await told(server)
                await ended.wait()
            lines.close()
    assert isinstance(recording.failure, BrokenPipeError)
