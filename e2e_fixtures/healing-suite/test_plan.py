"""What the selector says could be the button or a draft of it: only who saw it in the first release knows it again."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_plan_is_upgraded(page: Page) -> None:
    page.goto("/plan")
    expect(page.locator("#upgrade")).to_be_visible()
    page.locator("#upgrade").click()
    expect(page.locator("#said")).to_have_text("You have the large plan")
