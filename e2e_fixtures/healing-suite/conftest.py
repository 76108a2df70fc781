"""What the suite needs: the demo app, and a browser that may be another than Playwright's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from app import serve
from pages.profile import ProfilePage
from playwright.sync_api import Page, expect

PATIENCE_MS = float(os.environ.get("PATIENCE_MS", "1500"))
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    server = serve()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    executable = os.environ.get("FIRSTCAUSE_BROWSER")
    own: dict[str, Any] = {"executable_path": executable} if executable else {}
    return {**browser_type_launch_args, **own, "args": ["--disable-background-networking"]}


@pytest.fixture(autouse=True)
def impatient(page: Page) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.set_default_navigation_timeout(30_000)


@pytest.fixture
def profile(page: Page) -> ProfilePage:
    return ProfilePage(page)
