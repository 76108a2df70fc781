"""The profile page as an object."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class ProfilePage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.language: Locator = page.locator("select[name=language]")

    def open(self) -> None:
        self.page.goto("/profile")
