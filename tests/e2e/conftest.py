"""Fixtures of the end-to-end tests: a site, a raw Chromium, and an observer that watches it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from .support import Chromium, Site, Watch, watching


@pytest.fixture
async def site() -> AsyncGenerator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def chromium() -> AsyncGenerator[Chromium]:
    async with Chromium() as chromium:
        yield chromium


@pytest.fixture
async def watch(chromium: Chromium) -> AsyncGenerator[Watch]:
    async with watching(chromium.ws_url) as watch:
        yield watch
