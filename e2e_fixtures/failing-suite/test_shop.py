"""Twelve tests that fail, each of another cause, and one that passes."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect


def test_orders_are_listed(page: Page) -> None:
    page.goto("/orders")
    expect(page.get_by_test_id("order-row").first).to_be_visible()


def test_profile_can_be_saved(page: Page) -> None:
    page.goto("/profile")
    page.locator("#save").click(timeout=1_000)


def test_teapot_can_be_bought(page: Page) -> None:
    page.goto("/product")
    page.get_by_role("button", name="Buy").click(timeout=1_000)


def test_customer_and_clerk_work_at_once(browser: Browser, base_url: str) -> None:
    customer = browser.new_context(base_url=base_url).new_page()
    clerk = browser.new_context(base_url=base_url).new_page()
    customer.goto("/cart")
    clerk.goto("/inventory")
    customer.get_by_role("button", name="Add to cart").click()
    clerk.get_by_role("button", name="Refresh").click()
    expect(clerk.get_by_text("Stock is not known")).to_be_visible()
    expect(customer.get_by_text("1 item")).to_be_visible()


def test_report_is_built(page: Page) -> None:
    page.goto("/report")
    page.get_by_role("button", name="Build").click()
    expect(page.get_by_text("The report is ready")).to_be_visible()


def test_thumbnails_are_made(page: Page) -> None:
    page.goto("/thumbnails")
    page.get_by_role("button", name="Make").click()
    expect(page.locator("#made")).to_have_text("3 thumbnails")


def test_calendar_is_shown(page: Page) -> None:
    page.goto("/calendar")
    expect(page.locator(".month")).to_be_visible()


def test_statement_is_shown(page: Page) -> None:
    page.goto("/account")
    page.get_by_role("button", name="Statement").click()
    expect(page.get_by_role("heading", name="Your statement")).to_be_visible()


def test_teapots_are_found(page: Page) -> None:
    page.goto("/search")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("listitem")).to_have_count(1)


def test_address_is_saved(page: Page) -> None:
    page.goto("/address")
    page.get_by_label("Street").fill("1 Kiln Lane")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved")


def test_receipt_opens(page: Page) -> None:
    page.goto("/receipts")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Receipt").click()
    expect(opened.value.get_by_text("Total")).to_be_visible()


def test_payment_methods_are_offered(page: Page) -> None:
    page.goto("/checkout")
    expect(page.frame_locator("iframe").get_by_label("Card")).to_be_visible()


def test_the_shop_has_a_name(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading")).to_have_text("Kiln & Clay")
