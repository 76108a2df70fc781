"""A locator that broke is found in a test's source and replaced there, and nothing else is touched; git takes the patch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from firstcause.api.testing.healed import Healing, Replacement
from firstcause.api.testing.locators import read
from firstcause.api.testing.patches import PATCH_NAME, Edit, Patches
from firstcause.api.testing.patching import edits_for
from firstcause.api.testing.places import Frame, PlaceUnclear
from firstcause.api.testing.sources import Project

SAVE = ('get_by_role("button", name="Save")', 'role=button[name="Save" i]')


def healed(broken: str, *instead: tuple[str, str]) -> Healing:
    ways = [
        Replacement(locator, read(locator)[-1], selector, "button Save", 0.9)
        for locator, selector in instead or (SAVE,)
    ]
    return Healing("selector_missing", broken, tuple(ways), read(broken))


class Suite:
    """A folder of tests; `>>>` marks the lines of the traceback, the innermost last in the order of the files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.frames: list[Frame] = []

    def file(self, name: str, text: str, newline: str = "\n") -> None:
        lines = text.split("\n")
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.frames += [Frame(path, at) for at, line in enumerate(lines, 1) if line.endswith("  # >>>")]
        path.write_bytes(newline.join(line.removesuffix("  # >>>") for line in lines).encode())

    def heal(self, healing: Healing) -> str:
        """The lines that are other ones then, each with its file."""
        edits = edits_for(self.frames, healing, Project(self.root))
        before = {edit.file: edit.file.read_bytes().split(b"\n") for edit in edits}
        patches = Patches(self.root)
        assert patches.add(edits) == []
        patches.apply()
        told = []
        for file, lines in before.items():
            after = file.read_bytes().split(b"\n")
            changed = [new.decode().strip() for old, new in zip(lines, after, strict=False) if old != new]
            told += [f"{file.relative_to(self.root).as_posix()}: {line}" for line in changed]
        return "\n".join(told)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def a_test(*lines: str) -> str:
    return "\n".join(["def test_it(page):", *(f"    {line}" for line in lines), ""])


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ('page.locator("#save").click()', 'page.get_by_role("button", name="Save").click()'),
        ("expect(page.locator('#save'), 'saved').to_be_visible()", "expect(page.get_by_role(\"button\", name=\"Save\"), 'saved').to_be_visible()"),
        ('page . locator ( "#save" ) . first.click()', 'page . get_by_role("button", name="Save") . first.click()'),
        ('page.click("#save", timeout=300)', "page.click('role=button[name=\"Save\" i]', timeout=300)"),
        ('page.locator("#form >> #save").click()', "page.locator('#form >> role=button[name=\"Save\" i]').click()"),
        ('press(page, "#save")', "press(page, 'role=button[name=\"Save\" i]')"),
        ('x = "Grüße 👋"; page.locator("#save").click()  # 👋', 'x = "Grüße 👋"; page.get_by_role("button", name="Save").click()  # 👋'),
    ],
)  # fmt: skip
def test_only_the_expression_of_the_failing_line_is_another(suite: Suite, line: str, then: str) -> None:
    suite.file("test_it.py", a_test(f"{line}  # >>>", 'page.locator("#other").click()'))
    assert suite.heal(healed('locator("#save")')) == f"test_it.py: {then}"


def test_a_chain_over_several_lines_keeps_its_lines(suite: Suite) -> None:
    suite.file("test_it.py", a_test("(page.locator('#form')", '  .locator("#save")', "  .click())  # >>>"))
    assert suite.heal(healed('locator("#save")')) == 'test_it.py: .get_by_role("button", name="Save")'


def test_a_step_and_its_filters_are_replaced_together(suite: Suite) -> None:
    suite.file("test_it.py", a_test('page.locator("button", has_text="Sav").click()  # >>>'))
    assert suite.heal(healed('locator("button").filter(has_text="Sav")')) == (
        'test_it.py: page.get_by_role("button", name="Save").click()'
    )


def test_what_is_asked_for_twice_in_one_test_is_healed_twice(suite: Suite) -> None:
    click = 'page.locator("#save").click()'
    suite.file(
        "test_it.py", a_test(f"{click}  # >>>", "page.reload()", click) + a_test(click).replace("it", "other")
    )
    assert suite.heal(healed('locator("#save")')).count("get_by_role") == 2


def test_a_local_variable_is_healed_where_it_is_made(suite: Suite) -> None:
    suite.file("test_it.py", a_test('save = page.locator("#save")', "save.hover()", "save.click()  # >>>"))
    assert (
        suite.heal(healed('locator("#save")')) == 'test_it.py: save = page.get_by_role("button", name="Save")'
    )


def test_a_constant_is_healed_where_it_is_defined(suite: Suite) -> None:
    suite.file("test_it.py", 'SAVE = "#save"\n' + a_test("page.locator(SAVE).click()  # >>>"))
    assert suite.heal(healed('locator("#save")')) == "test_it.py: SAVE = 'role=button[name=\"Save\" i]'"


def test_a_constant_of_another_file_is_healed_there(suite: Suite) -> None:
    suite.file("names.py", "SAVE = '#save'\n")
    suite.file("test_it.py", "from names import SAVE\n" + a_test("page.click(SAVE)  # >>>"))
    assert suite.heal(healed('locator("#save")', ('locator("#keep")', "#keep"))) == 'names.py: SAVE = "#keep"'


def test_a_constant_that_others_are_made_of_stays(suite: Suite) -> None:
    suite.file(
        "test_it.py",
        'SAVE = "#save"\n' + a_test("page.locator(SAVE).click()  # >>>", 'page.click(f"{SAVE} > i")'),
    )
    assert suite.heal(healed('locator("#save")')) == (
        'test_it.py: page.get_by_role("button", name="Save").click()'
    )


def test_a_constant_stays_what_it_is_for(suite: Suite) -> None:
    suite.file("test_it.py", 'SAVE = "save"\n' + a_test("page.get_by_test_id(SAVE).click()  # >>>"))
    healing = healed('get_by_test_id("save")', ('get_by_test_id("keep")', '[data-testid="keep"]'))
    assert suite.heal(healing) == 'test_it.py: SAVE = "keep"'
    suite.file("test_it.py", 'SAVE = "save"\n' + a_test("page.get_by_test_id(SAVE).click()  # >>>"))
    assert suite.heal(healed('get_by_test_id("save")')) == (
        'test_it.py: page.get_by_role("button", name="Save").click()'
    )


def test_a_page_object_is_healed_though_the_test_never_names_its_locator(suite: Suite) -> None:
    page = 'class Settings:\n    def __init__(self, page):\n        self.save = page.locator("#save")\n'
    suite.file("pages/__init__.py", "")
    suite.file("pages/settings.py", page)
    suite.file(
        "test_it.py",
        "from pages.settings import Settings\n" + a_test("s = Settings(page)", "s.save.click()  # >>>"),
    )
    assert suite.heal(healed('locator("#save")')) == (
        'pages/settings.py: self.save = page.get_by_role("button", name="Save")'
    )


def test_a_page_object_that_a_fixture_makes_is_found_through_conftest(suite: Suite) -> None:
    suite.file(
        "ui/settings.py",
        'class Settings:\n    SAVE = "#save"\n    def save(self):\n        self.page.click(self.SAVE)\n',
    )
    suite.file("tests/conftest.py", "from ui import settings\n")
    suite.file("tests/test_it.py", "def test_it(settings):\n    settings.save()  # >>>\n")
    healing = healed('locator("#save")', ('locator("#keep")', "#keep"))
    assert suite.heal(healing) == 'ui/settings.py: SAVE = "#keep"'


def test_a_helper_is_healed_at_its_own_line(suite: Suite) -> None:
    suite.file("test_it.py", "from helpers import save\n" + a_test("save(page)  # >>>"))
    suite.file("helpers.py", 'def save(page):\n    page.locator("#save").click()  # >>>\n')
    assert suite.heal(healed('locator("#save")')) == (
        'helpers.py: page.get_by_role("button", name="Save").click()'
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_other_byte_stays(suite: Suite, newline: str, mark: str) -> None:
    text = mark + '"""Ü\x0c"""\n' + a_test('page.locator("#save").click()  # >>>') + "# no end"
    suite.file("test_it.py", text, newline)
    before = (suite.root / "test_it.py").read_bytes()
    suite.heal(healed('locator("#save")'))
    after = (suite.root / "test_it.py").read_bytes()
    assert after == before.replace(b'locator("#save")', b'get_by_role("button", name="Save")')


def test_what_is_written_in_several_places_is_not_guessed(suite: Suite) -> None:
    suite.file(
        "pages.py",
        'def a(page):\n    return page.locator("#save")\ndef b(page):\n    return page.locator("#save")\n',
    )
    suite.file("test_it.py", "import pages\n" + a_test("getattr(pages, 'a')(page).click()  # >>>"))
    with pytest.raises(PlaceUnclear, match=r"2 places.*pages\.py:2, pages\.py:4"):
        suite.heal(healed('locator("#save")'))


def test_what_is_put_together_is_said(suite: Suite) -> None:
    suite.file("test_it.py", a_test("name = page.title()", 'page.locator(f"#{name}").click()  # >>>'))
    with pytest.raises(PlaceUnclear, match="is not written in the test"):
        suite.heal(healed('locator("#save")'))


def test_what_would_be_no_python_any_more_is_not_written(suite: Suite) -> None:
    suite.file("test_it.py", a_test("""print(f'{page.locator("#save").count()}')  # >>>"""))
    healing = healed('locator("#save")', ('get_by_title("It\'s")', ""))
    with pytest.raises(PlaceUnclear, match="would be no Python"):
        suite.heal(healing)


def test_what_is_not_sure_is_not_written(suite: Suite) -> None:
    suite.file("test_it.py", a_test('page.locator("#save").click()  # >>>'))
    with pytest.raises(PlaceUnclear, match="a request failed"):
        suite.heal(Healing("selector_missing", 'locator("#save")', why_not="a request failed"))


def test_files_of_others_are_left_alone(suite: Suite) -> None:
    suite.file(
        ".venv/lib/site-packages/lib.py", 'def save(page):\n    page.locator("#save").click()  # >>>\n'
    )
    suite.file("broken.py", 'page.locator("#save"  # >>>')
    with pytest.raises(PlaceUnclear):
        suite.heal(healed('locator("#save")'))


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_git_applies_what_several_workers_found(tmp_path: Path, newline: str) -> None:
    suite, other = Suite(tmp_path), Suite(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.autocrlf", "false")
    suite.file("tests/test it.py", a_test('page.locator("#save").click()  # >>>').rstrip("\n"), newline)
    other.file(
        "tests/test_ünder.py", a_test("x = 1", 'page.locator("#save").click()  # >>>', "y = 2"), newline
    )
    project, controller = Project(tmp_path), Patches(tmp_path / "tests")
    for each in (suite, other, suite):
        worker = Patches(tmp_path)
        worker.add(edits_for(each.frames, healed('locator("#save")'), project))
        assert controller.add_plain(worker.plain()) == []
    assert controller.write(tmp_path) == tmp_path / PATCH_NAME
    git(tmp_path, "apply", "--whitespace=nowarn", PATCH_NAME)
    for each in (suite, other):
        [frame] = each.frames
        assert b'get_by_role("button", name="Save")' in frame.file.read_bytes()
        assert b"#save" not in frame.file.read_bytes()


def test_of_two_edits_of_one_place_the_first_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text("page.locator('#save')")
    first, second = Edit(file, 5, 21, "locator('#save')", "first"), Edit(file, 13, 20, "'#save'", "second")
    patches = Patches(tmp_path)
    assert patches.add([first, first, second]) == [second]
    assert patches.apply() == [file]
    assert file.read_text() == "page.first"


def test_what_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text("page.get_by_text('Save')")
    patches = Patches(tmp_path)
    patches.add([Edit(file, 5, 21, "locator('#save')", "other"), Edit(tmp_path / "gone.py", 0, 1, "x", "y")])
    assert patches.diff() == ""
    assert patches.write(tmp_path) is None
