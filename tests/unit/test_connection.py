"""The socket to the browser against a real WebSocket server: answers, silence, losses and frames of every shape."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from firstcause.observer.cdp.connection import Connection, Intake, Reply, Wanted
from firstcause.observer.domain import Params
from firstcause.observer.errors import CommandFailed, CommandTimeout, ConnectionLost, FirstcauseError

Handler = Callable[[ServerConnection], Awaitable[None]]
WAIT_S = 10.0


class Note(Params):
    text: str


class Notes:
    """Listens to `Test.note`; a note "raise" makes its handler fail."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.arrived = asyncio.Event()
        self.intake = Intake([Wanted("Test.note", Note, self.take)])

    def take(self, session: str, note: Note) -> None:
        if note.text == "raise":
            raise ZeroDivisionError
        self.texts.append(f"{session}{note.text}")
        self.arrived.set()

    async def wait(self, count: int = 1) -> list[str]:
        async with asyncio.timeout(WAIT_S):
            while len(self.texts) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.texts


def url_of(server: Server) -> str:
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/devtools/browser/x"


@asynccontextmanager
async def connected(handler: Handler) -> AsyncIterator[tuple[Connection, Notes]]:
    notes = Notes()
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        connection = await Connection.open(url_of(server), notes.intake)
        yield connection, notes
        await connection.close()


async def answering(socket: ServerConnection) -> None:
    """A tiny browser: every command says what is to happen."""
    async for message in socket:
        command = json.loads(message)
        match command["method"]:
            case "Test.echo":
                await socket.send(json.dumps({"id": command["id"], "result": command}))
            case "Test.fail":
                await socket.send(
                    json.dumps({"id": command["id"], "error": {"code": -32000, "message": "No such thing"}})
                )
            case "Test.notes":
                for text in command["params"]["texts"]:
                    await socket.send(note(text))
            case "Test.silence":
                pass


def note(text: str) -> str:
    return json.dumps({"method": "Test.note", "params": {"text": text}}, separators=(",", ":"))


async def lost(connection: Connection) -> None:
    async with asyncio.timeout(WAIT_S):
        await asyncio.shield(connection.closed)


async def test_a_command_is_answered() -> None:
    async with connected(answering) as (connection, _):
        assert await connection.call("Test.echo", {"a": [1]}, "S1") == {
            "id": 1,
            "method": "Test.echo",
            "params": {"a": [1]},
            "sessionId": "S1",
        }
        assert await connection.call("Test.echo") == {"id": 2, "method": "Test.echo"}


async def test_many_commands_at_once_get_their_own_answers() -> None:
    async with connected(answering) as (connection, _):
        answers = [connection.call("Test.echo", {"n": n}) for n in range(200)]
        assert [answer["params"]["n"] for answer in await asyncio.gather(*answers)] == list(range(200))


async def test_an_error_answer_names_its_command() -> None:
    async with connected(answering) as (connection, _):
        with pytest.raises(CommandFailed, match=r"Test\.fail: No such thing") as caught:
            await connection.call("Test.fail")
        assert type(caught.value) is CommandFailed
        assert connection.refused == {"Test.fail: CommandFailed": 1}


async def test_no_answer_is_a_timeout_and_the_connection_lives() -> None:
    async with connected(answering) as (connection, _):
        with pytest.raises(CommandTimeout, match=r"Test\.silence was not answered within 0\.01 s"):
            await connection.call("Test.silence", timeout_s=0.01)
        assert await connection.call("Test.echo")


async def test_an_answer_after_the_timeout_is_dropped() -> None:
    async def late(socket: ServerConnection) -> None:
        first = json.loads(await socket.recv())
        second = json.loads(await socket.recv())
        for command in (first, second, first):
            await socket.send(json.dumps({"id": command["id"], "result": {"of": command["method"]}}))
        await socket.wait_closed()

    async with connected(late) as (connection, notes):
        with pytest.raises(CommandTimeout):
            await connection.call("Test.first", timeout_s=0.01)
        assert await connection.call("Test.second") == {"of": "Test.second"}
        assert not notes.intake.skipped


async def test_a_failure_that_nobody_awaits_is_only_counted() -> None:
    async with connected(answering) as (connection, _):
        connection.post("Test.fail")
        connection.post("Test.fail")
        await connection.call("Test.echo")
        assert connection.refused == {"Test.fail: CommandFailed": 2}


async def test_a_cancelled_command_does_not_disturb_the_others() -> None:
    async with connected(answering) as (connection, _):
        connection.post("Test.echo").cancel()
        connection.post("Test.silence").cancel()
        assert await connection.call("Test.echo")
    assert not connection.refused


async def test_what_is_pending_when_the_browser_closes_is_lost() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(1001, "going away")

    async with connected(leave) as (connection, _):
        with pytest.raises(
            ConnectionLost, match=r"Test\.echo was not answered: the connection to the browser closed"
        ):
            await connection.call("Test.echo")
        await lost(connection)


async def test_posting_after_the_close_fails_without_raising() -> None:
    async with connected(answering) as (connection, _):
        await connection.close()
        answer = connection.post("Test.echo")
        with pytest.raises(ConnectionLost, match=r"Test\.echo was not sent"):
            await answer
        await connection.close()


async def test_a_close_frame_ends_the_connection() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.send(note("last"))

    async with connected(leave) as (connection, notes):
        await lost(connection)
        assert notes.texts == ["last"]


async def test_an_abrupt_reset_ends_the_connection() -> None:
    async def vanish(socket: ServerConnection) -> None:
        await socket.recv()
        raw = socket.transport.get_extra_info("socket")
        raw.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))  # close by RST
        socket.transport.abort()

    async with connected(vanish) as (connection, _):
        with pytest.raises(ConnectionLost):
            await connection.call("Test.echo")
        await lost(connection)


@pytest.mark.parametrize("ours", ["commands", "end"])
async def test_what_a_browser_said_last_is_read_however_late_we_are(ours: str) -> None:
    """It is gone before we have read all of it, and what we send or end meanwhile must not cost the rest."""
    last = [f"{number:05} {'x' * 1000}" for number in range(40)]
    gone = asyncio.Event()
    ends: list[asyncio.Task[None]] = []

    async def speak_and_leave(socket: ServerConnection) -> None:
        await socket.recv()
        for text in last:
            await socket.send(note(text))
        while socket.transport.get_write_buffer_size():
            await asyncio.sleep(0)
        raw = socket.transport.get_extra_info("socket")
        socket.transport.abort()
        while raw.fileno() != -1:
            await asyncio.sleep(0)
        gone.set()

    async with connected(speak_and_leave) as (connection, notes):
        take = notes.intake.take

        def take_and_disturb(frame: bytes, on_reply: Callable[[Reply], None]) -> None:
            take(frame, on_reply)
            if gone.is_set() and ours == "commands":
                connection.post("Test.echo")
            elif gone.is_set() and not ends:
                ends.append(asyncio.create_task(connection.close()))

        notes.intake.take = take_and_disturb
        connection.post("Test.echo")
        await lost(connection)
        await asyncio.gather(*ends)
        assert notes.texts == last


async def test_a_message_in_fragments_is_one_message() -> None:
    async def fragments(socket: ServerConnection) -> None:
        whole = note("in pieces")
        await socket.send([whole[:5], whole[5:40], "", whole[40:]])
        await socket.ping()
        await socket.send([note("in one piece")])
        await socket.wait_closed()

    async with connected(fragments) as (_, notes):
        assert await notes.wait(2) == ["in pieces", "in one piece"]
        assert notes.intake.frames == 2


async def test_a_character_may_be_cut_by_fragments() -> None:
    whole = json.dumps(
        {"method": "Test.note", "params": {"text": "😀"}}, ensure_ascii=False, separators=(",", ":")
    )
    cut = whole.encode().index("😀".encode()) + 2

    async def fragments(socket: ServerConnection) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield whole.encode()[:cut]
            yield whole.encode()[cut:]

        await socket.send(pieces(), text=True)
        await socket.wait_closed()

    async with connected(fragments) as (_, notes):
        assert await notes.wait() == ["😀"]


async def test_five_megabytes_in_one_message() -> None:
    big = "x" * 5_000_000
    async with connected(answering) as (connection, notes):
        connection.post("Test.notes", {"texts": [big, "small"]})
        texts = await notes.wait(2)
        assert (len(texts[0]), texts[1]) == (5_000_000, "small")
        assert len((await connection.call("Test.echo", {"text": big}))["params"]["text"]) == 5_000_000


async def test_a_handler_that_raises_does_not_disconnect(caplog: pytest.LogCaptureFixture) -> None:
    async with connected(answering) as (connection, notes):
        connection.post("Test.notes", {"texts": ["before", "raise", "after"]})
        assert await notes.wait(2) == ["before", "after"]
        assert notes.intake.skipped == {"failed Test.note": 1}
        assert await connection.call("Test.echo")
    assert "handler of Test.note failed" in caplog.text


async def test_frames_that_make_no_sense_are_counted() -> None:
    frames: list[Any] = [
        "",
        "no json",
        "[]",
        '{"method":"Test.note"',
        '{"method":"Test.note","params":{"text":7}}',
        '{"method":"Test.other","params":{}}',
        '{"id":"one","result":{}}',
        b"\x00binary",
        note("good"),
    ]

    async def babble(socket: ServerConnection) -> None:
        for frame in frames:
            await socket.send(frame)
        await socket.wait_closed()

    async with connected(babble) as (_, notes):
        assert await notes.wait() == ["good"]
        assert notes.intake.skipped == {"malformed": 4, "malformed Test.note": 2, "unwanted": 1}


async def test_answers_nobody_asked_for_are_passed_over() -> None:
    async def babble(socket: ServerConnection) -> None:
        for answer in (
            '{"id":99,"result":{}}',
            '{"id":-1,"error":{"message":"?"}}',
            '{"id":1,"error":{}}',
            '{"id":7}',
        ):
            await socket.send(answer)
        await socket.send(note("good"))
        await socket.wait_closed()

    async with connected(babble) as (_, notes):
        assert await notes.wait() == ["good"]


async def test_the_method_need_not_come_first() -> None:
    async def odd(socket: ServerConnection) -> None:
        await socket.send('{ "params": {"text": "odd"}, "sessionId": "S1:", "method": "Test.note" }')
        await socket.wait_closed()

    async with connected(odd) as (_, notes):
        assert await notes.wait() == ["S1:odd"]


async def test_where_nobody_listens() -> None:
    async with serve(answering, "127.0.0.1", 0) as server:
        url = url_of(server)
    with pytest.raises(ConnectionLost, match="does not accept a DevTools connection"):
        await Connection.open(url, Notes().intake)


async def test_a_server_that_is_no_websocket() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FirstcauseError, match="does not accept a DevTools connection"):
            await Connection.open(f"ws://127.0.0.1:{port}/", Notes().intake)


async def test_a_server_that_says_nothing() -> None:
    hold = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hold.wait()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionLost):
            await Connection.open(f"ws://127.0.0.1:{port}/", Notes().intake, timeout_s=0.05)
        hold.set()
