"""Places in generated scripts become places in their sources; what is no map says why, and breaks nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from firstcause.api import doctor
from firstcause.api.source_maps import MapReader
from firstcause.correlator import sourcemaps
from firstcause.correlator.findings.finding import Scene, best_frame, places
from firstcause.correlator.sourcemaps import BrokenSourceMap, SourceMaps, is_in_app, parse, source_path
from firstcause.observer.domains.scripts import ScriptReplaced, SourceMapLoaded, SourceMapMissing
from firstcause.observer.signal import Signal, StackFrame

from .signals import signal
from .source_map_text import Mapping, text_of

SCRIPT = "http://shop.test/assets/app.min.js"


def maps_with(text: str, base_url: str = f"{SCRIPT}.map") -> SourceMaps:
    maps = SourceMaps()
    maps.add(SCRIPT, parse(text, base_url))
    return maps


def at(line: int, column: int, function: str = "t", url: str = SCRIPT) -> StackFrame:
    return StackFrame(function, url, line, column)


CART = text_of(
    ["../src/cart.ts", "../node_modules/pricing/index.js"],
    (0, 0, 0, 0, 0),
    (0, 20, 0, 40, 4),
    (0, 900, 1, 6, 2),
    (2, 7, 0, 80, 0),
)


def test_a_place_is_found_in_its_source() -> None:
    found = maps_with(CART).resolve(at(1, 25, "updateCartBadge"))
    assert found == StackFrame("updateCartBadge", "src/cart.ts", 41, 5)


@pytest.mark.parametrize(
    ("line", "column"), [(2, 1), (3, 3), (4, 1), (0, 0), (1, 0), (2**40, 2**40), (-1, -1)]
)
def test_a_place_that_the_map_does_not_know_stays(line: int, column: int) -> None:
    frame = at(line, column)
    assert maps_with(CART).resolve(frame) is frame


def test_a_script_without_a_map_stays() -> None:
    frame = at(1, 25, url="http://shop.test/other.js")
    assert maps_with(CART).resolve(frame) is frame


def test_sections_are_one_map() -> None:
    first, second = text_of(["a.ts"], (0, 0, 0, 0, 0)), text_of(["b.ts"], (0, 0, 0, 9, 1), ignoreList=[0])
    text = json.dumps(
        {
            "version": 3,
            "sections": [
                {"offset": {"line": 0, "column": 0}, "map": json.loads(first)},
                {"offset": {"line": 4, "column": 10}, "map": json.loads(second)},
            ],
        }
    )
    maps = maps_with(text, "http://shop.test/app.js")
    assert maps.resolve(at(1, 5)).url == "a.ts"
    assert maps.place(at(5, 12)) == (StackFrame("t", "b.ts", 10, 2), False)


@pytest.mark.parametrize("name", ["ignoreList", "x_google_ignoreList"])
def test_sources_that_the_map_says_to_ignore_are_not_the_apps(name: str) -> None:
    text = text_of(["src/a.ts", "src/lib.ts"], (0, 0, 0, 0, 0), (0, 9, 1, 0, 0), **{name: [1, 99, -3]})
    own, ignored = (maps_with(text).place(at(1, column)) for column in (1, 10))
    assert own is not None
    assert own.in_app
    assert ignored is not None
    assert not ignored.in_app


def test_the_root_goes_before_every_source() -> None:
    text = text_of(["cart.ts", "webpack:///./b.ts"], (0, 0, 0, 0, 0), (0, 9, 1, 0, 0), sourceRoot="/client/")
    maps = maps_with(text)
    assert [maps.resolve(at(1, column)).url for column in (1, 10)] == ["client/cart.ts", "b.ts"]


def test_a_line_in_front_that_makes_it_no_script_is_passed_over() -> None:
    assert maps_with(f"\ufeff)]}}'\n{CART}").resolve(at(1, 25)).line == 41


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!doctype html><title>Not found</title>",
        "[]",
        "{}",
        CART[: len(CART) // 2],
        text_of(["a.ts"], (0, 0, 0, 0, 0), version=2),
        text_of(["a.ts"], (0, 0, 0, 0, 0), version="3"),
        text_of(["a.ts"], mappings="!!!"),
        text_of(["a.ts"], mappings="g"),
        text_of([], (0, 0, 0, 0, 0)),
        text_of(["a.ts"], (0, 0, 7, 0, 0)),
        text_of(["a.ts"], mappings="AAAAE"),
        json.dumps({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "url": "b.map"}]}),
        '{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":' * 5000 + CART + "}]}" * 5000,
        '{"version":3,"sources":' + "[" * 100_000,
        "\ud800",
    ],
    ids=range(16),
)
def test_what_is_no_map_says_why(text: str) -> None:
    with pytest.raises(BrokenSourceMap) as why:
        parse(text, SCRIPT)
    assert str(why.value)


@pytest.mark.parametrize(
    "text",
    [
        text_of(["a.ts"], mappings="AADD"),
        text_of(["a.ts"], mappings="A"),
        text_of([None], (0, 0, 0, 0, 0)),
        text_of([""], (0, 0, 0, 0, 0)),
        text_of(["a.ts"]),
    ],
    ids=["before the first line", "without a source", "an unnamed source", "an empty name", "nothing mapped"],
)
def test_a_map_that_says_nothing_of_a_place_leaves_it(text: str) -> None:
    frame = at(1, 1)
    assert maps_with(text).resolve(frame) is frame


def test_a_map_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sourcemaps, "MAX_KEPT_BYTES", 100)
    with pytest.raises(BrokenSourceMap, match="larger than"):
        parse(CART, SCRIPT)


def test_the_maps_asked_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one, url = parse(CART, SCRIPT), "http://shop.test/{}.js"
    monkeypatch.setattr(sourcemaps, "MAX_KEPT_BYTES", one.size_bytes * 2)
    maps = SourceMaps()
    for name in "ab":
        maps.add(url.format(name), parse(CART, SCRIPT))
    maps.place(at(1, 1, url=url.format("a")))
    maps.add(url.format("c"), parse(CART, SCRIPT))
    assert [name for name in "abc" if maps.place(at(1, 1, url=url.format(name)))] == ["a", "c"]


def test_a_script_that_changed_has_a_new_map() -> None:
    maps = maps_with(CART)
    assert maps.resolve(at(1, 25)).line == 41
    maps.add(SCRIPT, parse(text_of(["src/cart.ts"], (0, 0, 0, 6, 0)), SCRIPT))
    assert maps.resolve(at(1, 25)).line == 7
    maps.forget(SCRIPT)
    assert maps.resolve(at(1, 25)) == at(1, 25)


def test_nothing_is_read_where_nothing_can_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sourcemaps, "READER", "no_such_package")
    with pytest.raises(BrokenSourceMap, match="install"):
        parse(CART, SCRIPT)


def test_the_doctor_says_whether_maps_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._source_maps().fix == ""
    monkeypatch.setattr(sourcemaps, "READER", "no_such_package")
    finding = doctor._source_maps()
    assert finding.ok
    assert "not read" in finding.detail
    assert "firstcause[sourcemaps]" in finding.fix


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("webpack:///./src/cart.ts?ab12", "src/cart.ts"),
        ("webpack://shop/./src/cart.ts", "src/cart.ts"),
        ("webpack://shop/src/cart.ts", "src/cart.ts"),
        ("webpack-internal:///./src/cart.ts", "src/cart.ts"),
        ("turbopack:///[project]/src/cart.ts", "src/cart.ts"),
        ("../../../src/cart.ts", "src/cart.ts"),
        ("./cart.ts", "assets/cart.ts"),
        ("http://shop.test/src/cart.ts?t=17", "src/cart.ts"),
        ("/@fs/home/ada/shop/cart.ts", "/home/ada/shop/cart.ts"),
        ("file:///home/ada/shop/cart.ts", "/home/ada/shop/cart.ts"),
        ("C:\\shop\\cart.ts", "C:/shop/cart.ts"),
        ("http://[odd/cart.ts", "http://[odd/cart.ts"),
    ],
)
def test_a_source_is_named_from_the_projects_folder_on(source: str, path: str) -> None:
    assert source_path(source, SCRIPT) == path


@pytest.mark.parametrize(
    ("url", "in_app"),
    [
        ("http://shop.test/js/cart.js", True),
        ("http://shop.test/node_modules/.vite/deps/react.js", False),
        ("http://shop.test/@vite/client", False),
        ("http://cdn.test/jquery.js", False),
        ("webpack-internal:///./src/cart.ts", True),
        ("webpack-internal:///(webpack)/hot/log.js", False),
        ("webpack://shop/webpack/runtime/chunk", False),
        ("webpack://shop/./src/webpack/cart.ts", True),
        ("chrome-extension://abc/content.js", False),
        ("pptr:evaluate;x", False),
        ("", False),
    ],
)
def test_the_pages_own_scripts_are_known_by_their_address(url: str, in_app: bool) -> None:
    assert is_in_app(url, "http://shop.test/cart") is in_app


def test_the_best_frame_is_the_innermost_of_the_pages_own() -> None:
    scene = Scene(page_url="http://shop.test/", source_maps=maps_with(CART))
    native, library, own = at(1, 1, "map", ""), at(1, 950, "price"), at(1, 25, "updateCartBadge")
    cdn = at(3, 4, "trigger", "http://cdn.test/jquery.js")
    assert best_frame([native, library, cdn, own], scene) is own
    assert best_frame([library, cdn], scene) is library
    assert best_frame([], scene) is None


def test_a_place_in_the_sources_is_told_with_the_generated_one() -> None:
    scene = Scene(page_url="http://shop.test/", source_maps=maps_with(CART))
    assert places([at(1, 25, "updateCartBadge")], scene) == {
        "at": "src/cart.ts:41:5 updateCartBadge",
        "generated": "app.min.js:1:25",
    }
    assert places([at(9, 9, "t")], scene) == {"at": "app.min.js:9:9 t"}
    assert places([at(1, 25)], Scene()) == {"at": "app.min.js:1:25 t"}


@pytest.mark.parametrize(
    ("generated", "short", "name"),
    [
        ("t(e)", "t", "updateCartBadge"),
        ("go(e)", "go", "updateCartBadge"),
        ("list.map(t)", "t", "t"),  # called by map, which is no frame
        ("t()", "t", "t"),
        ("save(e)", "save", "save"),  # a name that somebody has given
        ("t(e)", "", ""),
        ("t(e)", "async t", "async t"),
    ],
)
def test_a_name_that_a_compiler_made_up_is_told_as_it_is_called_in_the_sources(
    generated: str, short: str, name: str
) -> None:
    start = generated.find(".") + 1
    marks: list[Mapping] = [(0, start, 0, 8, 2, 0)]
    if generated.find("(") + 1 != generated.find(")"):
        marks.append((0, generated.find("(") + 1, 0, 8, 18))
    maps = maps_with(text_of(["../src/cart.ts"], (3, 0, 0, 2, 4), *marks, names=["updateCartBadge"]))
    assert maps.function(at(4, 1, short), at(1, start + 1)) == name
    told = places([at(4, 1, short), at(1, start + 1)], Scene(source_maps=maps))
    assert told["at"] == f"src/cart.ts:3:5 {name}".strip()


def test_a_name_stays_where_the_caller_is_not_known() -> None:
    maps = maps_with(CART)
    callers = [None, at(1, 1, url="http://shop.test/other.js"), at(0, 0), at(7, 7), at(2**40, 2**40)]
    assert [maps.function(at(1, 25, "t"), caller) for caller in callers] == ["t"] * 5


def test_a_long_place_keeps_its_end_and_no_secret() -> None:
    text = text_of([f"webpack:///./{'components/' * 30}cart.ts"], (0, 0, 0, 40, 4))
    told = places([at(1, 1, "f" * 200)], Scene(source_maps=maps_with(text)))
    assert len(str(told["at"]).encode()) <= 120
    assert "components/cart.ts:41:5 fff" in str(told["at"])
    keyed = text_of(["webpack:///./src/ghp_1234567890abcdef1234/cart.ts"], (0, 0, 0, 0, 0))
    assert "ghp_" not in str(places([at(1, 1)], Scene(source_maps=maps_with(keyed))))


async def read_by(reader: MapReader, *signals: Signal) -> list[bool]:
    taken = [reader.take(each) for each in signals]
    while reading := list(reader._reading.values()):
        await asyncio.wait(reading)
    return taken


async def test_maps_are_read_beside_the_stream() -> None:
    maps, missing = SourceMaps(), list[Signal]()
    reader = MapReader(maps, missing.append)
    broken = f"{SCRIPT}?broken"
    other = signal(SourceMapMissing("a.js", "a.js.map", "answered 404"))
    taken = await read_by(
        reader,
        signal(SourceMapLoaded(SCRIPT, f"{SCRIPT}.map", CART)),
        signal(SourceMapLoaded(broken, "", "<html>")),
        other,
    )
    assert taken == [True, True, False]
    assert maps.resolve(at(1, 25)).url == "src/cart.ts"
    [told] = missing
    assert isinstance(told.detail, SourceMapMissing)
    assert (told.detail.script_url, told.session) == (broken, "")
    assert await read_by(reader, signal(ScriptReplaced(SCRIPT))) == [True]
    assert maps.place(at(1, 25)) is None


async def test_the_map_of_a_script_that_was_replaced_meanwhile_is_not_kept() -> None:
    maps, missing = SourceMaps(), list[Signal]()
    reader = MapReader(maps, missing.append)
    await read_by(reader, signal(SourceMapLoaded(SCRIPT, "", CART)), signal(ScriptReplaced(SCRIPT)))
    assert maps.place(at(1, 25)) is None
    reader.take(signal(SourceMapLoaded(SCRIPT, "", CART)))
    reader.close()
    assert reader._reading == {}
    assert missing == []
