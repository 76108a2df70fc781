"""The stream as its pages describe it: every example is said to a live server, and what comes back is what the page shows."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr, TypeAdapter
from referencing import Registry, Resource
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from firstcause.api.errors import RequestRefused
from firstcause.api.routes.observe import Attach, Detach, Launch
from firstcause.api.server import Server
from firstcause.api.settings import Settings
from firstcause.api.wire import CLOSES, FRAMES, OPS, decode_op
from firstcause.correlator.event import Event
from firstcause.observer.errors import FirstcauseError

DOCS = Path(__file__).parents[2] / "docs"
PROTOCOL = (DOCS / "protocol.md").read_text(encoding="utf-8")
SERVING = (DOCS / "serving.md").read_text(encoding="utf-8")
TOKEN = "a-token-for-the-pages"
ADDRESS = "http://127.0.0.1:4400"
WAIT_S = 10.0

PART = re.compile(r"^<!-- story: (?P<story>.*?) -->$|^```json\n(?P<json>.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = re.compile(r"^    (curl [^\n]*)\n(?:\n```json\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
CURSOR = re.compile(r'"cursor": "([a-z0-9]+)\.')
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

OP_NAMES = {str(kind.__struct_config__.tag) for kind in OPS}
FRAME_NAMES = {str(kind.__struct_config__.tag) for kind in FRAMES}
EVENTS: dict[str, dict[str, Any]] = {
    "http_error": {
        "severity": "high",
        "summary": "POST /api/cart answered 500 after 50 ms",
        "context": {"method": "POST", "url": "/api/cart", "status": 500, "elapsed_ms": 50.1},
        "correlation_id": "019aa4e2-5c1d-7a70-9f00-0000000000c1",
        "fingerprint": "9f3c1a7b",
    },
    "slow_response": {
        "severity": "medium",
        "summary": "GET /api/search answered after 2310 ms",
        "context": {"method": "GET", "url": "/api/search", "elapsed_ms": 2310},
        "fingerprint": "41d0c2ee",
    },
}


def schema_of(name: str) -> Any:
    return json.loads((DOCS / name).read_text(encoding="utf-8"))


REGISTRY: Any = Registry().with_resource(
    "event.schema.json",
    Resource.from_contents(
        schema_of("event.schema.json") | {"$schema": Draft202012Validator.META_SCHEMA["$id"]}
    ),
)
FRAMES_SCHEMA = schema_of("frames.schema.json")
MESSAGES = {
    name: Draft202012Validator(FRAMES_SCHEMA | {"oneOf": [{"$ref": f"#/$defs/{name}"}]}, registry=REGISTRY)
    for name in ("ClientMessage", "ServerMessage")
}


class Clock:
    """Stands still until the story moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def serving(state_dir: Path, **settings: Any) -> AsyncIterator[Server]:
    given = {"token": SecretStr(TOKEN), "journal": "memory", "state_dir": state_dir} | settings
    async with Server(Settings(**given)) as server:
        yield server


class Story:
    """One conversation with a server, as the page has it."""

    def __init__(self, server: Server, socket: ClientConnection) -> None:
        self.clock = server.service.hub.clock = Clock()
        self._server = server
        self._socket = socket
        self._numbers = count(1)
        written = CURSOR.search(PROTOCOL)
        self._epochs = (written[1] if written else "", server.service.hub.project("default").epoch)

    async def happens(self, story: str) -> None:
        """`publish 3 slow_response`, `pass 1 s`, or several by commas."""
        for step in story.split(", "):
            match step.split():
                case ["publish", number, kind]:
                    for _ in range(int(number)):
                        self._server.publish(self._event(kind))
                    await self._server.service.hub.kept()
                case ["pass", seconds, "s"]:
                    self.clock.now_s += float(seconds)
                    for connected in self._server.service.connected:
                        connected.pump.wake()
                case _:
                    raise AssertionError(step)

    async def say(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message).replace(*self._epochs))

    async def hear(self, shown: dict[str, Any]) -> dict[str, Any]:
        """The next frame that is about the same, with the epoch of the page."""
        about = {key: shown[key] for key in ("op", "sub", "id") if key in shown}
        async with asyncio.timeout(WAIT_S):
            while True:
                text = str(await self._socket.recv()).replace(self._epochs[1], self._epochs[0])
                frame = json.loads(text)
                MESSAGES["ServerMessage"].validate(frame)
                if about.items() <= frame.items():
                    return frame

    def _event(self, kind: str) -> Event:
        number = next(self._numbers)
        return Event.model_validate(
            {
                "id": f"019aa4e2-5c1d-7a70-9f00-{number:012x}",
                "seq": 0,
                "timestamp": f"2026-11-21T06:40:{number:02}.038Z",
                "project": "default",
                "session": "019aa4e2-51c0-7b7e-8000-00000000000a",
                "page": "p1",
                "channel": "network_errors",
                "type": "network_error",
                "kind": kind,
                "count": 1,
                **EVENTS[kind],
            }
        )


async def told(page: str, state_dir: Path) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every frame that the page shows, and the one that the server sent there."""
    async with (
        serving(state_dir, ring_events=10, inline_events=2) as server,
        connect(server.url.replace("http", "ws") + "/v1/stream", additional_headers=bearer()) as socket,
    ):
        story = Story(server, socket)
        for part in PART.finditer(page):
            if part["story"]:
                await story.happens(part["story"])
            elif (shown := json.loads(part["json"])).get("op") in OP_NAMES:
                await story.say(shown)
            elif "op" in shown:
                yield shown, await story.hear(shown)


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def without_ids(message: dict[str, Any]) -> Any:
    return json.loads(UUID.sub("…", json.dumps(message)))


def shown_messages() -> Iterator[dict[str, Any]]:
    for part in PART.finditer(PROTOCOL):
        if part["json"] and "op" in (shown := json.loads(part["json"])):
            yield shown


async def test_the_server_says_what_the_page_shows(tmp_path: Path) -> None:
    async for shown, frame in told(PROTOCOL, tmp_path):
        assert without_ids(frame) == without_ids(shown)
        assert [*frame] == [*shown]


def test_every_message_has_an_example() -> None:
    assert {message["op"] for message in shown_messages()} == OP_NAMES | FRAME_NAMES


def test_every_example_is_as_the_schema_says() -> None:
    for shown in shown_messages():
        MESSAGES["ClientMessage" if shown["op"] in OP_NAMES else "ServerMessage"].validate(shown)


def test_every_field_of_an_event_is_explained() -> None:
    table = PROTOCOL.partition("\n## Events\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| (\*?\*?)`(\w+)`", table, re.MULTILINE)
    fields = {name: field.is_required() for name, field in Event.model_fields.items()}
    assert {name: bool(bold) for bold, name in explained} == fields


EVENT = {"channel": "runs", "kind": "a", "summary": "b"}


@pytest.mark.parametrize(
    "message",
    [
        {"op": "subscribe"},
        {
            "op": "subscribe",
            "id": 2**53 - 1,
            "channels": ["output"],
            "throttle_ms": 3_600_000,
            "project": "a.b",
        },
        {"op": "subscribe", "include": {"severity": ["high"], "kind": ["a"]}, "exclude": {}},
        {"op": "publish", "event": EVENT},
        {"op": "ping"},
        {},
        [],
        "ping",
        None,
        {"op": None},
        {"op": "pong", "id": 1},
        {"op": "cancel", "run": "r1"},
        {"id": 1},
        {"op": "ping", "id": -1},
        {"op": "ping", "id": 2**53},
        {"op": "ping", "id": "1"},
        {"op": "ping", "also": 1},
        {"op": "subscribe", "channels": []},
        {"op": "subscribe", "channels": ["mistakes"]},
        {"op": "subscribe", "channels": "errors"},
        {"op": "subscribe", "throttle_ms": 3_600_001},
        {"op": "subscribe", "throttle_ms": None},
        {"op": "subscribe", "project": "../etc"},
        {"op": "subscribe", "include": {"url": [""]}},
        {"op": "subscribe", "include": {"url": ["x" * 513]}},
        {"op": "subscribe", "include": {"path": ["a"]}},
        {"op": "subscribe", "include": {"severity": ["bad"]}},
        {"op": "subscribe", "cursor": "x" * 513},
        {"op": "fetch", "channel": "errors", "after": 0},
        {"op": "fetch", "channel": "errors", "after": 0, "upto": 1.5},
        {"op": "publish"},
        {"op": "publish", "event": EVENT | {"kind": "Not so"}},
        {"op": "publish", "event": EVENT | {"kind": "noZ"}},
        {"op": "publish", "event": EVENT | {"summary": ""}},
        {"op": "publish", "event": EVENT | {"id": "mine"}},
        {"op": "publish", "event": EVENT | {"context": []}},
    ],
    ids=json.dumps,
)
def test_the_schema_takes_what_the_server_takes(message: Any) -> None:
    try:
        decode_op(json.dumps(message))
    except FirstcauseError:
        taken = False
    else:
        taken = True
    assert MESSAGES["ClientMessage"].is_valid(message) == taken


def test_broken_frames_are_not_as_the_schema_says() -> None:
    is_valid = MESSAGES["ServerMessage"].is_valid
    for shown in shown_messages():
        if shown["op"] not in FRAME_NAMES:
            continue
        assert is_valid(shown | {"new_field": 1})
        assert not is_valid(shown | {"op": "other"})
        needed = {"op", *FRAMES_SCHEMA["$defs"][shown["op"].capitalize()]["required"]}
        for name in shown:
            assert is_valid({key: value for key, value in shown.items() if key != name}) == (
                name not in needed
            )
            assert not is_valid(shown | {name: {"surely": None}})
        for event in shown.get("events", []):
            assert not is_valid(shown | {"events": [event | {"severity": "bad"}]})


async def test_every_way_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        url = server.url.replace("http", "ws") + "/v1/stream"
        async with httpx.AsyncClient(base_url=server.url) as client:

            async def ticket() -> str:
                answer = await client.post("/v1/tickets", headers=bearer())
                return answer.json()["ticket"]

            ways: Sequence[tuple[str, Any, Any]] = (
                (url, bearer(), None),
                (url, None, ["firstcause", f"firstcause.token.{TOKEN}"]),
                (f"{url}?ticket={await ticket()}", None, None),
            )
            for where, headers, protocols in ways:
                async with connect(where, additional_headers=headers, subprotocols=protocols) as socket:
                    assert socket.subprotocol == (protocols and "firstcause")
                    await socket.send('{"op":"ping","id":1}')
                    assert await socket.recv() == '{"op":"pong","id":1}'

            once = f"/v1/events?ticket={await ticket()}"
            assert (await client.get(once)).status_code == 200
            assert (await client.get(once)).status_code == 200, "the cookie lets it in again"
            client.cookies.clear()
            assert (await client.get(once)).status_code == 401
            assert (await client.get(f"/v1/events?token={TOKEN}")).status_code == 401

        async with connect(f"{url}?ticket=used") as socket:
            assert json.loads(await socket.recv())["code"] == "unauthorized"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert (closed.value.rcvd and closed.value.rcvd.code) == 4401


async def test_the_client_of_the_page_misses_nothing(tmp_path: Path) -> None:
    found = re.search(r"^```python\n(.*?)^```$", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert found
    made: dict[str, Any] = {}
    exec(compile(found[1], "docs/protocol.md", "exec"), made)
    seqs: list[int] = []
    news = asyncio.Event()

    def tell(events: list[dict[str, Any]]) -> None:
        seqs.extend(event["seq"] for event in events)
        news.set()

    async def until(count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(seqs) < count:
                news.clear()
                await news.wait()

    durable: dict[str, Any] = {"journal": "sqlite", "ring_events": 10, "inline_events": 2, "throttle_ms": 50}
    following: asyncio.Task[None] | None = None
    port, told_until = 0, 0
    for _ in range(2):
        async with serving(tmp_path, port=port, **durable) as server, httpx.AsyncClient() as client:
            port = server.service.port
            address = f"ws://127.0.0.1:{port}/v1/stream"
            following = following or asyncio.create_task(made["follow"](address, TOKEN, tell, "start"))
            for burst in (1, 25, 3):
                for _ in range(burst):
                    event = {"channel": "errors", "kind": "a", "summary": "b"}
                    answer = await client.post(f"{server.url}/v1/events", json=event, headers=bearer())
                    assert answer.status_code == 201
                told_until += burst
                await until(told_until)
    assert following is not None
    following.cancel()
    await asyncio.wait({following})
    assert seqs == [*range(1, told_until + 1)]


class Call(NamedTuple):
    """A curl of a page, and the answer that stands below it."""

    command: str
    answer: Any


CALLS = [
    Call(command, answer and json.loads(answer))
    for command, answer in CURL.findall(PROTOCOL) + CURL.findall(SERVING)
]
Run = Callable[[Sequence[str]], Awaitable[str]]


async def by_curl(arguments: Sequence[str]) -> str:
    """What comes back; a stream is ended when it is live."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--fail", "--noproxy", "*", *arguments,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    while (chunk := await process.stdout.readline()) and not _is_live(text):
        text += chunk.decode()
    if _is_live(text):
        process.terminate()
        await process.communicate()
    else:
        assert await process.wait() == 0, text
    return text


async def by_httpx(arguments: Sequence[str]) -> str:
    """The same for a machine without curl, as far as the pages use it."""
    method, url, headers, body = "", "", [], None
    left = iter(arguments)
    for argument in left:
        match argument:
            case "-H":
                name, _, value = next(left).partition(": ")
                headers.append((name, value))
            case "-X":
                method = next(left)
            case "-d":
                body = next(left)
            case "-N":
                pass
            case _:
                url = argument
    text = ""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream(method or ("POST" if body else "GET"), url, headers=headers, content=body) as answer,
    ):
        async for line in answer.aiter_lines():
            text += f"{line}\n"
            if _is_live(text):
                break
        assert answer.is_success, text
    return text


def _is_live(text: str) -> bool:
    return text.startswith(": firstcause") and '"op":"live"' in text


RUNNERS = [by_httpx, *([by_curl] if shutil.which("curl") else [])]


@pytest.mark.parametrize("call", CALLS, ids=[call.command[:100] for call in CALLS])
@pytest.mark.parametrize("run", RUNNERS)
async def test_a_curl_of_the_pages_works(run: Run, call: Call, tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, headers=bearer()) as client,
    ):
        chain = "019aa4e2-5c1d-7a70-9f00-0000000000c1"
        event = {"channel": "network_errors", "kind": "http_error", "summary": "s", "correlation_id": chain}
        published = (await client.post("/v1/events", json=event)).json()
        known = {
            "TOKEN": TOKEN,
            "EVENT": published["event"],
            "CHAIN": chain,
            "TICKET": (await client.post("/v1/tickets")).json()["ticket"],
            "CURSOR": (await client.get("/v1/events")).json()["cursor"],
        }
        command = re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], call.command)
        assert ADDRESS in command
        text = await run(shlex.split(command.replace(ADDRESS, server.url))[1:])
    for frame in frames_of(text):
        MESSAGES["ServerMessage"].validate(frame)
    if call.answer:
        assert_has(json.loads(text), call.answer)


def frames_of(text: str) -> list[Any]:
    """Of server-sent events, of a poll, or the one that is the whole answer."""
    if text.startswith(": firstcause"):
        return [
            json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
        ]
    if not text.startswith("{"):
        return []
    answer = json.loads(text)
    return answer.get("frames", [answer] if "op" in answer else [])


def assert_has(real: Any, shown: Any) -> None:
    """Whatever is shown is there, of the same kind."""
    assert isinstance(real, float | int if isinstance(shown, float) else type(shown)), (real, shown)
    if isinstance(shown, dict):
        assert shown.keys() <= real.keys()
        for key, value in shown.items():
            assert_has(real[key], value)
    elif isinstance(shown, list):
        for one, other in zip(real, shown, strict=False):
            assert_has(one, other)


def test_what_is_shown_of_observing_is_taken() -> None:
    bodies = [
        body
        for part in PART.finditer(SERVING)
        if part["json"] and "action" in (body := json.loads(part["json"]))
    ]
    taken: TypeAdapter[Any] = TypeAdapter(Attach | Launch | Detach)
    assert {type(taken.validate_python(body)) for body in bodies} == {Attach, Launch, Detach}


async def test_figures_of_the_page_are_there(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, headers=bearer()) as client,
    ):
        text = (await client.get("/metrics")).text
    named = set(re.findall(r"`(firstcause_\w+)`", SERVING))
    assert len(named) > 3
    assert named <= {name for line in text.splitlines() for name in re.findall(r"^# TYPE (\w+)", line)}


def test_every_code_is_in_the_page() -> None:
    rows = set(re.findall(r"^\| `?(\w+)`? \|", PROTOCOL, re.MULTILINE))
    kinds: list[type[RequestRefused]] = [RequestRefused]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert {kind.code for kind in kinds} | {str(close.code) for close in CLOSES} <= rows


def test_commands_of_the_pages_have_their_options() -> None:
    command_line = (DOCS / "cli.md").read_text(encoding="utf-8")
    commands = re.findall(r"firstcause ([a-z]+)((?: --?[a-z-]+(?: [A-Za-z0-9._-]+)?)*)", SERVING)
    assert commands
    for name, options in commands:
        section = command_line.partition(f"## `firstcause {name}`\n")[2].partition("\n## ")[0]
        assert section, name
        for option in re.findall(r"--[a-z-]+", options):
            assert option in section, (name, option)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(where := part.get("$ref"), str):
            yield where
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolved(document: Any, where: str) -> Any:
    assert where.startswith("#/"), where
    for step in where[2:].split("/"):
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
def test_every_reference_leads_somewhere(name: str) -> None:
    document = schema_of(name)
    found = [*references(document)]
    assert found
    for where in found:
        resolved(document, where)


def test_asyncapi_is_whole() -> None:
    document = schema_of("asyncapi.json")
    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["title"]
    assert document["info"]["version"]
    for server in document["servers"].values():
        assert server["host"]
        assert server["protocol"] in {"ws", "http"}
        assert server["security"]
    for channel in document["channels"].values():
        assert channel["address"] == "/v1/stream"
        assert channel["messages"]
        assert all(resolved(document, server["$ref"]) for server in channel["servers"])
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = resolved(document, operation["channel"]["$ref"])
        for one in (*operation["messages"], *operation.get("reply", {}).get("messages", ())):
            assert one["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
            assert resolved(document, one["$ref"]) in channel["messages"].values()
    messages = document["components"]["messages"]
    assert messages.keys() == OP_NAMES | FRAME_NAMES
    for name, message in messages.items():
        assert message["name"] == name
        assert message["summary"]
        schema = {"$ref": message["payload"]["$ref"], "components": document["components"]}
        for example in message["examples"]:
            assert example["payload"]["op"] == name
            Draft202012Validator(schema).validate(example["payload"])


def test_schemas_are_schemas() -> None:
    for name in ("event.schema.json", "frames.schema.json"):
        Draft202012Validator.check_schema(schema_of(name))
