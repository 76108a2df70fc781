"""Observers that start without a browser, for tests of literal frames; a server that keeps nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from firstcause.api.server import Server

from .serving import serving
from .wire import Wire, observing


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """An observer with one page attached, "S1"."""
    async with observing() as observed:
        observed.attach()
        yield observed


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[Server]:
    async with serving(tmp_path) as started:
        yield started
