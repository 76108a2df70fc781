"""What is read of the messages with which tests fail: every recorded form of Playwright's, Selenium's, and plain asserts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.testing.failure import Failure
from firstcause.api.testing.messages import read, read_text

RECORDED = Path(__file__).parent.parent / "recorded" / "messages" / "playwright-python.txt"
ERROR = ["playwright._impl._errors.Error", "builtins.Exception"]
TIMEOUT = ["playwright._impl._errors.TimeoutError", *ERROR]
ASSERTION = ["builtins.AssertionError", "builtins.Exception"]
CLASSES = {"builtins.AssertionError": ASSERTION, TIMEOUT[0]: TIMEOUT, ERROR[0]: ERROR}


def recorded() -> dict[str, tuple[str, list[str]]]:
    """The messages by name, with the classes of their errors."""
    found: dict[str, tuple[str, list[str]]] = {}
    for part in re.split(r"^### ", RECORDED.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        name, cls, *_ = head.split(" | ")
        found[name] = re.sub(r"^   ", "", body, flags=re.MULTILINE).strip(), CLASSES[cls]
    return found


EXPECTED: dict[str, dict[str, Any]] = {
    "expect text": {
        "kind": "assertion", "matcher": "to_have_text", "locator": 'locator("h1")', "expected": "Hi", "received": "Hello",
        "timeout_ms": 300,
    },
    "expect contain": {
        "kind": "assertion", "matcher": "to_contain_text", "locator": 'get_by_role("heading")', "expected": "['x', 'y']",
        "received": "['Hello']", "matches": 1,
    },
    "expect visible missing": {
        "kind": "selector_missing", "matcher": "to_be_visible", "locator": 'get_by_test_id("nope")', "expected": "visible",
        "received": "", "matches": 0,
    },
    "expect visible hidden": {
        "kind": "assertion", "locator": 'locator("#hid")', "received": "hidden", "resolved": '<div id="hid">hid</div>',
    },
    "expect not visible": {"kind": "assertion", "negated": True, "expected": "visible", "received": "visible"},
    "expect count": {"kind": "assertion", "matcher": "to_have_count", "expected": "3", "received": "2", "matches": 2},
    "expect value re": {"kind": "assertion", "expected": "re.compile('z+')", "received": "abc"},
    "expect class": {"kind": "assertion", "expected": "foo", "received": "link big"},
    "expect checked": {"kind": "assertion", "expected": "checked", "received": "unchecked"},
    "expect enabled + msg": {
        "kind": "assertion", "headline": "pay must be on", "locator": 'locator("#pay")', "expected": "enabled",
        "received": "disabled",
    },
    "expect title": {"kind": "assertion", "matcher": "to_have_title", "locator": "", "expected": "Other", "received": "Shop"},
    "expect url": {"kind": "assertion", "matcher": "to_have_url", "expected": "http://x/", "received": "about:blank"},
    "expect strict": {"kind": "selector_ambiguous", "locator": 'locator(".dup")', "expected": "A", "received": "", "matches": 2},
    "expect aria": {
        "kind": "assertion", "expected": "- list:\n  - listitem: z", "received": "- list:\n  - listitem: a\n  - listitem: b",
    },
    "click missing": {"kind": "selector_missing", "api": "Locator.click", "locator": 'locator("#gone")', "timeout_ms": 400},
    "click role": {"kind": "selector_missing", "locator": 'get_by_role("button", name="Checkout")'},
    "click disabled": {"kind": "selector_blocked", "locator": 'locator("#pay")', "reason": "element is not enabled", "overlay": ""},
    "click covered": {"kind": "selector_blocked", "locator": 'locator(".dup").first', "overlay": '<div id="cover"></div>'},
    "click strict": {"kind": "selector_ambiguous", "locator": 'locator(".dup")', "matches": 2},
    "fill missing label": {"kind": "selector_missing", "api": "Locator.fill", "locator": 'get_by_label("Email")'},
    "wait_for": {"kind": "selector_blocked", "locator": 'locator("#hid")', "reason": "the element is hidden"},
    "page.click frame": {"kind": "selector_missing", "locator": 'locator("#f").content_frame.locator("b")'},
    "goto refused": {"kind": "navigation_failed", "url": "http://127.0.0.1:9/", "reason": "net::ERR_UNSAFE_PORT"},
    "wait_for_url": {
        "kind": "timeout", "api": "Page.wait_for_url", "locator": "", "expected": "**/done",
        "received": "chrome-error://chromewebdata/",
    },
    "evaluate": {"kind": "script_error", "api": "Page.evaluate"},
    "bad selector": {"kind": "selector_invalid", "locator": "div["},
}  # fmt: skip


def told_by(failure: Failure, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(failure, name) for name in fields}


def test_every_recorded_form_has_its_expectation() -> None:
    assert recorded().keys() == EXPECTED.keys()
    assert len(EXPECTED) == 26


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_message_of_playwright_is_read(name: str) -> None:
    failure = read_text(*recorded()[name])
    assert told_by(failure, EXPECTED[name]) == EXPECTED[name]
    assert failure.is_assertion == name.startswith("expect ")


def test_the_older_wording_of_expectations_is_read() -> None:
    message = (
        "Locator expected to be visible\nActual value: <element(s) not found>\nError: element(s) not found\nCall log:\n"
        '  - LocatorAssertions.to_be_visible with timeout 5000ms\n  - waiting for locator("#total")\n'
    )
    failure = read_text(message, ASSERTION)
    assert (failure.kind, failure.locator, failure.matcher) == (
        "selector_missing",
        'locator("#total")',
        "to_be_visible",
    )


def test_colours_in_a_message_do_not_matter() -> None:
    message = '\x1b[31mLocator.click: Timeout 400ms exceeded.\x1b[0m\nCall log:\n\x1b[2m  - waiting for locator("#a")\x1b[22m\n'
    assert read_text(message, TIMEOUT).locator == 'locator("#a")'


def test_an_overlay_is_named_by_its_outermost_element() -> None:
    message = (
        'Locator.click: Timeout 400ms exceeded.\nCall log:\n  - waiting for locator("#a")\n'
        '    - locator resolved to <button id="a">A</button>\n'
        '    - <p>We use cookies</p> from <div id="banner"></div> subtree intercepts pointer events\n'
    )
    assert read_text(message, TIMEOUT).overlay == '<div id="banner"></div>'


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            "Page.evaluate: Execution context was destroyed, most likely because of a navigation",
            "navigated_away",
        ),
        (
            'Page.goto: Navigation to "http://a/" is interrupted by another navigation to "http://b/"',
            "navigated_away",
        ),
        ("Locator.click: Target page, context or browser has been closed", "page_closed"),
        ("Page.title: Page crashed", "page_crashed"),
        ('Timeout 30000ms exceeded while waiting for event "response"', "timeout"),
        ("Something else went wrong", "other"),
    ],
)
def test_what_is_no_locators_fault_is_told_apart(message: str, kind: str) -> None:
    assert read_text(message, TIMEOUT).kind == kind


NO_ELEMENT = (
    'Message: no such element: Unable to locate element: {"method":"css selector","selector":"[id="gone"]"}\n'
    "  (Session info: chrome=156.0)\n"
)
INTERCEPTED = (
    'Message: element click intercepted: Element <button id="buy">...</button> is not clickable at point (20, 30). '
    'Other element would receive the click: <div id="cover"></div>\n  (Session info: chrome=156.0)'
)
SELENIUM: list[tuple[str, str, dict[str, Any]]] = [
    (
        "NoSuchElementException",
        NO_ELEMENT.replace('"[id="gone"]"', '"[id=\\"gone\\"]"'),
        {"kind": "selector_missing", "locator": "#gone"},
    ),
    (
        "NoSuchElementException",
        'Message: no such element: Unable to locate element: {"method":"xpath","selector":"//b"}\n',
        {"kind": "selector_missing", "locator": "xpath=//b"},
    ),
    (
        "ElementClickInterceptedException",
        INTERCEPTED,
        {
            "kind": "selector_blocked",
            "overlay": '<div id="cover"></div>',
            "resolved": '<button id="buy">...</button>',
        },
    ),
    (
        "StaleElementReferenceException",
        "Message: stale element reference: stale element not found\n",
        {"kind": "selector_stale"},
    ),
    ("TimeoutException", "Message: \n", {"kind": "timeout", "headline": "TimeoutException"}),
    (
        "WebDriverException",
        "Message: unknown error: net::ERR_CONNECTION_REFUSED\n",
        {"kind": "navigation_failed", "reason": "net::ERR_CONNECTION_REFUSED"},
    ),
    ("WebDriverException", "Message: tab crashed\n", {"kind": "page_crashed"}),
]


@pytest.mark.parametrize(("name", "message", "expected"), SELENIUM)
def test_an_error_of_selenium_is_read(name: str, message: str, expected: dict[str, Any]) -> None:
    failure = read_text(message, [f"selenium.common.exceptions.{name}", "builtins.Exception"])
    assert told_by(failure, expected) == expected


PLAIN: list[tuple[str, dict[str, Any]]] = [
    (
        "assert 'Hello' == 'Hi'\n  - Hi\n  + Hello",
        {"received": "Hello", "expected": "Hi", "matcher": "==", "negated": False},
    ),
    (
        "the total is wrong\nassert 12 == 13",
        {"headline": "the total is wrong", "received": "12", "expected": "13"},
    ),
    ("assert 'b' in 'aac'", {"received": "aac", "expected": "b", "matcher": "in"}),
    ("assert 'a' not in 'abc'", {"received": "abc", "expected": "a", "negated": True}),
    ("assert False\n +  where False = is_visible()", {"received": "False", "expected": "something true"}),
    ("assert not True", {"received": "True", "expected": "something false"}),
    ("'a' != 'b'\n- a\n+ b", {"received": "a", "expected": "b", "matcher": "=="}),
    ("", {"headline": "AssertionError"}),
    ("it does not work", {"headline": "it does not work", "received": "", "expected": ""}),
]


@pytest.mark.parametrize(("message", "expected"), PLAIN)
def test_a_plain_assert_is_read(message: str, expected: dict[str, Any]) -> None:
    failure = read_text(message, ASSERTION)
    assert (failure.kind, failure.is_assertion) == ("assertion", True)
    assert told_by(failure, expected) == expected


def test_any_other_error_is_told_by_its_name() -> None:
    assert read(KeyError("price")) == Failure("other", "KeyError: 'price'")


def test_an_error_that_can_not_tell_of_itself_is_told_by_its_name() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    assert read(Broken()).headline.endswith("Broken")


def test_a_huge_message_takes_no_time() -> None:
    message = "Locator expected to have text 'x'\nActual value: " + "<<" * 500_000
    assert read_text(message, ASSERTION).kind == "assertion"
    assert read(AssertionError(message)).is_assertion
