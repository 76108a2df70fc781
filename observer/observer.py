"""The observer: attaches to one browser, keeps attached, and turns what its domains see into signals."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from .cdp.connection import Connection, Intake, Wanted
from .cdp.replayed import ReplayHistory
from .cdp.session import Session, TargetInfo
from .cdp.targets import TARGET_DETAILS, TargetTree
from .domain import Domain, Listener
from .domains import DOMAINS
from .domains.page_script import PageScriptDomain
from .domains.runtime import RuntimeDomain
from .errors import BrowserUnreachable, CommandFailed, FirstcauseError, UnknownPage
from .options import CaptureOptions
from .signal import Detail, Signal

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.02
MAX_RETRY_S = 0.2
RETRY_GROWTH = 1.6
NOT_REPLAYED = ("requests", "navigations", "dialogs", "performance", "user actions")


class BrowserLost(Detail, frozen=True, tag="browser_lost"):
    """The connection ended without our doing; looking for the browser goes on."""

    url: str


class Gap(Detail, frozen=True, tag="gap"):
    """What could not be seen between two connections: `lost` for everybody, console and log also for `console_incomplete`."""

    from_ms: float
    to_ms: float
    browser: str
    lost: tuple[str, ...]
    attempts: int = 0
    pages_gone: tuple[str, ...] = ()
    pages_new: tuple[str, ...] = ()
    console_incomplete: tuple[str, ...] = ()


class Observer:
    """Observes one browser. `resolve` says where it is each time it has to be found again; `sink` takes every signal."""

    details: tuple[type[Detail], ...] = (
        BrowserLost,
        Gap,
        *TARGET_DETAILS,
        *(detail for domain in DOMAINS for detail in domain.details),
    )

    def __init__(
        self,
        resolve: Callable[[], Awaitable[str]],
        sink: Callable[[Signal], None],
        options: CaptureOptions | None = None,
        name: str = "b1",
    ) -> None:
        options = options or CaptureOptions()
        self.name = name
        self._resolve = resolve
        self._sink = sink
        self._domains: list[Domain] = [
            domain(options) for domain in DOMAINS if options.level in domain.levels
        ]
        self._tree = TargetTree(name, options.target_mode, self._domains, sink)
        listeners = [listener for domain in self._domains for listener in domain.listen()]
        self._intake = Intake([*self._tree.wanted(), *(self._wanted(listener) for listener in listeners)])
        self._connection: Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._running: list[asyncio.Task[None]] = []
        self._url = ""

    @property
    def skipped(self) -> Counter[str]:
        """CDP frames that were passed over, by reason."""
        return self._intake.skipped

    @property
    def frames(self) -> int:
        return self._intake.frames

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.closed.done()

    def pages(self) -> dict[str, str]:
        """The observed pages and their addresses."""
        return {s.page: s.info.url for s in self._tree.sessions.values() if s.info.type == "page"}

    def session_of(self, page: str) -> Session:
        """The session on a page, to ask it something. Raises UnknownPage."""
        for session in self._tree.sessions.values():
            if session.info.type == "page" and session.page == page:
                return session
        there = ", ".join(sorted(self.pages()))
        raise UnknownPage(
            f"No page {page[:40]} is observed.", f"There are: {there}." if there else "There are none now."
        )

    def session(self, session_id: str) -> Session | None:
        """The session of this id, while it lasts."""
        return self._tree.sessions.get(session_id)

    def long_text(self, signal: Signal) -> str:
        """What a console call said, if that was too long for its signal and is still kept."""
        texts = (
            domain.long_texts.get(signal.session, signal.order)
            for domain in self._domains
            if isinstance(domain, RuntimeDomain)
        )
        return next(texts, "")

    def watch_selectors(self, selectors: Iterable[str]) -> None:
        """Exactly these from now on, on every page that is there and on those that come."""
        watched = tuple(dict.fromkeys(selectors))
        for domain in self._domains:
            if isinstance(domain, PageScriptDomain):
                domain.watch(watched, self._tree.sessions.values())

    async def start(self) -> Self:
        """Attach to all that is there; raises if the browser can't be reached now. Later losses are mended silently."""
        try:
            await self._connect()
        except CommandFailed as error:
            await self._drop()
            raise BrowserUnreachable(
                error.message, "Is the browser still running? `firstcause doctor` helps."
            ) from error
        self._keeper = asyncio.create_task(self._keep_connected())
        return self

    async def stop(self) -> None:
        """Detach and leave every page as it was."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._connection is not None and self.connected:
            await self._tree.detach_all()
        await self._drop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _wanted(self, listener: Listener[Any]) -> Wanted[Any]:
        sessions, handle = self._tree.sessions, listener.handle

        def take(session_id: str, params: Any) -> None:
            session = sessions.get(session_id)
            if session is not None:  # else a late event of a session that was let go
                handle(session, params)

        return Wanted(listener.method, listener.params, take, listener.holding)

    async def _connect(self) -> None:
        self._url = await self._resolve()
        self._connection = await Connection.open(self._url, self._intake)
        await self._tree.attach_all(self._connection)
        self._running = [asyncio.create_task(self._run(domain)) for domain in self._domains]

    async def _run(self, domain: Domain) -> None:
        try:
            await domain.run(lambda: list(self._tree.sessions.values()))
        except Exception:
            log.exception("%s failed", type(domain).__name__)

    async def _drop(self) -> None:
        for task in self._running:
            task.cancel()
        self._running = []
        if self._connection is not None:
            await self._connection.close()
        self._tree.drop_all()

    async def _keep_connected(self) -> None:
        while True:
            assert self._connection is not None
            await asyncio.wait([self._connection.closed])
            await self._bridge_gap()

    async def _bridge_gap(self) -> None:
        """From the loss of the connection to the next one, told by exactly one gap, also if there is no next one."""
        lost_s = self._intake.last_frame_s
        pages, url = self.pages(), self._url
        witness = self._witness()
        await self._drop()
        witness.emit(BrowserLost(url))
        attempts, delay_s = 0, FIRST_RETRY_S
        try:
            while True:
                attempts += 1
                try:
                    await self._connect()
                    break
                except FirstcauseError:
                    await self._drop()
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * RETRY_GROWTH, MAX_RETRY_S)
        except asyncio.CancelledError:
            self._tell_gap(witness, lost_s, "gone", attempts, pages, {})
            raise
        same = "same" if self._url == url else "new"
        self._tell_gap(witness, lost_s, same, attempts, pages, self.pages())
        self._tree.forget_gone()

    def _witness(self) -> Session:
        """A session of no target, to tell of what happens between connections."""
        assert self._connection is not None
        return Session(
            "",
            TargetInfo(type="browser"),
            browser=self.name,
            page="",
            connection=self._connection,
            sink=self._sink,
            history=ReplayHistory(),
        )

    def _tell_gap(
        self,
        witness: Session,
        lost_s: float,
        browser: str,
        attempts: int,
        before: dict[str, str],
        after: dict[str, str],
    ) -> None:
        offset_s = time.time() - time.monotonic()
        witness.emit(
            Gap(
                from_ms=round((lost_s + offset_s) * 1000, 1),
                to_ms=round(time.time() * 1000, 1),
                browser=browser,
                lost=NOT_REPLAYED,
                attempts=attempts,
                pages_gone=tuple(sorted(before.keys() - after.keys())),
                pages_new=tuple(sorted(after.keys() - before.keys())),
                console_incomplete=self._tree.console_incomplete() if after else (),
            )
        )
