"""How a transport ends: with whichever of its jobs is done first."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine
from typing import Any

from ..auth import Grant


class Expired(Exception):
    """The client's token has run out."""


class Stalled(Exception):
    """The client has not read for too long."""


async def before_stall(room: Coroutine[Any, Any, object], stall_s: float) -> None:
    """Wait for room, but not for ever."""
    try:
        async with asyncio.timeout(stall_s):
            await room
    except TimeoutError as error:
        raise Stalled from error


async def expired(grant: Grant) -> None:
    """Until the token that a stream was opened with is good no more."""
    if grant.until_s == math.inf:
        await asyncio.Event().wait()
    await asyncio.sleep(grant.until_s - time.time())
    raise Expired


async def ended_by(*jobs: Coroutine[Any, Any, object]) -> None:
    """Run all until one ends, then cancel the others; raises what the first one raised."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
