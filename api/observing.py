"""What the commands that observe have in common: where the browser comes from, where events go, when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, Self

from playwright.async_api import BrowserContext, Page

from ..correlator.detecting import Thresholds
from ..correlator.event import Event
from ..correlator.redact import BUILT_IN, Redactor
from ..observer.errors import UsageError
from ..observer.options import CaptureOptions
from ..observer.signal import Signal
from ..observer.sources.launch import LaunchedBrowser, checked_url, launch
from .observation import Observation

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
Started = Callable[[Observation], object]


class Output(Protocol):
    """Takes events while it is open; closing it raises what went wrong."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def write(self, event: Event) -> bool:
        """Whether to go on."""
        ...


class Source:
    """Where the browser comes from: launched with a page, or running already."""

    def __init__(
        self, *, cdp: str = "", url: str = "", headed: bool = False, profile: Path | None = None
    ) -> None:
        if cdp and url:
            raise UsageError("--cdp and a page to launch can't be combined.", "Leave one of them away.")
        if not cdp and not url:
            raise UsageError("There is nothing to observe.", "Give the address of a page, or --cdp PORT.")
        if cdp and (headed or profile):
            raise UsageError(
                "--headed and --profile are for a browser that is launched.", "Leave --cdp away."
            )
        self.cdp = cdp
        self.url = checked_url(url) if url else ""
        self.headed = headed
        self.profile = checked_profile(profile) if profile else None

    @property
    def name(self) -> str:
        return self.url or f"the browser at {self.cdp}"

    async def observe(
        self,
        tell: Callable[[Event], object],
        options: CaptureOptions,
        stop: asyncio.Event,
        *,
        project: str,
        executable: str = "",
        for_seconds: float = 0,
        started: Started = lambda _: None,
        on_signal: Callable[[Signal], object] | None = None,
        redactor: Redactor = BUILT_IN,
        thresholds: Thresholds | None = None,
    ) -> None:
        """`tell` all there is until `stop`, which is also set when there is nothing more to do."""

        async def observe_at(address: str, launched: LaunchedBrowser | None = None) -> None:
            observation = Observation(
                address,
                tell,
                options,
                project=project,
                on_signal=on_signal,
                redactor=redactor,
                thresholds=thresholds,
            )
            async with observation:
                started(observation)
                if launched is not None:
                    await launched.open_page(self.url)
                    when_closed(launched.context, stop)
                loop = asyncio.get_running_loop()
                if for_seconds:
                    loop.call_later(for_seconds, stop.set)
                await loop.create_future()  # until it is cancelled

        if self.cdp:
            await until(stop, observe_at(self.cdp))
            return
        # A start is not interrupted: the driver would leave the profile folder behind.
        async with launch(
            executable=executable or None, headed=self.headed, profile_dir=self.profile
        ) as launched:
            await until(stop, observe_at(launched.ws_url, launched))


@contextmanager
def stop_on_signals() -> Generator[asyncio.Event]:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Windows has none: there Ctrl-C arrives as KeyboardInterrupt.
    with suppress(NotImplementedError):
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        # uvloop leaves the handler of a closed loop behind, and then nothing interrupts the program any more.
        with suppress(NotImplementedError):
            for number in SIGNALS:
                loop.remove_signal_handler(number)


async def until(stop: asyncio.Event, doing: Coroutine[None, None, None]) -> None:
    """Have it done, but for no longer than until `stop`: then it is cancelled, wherever it is."""
    tasks = asyncio.create_task(doing), asyncio.create_task(stop.wait())
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def when_closed(context: BrowserContext, stop: asyncio.Event) -> None:
    """Set `stop` when the browser ends or its last page is closed: Chromium stays without one when Playwright started it."""

    def page_closed(_: Page) -> None:
        if not context.pages:
            stop.set()

    context.on("close", lambda _: stop.set())
    context.on("page", lambda page: page.on("close", page_closed))
    for page in context.pages:
        page.on("close", page_closed)
    if not context.pages:
        stop.set()


def checked_profile(profile: Path) -> Path:
    try:
        profile.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(profile, os.R_OK | os.W_OK | os.X_OK) else "permission denied"
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
    if reason:
        raise UsageError(f"{profile} can't be a profile: {reason}.", "Give --profile a folder.")
    return profile
