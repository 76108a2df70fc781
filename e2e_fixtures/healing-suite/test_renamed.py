"""Eight tests that were green, each with a selector of what the second release calls by another name."""

from __future__ import annotations

from pages.account import ORDERS
from pages.profile import ProfilePage
from pages.steps import subscribe
from playwright.sync_api import Page, expect


def test_settings_are_saved(page: Page) -> None:
    page.goto("/settings")
    page.locator("#save").click()
    expect(page.locator("#said")).to_have_text("Settings are saved")


def test_basket_is_paid(page: Page) -> None:
    page.goto("/basket")
    page.get_by_test_id("checkout-button").click()
    expect(page.locator("#said")).to_have_text("On to the payment")


def test_message_is_sent(page: Page) -> None:
    page.goto("/contact")
    page.get_by_label("Your message").fill("Hello")
    page.get_by_role("button", name="Send message").click()
    expect(page.locator("#said")).to_have_text("Sent: Hello")


def test_somebody_signs_up(page: Page) -> None:
    page.goto("/signup")
    page.get_by_label("Email").fill("ada@shop.test")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#said")).to_have_text("Welcome, ada@shop.test")


def test_products_are_searched(page: Page) -> None:
    page.goto("/search")
    field = page.get_by_placeholder("Search products")
    field.fill("teapot")
    field.press("Enter")
    expect(page.locator("#said")).to_have_text("No teapot")


def test_orders_are_opened(page: Page) -> None:
    page.goto("/account")
    page.locator(ORDERS).click()
    expect(page.locator("#said")).to_have_text("No orders")


def test_language_is_chosen(profile: ProfilePage) -> None:
    profile.open()
    profile.language.select_option("de")
    expect(profile.page.locator("#said")).to_have_text("Deutsch")


def test_newsletter_is_ordered(page: Page) -> None:
    subscribe(page)
    expect(page.locator("#said")).to_have_text("Subscribed")
