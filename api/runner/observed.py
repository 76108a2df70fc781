"""The browsers of a command: found, observed one by one while they live, and let go."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from ...correlator.detecting import Thresholds
from ...correlator.event import Event
from ...correlator.redact import Redactor
from ...observer.errors import FirstcauseError
from ...observer.options import CaptureOptions
from ...observer.sources.attach import PORT_FILE, resolve_ws_url
from ..observation import Observation
from .hooked import Announced, Exchange
from .log import Log
from .scanning import Found, Scan, is_alive

POLL_S: Final = 0.02
SCAN_EVERY_S: Final = 0.05
START_PATIENCE_S: Final = 30.0
EXIT_PATIENCE_S: Final = 0.3
GOODBYE_S: Final = 2.0
MAX_LATEST: Final = 5_000
# That a browser is gone is how every test ends.
OF_THE_END: Final = frozenset({"browser_lost", "capture_gap"})

log = logging.getLogger(__name__)


class Browser:
    """One browser. What says that it is lost is told when it comes back, or has crashed."""

    def __init__(self, found: Announced | Found, told: Log) -> None:
        self.pid = found.pid
        self.profile = found.profile
        self.port = found.port
        self.launcher = found.name if isinstance(found, Announced) else ""
        """What the launcher calls it, if it has announced it."""
        self.worker = found.worker if isinstance(found, Announced) else ""
        self.attached = asyncio.Event()
        self.lost = asyncio.Event()
        self.observation: Observation | None = None
        self._told = told
        self._held: list[Event] = []
        self._latest: deque[Event] = deque(maxlen=MAX_LATEST)

    def take(self, event: Event) -> None:
        if event.kind in OF_THE_END:
            self._held.append(event)
            self.lost.set()
            return
        self._latest.append(event)
        self._told.tell(event)

    def tell_held(self) -> None:
        for event in self._held:
            self._told.tell(event)
        self._held = []
        self.lost.clear()

    def since(self, timestamp: str) -> list[Event]:
        """What it has told from then on, as far as it is kept."""
        return [event for event in self._latest if event.timestamp >= timestamp]


class Observed:
    """`look` again and again, then `settle`; `count` browsers were observed, `closed` are the profiles of those that nobody can reach."""

    def __init__(
        self,
        exchange: Exchange,
        told: Log,
        options: CaptureOptions,
        *,
        project: str,
        redactor: Redactor,
        thresholds: Thresholds,
    ) -> None:
        self.count = 0
        self.closed: set[str] = set()
        self.problem = ""
        """What kept a browser from being observed."""
        self._exchange = exchange
        self._told = told
        self._options = options
        self._project = project
        self._redactor = redactor
        self._thresholds = thresholds
        self._scan = Scan(exchange.folder)
        self._scan_at_s = 0.0
        self._by_url: dict[str, Browser] = {}
        self._by_worker: dict[str, Browser] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self) -> None:
        """Whether there are others; each is observed from now on until it is gone."""
        for announced in self._exchange.announced():
            self._begin(Browser(announced, self._told))
        if monotonic() >= self._scan_at_s:
            for found in self._scan.found():
                if found.port is None:
                    self.closed.add(found.profile)
                else:
                    self._begin(Browser(found, self._told))
            self._scan_at_s = monotonic() + SCAN_EVERY_S

    async def settle(self) -> None:
        """Let those go that are there still, a moment after the command has ended."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)
        for task in (left := [*self._tasks]):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def of_worker(self, worker: str) -> Browser | None:
        """The browser that a test runner's process has started last, or the only one that there was."""
        if found := self._by_worker.get(worker):
            return found
        browsers = [*self._by_url.values()]
        return browsers[0] if len(browsers) == 1 else None

    def _begin(self, browser: Browser) -> None:
        task = asyncio.create_task(self._guarded(browser))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, browser: Browser) -> None:
        try:
            await self._observe(browser)
        except Exception as error:
            self.problem = self.problem or str(error)
            log.debug("a browser can't be observed", exc_info=True)
        finally:
            self._release(browser)

    async def _observe(self, browser: Browser) -> None:
        deadline_s = monotonic() + START_PATIENCE_S
        problem: FirstcauseError | None = None
        while is_alive(browser.pid) and monotonic() < deadline_s:
            try:
                url = await ws_url(browser)
                other = self._by_url.get(url)
                if url and other is None:
                    await self._follow(browser, url)
                    return
                if other is not None and is_alive(other.pid):
                    await self._same(browser, other)
                    return
            # What is written in the profile may still be an older browser's.
            except FirstcauseError as error:
                problem = error
            await asyncio.sleep(POLL_S)
        if problem is not None:
            raise problem

    async def _same(self, browser: Browser, other: Browser) -> None:
        """The hook and the scan have both found it."""
        other.launcher = other.launcher or browser.launcher
        other.worker = other.worker or browser.worker
        if other.worker:
            self._by_worker[other.worker] = other
        await other.attached.wait()

    async def _follow(self, browser: Browser, url: str) -> None:
        self._by_url[url] = browser
        try:
            async with self._new_observation(browser, url) as browser.observation:
                self.count += 1
                if browser.worker:
                    self._by_worker[browser.worker] = browser
                self._attached(browser)
                await self._until_gone(browser, browser.observation)
        except FirstcauseError:
            del self._by_url[url]
            raise
        finally:
            self._attached(browser)
        if await self._crashed(browser):
            browser.tell_held()

    def _new_observation(self, browser: Browser, url: str) -> Observation:
        return Observation(
            url,
            browser.take,
            self._options,
            project=self._project,
            name=f"b{len(self._by_url)}",
            redactor=self._redactor,
            thresholds=self._thresholds,
        )

    def _attached(self, browser: Browser) -> None:
        browser.attached.set()
        self._release(browser)

    def _release(self, browser: Browser) -> None:
        # Nobody waits for one that was only found, but whoever wants to can.
        self._exchange.release(browser.launcher or str(browser.pid))

    async def _until_gone(self, browser: Browser, observation: Observation) -> None:
        while observation.observer.connected or is_alive(browser.pid):
            if observation.observer.connected:
                browser.tell_held()
            await asyncio.sleep(POLL_S)
        # The observer sees it a moment after its connection, and has to say so before it is stopped.
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_PATIENCE_S):
                await browser.lost.wait()

    async def _crashed(self, browser: Browser) -> bool:
        """Its launcher says so, if there is one that we know, a moment after it is gone."""
        deadline_s = monotonic() + EXIT_PATIENCE_S
        while browser.launcher and monotonic() < deadline_s:
            if (ended := self._exchange.exit_of(browser.launcher)) is not None:
                return ended.crashed
            await asyncio.sleep(POLL_S)
        return False


async def ws_url(browser: Browser) -> str:
    """Where it can be reached; nothing while it has not said so. Raises BrowserUnreachable and the like."""
    if browser.port:
        return await resolve_ws_url(browser.port)
    return next(_written(Path(browser.profile) / PORT_FILE), "")


def _written(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text().split()
    except (OSError, ValueError):
        return
    # Two lines, once all is written: the port and the path.
    if len(lines) == 2:
        yield f"ws://127.0.0.1:{lines[0]}{lines[1]}"
