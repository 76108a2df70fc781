"""Scripts: the source maps of those that have one, loaded with the page's own cookies; the page sees nothing of it.

Chrome says where the map of a script is as long as the debugger is enabled, which the watchdog does. Maps of the page's own scripts
are loaded one at a time once it has loaded, another's as soon as an exception points into it. Console calls are not looked at: there
are too many to decode each a second time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib.util
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import msgspec

from ..cdp.session import Session
from ..domain import FRAMES, Domain, Listener, Params
from ..errors import CommandFailed
from ..options import CaptureOptions
from ..signal import Detail

READER = "symbolic"
KEPT_SCRIPTS = 2_000
MAX_MAP_BYTES = 10 * 2**20
MAX_INLINE_BYTES = MAX_MAP_BYTES * 4 // 3 + 100
# What may be loaded without need, from one load of a page to the next. A development server has hundreds of scripts, each with
# its map inside, and Chrome takes 2-3 ms to hand one over.
MAX_PREFETCHED_BYTES = 40 * 2**20
MAX_INLINE_PREFETCHED = 100
MAX_URL_CHARS = 2_000
LOAD_WITHIN_S = 5.0
BETWEEN_LOADS_S = 0.02
CHUNK_BYTES = 2**20
FRAMES_LOOKED_AT = 10
LIBRARIES = ("/node_modules/", "/@vite/", "/@react-refresh")
INLINE = b"data:"
INLINE_COMMENT = "sourceMappingURL=data:"

State = Literal["known", "loaded", "missing"]


class SourceMapLoaded(Detail, frozen=True, tag="source_map"):
    """The map of a script as it was served, whether it can be read or not; `map_url` is empty if it was in the script."""

    script_url: str
    map_url: str
    text: str


class SourceMapMissing(Detail, frozen=True, tag="source_map_missing"):
    """An error points into a script whose map can't be had."""

    script_url: str
    map_url: str
    reason: str


class ScriptReplaced(Detail, frozen=True, tag="script_replaced"):
    """A script whose map was loaded has another content now: that map is no longer its map."""

    script_url: str


class ScriptParsed(Params):
    script_id: str
    url: str
    start_line: int = 0
    start_column: int = 0
    hash: str = ""
    # Not decoded: a development server puts whole maps into it, of hundreds of scripts.
    source_map_url: msgspec.Raw = msgspec.field(name="sourceMapURL", default=msgspec.Raw(b'""'))

    @property
    def in_a_page(self) -> bool:
        """A script in the text of a page has the page's address, and so have all others there."""
        return bool(self.start_line or self.start_column)


class PlaceFrame(Params):
    url: str = ""


class PlaceStack(Params):
    call_frames: list[PlaceFrame] = []


class ThrownDetails(Params):
    url: str = ""
    stack_trace: PlaceStack | None = None


class Thrown(Params):
    exception_details: ThrownDetails


class Resource(Params):
    success: bool = False
    net_error_name: str = ""
    http_status_code: float = 0
    stream: str = ""


class ResourceReply(Params):
    resource: Resource


class Chunk(Params):
    data: str
    eof: bool = True
    base64_encoded: bool = False


class SourceReply(Params):
    script_source: str


RESOURCE = msgspec.json.Decoder(ResourceReply)
CHUNK = msgspec.json.Decoder(Chunk)
SOURCE = msgspec.json.Decoder(SourceReply)


class MapNotServed(Exception):
    """Why there is no map."""


class Script:
    """One that has a map, and the page that ran it last; `needed` once an error points into it."""

    __slots__ = ("content_hash", "map_url", "needed", "script_id", "session", "state", "url", "why_missing")

    def __init__(self, url: str, map_url: str, content_hash: str, session: Session, script_id: str) -> None:
        self.url = url
        self.map_url = map_url
        self.content_hash = content_hash
        self.session = session
        self.script_id = script_id
        self.state: State = "known"
        self.needed = False
        self.why_missing = ""


class ScriptsDomain(Domain):
    roles = FRAMES
    details = (SourceMapLoaded, SourceMapMissing, ScriptReplaced)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._scripts: OrderedDict[str, Script] = OrderedDict()
        self._needed: deque[Script] = deque()
        self._prefetched: deque[Script] = deque()
        self._open: set[str] = set()
        self._loaded: set[str] = set()
        self._spent_bytes: Counter[str] = Counter()
        self._inline: Counter[str] = Counter()
        self._work = asyncio.Event()

    def listen(self) -> list[Listener[Any]]:
        if not (self.options.hang_stacks and can_be_read()):
            return []
        return [
            Listener("Debugger.scriptParsed", ScriptParsed, self._parsed),
            Listener("Runtime.exceptionThrown", Thrown, self._thrown),
            Listener("Runtime.executionContextsCleared", Params, self._left),
            Listener("Page.loadEventFired", Params, self._page_loaded),
        ]

    def enable(self, session: Session) -> None:
        self._open.add(session.id)
        if not session.waiting:
            self._loaded.add(session.id)

    def forget(self, session: Session) -> None:
        self._open.discard(session.id)
        self._left(session, Params())

    async def run(self, sessions: Callable[[], list[Session]]) -> None:
        while True:
            script = self._next()
            if script is None:
                self._work.clear()
                await self._work.wait()
                continue
            await self._load(script)
            await asyncio.sleep(BETWEEN_LOADS_S)

    def _parsed(self, session: Session, params: ScriptParsed) -> None:
        if not params.url or params.in_a_page:
            return
        map_url = map_url_of(params)
        script = self._scripts.get(params.url)
        if script is not None and script.content_hash != params.hash:
            del self._scripts[params.url]
            if script.state == "loaded":
                session.emit(ScriptReplaced(script.url))
            script = None
        if map_url is None:
            return
        if script is None:
            script = self._scripts[params.url] = Script(
                params.url, map_url, params.hash, session, params.script_id
            )
            if len(self._scripts) > KEPT_SCRIPTS:
                self._scripts.popitem(last=False)
        self._scripts.move_to_end(params.url)
        script.session, script.script_id = session, params.script_id
        if script.needed and script.state == "known":
            self._needed.append(script)
            self._work.set()
        elif session.id in self._loaded:
            self._prefetch(script)

    def _thrown(self, session: Session, params: Thrown) -> None:
        details = params.exception_details
        frames = details.stack_trace.call_frames[:FRAMES_LOOKED_AT] if details.stack_trace is not None else []
        for url in [frame.url for frame in frames] or [details.url]:
            script = self._scripts.get(url)
            if script is None or script.needed:
                continue
            script.needed = True
            if script.state == "known":
                self._needed.append(script)
                self._work.set()
            elif script.state == "missing":
                self._tell_missing(script)

    def _left(self, session: Session, _: Params) -> None:
        self._loaded.discard(session.id)
        del self._spent_bytes[session.id], self._inline[session.id]

    def _page_loaded(self, session: Session, _: Params) -> None:
        if session.id not in self._open:
            return
        self._loaded.add(session.id)
        for script in self._scripts.values():
            if script.session is session:
                self._prefetch(script)

    def _prefetch(self, script: Script) -> None:
        if script.state == "known" and is_own(script, script.session.info.url):
            self._prefetched.append(script)
            self._work.set()

    def _next(self) -> Script | None:
        """What an error points into first."""
        while self._needed or self._prefetched:
            script = self._needed.popleft() if self._needed else self._prefetched.popleft()
            session = script.session
            if script.state != "known" or session.id not in self._open or session.crashed:
                continue  # the next page that has it queues it again
            if script.needed or self._can_afford(script):
                return script
        return None

    def _can_afford(self, script: Script) -> bool:
        page = script.session.id
        inline_left = bool(script.map_url) or self._inline[page] < MAX_INLINE_PREFETCHED
        return inline_left and self._spent_bytes[page] < MAX_PREFETCHED_BYTES

    async def _load(self, script: Script) -> None:
        session = script.session
        try:
            async with asyncio.timeout(LOAD_WITHIN_S):
                text = await (served(script) if script.map_url else inline(script))
        except TimeoutError:
            self._miss(script, f"not served within {LOAD_WITHIN_S:g} s")
        except MapNotServed as why:
            self._miss(script, str(why))
        except (CommandFailed, msgspec.MsgspecError) as error:
            if session.id in self._open:
                self._miss(script, str(error))
        else:
            script.state = "loaded"
            self._spent_bytes[session.id] += len(text)
            self._inline[session.id] += not script.map_url
            session.emit(SourceMapLoaded(script.url, script.map_url, text))

    def _miss(self, script: Script, why: str) -> None:
        script.state, script.why_missing = "missing", why
        if script.needed:
            self._tell_missing(script)

    def _tell_missing(self, script: Script) -> None:
        script.session.emit(SourceMapMissing(script.url, script.map_url, script.why_missing))


def can_be_read() -> bool:
    """What nobody here can read is not loaded."""
    return importlib.util.find_spec(READER) is not None


def map_url_of(params: ScriptParsed) -> str | None:
    """Where the map of a script is, "" if it is in the script itself, None if it has none that may be loaded."""
    raw = memoryview(params.source_map_url)
    if len(raw) <= len('""') or len(params.url) > MAX_URL_CHARS:
        return None
    if bytes(raw[1 : 1 + len(INLINE)]) == INLINE:
        return "" if len(raw) <= MAX_INLINE_BYTES else None
    if len(raw) > MAX_URL_CHARS:
        return None
    try:
        url = urljoin(params.url, msgspec.json.decode(raw, type=str))
        return url if urlsplit(url).scheme in {"http", "https"} else None
    except ValueError:
        return None


def is_own(script: Script, page_url: str) -> bool:
    """Whether it is likely to be the page's own code: from its site or made by a bundler, and no library."""
    if any(library in script.url for library in LIBRARIES):
        return False
    try:
        place, page, map_place = urlsplit(script.url), urlsplit(page_url), urlsplit(script.map_url)
    except ValueError:
        return False
    if script.map_url and (map_place.scheme, map_place.netloc) != (place.scheme, place.netloc):
        return False
    return place.scheme not in {"http", "https"} or (place.scheme, place.netloc) == (page.scheme, page.netloc)


async def served(script: Script) -> str:
    """A map with an address of its own, loaded by Chrome: no domain reports that request, and no script sees it."""
    session = script.session
    reply = await session.post(
        "Network.loadNetworkResource",
        LOAD_WITHIN_S,
        frameId=session.info.target_id,
        url=script.map_url,
        options={"disableCache": False, "includeCredentials": True},
    )
    resource = RESOURCE.decode(reply).resource
    if not resource.success or not resource.stream:
        status = int(resource.http_status_code)
        raise MapNotServed(f"answered {status}" if status else resource.net_error_name or "not served")
    try:
        return (await read(session, resource.stream)).decode(errors="replace")
    finally:
        session.post("IO.close", handle=resource.stream)


async def read(session: Session, stream: str) -> bytes:
    """In small pieces, so that nothing else has to wait for a large map."""
    parts: list[bytes] = []
    size = 0
    while True:
        chunk = CHUNK.decode(await session.post("IO.read", LOAD_WITHIN_S, handle=stream, size=CHUNK_BYTES))
        # Chrome encodes a piece that ends within a character.
        parts.append(base64.b64decode(chunk.data) if chunk.base64_encoded else chunk.data.encode())
        size += len(parts[-1])
        if size > MAX_MAP_BYTES:
            raise MapNotServed(f"larger than {MAX_MAP_BYTES >> 20} MB")
        if chunk.eof:
            return b"".join(parts)


async def inline(script: Script) -> str:
    """The map in a script's last comment; asked for only now, so that it is not kept until somebody needs it."""
    reply = await script.session.post("Debugger.getScriptSource", LOAD_WITHIN_S, scriptId=script.script_id)
    source = SOURCE.decode(reply).script_source
    header, found, data = source[source.rfind(INLINE_COMMENT) + len(INLINE_COMMENT) :].partition(",")
    if INLINE_COMMENT not in source or not found:
        raise MapNotServed("not in the script")
    data = data.split(maxsplit=1)[0] if data.strip() else ""
    try:
        encoded = header.rstrip().endswith(";base64")
        return (base64.b64decode(data) if encoded else unquote_to_bytes(data)).decode(errors="replace")
    except binascii.Error as error:
        raise MapNotServed("not base64") from error
