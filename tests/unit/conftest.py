"""Observers that start without a browser, for tests of literal frames."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .wire import Wire, observing


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """An observer with one page attached, "S1"."""
    async with observing() as observed:
        observed.attach()
        yield observed
