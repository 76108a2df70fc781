"""Source maps: which place in the sources a place in a generated script comes from. Without the package `symbolic` places stay."""

from __future__ import annotations

import importlib.util
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from ..observer.signal import StackFrame

if TYPE_CHECKING:
    from symbolic.sourcemap import SourceMapView

READER: Final = "symbolic"
VERSION: Final = 3
MAX_KEPT_BYTES: Final = 40 * 2**20
TOKEN_BYTES: Final = 28  # what the reader keeps for each mapping, measured
MAX_PLACES: Final = 10_000
NOWHERE: Final = 2**31  # the reader's numbers for what a map does not say
# A name that a compiler has made up.
MINIFIED = re.compile(r"[A-Za-z_$][\w$]?")
DRIVE = re.compile(r"[a-z]:[\\/]", re.IGNORECASE)
UPWARDS = re.compile(r"(?:\.{0,2}/|\[[\w-]+\]/)+")
LIBRARY = re.compile(
    r"(?:^|/)node_modules/|(?:^|/)@vite/|/@react-refresh|^\0|^vite/"
    r"|(?:^|//[^/]*/)(?:\(webpack\)|webpack/(?:bootstrap|runtime|startup|universal))"
)
# Extensions, and what drivers run in the page.
FOREIGN = re.compile(r"[a-z-]+-extension:|pptr:|__playwright|node:|native |chrome:|devtools:")


class BrokenSourceMap(ValueError):
    """What was served as a source map is none."""


class Offset(msgspec.Struct):
    line: int
    column: int


class Section(msgspec.Struct):
    offset: Offset
    map: RawMap


class RawMap(msgspec.Struct, omit_defaults=True):
    """What is read of a map; the sources' own text, most of its size, is not."""

    version: int
    sources: list[str | None] = []
    names: list[Any] = []
    mappings: str = ""
    source_root: str | None = msgspec.field(default=None, name="sourceRoot")
    ignored: list[int] | None = msgspec.field(default=None, name="ignoreList")
    ignored_by_chrome: list[int] | None = msgspec.field(default=None, name="x_google_ignoreList")
    sections: list[Section] | None = None

    @property
    def leaves(self) -> list[RawMap]:
        """The maps that hold mappings: this one, or those of its sections."""
        if self.sections is None:
            return [self]
        return [leaf for section in self.sections for leaf in section.map.leaves]


RAW_MAP = msgspec.json.Decoder(RawMap)


class Place(NamedTuple):
    """A place in the sources, and whether the map says that its source is somebody else's."""

    frame: StackFrame
    in_app: bool


class SourceMap:
    """A map that can be asked."""

    def __init__(self, view: SourceMapView, ignored: frozenset[str], base_url: str, size_bytes: int) -> None:
        self._view = view
        self._ignored = ignored
        self._base_url = base_url
        self.size_bytes = size_bytes

    def name_at_call(self, call: StackFrame, short: str) -> str:
        """What the function that is called `short` in the script is called at a call of it in the sources, "" if that is not sure.

        The place of a call may also be that of a native function, as in `list.map(t)`, so the call must be of the form `t(…`: a
        mapping of its own, and the next one right behind the bracket.
        """
        if not MINIFIED.fullmatch(short) or not (0 < call.line < NOWHERE and 0 < call.column < NOWHERE):
            return ""
        line, column = call.line - 1, call.column - 1
        starts = [self._view.lookup(line, column + offset) for offset in (0, len(short), len(short) + 1)]
        columns = [token.dst_col - column for token in starts if token is not None and token.dst_line == line]
        exact = columns == [0, 0, len(short) + 1]
        return starts[0].name or "" if exact and starts[0] is not None else ""

    def place(self, frame: StackFrame) -> Place | None:
        if not (0 < frame.line < NOWHERE and 0 < frame.column < NOWHERE):
            return None
        token = self._view.lookup(frame.line - 1, frame.column - 1)
        # Where a line has no mappings the reader gives the last one above it.
        if token is None or not token.src or token.dst_line != frame.line - 1:
            return None
        if max(token.src_line, token.src_col) >= NOWHERE:
            return None
        path = source_path(token.src, self._base_url)
        found = StackFrame(frame.function, path, token.src_line + 1, token.src_col + 1, frame.script_id)
        is_library = token.src in self._ignored or LIBRARY.search(token.src) or LIBRARY.search(path)
        return Place(found, not is_library)


def available() -> bool:
    return importlib.util.find_spec(READER) is not None


def parse(text: str, base_url: str) -> SourceMap:
    """Makes a served text a map, or raises BrokenSourceMap. `base_url` is the address that its sources are relative to.

    That takes some milliseconds a megabyte, most of them without the interpreter's lock: something for a thread.
    """
    if not available():
        raise BrokenSourceMap("nothing here can read it: install firstcause[sourcemaps]")
    from symbolic.exceptions import SymbolicError
    from symbolic.sourcemap import SourceMapView

    # Servers put a line in front that makes it no script, for the sake of security.
    text = text.removeprefix("\ufeff")
    raw = decoded(text.partition("\n")[2] if text.startswith(")]}") else text)
    ignored: set[str] = set()
    for leaf in raw.leaves:
        leaf.sources = [rooted(source, leaf.source_root) for source in leaf.sources]
        leaf.source_root = None
        numbers = leaf.ignored if leaf.ignored is not None else leaf.ignored_by_chrome or []
        ignored.update(leaf.sources[n] or "" for n in numbers if 0 <= n < len(leaf.sources))
        leaf.ignored = leaf.ignored_by_chrome = None
    text_bytes = msgspec.json.encode(raw)
    try:
        view = SourceMapView.from_json_bytes(text_bytes)
    except SymbolicError as error:
        raise BrokenSourceMap(str(error)) from error
    size_bytes = len(view) * TOKEN_BYTES + len(text_bytes) - sum(len(leaf.mappings) for leaf in raw.leaves)
    if size_bytes > MAX_KEPT_BYTES:
        raise BrokenSourceMap(f"larger than {MAX_KEPT_BYTES >> 20} MB when read")
    return SourceMap(view, frozenset(ignored), base_url, size_bytes)


def decoded(text: str) -> RawMap:
    try:
        raw = RAW_MAP.decode(text)
        versions = {leaf.version for leaf in [raw, *raw.leaves]}
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BrokenSourceMap(str(error)) from error
    except RecursionError as error:
        raise BrokenSourceMap("sections within sections without an end") from error
    if versions != {VERSION}:
        raise BrokenSourceMap(f"version {max(versions - {VERSION})}, not {VERSION}")
    return raw


def rooted(source: str | None, root: str | None) -> str | None:
    """A source with the root that the map gives to all of them."""
    if not source or not root or "://" in source or source.startswith("/") or DRIVE.match(source):
        return source
    return f"{root.rstrip('/')}/{source}"


def source_path(source: str, base_url: str) -> str:
    """A source as its author would name it: from the project's folder on, without what bundlers put around it."""
    source = source.partition("?")[0]
    if DRIVE.match(source):
        return source.replace("\\", "/")
    scheme, has_scheme, rest = source.partition("://")
    if has_scheme and scheme == "file":
        return rest
    if has_scheme and scheme not in {
        "http",
        "https",
    }:  # webpack://shop/./src/cart.ts, turbopack:///[project]/src/cart.ts
        path = rest.partition("/")[2]
    else:
        try:
            path = urlsplit(urljoin(base_url, source)).path or source
        except ValueError:
            path = source
    if path.startswith("/@fs/"):
        return path.removeprefix("/@fs")
    return UPWARDS.sub("", path, count=1) if UPWARDS.match(path) else path


def is_in_app(url: str, page_url: str) -> bool:
    """Whether a script is likely to be the page's own, as far as its address tells."""
    if not url or FOREIGN.match(url) or LIBRARY.search(url):
        return False
    if not (url.startswith("http") and page_url.startswith("http")):
        return True
    return url.split("/", 3)[:3] == page_url.split("/", 3)[:3]


class SourceMaps:
    """The maps of the scripts that have one; those asked last are kept."""

    def __init__(self) -> None:
        self._maps: OrderedDict[str, SourceMap] = OrderedDict()
        self._places: dict[tuple[str, int, int, str], Place | None] = {}
        self._size_bytes = 0

    def add(self, script_url: str, source_map: SourceMap) -> None:
        self.forget(script_url)
        self._maps[script_url] = source_map
        self._size_bytes += source_map.size_bytes
        while self._size_bytes > MAX_KEPT_BYTES:
            self.forget(next(iter(self._maps)))

    def forget(self, script_url: str) -> None:
        """The script has changed, so that its map is not its map any more."""
        gone = self._maps.pop(script_url, None)
        if gone is not None:
            self._size_bytes -= gone.size_bytes
            self._places.clear()

    def resolve(self, frame: StackFrame) -> StackFrame:
        """The frame in the sources, or the frame itself where no map knows better."""
        place = self.place(frame)
        return frame if place is None else place.frame

    def function(self, frame: StackFrame, caller: StackFrame | None) -> str:
        """The name of a frame's function, from the place that called it if it is known there."""
        source_map = self._maps.get(caller.url) if caller is not None else None
        if caller is None or source_map is None:
            return frame.function
        return source_map.name_at_call(caller, frame.function) or frame.function

    def place(self, frame: StackFrame) -> Place | None:
        source_map = self._maps.get(frame.url)
        if source_map is None:
            return None
        self._maps.move_to_end(frame.url)
        key = frame.url, frame.line, frame.column, frame.function
        if key not in self._places:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            self._places[key] = source_map.place(frame)
        return self._places[key]
