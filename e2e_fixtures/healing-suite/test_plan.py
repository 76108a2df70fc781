"""What the selector says is too little: only who saw the button in the first release knows it again, and it comes late."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_plan_is_upgraded(page: Page) -> None:
    page.goto("/plan")
    page.locator("#upgrade").click()
    expect(page.locator("#said")).to_have_text("You have the large plan")
