"""Which source maps are loaded, when, and what is said of those that can't be had."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from firstcause.observer.domains import scripts
from firstcause.observer.domains.scripts import (
    ScriptParsed,
    ScriptReplaced,
    SourceMapLoaded,
    SourceMapMissing,
    map_url_of,
)
from firstcause.observer.options import CaptureOptions

from .wire import Wire, observing

LOAD, READ, CLOSE, SOURCE = (
    "Network.loadNetworkResource",
    "IO.read",
    "IO.close",
    "Debugger.getScriptSource",
)
MAP = '{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}'
INLINE = f"data:application/json;base64,{base64.b64encode(MAP.encode()).decode()}"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "BETWEEN_LOADS_S", 0.0)


class Server:
    """Answers for Chrome: maps by address, sources by script id; `asked` are the addresses."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.maps: dict[str, str | bytes | int] = {}
        self.sources: dict[str, str] = {}
        self.asked: list[str] = []
        self.closed: list[str] = []
        self._left: dict[str, list[dict[str, Any]]] = {}
        wire.on_command = self._command
        for session in ("S1", "S2"):
            wire.silent |= {(LOAD, session), (READ, session), (SOURCE, session)}

    def _command(self, command: dict[str, Any]) -> None:
        params = command.get("params", {})
        if command["method"] == LOAD:
            self.asked.append(params["url"])
            assert params["frameId"] == f"T-{command['sessionId']}"
            assert params["options"] == {"disableCache": False, "includeCredentials": True}
            if params["url"] in self.maps:
                self._reply(command, {"resource": self._resource(params["url"])})
        elif command["method"] == READ:
            self._reply(command, self._left[params["handle"]].pop(0))
        elif command["method"] == SOURCE:
            self.asked.append(params["scriptId"])
            self._reply(command, {"scriptSource": self.sources[params["scriptId"]]})
        elif command["method"] == CLOSE:
            self.closed.append(params["handle"])

    def _resource(self, url: str) -> dict[str, Any]:
        body = self.maps[url]
        if isinstance(body, int):
            return {
                "success": False,
                "netErrorName": "net::ERR_HTTP_RESPONSE_CODE_FAILURE",
                "httpStatusCode": body,
            }
        if body == "":
            return {"success": False, "netErrorName": "net::ERR_CONNECTION_REFUSED"}
        raw = body.encode() if isinstance(body, str) else body
        middle = len(raw) // 2 + 1
        self._left[url] = [
            {"data": base64.b64encode(raw[:middle]).decode(), "base64Encoded": True, "eof": False},
            {"data": raw[middle:].decode(errors="replace"), "eof": False},
            {"data": "", "eof": True},
        ]
        return {"success": True, "httpStatusCode": 200, "stream": url}

    def _reply(self, command: dict[str, Any], result: dict[str, Any]) -> None:
        reply = {"id": command["id"], "result": result, "sessionId": command["sessionId"]}
        self.wire.raw(json.dumps(reply).encode())


@pytest.fixture
def server(wire: Wire) -> Server:
    return Server(wire)


def parsed(wire: Wire, url: str, map_url: str, *, session: str = "S1", **more: Any) -> None:
    params = {
        "scriptId": url,
        "url": url,
        "hash": "v1",
        "sourceMapURL": map_url,
        "startLine": 0,
        "startColumn": 0,
    }
    wire.event("Debugger.scriptParsed", params | more, session)


def stack(*urls: str) -> dict[str, Any]:
    frame = {"functionName": "f", "scriptId": "7", "lineNumber": 0, "columnNumber": 4}
    return {"callFrames": [frame | {"url": url} for url in urls]}


def thrown(wire: Wire, *urls: str, session: str = "S1") -> None:
    details = {
        "exceptionId": 1,
        "text": "Uncaught",
        "lineNumber": 0,
        "columnNumber": 0,
        "stackTrace": stack(*urls),
    }
    wire.event("Runtime.exceptionThrown", {"timestamp": wire.events, "exceptionDetails": details}, session)


def about_maps(wire: Wire) -> list[Any]:
    kinds = (SourceMapLoaded, SourceMapMissing, ScriptReplaced)
    return [detail for detail in wire.details if isinstance(detail, kinds)]


async def told(wire: Wire, count: int = 1) -> list[Any]:
    return await wire.until(lambda: about_maps(wire) if len(about_maps(wire)) >= count else None)


async def test_the_maps_of_the_pages_own_scripts_are_loaded(wire: Wire, server: Server) -> None:
    server.maps["http://a/js/app.js.map?v=2"] = MAP.replace("a.ts", "käse.ts")
    parsed(wire, "http://a/js/app.js", "app.js.map?v=2")
    [loaded] = await told(wire)
    assert loaded == SourceMapLoaded(
        "http://a/js/app.js", "http://a/js/app.js.map?v=2", MAP.replace("a.ts", "käse.ts")
    )
    assert server.closed == ["http://a/js/app.js.map?v=2"]


async def test_only_after_the_page_has_loaded() -> None:
    async with observing() as wire:
        server = Server(wire)
        server.maps["http://a/app.js.map"] = server.maps["http://a/late.js.map"] = MAP
        wire.attach(waiting=True)
        parsed(wire, "http://a/app.js", "app.js.map")
        await wire.until(lambda: "Runtime.runIfWaitingForDebugger" in wire.methods())
        assert server.asked == []
        wire.event("Page.loadEventFired", {"timestamp": 1.5})
        assert [each.script_url for each in await told(wire)] == ["http://a/app.js"]
        parsed(wire, "http://a/late.js", "late.js.map")
        assert [each.script_url for each in await told(wire, 2)] == ["http://a/app.js", "http://a/late.js"]
        wire.event("Runtime.executionContextsCleared")
        parsed(wire, "http://a/next.js", "next.js.map")
        await wire.until(lambda: wire.methods().count("Runtime.getIsolateId") > 2)
        assert len(server.asked) == 2


async def test_an_error_does_not_wait_for_the_page_to_load() -> None:
    async with observing() as wire:
        server = Server(wire)
        server.maps["http://a/app.js.map"] = MAP
        wire.attach(waiting=True)
        parsed(wire, "http://a/app.js", "app.js.map")
        thrown(wire, "", "http://a/app.js")
        assert wire.details[0].kind == "exception"
        assert [each.script_url for each in await told(wire)] == ["http://a/app.js"]


@pytest.mark.parametrize(
    ("script", "map_url"),
    [
        ("http://cdn.test/lib.js", "lib.js.map"),
        ("http://a/app.js", "http://maps.test/app.js.map"),
        ("http://a/node_modules/.vite/deps/react.js", "react.js.map"),
        ("http://a/@vite/client", "client.map"),
    ],
)
async def test_anothers_map_is_loaded_when_an_exception_points_into_its_script(
    wire: Wire, server: Server, script: str, map_url: str
) -> None:
    server.maps["http://a/own.js.map"] = MAP
    parsed(wire, script, map_url)
    parsed(wire, "http://a/own.js", "own.js.map")
    await told(wire)
    assert server.asked == ["http://a/own.js.map"]
    thrown(wire, "http://a/own.js", script)
    await wire.until(lambda: len(server.asked) > 1)
    assert server.asked[1].endswith(map_url)


async def test_a_map_within_its_script_is_asked_of_chrome(wire: Wire, server: Server) -> None:
    url = "webpack-internal:///./src/cart.ts"
    server.sources[url] = (
        f"'sourceMappingURL=data:,no';\n//# sourceMappingURL={INLINE}\n//# sourceURL={url}\n"
    )
    parsed(wire, url, INLINE)
    assert await told(wire) == [SourceMapLoaded(url, "", MAP)]


async def test_a_map_within_its_script_need_not_be_base64(wire: Wire, server: Server) -> None:
    server.sources["http://a/x.js"] = f"x()//# sourceMappingURL=data:application/json,{quote(MAP)}"
    parsed(wire, "http://a/x.js", "data:application/json,…")
    assert await told(wire) == [SourceMapLoaded("http://a/x.js", "", MAP)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x()", "not in the script"),
        ("//# sourceMappingURL=data:nothing", "not in the script"),
        ("//# sourceMappingURL=data:application/json;base64,abcde", "not base64"),
    ],
)
async def test_a_map_that_is_not_in_its_script_is_missing(
    wire: Wire, server: Server, source: str, reason: str
) -> None:
    server.sources["http://a/x.js"] = source
    parsed(wire, "http://a/x.js", "data:application/json,…")
    thrown(wire, "http://a/x.js")
    assert await told(wire) == [SourceMapMissing("http://a/x.js", "", reason)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (404, "answered 404"),
        ("", "net::ERR_CONNECTION_REFUSED"),
        ("x" * 101, "larger than 0 MB"),
    ],
)
async def test_a_map_that_is_not_served_is_missing_once_an_error_needs_it(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch, body: str | int, reason: str
) -> None:
    monkeypatch.setattr(scripts, "MAX_MAP_BYTES", 100)
    server.maps |= {"http://a/app.js.map": body, "http://a/b.js.map": MAP}
    parsed(wire, "http://a/app.js", "app.js.map")
    parsed(wire, "http://a/b.js", "b.js.map")
    assert [each.kind for each in await told(wire)] == ["source_map"]
    thrown(wire, "http://a/app.js")
    thrown(wire, "http://a/app.js")
    [_, missing] = await told(wire, 2)
    assert missing == SourceMapMissing("http://a/app.js", "http://a/app.js.map", reason)
    assert server.closed == [url for url, text in server.maps.items() if isinstance(text, str) and text]


async def test_a_server_that_does_not_answer_holds_nothing_up_for_long(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "LOAD_WITHIN_S", 0.01)
    server.maps["http://a/b.js.map"] = MAP
    parsed(wire, "http://a/app.js", "app.js.map")
    parsed(wire, "http://a/b.js", "b.js.map")
    thrown(wire, "http://a/app.js")
    missing, loaded = await told(wire, 2)
    assert "within 0.01 s" in missing.reason
    assert loaded.script_url == "http://a/b.js"


async def test_what_is_loaded_without_need_is_limited(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "MAX_PREFETCHED_BYTES", len(MAP))
    for name in "abc":
        server.maps[f"http://a/{name}.js.map"] = MAP
        parsed(wire, f"http://a/{name}.js", f"{name}.js.map")
    await told(wire)
    thrown(wire, "http://a/c.js")
    assert [each.script_url for each in await told(wire, 2)] == ["http://a/a.js", "http://a/c.js"]
    wire.event("Runtime.executionContextsCleared")
    wire.event("Page.loadEventFired", {"timestamp": 1.5})
    await wire.until(lambda: len(server.asked) == 3)
    assert server.asked[2] == "http://a/b.js.map"


async def test_few_maps_within_scripts_are_asked_for_without_need(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "MAX_INLINE_PREFETCHED", 1)
    server.maps["http://a/d.js.map"] = MAP
    for name in "abc":
        server.sources[name] = f"//# sourceMappingURL={INLINE}"
        parsed(wire, f"http://a/{name}.js", INLINE, scriptId=name)
    parsed(wire, "http://a/d.js", "d.js.map")
    await told(wire, 2)
    thrown(wire, "http://a/c.js")
    await told(wire, 3)
    assert server.asked == ["a", "http://a/d.js.map", "c"]


async def test_a_script_that_comes_again_is_loaded_again_only_if_it_changed(
    wire: Wire, server: Server
) -> None:
    server.maps["http://a/app.js.map"] = MAP
    parsed(wire, "http://a/app.js", "app.js.map")
    await told(wire)
    parsed(wire, "http://a/app.js", "app.js.map")
    parsed(wire, "http://a/app.js", "app.js.map", hash="v2")
    assert [each.kind for each in await told(wire, 3)] == ["source_map", "script_replaced", "source_map"]
    parsed(wire, "http://a/app.js", "", hash="v3")
    assert [each.kind for each in about_maps(wire)][3:] == ["script_replaced"]
    assert len(server.asked) == 2


async def test_scripts_in_the_text_of_a_page_have_no_map_of_their_own(wire: Wire, server: Server) -> None:
    server.maps["http://a/app.js.map"] = MAP
    parsed(wire, "http://a/", "inline.js.map", startLine=4)
    parsed(wire, "http://a/", INLINE, startColumn=8)
    parsed(wire, "http://a/app.js", "app.js.map")
    await told(wire)
    assert server.asked == ["http://a/app.js.map"]


async def test_another_page_with_the_script_is_asked_when_the_first_one_went_away(wire: Wire) -> None:
    server = Server(wire)
    parsed(wire, "http://a/app.js", "app.js.map")
    thrown(wire, "http://a/app.js")
    await wire.until(lambda: server.asked)
    wire.detach()
    wire.answer(next(command for command in wire.sent if command["method"] == LOAD))
    server.maps["http://a/app.js.map"] = MAP
    wire.attach("S2")
    parsed(wire, "http://a/app.js", "app.js.map", session="S2")
    assert [(each.kind, each.script_url) for each in await told(wire)] == [("source_map", "http://a/app.js")]
    assert wire.last().session == "S2"


async def test_the_number_of_scripts_that_are_remembered_is_limited(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "KEPT_SCRIPTS", 2)
    for name in ("a", "b", "a", "c"):
        parsed(wire, f"http://cdn.test/{name}.js", f"{name}.js.map")
    thrown(wire, *(f"http://cdn.test/{name}.js" for name in "abc"))
    await wire.until(lambda: server.asked)
    assert server.asked == ["http://cdn.test/a.js.map"]


@pytest.mark.parametrize(
    ("map_url", "found"),
    [
        ("", None),
        ("app.js.map", "http://a/js/app.js.map"),
        ("/maps/app.map?key=1#x", "http://a/maps/app.map?key=1#x"),
        ("https://maps.test/app.map", "https://maps.test/app.map"),
        (INLINE, ""),
        ("data:" + "x" * 5000, ""),
        ("file:///etc/passwd", None),
        ("chrome://settings", None),
        ("javascript:alert(1)", None),
        ("http://[odd", None),
        ("x" * 5000, None),
    ],
)
def test_a_map_has_an_address_or_is_in_its_script(map_url: str, found: str | None) -> None:
    frame = {"scriptId": "1", "url": "http://a/js/app.js", "sourceMapURL": map_url}
    assert map_url_of(msgspec.json.decode(json.dumps(frame), type=ScriptParsed)) == found


async def test_nothing_is_listened_to_where_no_map_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scripts.ScriptsDomain(CaptureOptions(hang_stacks=False)).listen() == []
    monkeypatch.setattr(scripts, "READER", "no_such_package")
    assert scripts.ScriptsDomain(CaptureOptions()).listen() == []
