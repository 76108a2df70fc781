"""The observation of a command, on a thread of its own: whatever becomes of it, the command is not kept waiting."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from ..loop import run

END_S: Final = 15.0

log = logging.getLogger(__name__)

Observing = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class Background:
    """Runs `observing` until `stop`; `problem` says what went wrong with it."""

    def __init__(self, observing: Observing, ended: Callable[[], object]) -> None:
        self.problem = ""
        self._observing = observing
        self._ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._begun = threading.Event()
        # A daemon: it never keeps the program from ending.
        self._thread = threading.Thread(target=self._run, name="firstcause run", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = END_S) -> None:
        if self._begun.wait(timeout_s) and self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # it has ended by itself, and its loop with it
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.problem = self.problem or "the observation does not end"

    def _run(self) -> None:
        try:
            run(self._until_stopped())
        except Exception as error:
            self.problem = str(error) or type(error).__name__
            log.debug("the observation failed", exc_info=True)
        finally:
            self._begun.set()
            self._ended()

    async def _until_stopped(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._observing(self._stop)
