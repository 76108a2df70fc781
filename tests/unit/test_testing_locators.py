"""Locators as Playwright's messages and tests write them: read, compared and written back, and what each asks for."""

from __future__ import annotations

import pytest

from firstcause.api.testing.asked_for import hint_of, kind_of, page_steps
from firstcause.api.testing.internal import as_in_messages
from firstcause.api.testing.locators import VISIBLE, BadLocator, Pattern, Step, read, written
from firstcause.correlator.selectors.hinted import Hint
from firstcause.observer.locating import PageStep, Text


@pytest.mark.parametrize(
    "said",
    [
        'locator("#save")',
        'get_by_role("button", name="Checkout")',
        'get_by_role("button", name="A", exact=True)',
        'get_by_role("checkbox", checked=True)',
        'get_by_role("heading", name=re.compile(r"^Total", re.IGNORECASE))',
        'get_by_test_id("nope")',
        'get_by_label("Email").first',
        'locator("#form").get_by_role("button", name="Save").nth(2)',
        'locator("li").filter(has_text="Ada").filter(has_not_text="gone").last',
        'locator("#f").content_frame.locator("b")',
        'locator("li").filter(has=get_by_role("button"))',
        'locator("button[title=\\"Say \\\\\\"yes\\\\\\"\\"]")',
        'get_by_text("Grüße 👋")',
    ],
)
def test_what_a_message_says_is_read_and_written_back_as_it_was(said: str) -> None:
    assert written(read(said)) == said


@pytest.mark.parametrize(
    ("in_a_test", "in_a_message"),
    [
        ("locator('#save')", 'locator("#save")'),
        ("locator(selector='#save')", 'locator("#save")'),
        ('locator("#form >> text=Save")', 'locator("#form").locator("text=Save")'),
        ("locator('a[title=\">> on\"]')", 'locator("a[title=\\">> on\\"]")'),
        ('locator("li", has_text="Ada")', 'locator("li").filter(has_text="Ada")'),
        ('frame_locator("#f").locator("b")', 'locator("#f").content_frame.locator("b")'),
        ('get_by_text("x", exact=False)', 'get_by_text("x")'),
        ('get_by_role(role="button", exact=True, name="x")', 'get_by_role("button", name="x", exact=True)'),
        ('locator("b").nth(0)', 'locator("b").first'),
        ('locator("b").nth(-1)', 'locator("b").last'),
        ('locator("b").filter(has_not_text="y", has_text="x")', 'locator("b").filter(has_text="x").filter(has_not_text="y")'),
    ],
)  # fmt: skip
def test_what_means_the_same_is_the_same(in_a_test: str, in_a_message: str) -> None:
    assert read(in_a_test) == read(in_a_message)


def test_only_what_is_visible_is_a_filter() -> None:
    assert read('locator("b").visible')[1] == read('locator("b").filter(visible=True)')[1] == VISIBLE


@pytest.mark.parametrize(
    "said",
    ["", "div[", "page.locator('#a')", "print(1)", "locator(name)", "locator()", "x" * 5000, "[" * 4000],
)
def test_what_is_no_locator_is_refused_with_a_hint(said: str) -> None:
    with pytest.raises(BadLocator) as refused:
        read(said)
    assert (refused.value.code, bool(refused.value.hint)) == ("bad_locator", True)


def test_a_pattern_has_its_flags() -> None:
    [step] = read('get_by_role("heading", name=re.compile(r"a\\d", re.M | re.I))')
    assert step.given("name") == Pattern("a\\d", "im")
    assert written([step]) == 'get_by_role("heading", name=re.compile(r"a\\d", re.IGNORECASE | re.MULTILINE))'


def test_the_page_follows_each_step() -> None:
    locator = read(
        'locator("#form").get_by_role("button", name="Save").filter(has_text="now").nth(1).content_frame.locator("text=\'Go\'")'
    )
    assert page_steps(locator) == (
        PageStep("css", "#form"),
        PageStep("role", "button", name=Text("Save")),
        PageStep("has_text", "now"),
        PageStep("nth", place=1),
        PageStep("frame"),
        PageStep("text", "Go", exact=True),
    )


@pytest.mark.parametrize(
    ("said", "followed"),
    [
        ('locator("data-test=save")', PageStep("css", '[data-test="save"]')),
        ('locator("role=button[name=\\"Save\\"i]")', PageStep("role", "button", name=Text("Save"))),
        ('get_by_role("checkbox", checked=False)', PageStep("role", "checkbox", states={"checked": "false"})),
        ('get_by_text(re.compile(r"a|b", re.I))', PageStep("text", "a|b", flags="i")),
        ('get_by_label("E-mail", exact=True)', PageStep("label", "E-mail", exact=True)),
    ],
)
def test_every_way_to_ask_is_followed(said: str, followed: PageStep) -> None:
    assert page_steps(read(said)) == (followed,)


@pytest.mark.parametrize(
    "said",
    [
        'locator("//b")',
        'locator("xpath=//b")',
        'locator("a").filter(has=locator("b"))',
        'locator("a").and_(locator("b"))',
    ],
)
def test_what_the_page_can_not_be_asked_is_said(said: str) -> None:
    with pytest.raises(BadLocator, match="can't be followed"):
        page_steps(read(said))


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('locator("#save-btn")', Hint(marks="save-btn")),
        ('locator("form#x > button.primary.save")', Hint(marks="primary save", tag="button", role="button")),
        ('locator("input[type=email][name=\\"mail\\"]")', Hint(marks="mail", tag="input", type="email")),
        ('locator("div [data-testid=\\"pay now\\"]")', Hint(marks="pay now")),
        ('locator("button:has-text(\\"Pay\\")")', Hint(name="Pay", tag="button", role="button")),
        ('locator("text=Pay")', Hint(name="Pay")),
        ('locator("role=tab[name=\\"Bills\\"]")', Hint(role="tab", name="Bills")),
        ('get_by_test_id("pay")', Hint(marks="pay")),
        ('get_by_role("link", name="Orders")', Hint(role="link", name="Orders")),
        ('locator("li").filter(has_text="Ada")', Hint(name="Ada", tag="li")),
        ('get_by_placeholder("Search")', Hint(name="Search")),
    ],
)
def test_what_a_step_says_of_its_element(said: str, hint: Hint) -> None:
    assert hint_of(read(said)) == hint


def test_what_was_done_says_what_it_has_to_be() -> None:
    kinds = [
        kind_of(each)
        for each in ("Locator.click", "Page.fill", "Locator.check", "not_to_have_value", "to_be_visible")
    ]
    assert kinds == ["click", "write", "check", "write", ""]
    assert Step("locator", ("#a",)).text == "#a"


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("#save", 'locator("#save")'),
        ('internal:role=button[name="Save \\"it\\""i]', 'get_by_role("button", name="Save \\"it\\"")'),
        (
            'internal:role=checkbox[checked=true][name="A"s]',
            'get_by_role("checkbox", name="A", checked=True, exact=True)',
        ),
        ('internal:testid=[data-testid="pay"s]', 'get_by_test_id("pay")'),
        ('internal:text="Pay"s', 'get_by_text("Pay", exact=True)'),
        ('internal:label="Mail"i >> nth=0', 'get_by_label("Mail").first'),
        ('internal:attr=[alt="Logo"i] >> nth=3', 'get_by_alt_text("Logo").nth(3)'),
        (
            'li >> internal:has-text="Ada"i >> visible=true',
            'locator("li").filter(has_text="Ada").filter(visible=True)',
        ),
        ("#f >> internal:control=enter-frame >> b", 'locator("#f").content_frame.locator("b")'),
        ("internal:text=/a+/i", ""),
        ('internal:and="b"', ""),
        ("internal:role=button[name=/x/]", ""),
        ("", ""),
    ],
)
def test_what_the_client_says_is_put_into_the_words_of_messages(selector: str, said: str) -> None:
    assert as_in_messages(selector) == said
    assert not said or written(read(said)) == said
