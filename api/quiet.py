"""A uvicorn inside another program: it leaves that program's loggers and signals alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator

import uvicorn

TICK_S = 0.1


class QuietConfig(uvicorn.Config):
    def configure_logging(self) -> None:
        """The host program may run a uvicorn of its own."""


class QuietServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """At once; `should_exit` alone is seen at the next tick."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """They belong to the host program."""
        yield
