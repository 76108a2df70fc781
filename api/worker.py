"""One thread that does blocking calls one after another for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """Not a ThreadPoolExecutor: the interpreter waits for its threads at the end, so a dead disk would keep the process from ending."""

    def __init__(self, name: str) -> None:
        self._calls = SimpleQueue[Callable[[], object] | None]()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, call: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The call is made in any case, also when nobody waits for its answer any more."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        # Whoever stopped waiting does not want to hear "exception was never retrieved".
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._calls.put(partial(_answer, loop, answer, partial(call, *args)))
        return answer

    def stop(self, wait_s: float) -> bool:
        """Whether the thread has ended."""
        self._calls.put(None)
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _answer(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], call: Callable[[], T]) -> None:
    try:
        deliver = partial(answer.set_result, call())
    except Exception as error:  # noqa: BLE001 - the one who waits gets it
        deliver = partial(answer.set_exception, error)
    with suppress(RuntimeError):  # a call that hung may outlive the loop
        loop.call_soon_threadsafe(lambda: answer.done() or deliver())
