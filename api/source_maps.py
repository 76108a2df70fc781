"""Reads the source maps that an observer loads, in threads: the stream waits for none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from ..correlator.sourcemaps import BrokenSourceMap, SourceMaps, parse
from ..observer.domains.scripts import ScriptReplaced, SourceMapLoaded, SourceMapMissing
from ..observer.signal import Signal


class MapReader:
    """Takes the signals about maps; one that can't be read is handed on as missing."""

    def __init__(self, maps: SourceMaps, on_missing: Callable[[Signal], object]) -> None:
        self._maps = maps
        self._on_missing = on_missing
        self._reading: dict[str, asyncio.Task[None]] = {}

    def take(self, signal: Signal) -> bool:
        """Whether the signal was about a map, and is nothing to anybody else: too large, and not yet read."""
        detail = signal.detail
        if isinstance(detail, SourceMapLoaded):
            self._stop(detail.script_url)
            self._reading[detail.script_url] = asyncio.create_task(self._read(signal, detail))
        elif isinstance(detail, ScriptReplaced):
            self._stop(detail.script_url)
            self._maps.forget(detail.script_url)
        else:
            return False
        return True

    def close(self) -> None:
        for script_url in list(self._reading):
            self._stop(script_url)

    def _stop(self, script_url: str) -> None:
        reading = self._reading.pop(script_url, None)
        if reading is not None:
            reading.cancel()

    async def _read(self, signal: Signal, loaded: SourceMapLoaded) -> None:
        base_url = loaded.map_url or loaded.script_url
        try:
            self._maps.add(loaded.script_url, await asyncio.to_thread(parse, loaded.text, base_url))
        except BrokenSourceMap as broken:
            missing = SourceMapMissing(loaded.script_url, loaded.map_url, str(broken))
            # Told later than it was seen: it has no place in the order of its session any more.
            self._on_missing(msgspec.structs.replace(signal, detail=missing, session=""))
        del self._reading[loaded.script_url]
