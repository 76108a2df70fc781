"""A thread with an event loop of its own, in which the browsers of the tests are observed; every wait for it has an end."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .guard import Guard

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .observed import Observed

T = TypeVar("T")
START_S: Final = 30.0
ATTACH_S: Final = 15.0
STOP_S: Final = 5.0


class Background:
    """Starts with the first use. Nothing of it raises anything but FirstcauseError, TimeoutError and RuntimeError."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._numbers = itertools.count(1)
        self.observed: list[Observed] = []

    @property
    def live(self) -> list[Observed]:
        return [observed for observed in self.observed if not observed.is_over]

    def forget_ended(self) -> None:
        """Browsers that are gone have nothing more to tell to another test."""
        self.observed = self.live

    def start(self) -> None:
        """Returns at once: what is needed is imported in the thread, while the browser starts."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="firstcause", daemon=True)
            self._thread.start()

    def attach(self, address: str | int, owner: object) -> Future[Observed]:
        """Observe a browser; the answer comes when all that it has open is observed, or raises BrowserUnreachable."""
        return self.run(self._attach(address, owner))

    def let_go(self, observed: Observed) -> None:
        """Its browser was closed."""
        if self._is_running():
            self._told(self.run(observed.stop()))

    def post(self, call: Callable[..., object], *args: Any) -> None:
        """Have it called in the thread, after all that was posted before; nobody waits for it."""
        if self._loop is not None and self._is_running():
            with suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self._guard.quietly(call), *args)

    def ask(self, answer: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Raises TimeoutError when it takes too long, and RuntimeError when the thread is not there."""
        future = self.run(answer)
        try:
            return future.result(timeout_s)
        finally:
            future.cancel()

    def run(self, doing: Coroutine[Any, Any, T]) -> Future[T]:
        self.start()
        if self._ready.wait(START_S) and self._loop is not None and self._is_running():
            return asyncio.run_coroutine_threadsafe(doing, self._loop)
        doing.close()
        raise RuntimeError("The thread that observes browsers is not running.")

    def stop(self) -> None:
        """Leaves every browser as it was."""
        if self._thread is None or self._loop is None or not self._is_running():
            return
        with self._guard:
            self.ask(self._stop_all(), STOP_S)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)

    async def _attach(self, address: str | int, owner: object) -> Observed:
        from .observed import Observed

        observed = Observed(address, f"b{next(self._numbers)}", owner)
        async with asyncio.timeout(ATTACH_S):
            await observed.start()
        self.observed.append(observed)
        return observed

    async def _stop_all(self) -> None:
        await asyncio.gather(*(observed.stop() for observed in self.live), return_exceptions=True)

    def _run(self) -> None:
        try:
            with self._guard:
                from . import observed as _needed  # noqa: F401  # pyright: ignore[reportUnusedImport]

                self._loop = loop = asyncio.new_event_loop()
                loop.set_exception_handler(lambda _, told: self._trouble(told))
                loop.call_soon(self._ready.set)
                try:
                    loop.run_forever()
                finally:
                    _close(loop)
        finally:
            self._ready.set()

    def _trouble(self, told: dict[str, Any]) -> None:
        """What nobody waited for; asyncio would print it among the user's tests."""
        error = told.get("exception")
        if isinstance(error, Exception):
            self._guard.note(error)

    def _told(self, future: Future[Any]) -> None:
        def note(done: Future[Any]) -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None:
                self._guard.note(error)

        future.add_done_callback(note)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Quietly, with nothing left that could be warned about."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    with suppress(Exception):
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
