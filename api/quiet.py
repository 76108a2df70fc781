"""A uvicorn inside another program: it leaves that program's loggers and signals alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0)  # whoever has hung up is known after that
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        # uvicorn's own way waits a tenth of a second also for nobody.
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
