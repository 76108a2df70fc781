"""Which element a broken locator meant, how it is asked for, and when the selector is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from firstcause.api.testing import healing
from firstcause.api.testing.healed import Broken, Healing
from firstcause.api.testing.remembered import Remembered, found_by
from firstcause.api.testing.ways import ways
from firstcause.correlator.selectors.hinted import Hint, hinted, overlap, score
from firstcause.observer.errors import FirstcauseError, PageBusy
from firstcause.observer.fingerprint import NOTHING, Fingerprint

from .healing_pages import DRAFT, MAIL, PAY, SAVE, STATUS, FakePage, event, observation, shown


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakePage:
    return shown(monkeypatch, [SAVE, MAIL, STATUS])


async def healed(locator: str, action: str = "Locator.click", **more: Any) -> Healing:
    texts = {name: more.pop(name) for name in ("expected", "overlay") if name in more}
    return await healing.heal(observation("p1"), Broken(locator, "p1", action, **texts), **more)


@pytest.mark.parametrize(
    ("locator", "action", "instead"),
    [
        ('locator("#save")', "Locator.click", 'get_by_role("button", name="Save")'),
        ('locator("button.save-btn")', "Locator.click", 'get_by_role("button", name="Save")'),
        ('get_by_test_id("save-button")', "Locator.click", 'get_by_role("button", name="Save")'),
        ('get_by_label("Email")', "Locator.fill", 'get_by_role("textbox", name="E-mail")'),
        ('locator("#e-mail")', "Locator.fill", 'get_by_role("textbox", name="E-mail")'),
        ('locator("#save-status")', "to_be_visible", 'get_by_text("All is saved")'),
    ],
)
async def test_what_a_selector_says_finds_its_element(
    shop: FakePage, locator: str, action: str, instead: str
) -> None:
    found = await healed(locator, action)
    assert found.best is not None
    assert (found.kind, found.is_sure, found.why_not) == ("selector_missing", True, "")
    assert found.best.locator == instead
    assert found.confidence >= healing.SURE
    assert found.lines()[0].startswith(f"Use {instead}: ")
    assert ("firstcause.heal", instead) in found.properties()


async def test_a_test_id_is_preferred(shop: FakePage) -> None:
    shop.elements = [msgspec.structs.replace(SAVE, test="data-testid=save-it")]
    found = await healed('locator("#save")')
    assert [each.locator for each in found.replacements] == [
        'get_by_test_id("save-it")',
        'get_by_role("button", name="Save")',
        'get_by_text("Save")',
    ]


async def test_an_exact_name_tells_it_from_a_longer_one(shop: FakePage) -> None:
    shop.elements = [SAVE, DRAFT]
    found = await healed('locator("#save")')
    assert found.best is not None
    assert found.best.locator == 'get_by_role("button", name="Save", exact=True)'


async def test_what_reads_a_text_is_not_found_by_it(shop: FakePage) -> None:
    shop.elements = [msgspec.structs.replace(STATUS, id="save-status", text="Saved", classes=())]
    found = await healed('locator(".save-status")', "to_have_text", expected="Saved")
    assert [each.locator for each in found.replacements] == ['get_by_role("status")', 'locator("output")']


async def test_the_rest_of_a_chain_stays(shop: FakePage) -> None:
    shop.elements = [
        msgspec.structs.replace(SAVE, classes=("save-it",)),
        msgspec.structs.replace(MAIL, classes=("save-it",)),
    ]
    found = await healed('locator(".save-it").locator("#save")')
    assert found.best is not None
    assert found.best.locator == 'locator(".save-it").get_by_role("button", name="Save")'
    assert found.replaced == (found.replaced[0],)


async def test_what_only_begins_alike_is_suggested_and_not_written(shop: FakePage) -> None:
    shop.elements = [DRAFT]
    found = await healed('locator("#save")')
    assert found.best is not None
    assert found.best.locator == 'get_by_role("button", name="Save draft")'
    assert (found.is_sure, "less than the 0.80" in found.why_not) == (False, True)
    assert found.lines()[0].startswith("Maybe it is ")


async def test_of_two_that_are_as_likely_none_is_taken(shop: FakePage) -> None:
    shop.elements = [SAVE, msgspec.structs.replace(SAVE, id="save-address", css="#save-address")]
    found = await healed('locator("#save")')
    assert (found.is_sure, found.why_not) == (False, 'button "Save" is as likely')


async def test_what_can_not_be_done_with_it_is_not_meant(shop: FakePage) -> None:
    shop.elements = [SAVE]
    found = await healed('locator("#save")', "Locator.fill")
    assert (found.best, found.why_not) == (None, "nothing on the page is like its element")


async def test_a_selector_without_a_word_is_not_guessed(shop: FakePage) -> None:
    assert not (await healed('locator("button")', "Locator.check")).is_sure
    assert not (await healed('locator("input[type=tel]")', "Locator.fill")).is_sure


async def test_what_it_was_tells_it_by_another_name(shop: FakePage) -> None:
    shop.elements = [PAY, DRAFT]
    was = msgspec.structs.replace(PAY, name="Pay now", text="Pay now", id="pay")
    assert not (await healed('locator("#pay")')).is_sure
    found = await healed('locator("#pay")', was=was)
    assert found.best is not None
    assert (found.is_sure, found.best.locator) == (True, 'get_by_role("button", name="Buy now")')


async def test_what_stood_beside_it_did_not_become_it(shop: FakePage) -> None:
    was = msgspec.structs.replace(PAY, name="Pay now", text="Pay now", id="pay")
    shop.elements = [PAY]
    assert not (await healed('locator("#pay")', was=was, neighbours=[PAY])).is_sure


async def test_a_failed_request_behind_it_is_named_and_the_selector_left_alone(shop: FakePage) -> None:
    events = [event("a", "http_error", "network_errors"), event("b", "assertion_failed", "errors", cause="a")]
    found = await healed('locator("#save")', events=events, failure="b")
    assert (found.best, found.cause, found.is_sure) == (None, events[0], False)
    assert found.why_not.startswith("the likely cause is http_error of token=")
    assert "hunter2" not in found.why_not


async def test_a_cause_of_the_cause_counts_and_what_only_explains_does_not(shop: FakePage) -> None:
    chain = [
        event("a", "unhandled_rejection", "errors"),
        event("b", "user_action", "activity", cause="a", severity="info"),
        event("c", "assertion_failed", "errors", cause="b"),
        event("d", "test.failed", "runs", cause="c"),
    ]
    assert (await healed('locator("#save")', events=chain, failure="d")).cause == chain[0]
    assert (await healed('locator("#save")', events=chain[1:], failure="d")).is_sure


async def test_what_failed_beside_it_asks_for_more(shop: FakePage) -> None:
    shop.elements = [msgspec.structs.replace(SAVE, role="link", tag="a")]
    failed = [event("a", "http_error", "network_errors")]
    assert (await healed('locator(".save-btn")')).is_sure
    found = await healed('locator(".save-btn")', events=failed)
    assert (found.is_sure, "needed after http_error" in found.why_not) == (False, True)


async def test_an_overlay_is_named(shop: FakePage) -> None:
    found = await healed('locator("#save")', overlay='<div id="veil"></div>')
    assert (found.kind, found.lines()) == (
        "selector_blocked",
        ['The selector is left alone: it is right, and <div id="veil"></div> is in the way of its element'],
    )


@pytest.mark.parametrize(
    ("locator", "why"),
    [
        ('locator("#save-settings")', "it finds its element now, which was not there in time"),
        ("div[", "div[ is no locator that is understood."),
        ('locator("//b")', "An XPath can't be followed on the page."),
        ('locator("button").nth(3)', 'locator("button") finds 1, fewer than are asked for'),
        ('locator("#nothing-like-it")', "nothing on the page is like its element"),
    ],
)
async def test_why_nothing_is_changed(shop: FakePage, locator: str, why: str) -> None:
    found = await healed(locator)
    assert (found.best, found.why_not) == (None, why)


async def test_several_that_are_found_are_not_told_apart_by_nothing(shop: FakePage) -> None:
    shop.elements = [SAVE, DRAFT]
    found = await healed('locator("button")')
    assert (found.kind, found.why_not) == (
        "selector_ambiguous",
        "it finds 2 elements, and nothing tells which of them was meant",
    )
    found = await healed('locator("button")', was=msgspec.structs.replace(SAVE, id="save"))
    assert found.best is not None
    assert (found.kind, found.best.locator) == (
        "selector_ambiguous",
        'get_by_role("button", name="Save", exact=True)',
    )


async def test_one_that_finds_something_else_is_stale(shop: FakePage) -> None:
    shop.elements = [msgspec.structs.replace(MAIL, id="save"), SAVE]
    found = await healed('locator("#save")', was=msgspec.structs.replace(SAVE, id="save"))
    assert found.best is not None
    assert (found.kind, found.best.element) == ("selector_stale", 'button "Save"')


async def test_what_was_expected_counts_where_it_is_a_text(shop: FakePage) -> None:
    async def sure(action: str, expected: str) -> float:
        return (await healed('locator("#save")', action, expected=expected)).confidence

    assert await sure("to_be_visible", "visible") == await sure("to_have_text", "re.compile('x')") == 0.99
    assert await sure("to_have_text", "Cancel") < await sure("to_have_text", "Save") == 0.99


@pytest.mark.parametrize(("action", "expected"), [("to_have_count", "3"), ("to_have_text", "['a', 'b']")])
async def test_what_is_meant_to_find_several_is_left_alone(
    shop: FakePage, action: str, expected: str
) -> None:
    found = await healed('locator(".row")', action, expected=expected)
    assert found.why_not == "it is meant to find several elements"


async def test_a_page_that_can_not_be_asked_is_said(shop: FakePage) -> None:
    shop.refusing = PageBusy("p1 did not answer within 3 s.")
    assert (await healed('locator("#save")')).why_not.startswith("its page could not be asked: p1 did not")
    closed = await healing.heal(observation(), Broken('locator("#save")', "p1"))
    assert closed.why_not == "its page is closed"
    shop.refusing, shop.reason = None, "'b:has-text(\"x\")' is not a valid selector"
    assert (await healed('locator("b:has-text(\\"x\\")")')).why_not.startswith("the page does not take it: ")


async def test_a_secret_is_no_way_to_ask(shop: FakePage) -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    shop.elements = [msgspec.structs.replace(SAVE, name=f"Save {secret}", text="", test="data-testid=save")]
    found = await healed('locator("#save")')
    assert secret not in repr(found)


def test_words_are_the_same_however_they_are_written() -> None:
    assert (
        overlap("saveSettings", "save-settings")
        == overlap("E-mail", "email")
        == overlap("orders", "Order")
        == 1.0
    )
    assert overlap("e-mail", "Email address") == pytest.approx(2 / 3)
    assert 0.8 < overlap("addr", "address") < 1.0
    assert overlap("save", "") == overlap("", "save") == overlap("save", "cancel") == 0.0


def test_hidden_ones_and_those_that_do_not_fit_come_last() -> None:
    hint = Hint(marks="save", kind="click")
    hidden = msgspec.structs.replace(SAVE, hidden=True)
    assert [one.candidate for one in hinted(hint, [MAIL, hidden, SAVE])] == [SAVE, hidden, MAIL]
    assert score(Hint(kind="click"), SAVE) <= 0.5


def test_a_number_is_no_name() -> None:
    cart = Fingerprint(
        tag="a", role="link", name="Cart (3)", text="Cart (3)", classes=("cart",), css="nav > a"
    )
    assert [way.selector for way in ways(cart)] == [".cart", "role=link", "nav > a"]
    assert list(ways(NOTHING)) == []


async def test_what_was_found_is_kept_for_the_next_run(shop: FakePage, tmp_path: Path) -> None:
    worker, known = Remembered(), Remembered.load(tmp_path / "none")
    assert [known.wants("test_it.py", "x") for _ in range(4)] == [True, True, True, False]
    worker.put(
        "test_it.py",
        'locator("#save-settings")',
        await found_by(observation("p1"), "p1", 'locator("#save-settings")'),
    )
    worker.put("test_it.py", "nothing", await found_by(observation("p1"), "p1", 'locator("#nothing")'))
    worker.put("test_it.py", "no locator", await found_by(observation("p1"), "p1", "div["))
    worker.put("test_it.py", 'get_by_label("E-mail")', MAIL)
    known.add_plain(worker.plain())
    known.save(tmp_path / "cache")
    again = Remembered.load(tmp_path / "cache")
    assert again.was("test_it.py", 'locator("#save-settings")') == SAVE
    assert again.was("test_it.py", "nothing") == again.was("other.py", "x") == NOTHING
    assert again.neighbours("test_it.py", 'locator("#save-settings")') == [MAIL]
    assert not again.wants("test_it.py", 'get_by_label("E-mail")')
    again.forget("test_it.py", 'get_by_label("E-mail")')
    assert again.was("test_it.py", 'get_by_label("E-mail")') == NOTHING


def test_what_is_no_memory_is_none_and_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "elements.json").write_text("[]")
    assert Remembered.load(tmp_path).elements == {}
    (tmp_path / "file").write_text("")
    memory = Remembered()
    memory.save(tmp_path / "file")
    memory.put("a", "b", SAVE)
    with pytest.raises(FirstcauseError) as refused:
        memory.save(tmp_path / "file")
    assert cast("FirstcauseError", refused.value).code == "output_failed"
