"""The selectors are right: what they ask for is not there because something failed, or can't be used. Each page has a lure."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_payment_is_offered(page: Page) -> None:
    page.goto("/payment")
    expect(page.locator("#pay")).to_be_visible()


def test_article_is_published(page: Page) -> None:
    page.goto("/article")
    page.get_by_role("button", name="Open").click()
    page.locator("#publish").click()


def test_terms_are_accepted(page: Page) -> None:
    page.goto("/terms")
    page.locator("#accept").click()
