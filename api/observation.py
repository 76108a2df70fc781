"""An observation: an observer and an engine put together; browsers in, events out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Self

from ..correlator.detecting import Thresholds
from ..correlator.engine import Engine
from ..correlator.event import Cause, Event
from ..correlator.redact import BUILT_IN, Redactor
from ..observer import asking
from ..observer.asking import Check
from ..observer.axe import Looked
from ..observer.errors import BrowserUnreachable
from ..observer.observer import Observer
from ..observer.options import CaptureOptions
from ..observer.signal import Signal
from ..observer.sources.attach import resolve_ws_url
from .attachments import Attachments
from .source_maps import MapReader
from .watched import Watched


class Observation:
    """Observes one browser for the length of the block and hands every event to `on_event`, in order, as it happens.

    `address` is a DevTools port, an http:// or a ws:// address; it is asked anew whenever the browser has to be found again.
    `on_signal` gets what the events are made of, as the observer recorded it: with whatever secrets there are in it.
    """

    def __init__(
        self,
        address: str | int,
        on_event: Callable[[Event], object],
        options: CaptureOptions | None = None,
        *,
        project: str = "default",
        name: str = "b1",
        on_signal: Callable[[Signal], object] | None = None,
        redactor: Redactor = BUILT_IN,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_signal = on_signal
        self._redactor = redactor
        self._engine = Engine(project, redactor=redactor, thresholds=thresholds)
        self._maps = MapReader(self._engine.source_maps, self._take)
        self._due: asyncio.TimerHandle | None = None
        self.signals = 0
        self.session = ""
        """What its events name as their session, once there is one."""
        self.watched = Watched(options.watched_selectors if options is not None else ())
        self.observer = Observer(resolver(address), self._take, options, name)
        self.attachments = Attachments(self._engine, self.observer, redactor)

    async def __aenter__(self) -> Self:
        await self.observer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.observer.stop()
        self._maps.close()
        if self._due is not None:
            self._due.cancel()
        self._tell(self._engine.finish())

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Other thresholds for the detectors from now on. Raises ThresholdRefused."""
        self._engine.set_thresholds(thresholds)

    def watch_selectors(self, selectors: Iterable[str]) -> None:
        """Exactly these from now on, on every page that is there and on those that come."""
        self.watched.set(selectors)
        self.observer.watch_selectors(self.watched.selectors)

    async def check_selector(self, page: str, selector: str) -> Check:
        """What a selector finds on a page now. Raises UnknownPage and PageBusy."""
        return self._redactor.strings(await asking.check_selector(self.observer.session_of(page), selector))

    async def check_accessibility(self, page: str, *, full: bool = False) -> Looked:
        """What axe finds on a page now, by all of its rules or by the grave ones. Raises AxeMissing, UnknownPage and PageBusy."""
        session = self.observer.session_of(page)
        return self._redactor.strings(await asking.check_accessibility(session, full=full))

    def knows(self, event_id: str) -> bool:
        """Whether the event is one of those that the latest chains are made of."""
        return bool(self._engine.chains.chain_of(event_id))

    def weak_of(self, event_id: str) -> tuple[Cause, ...]:
        """What may have caused the event, without being proven."""
        return self._engine.chains.weak_of(event_id)

    def join(self, event: Event) -> list[Event]:
        """A published event with its cause and its chain, behind the events that explain it and were not told so far. It is for
        whoever publishes it to tell them.
        """
        return self._engine.join(event)

    def _take(self, signal: Signal) -> None:
        self.signals += 1
        if self._maps.take(signal):
            return
        if self._on_signal is not None:
            self._on_signal(signal)
        self.watched.take(signal)
        self.attachments.take(signal)
        self._tell(self._engine.feed(signal))

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self.session = event.session
            self._on_event(event)
        due_s = self._engine.next_due_s
        if due_s is None:
            return
        loop = asyncio.get_running_loop()
        at_s = loop.time() + max(0.0, due_s - time.monotonic())
        if self._due is None or at_s < self._due.when():
            if self._due is not None:
                self._due.cancel()
            self._due = loop.call_at(at_s, self._advance)

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
