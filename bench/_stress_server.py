"""The real server in a process of its own, as a user starts it: killed, started again, and looked at from outside."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from _stress_client import ask
from _stress_truth import Checks

START_S = 20.0
STOP_S = 10.0
SETTLE_S = 8.0
ROOMY = {
    "max_connections": 100_000,
    "publish_per_s": 100_000,
    "ring_events": 100_000,
    "ring_mb": 256,
    "memory_budget_mb": 1024,
}
"""So that only what a scenario is about is scarce."""
ALARMS = ("Traceback", "never retrieved", "Exception in", "never awaited", "ResourceWarning", "Fatal")
FREE_THREADS = 40  # of the pool for blocking routes; they end when they were idle for a while


class Served:
    """A server that can be killed and started again in the same place."""

    def __init__(self, state_dir: Path, journal: str, settings: dict[str, Any]) -> None:
        self.state_dir = state_dir
        self.journal = journal
        self.settings = settings
        self.port = 0
        self.said = ""
        self.token = ""
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """The second time on the same port."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTCAUSE_")}
        given = {f"FIRSTCAUSE_{name.upper()}": str(value) for name, value in self.settings.items()}
        command = [
            "-m",
            "firstcause",
            "serve",
            "--json",
            f"--port={self.port}",
            f"--state-dir={self.state_dir}",
        ]
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            f"--journal={self.journal}",
            cwd=self.state_dir.parent,
            env={**kept, **given},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen(process))
        assert process.stdout
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        if not line:
            await self._listening
            raise RuntimeError(f"the server did not start: {self.said[-2000:]}")
        self.port = urlsplit(json.loads(line)["url"]).port or 0
        self.token = (self.state_dir / "token").read_text().strip()

    async def kill(self) -> None:
        """kill -9"""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """The exit code of a proper end."""
        return await self._end(signal.SIGTERM)

    async def stats(self) -> dict[str, Any]:
        return (await ask(self.port, "GET", "/v1/stats", token=self.token)).json

    @property
    def rss_mb(self) -> float:
        return (
            int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            * os.sysconf("SC_PAGE_SIZE")
            / (1 << 20)
        )

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    async def _end(self, how: signal.Signals) -> int:
        process = self._process
        assert process
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            return -1
        finally:
            if self._listening is not None:
                await self._listening

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Its stderr is a pipe, which no limit on files can stop."""
        assert process.stderr
        while data := await process.stderr.read(1 << 16):
            self.said += data.decode(errors="replace")


@asynccontextmanager
async def serving(
    checks: Checks, *, journal: str = "sqlite", leaks: bool = True, **settings: Any
) -> AsyncGenerator[Served]:
    """A server for one scenario. Afterwards it must be as it was before its clients came, end well, and have had no accident."""
    scratch = Path(tempfile.mkdtemp(prefix="fc-stress-"))
    served = Served(scratch / "state", journal, {**ROOMY, **settings})
    try:
        await served.start()
        await served.stats()  # the first request of all opens what stays open
        descriptors, threads, pid = served.descriptors, served.threads, served.pid
        yield served
        if served.running:
            if leaks:
                left = await settled(served, descriptors if served.pid == pid else None)
                checks.none("subscribers_left", left[0])
                checks.none("descriptors_left", left[1])
                checks.none("threads_left", max(0, served.threads - threads - FREE_THREADS))
            checks.expect(await served.stop() == 0, "bad_ends")
        alarms = [line for line in served.said.splitlines() if any(alarm in line for alarm in ALARMS)]
        checks.expect(not alarms, "accidents", served.said[-3000:] if alarms else "")
    finally:
        if served.running:
            await served.kill()
        shutil.rmtree(scratch, ignore_errors=True)


async def settled(served: Served, descriptors: int | None, within_s: float = SETTLE_S) -> tuple[int, int]:
    """How many subscribers and file descriptors too many are left when all clients have gone."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + within_s
    while True:
        subscribers = sum((await served.stats())["subscribers"].values())
        await asyncio.sleep(0.01)  # its own connection counts as well
        open_now = served.descriptors
        extra = 0 if descriptors is None else max(0, open_now - descriptors)
        if (not subscribers and not extra) or loop.time() > ends_s:
            return subscribers, extra
        await asyncio.sleep(0.1)
