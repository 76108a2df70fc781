"""Steps that several tests take."""

from __future__ import annotations

from playwright.sync_api import Page


def subscribe(page: Page) -> None:
    page.goto("/newsletter")
    page.check("#newsletter")
