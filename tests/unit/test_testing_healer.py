"""What a run does about selectors: what each mode writes, what workers hand on, and what is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from firstcause.api.testing.failure import Failure
from firstcause.api.testing.healed import Healing
from firstcause.api.testing.healer import Healer, Mode
from firstcause.api.testing.places import Frame

from .healing_pages import MAIL, PAY, SAVE, STATUS, FakePage, event, observation, shown

TEST = 'def test_it(page):\n    page.locator("#save").click()\n'
MISSING = Failure("selector_missing", "Timeout", api="Locator.click", locator='locator("#save")')


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakePage:
    return shown(monkeypatch, [SAVE, MAIL, STATUS])


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    file = tmp_path / "test_it.py"
    file.write_text(TEST)
    return file


async def healed(healer: Healer, file: Path, failure: Failure = MISSING, **more: Any) -> Healing | None:
    return await healer.heal(
        observation("p1"), failure, "p1", where="test_it.py", frames=[Frame(file, 2)], **more
    )


@pytest.mark.parametrize("mode", ["suggest", "patch", "apply"])
async def test_each_mode_writes_what_it_is_for(shop: FakePage, test_file: Path, mode: Mode) -> None:
    healer = Healer(mode, test_file.parent)
    found = await healed(healer, test_file)
    assert found is not None
    assert found.is_sure
    lines = healer.finish()
    is_edited = 'get_by_role("button", name="Save")' in test_file.read_text()
    assert is_edited == (mode == "apply")
    patch = test_file.parent / "firstcause-heal.patch"
    assert patch.exists() == (mode == "patch")
    assert lines == {
        "suggest": [],
        "patch": ["1 selector healed: git apply firstcause-heal.patch"],
        "apply": ["1 selector healed in test_it.py: look at the changes, and run the tests again"],
    }[mode]  # fmt: skip


async def test_what_workers_found_is_written_once(shop: FakePage, test_file: Path) -> None:
    controller = Healer("patch", test_file.parent)
    for _ in range(2):
        worker = Healer("patch", test_file.parent)
        await healed(worker, test_file)
        controller.add_plain(worker.plain())
    assert controller.finish() == ["1 selector healed: git apply firstcause-heal.patch"]
    assert (test_file.parent / "firstcause-heal.patch").read_text().count("+    page.get_by_role") == 1


async def test_what_can_not_be_placed_is_not_sure(shop: FakePage, test_file: Path) -> None:
    test_file.write_text('def test_it(page, name):\n    page.locator(f"#{name}").click()\n')
    healer = Healer("patch", test_file.parent)
    found = await healed(healer, test_file)
    assert found is not None
    assert (found.is_sure, "is not written in the test" in found.why_not) == (False, True)
    assert healer.finish() == []


async def test_what_failed_leaves_the_test_as_it_is(shop: FakePage, test_file: Path) -> None:
    healer = Healer("apply", test_file.parent)
    events = [event("a", "http_error", "network_errors"), event("b", "assertion_failed", "errors", cause="a")]
    found = await healed(healer, test_file, events=events, failed="b")
    assert found is not None
    assert (found.cause, healer.finish(), test_file.read_text()) == (events[0], [], TEST)


@pytest.mark.parametrize(
    "failure",
    [
        Failure("assertion", "not this", locator='locator("#save")'),
        Failure("selector_missing", "no locator"),
        Failure("selector_missing", "is there", locator='locator("#save")', negated=True),
        Failure("timeout", "too late"),
    ],
)
async def test_what_is_not_about_a_selector_is_none_of_its_business(
    shop: FakePage, test_file: Path, failure: Failure
) -> None:
    assert await healed(Healer("patch", test_file.parent), test_file, failure) is None


async def test_who_asks_by_css_is_told_css(shop: FakePage, test_file: Path) -> None:
    found = await healed(
        Healer("suggest", test_file.parent),
        test_file,
        Failure("selector_missing", "t", locator='[id="save"]'),
    )
    assert found is not None
    assert [each.locator for each in found.replacements] == ["#save-settings"]


async def test_why_it_can_not_be_used_is_said(shop: FakePage, test_file: Path) -> None:
    blocked = Failure("selector_blocked", "t", locator='locator("#save")', reason="element is not enabled")
    found = await healed(Healer("patch", test_file.parent), test_file, blocked)
    assert found is not None
    assert found.why_not == "it is right, but its element is not enabled"


async def test_an_element_is_known_again_by_what_it_was(
    shop: FakePage, test_file: Path, tmp_path: Path
) -> None:
    was = msgspec.structs.replace(PAY, name="Pay now", text="Pay now", id="pay")
    test_file.write_text(TEST.replace("#save", "#pay"))
    shop.elements = [was]
    first = Healer("suggest", test_file.parent, tmp_path / "memory")
    assert first.wants("test_it.py", 'locator("#pay")')
    await first.remember(observation("p1"), "p1", "test_it.py", 'locator("#pay")')
    assert not first.wants("test_it.py", 'locator("#pay")')
    assert first.finish() == []
    shop.elements = [PAY]
    second = Healer("patch", test_file.parent, tmp_path / "memory")
    missing = Failure("selector_missing", "t", api="Locator.click", locator='locator("#pay")')
    found = await healed(second, test_file, missing)
    assert found is not None
    assert found.is_sure
    forgetful = await healed(Healer("patch", test_file.parent), test_file, missing)
    assert forgetful is not None
    assert not forgetful.is_sure


async def test_an_assertion_about_another_element_is_about_its_selector(
    shop: FakePage, test_file: Path, tmp_path: Path
) -> None:
    shop.elements = [msgspec.structs.replace(SAVE, id="save")]
    healer = Healer("suggest", test_file.parent, tmp_path)
    await healer.remember(observation("p1"), "p1", "test_it.py", 'locator("#save")')
    wrong = Failure("assertion", "t", matcher="to_be_enabled", locator='locator("#save")')
    assert await healed(healer, test_file, wrong) is None
    shop.elements = [msgspec.structs.replace(MAIL, id="save"), SAVE]
    found = await healed(healer, test_file, wrong)
    assert found is not None
    assert found.kind == "selector_stale"


def test_without_a_memory_nothing_is_asked(tmp_path: Path) -> None:
    assert not Healer("suggest", tmp_path).wants("test_it.py", 'locator("#save")')
    assert not Healer("suggest", tmp_path, tmp_path).wants("test_it.py", "")
