"""An observation: an observer and an engine put together; browsers in, events out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self

from ..correlator.engine import Engine
from ..correlator.event import Event
from ..observer.errors import BrowserUnreachable
from ..observer.observer import Observer
from ..observer.options import CaptureOptions
from ..observer.signal import Signal
from ..observer.sources.attach import resolve_ws_url


class Observation:
    """Observes one browser for the length of the block and hands every event to `on_event`, in order, as it happens.

    `address` is a DevTools port, an http:// or a ws:// address; it is asked anew whenever the browser has to be found again.
    """

    def __init__(
        self,
        address: str | int,
        on_event: Callable[[Event], object],
        options: CaptureOptions | None = None,
        *,
        project: str = "default",
        name: str = "b1",
    ) -> None:
        self._on_event = on_event
        self._engine = Engine(project)
        self._due: asyncio.TimerHandle | None = None
        self.signals = 0
        self.observer = Observer(resolver(address), self._take, options, name)

    async def __aenter__(self) -> Self:
        await self.observer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.observer.stop()
        if self._due is not None:
            self._due.cancel()
        self._tell(self._engine.finish())

    def _take(self, signal: Signal) -> None:
        self.signals += 1
        self._tell(self._engine.feed(signal))

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._on_event(event)
        due_s = self._engine.next_due_s
        if due_s is not None and self._due is None:
            self._due = asyncio.get_running_loop().call_later(
                max(0.0, due_s - time.monotonic()), self._advance
            )

    def _advance(self) -> None:
        self._due = None
        self._tell(self._engine.advance(time.monotonic()))


def resolver(address: str | int) -> Callable[[], Awaitable[str]]:
    """Where the browser is, each time it has to be found: a browser that came back has a new address at the old port."""
    given = str(address).strip()
    scheme, _, rest = given.partition("://")
    started = False

    async def resolve() -> str:
        nonlocal started
        again = started and scheme in {"ws", "wss"}
        started = True
        if not again:
            return await resolve_ws_url(given)
        try:
            return await resolve_ws_url(f"{scheme.replace('ws', 'http')}://{rest.partition('/')[0]}")
        except BrowserUnreachable:
            # A service that rents browsers may answer at the one address only; a browser that is gone does not.
            return given

    return resolve
