"""Story server: real sockets against small stories written on the spot."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from firstcause.api.stories import Matcher, StoryError, StoryServer, bundled_story, read_story

STORIES = Path(__file__).parents[2] / "e2e_fixtures"


def write_story(folder: Path, routes: dict[str, Any] | None = None, **more: Any) -> Path:
    story: dict[str, Any] = {"title": "A story", "routes": routes or {}, "expected": [], **more}
    (folder / "story.json").write_text(json.dumps(story))
    return folder


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def port_of(server: StoryServer) -> int:
    return int(server.url.rsplit(":", 1)[1])


def websocket_url(server: StoryServer, path: str) -> str:
    return f"ws://127.0.0.1:{port_of(server)}{path}"


@asynccontextmanager
async def sent(
    server: StoryServer, method: str, path: str, host: str = "127.0.0.1"
) -> AsyncGenerator[asyncio.StreamReader]:
    """A raw request: a client library would tidy the path up and hide the reset."""
    reader, writer = await asyncio.open_connection(host, port_of(server))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    try:
        yield reader
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def ask(server: StoryServer, method: str, path: str, host: str = "127.0.0.1") -> Answered:
    async with sent(server, method, path, host) as reader:
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Answered(int(status_line.split()[1]), headers, body)


async def test_a_route_answers_as_written(tmp_path: Path) -> None:
    routes = {"POST /api/cart": {"status": 500, "json": {"error": "full"}, "headers": {"X-Trace": "7"}}}
    async with StoryServer(write_story(tmp_path, routes)) as server:
        status, headers, body = await ask(server, "POST", "/api/cart?from=shelf")
    assert (status, json.loads(body)) == (500, {"error": "full"})
    assert headers["content-type"] == "application/json"
    assert (headers["x-trace"], headers["cache-control"]) == ("7", "no-store")
    assert "access-control-allow-origin" not in headers


async def test_a_redirect_names_its_target(tmp_path: Path) -> None:
    routes = {"GET /old": {"redirect": "/new"}, "GET /moved": {"redirect": "/new", "status": 308}}
    async with StoryServer(write_story(tmp_path, routes)) as server:
        status, headers, _ = await ask(server, "GET", "/old")
        assert (status, headers["location"]) == (302, "/new")
        assert (await ask(server, "GET", "/moved"))[0] == 308


async def test_a_late_answer_comes_after_a_quick_one(tmp_path: Path) -> None:
    routes = {"GET /late": {"delay_ms": 300, "text": "late"}, "GET /quick": {"text": "quick"}}
    arrived: list[bytes] = []
    async with StoryServer(write_story(tmp_path, routes)) as server:

        async def note(path: str) -> None:
            arrived.append((await ask(server, "GET", path))[2])

        await asyncio.gather(note("/late"), note("/quick"))
    assert arrived == [b"quick", b"late"]


async def test_a_dropped_route_resets_the_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with StoryServer(write_story(tmp_path, {"GET /stock": {"drop": True}})) as server:
        async with sent(server, "GET", "/stock") as reader:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        assert (await ask(server, "GET", "/nothing"))[0] == 404
    assert server.hits == ["GET /stock", "GET /nothing"]
    assert not caplog.records


async def test_a_websocket_is_closed_with_its_code(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    routes = {"WS /live": {"messages": 2, "interval_ms": 1, "close_after_ms": 1, "code": 1011}}
    async with (
        StoryServer(write_story(tmp_path, routes)) as server,
        connect(websocket_url(server, "/live"), proxy=None) as socket,
    ):
        assert [json.loads(await socket.recv()) for _ in range(2)] == [{"n": 1}, {"n": 2}]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert server.hits == ["WS /live"]
    assert not caplog.records


async def test_an_event_stream_sends_its_messages_and_ends(tmp_path: Path) -> None:
    routes = {"SSE /feed": {"messages": 3, "interval_ms": 1, "close_after_ms": 1}}
    async with StoryServer(write_story(tmp_path, routes)) as server:
        _, headers, body = await ask(server, "GET", "/feed")
    assert headers["content-type"].startswith("text/event-stream")
    assert body.count(b'data: {"n":') == 3


async def test_files_have_their_types_and_are_never_stored(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>hello")
    (tmp_path / "cart.js").write_text("export {}")
    async with StoryServer(write_story(tmp_path)) as server:
        status, headers, body = await ask(server, "GET", "/")
        assert (status, body) == (200, b"<p>hello")
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert (await ask(server, "GET", "/cart.js"))[1]["content-type"] == "text/javascript; charset=utf-8"
        assert (await ask(server, "GET", "/missing.js"))[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//etc/hostname",
        "/link.txt",
        "/%00",
        "/story.json",
    ],
)
async def test_nothing_outside_the_folder_is_served(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "story"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    async with StoryServer(write_story(folder)) as server:
        assert (await ask(server, "GET", path))[0] == 404


async def test_localhost_reaches_the_same_server(tmp_path: Path) -> None:
    async with StoryServer(write_story(tmp_path, {"GET /x": {"text": "here"}})) as server:
        assert server.alt_url == server.url.replace("127.0.0.1", "localhost")
        assert (await ask(server, "GET", "/x", host="localhost"))[2] == b"here"


@pytest.mark.parametrize(
    ("routes", "named"),
    [
        ({"GET /x": {"stauts": 500}}, "GET /x > stauts"),
        ({"GET /x": {"status": "bad"}}, "GET /x > status"),
        ({"FETCH /x": {}}, "FETCH /x"),
    ],
)
async def test_a_bad_story_names_the_key(tmp_path: Path, routes: dict[str, Any], named: str) -> None:
    with pytest.raises(StoryError, match=r"story\.json") as refused:
        StoryServer(write_story(tmp_path, routes))
    assert named in str(refused.value)


async def test_a_folder_without_a_story_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match=r"needs a story\.json"):
        StoryServer(tmp_path)


async def test_it_stops_with_everything_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    routes = {"WS /live": {}, "SSE /feed": {"messages": 1}, "GET /never": {"delay_ms": 3_600_000}}
    async with AsyncExitStack() as clients:
        async with StoryServer(write_story(tmp_path, routes)) as server:
            socket = await clients.enter_async_context(connect(websocket_url(server, "/live"), proxy=None))
            feed = await clients.enter_async_context(sent(server, "GET", "/feed"))
            await feed.readuntil(b'{"n":1}')
            never = await clients.enter_async_context(sent(server, "GET", "/never"))
            while "GET /never" not in server.hits:
                await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert await never.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await ask(server, "GET", "/")
    assert not caplog.records


async def test_signals_stay_with_the_host_program(tmp_path: Path) -> None:
    watched = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in watched]
    async with StoryServer(write_story(tmp_path)) as server:
        await ask(server, "GET", "/")
        assert [signal.getsignal(number) for number in watched] == before


async def test_a_body_comes_in_pieces(tmp_path: Path) -> None:
    chunks = {"chunks": ["one\n", "two\n"], "interval_ms": 5, "status": 206, "headers": {"X-Rows": "2"}}
    async with StoryServer(write_story(tmp_path, {"GET /rows": chunks})) as server:
        status, headers, body = await ask(server, "GET", "/rows")
    assert (status, headers["x-rows"]) == (206, "2")
    assert headers["transfer-encoding"] == "chunked"
    assert body.index(b"one\n") < body.index(b"two\n")


async def test_a_package_is_served_from_its_folder_or_else_from_the_story(tmp_path: Path) -> None:
    story, packages = tmp_path / "story", tmp_path / "node_modules"
    for folder, text in ((story / "npm", "stand-in"), (packages, "package")):
        (folder / "tiny" / "dist").mkdir(parents=True)
        (folder / "tiny" / "dist" / "tiny.js").write_text(text)
    (story / "npm" / "tiny" / "own.js").write_text("own")
    (tmp_path / "secret.js").write_text("secret")
    write_story(story)
    async with StoryServer(story, packages=packages) as server:
        assert (await ask(server, "GET", "/npm/tiny/dist/tiny.js")).body == b"package"
        assert (await ask(server, "GET", "/npm/tiny/own.js")).body == b"own"
        assert (await ask(server, "GET", "/npm/../secret.js")).status == 404
    async with StoryServer(story) as server:
        assert (await ask(server, "GET", "/npm/tiny/dist/tiny.js")).body == b"stand-in"


async def test_steps_and_causes_are_read(tmp_path: Path) -> None:
    cause = {"kind": "http_error", "url": "/api/save"}
    expected = [
        {"kind": "console_error", "text": "x", "cause": cause, "soft": True},
        {"kind": "console_error", "text": "y", "cause": [cause, cause]},
        {"kind": "console_error", "text": "z", "cause": None},
        {"kind": "layout_shift"},
    ]
    steps = [["click", "#save"], ["wait_for", cause], ["wait_for", "GET /x"], ["expect", "p", 500]]
    (tmp_path / "story.json").write_text(json.dumps({"title": "", "steps": steps, "expected": expected}))
    story = read_story(tmp_path)
    meant = Matcher(kind="http_error", url="/api/save")
    assert [one.cause for one in story.expected] == [meant, [meant, meant], None, None]
    assert ["cause" in one.model_fields_set for one in story.expected] == [True, True, True, False]
    assert story.steps == [
        ("click", "#save"),
        ("wait_for", meant),
        ("wait_for", "GET /x"),
        ("expect", "p", 500),
    ]


async def test_what_a_visitor_can_do_is_read(tmp_path: Path) -> None:
    steps = [
        ["double_click", "#a"],
        ["triple_click", "#a"],
        ["hover", "#a"],
        ["scroll", "#a"],
        ["drag", "#a", "#b"],
        ["go", "back"],
        ["dialogs", "leave"],
    ]
    (tmp_path / "story.json").write_text(json.dumps({"title": "", "steps": steps, "expected": []}))
    assert read_story(tmp_path).steps == [tuple(step) for step in steps]


async def test_the_twin_of_a_story_is_used_otherwise_and_nothing_is_expected_of_it(tmp_path: Path) -> None:
    routes = {"GET /x": {"status": 500}, "GET /y": {"status": 404}}
    below = {"routes": {"GET /x": {"text": "fine"}}, "steps": [["click", "#once"]]}
    write_story(
        tmp_path,
        routes,
        open="/?times=6",
        detects="retry_storm",
        thresholds={"retry_storm": {"failures": 3, "enabled": True}},
        capture={"hang_stacks": False},
        steps=[["click", "#often"]],
        expected=[{"kind": "retry_storm"}],
        below=below,
    )
    story = read_story(tmp_path)
    twin = story.twin
    assert (twin.open, twin.steps, twin.expected) == ("/?times=6", [("click", "#once")], [])
    assert (twin.routes["GET /x"].text, twin.routes["GET /y"].status) == ("fine", 404)
    assert (twin.detects, twin.thresholds, twin.capture) == (story.detects, story.thresholds, story.capture)
    async with StoryServer(tmp_path, story=twin) as server:
        assert (await ask(server, "GET", "/x")).body == b"fine"


@pytest.mark.parametrize(
    ("capture", "named"),
    [({"hang_stack": True}, "hang_stack is not an option"), ({"level": "half"}, "'full' or 'lean'")],
)
async def test_an_option_of_capturing_that_does_not_exist_is_refused(
    tmp_path: Path, capture: dict[str, Any], named: str
) -> None:
    with pytest.raises(StoryError, match=named):
        read_story(write_story(tmp_path, capture=capture))


@pytest.mark.parametrize("step", [["jump", "#save"], ["click"], ["expect", "#save"], ["type", "#save"]])
async def test_a_step_that_nobody_can_do_is_refused(tmp_path: Path, step: list[str]) -> None:
    (tmp_path / "story.json").write_text(json.dumps({"title": "", "steps": [step], "expected": []}))
    with pytest.raises(StoryError, match="steps > 0"):
        read_story(tmp_path)


@pytest.mark.parametrize("name", sorted(file.parent.name for file in STORIES.glob("*/story.json")))
async def test_the_bundled_stories_are_complete(name: str) -> None:
    folder = bundled_story(name)
    async with StoryServer(folder) as server:
        assert (await ask(server, "GET", server.story.open))[0] == 200
    sources = {file.name: file.read_text() for file in folder.rglob("*.js")}
    for finding in read_story(folder).expected:
        if finding.at:
            file, function = finding.at.split(" … ")
            assert f"function {function}(" in sources[file]


@pytest.mark.parametrize(
    "name",
    sorted(
        file.parent.relative_to(STORIES).as_posix()
        for group in ("detectors", "healthy-pages")
        for file in STORIES.glob(f"{group}/*/story.json")
    ),
)
async def test_a_story_below_a_group_can_be_opened(name: str) -> None:
    async with StoryServer(STORIES / name) as server:
        opened = await ask(server, "GET", server.story.open)
    assert opened.status in {200, 302}


async def test_an_unknown_bundled_story_lists_the_known() -> None:
    with pytest.raises(StoryError, match=r"there are: .*\bhealthy, .*\bshop, "):
        bundled_story("nowhere")
