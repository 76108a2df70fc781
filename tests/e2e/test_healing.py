"""Renamed selectors of a suite are healed so that git takes the patch and the suite is green; what failed is left alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

from firstcause.observer.sources.discover import find_browser

SUITE = Path(__file__).parents[2] / "e2e_fixtures" / "healing-suite"
PATCH = "firstcause-heal.patch"
RENAMED = 8
IS_INSTALLED = any(point.value == "firstcause.api.testing.plugin" for point in entry_points(group="pytest11"))


PATIENT_MS = 20_000
"""For runs that are green: then nothing waits that long, unless the machine is busy."""


class Ran:
    """How the suite ended: outcomes by test, what was printed, and each test's JUnit properties."""

    def __init__(self, output: str, junit: Path) -> None:
        self.output = output
        cases = list(ElementTree.parse(junit).iter("testcase"))
        self.passed = sum(case.find("failure") is None and case.find("error") is None for case in cases)
        self.failed = len(cases) - self.passed
        self.properties = {
            str(case.get("name")).partition("[")[0]: {
                str(each.get("name")): str(each.get("value")) for each in case.iter("property")
            }
            for case in cases
        }

    def about_selectors(self) -> str:
        """The lines that say why not all were healed."""
        said = ("Use ", "Maybe ", "  not changed", "The selector", "firstcause: ")
        return "\n".join(line for line in self.output.splitlines() if line.startswith(said))


class Project:
    """The suite in a repository of its own."""

    def __init__(self, root: Path) -> None:
        shutil.copytree(SUITE, root, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
        self.root = root
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@shop.test", "commit", "-q", "-m", "The suite")

    def git(self, *arguments: str) -> str:
        told = subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True, timeout=60
        )
        return told.stdout

    def run(self, *arguments: str, release: int = 2, patience_ms: int = 1_500) -> Ran:
        junit = self.root.parent / "junit.xml"
        plugin = [] if IS_INSTALLED else ["-p", "firstcause.api.testing.plugin"]
        command = [sys.executable, "-m", "pytest", "--no-header", "-q", f"--junitxml={junit}"]
        own = {
            "RELEASE": str(release),
            "PATIENCE_MS": str(patience_ms),
            "FIRSTCAUSE_BROWSER": str(find_browser().path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        told = subprocess.run(
            [*command, *plugin, *arguments],
            cwd=self.root,
            env=kept | own,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Ran(told.stdout + told.stderr, junit)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two-workers"])
def test_eight_renamed_selectors_are_healed_and_the_suite_is_green(
    project: Project, workers: list[str]
) -> None:
    ran = project.run("test_renamed.py", "--firstcause", "--firstcause-heal=patch", *workers)
    assert (ran.passed, ran.failed) == (0, RENAMED), ran.output
    assert f"{RENAMED} selectors healed: git apply {PATCH}" in ran.output, ran.about_selectors()
    project.git("apply", PATCH)
    changed = project.git("diff", "--stat").splitlines()
    assert changed[-1].split(", ")[0] == " 4 files changed", changed
    ran = project.run("test_renamed.py", patience_ms=PATIENT_MS)
    assert (ran.passed, ran.failed) == (RENAMED, 0), ran.output


def test_each_is_suggested_and_nothing_is_written_unless_asked(project: Project) -> None:
    ran = project.run("test_renamed.py", "--firstcause")
    healed = {name: told.get("firstcause.heal", "") for name, told in ran.properties.items()}
    assert healed == {
        "test_settings_are_saved": 'get_by_role("button", name="Save")',
        "test_basket_is_paid": 'get_by_test_id("checkout")',
        "test_message_is_sent": 'get_by_role("button", name="Send the message")',
        "test_somebody_signs_up": 'get_by_role("textbox", name="E-mail")',
        "test_products_are_searched": 'get_by_role("textbox", name="Search for products")',
        "test_orders_are_opened": 'get_by_role("link", name="Orders")',
        "test_language_is_chosen": 'get_by_role("combobox", name="Language")',
        "test_newsletter_is_ordered": 'get_by_role("checkbox", name="Newsletter")',
    }, ran.output
    assert len(re.findall(r"^Use get_by_", ran.output, re.MULTILINE)) == RENAMED
    assert project.git("status", "--porcelain", "--untracked-files=no") == ""
    assert not (project.root / PATCH).exists()


def test_the_tests_are_edited_when_asked_for(project: Project) -> None:
    ran = project.run("test_renamed.py", "--firstcause", "--firstcause-heal=apply")
    assert f"{RENAMED} selectors healed in" in ran.output, ran.about_selectors()
    assert not (project.root / PATCH).exists()
    ran = project.run("test_renamed.py", patience_ms=PATIENT_MS)
    assert (ran.passed, ran.failed) == (RENAMED, 0), ran.output


def test_no_selector_is_touched_where_something_failed(project: Project) -> None:
    ran = project.run("test_not_renamed.py", "--firstcause", "--firstcause-heal=patch")
    assert (ran.passed, ran.failed) == (0, 3), ran.output
    assert not (project.root / PATCH).exists()
    why = {name: told.get("firstcause.heal.why_not", "") for name, told in ran.properties.items()}
    assert "GET /api/payment answered 500" in why["test_payment_is_offered"]
    assert "mayPublish" in why["test_article_is_published"]
    assert "cookies" in why["test_terms_are_accepted"]
    assert not [told for told in ran.properties.values() if "firstcause.heal" in told]


def test_what_was_seen_when_it_was_green_tells_what_has_another_name(project: Project) -> None:
    ran = project.run("test_plan.py", "--firstcause", "--firstcause-heal=patch")
    assert "needed" in ran.properties["test_plan_is_upgraded"]["firstcause.heal.why_not"], ran.output
    assert not (project.root / PATCH).exists()
    ran = project.run("test_plan.py", "--firstcause", release=1, patience_ms=PATIENT_MS)
    assert (ran.passed, ran.failed) == (1, 0), ran.output
    ran = project.run("test_plan.py", "--firstcause", "--firstcause-heal=patch")
    instead = ran.properties["test_plan_is_upgraded"]["firstcause.heal"]
    assert instead == 'get_by_role("button", name="Upgrade now")', ran.output
    assert f"1 selector healed: git apply {PATCH}" in ran.output, ran.about_selectors()
    project.git("apply", PATCH)
    ran = project.run("test_plan.py", patience_ms=PATIENT_MS)
    assert (ran.passed, ran.failed) == (1, 0), ran.output


def test_the_suite_is_green_in_its_first_release(project: Project) -> None:
    ran = project.run("test_renamed.py", "test_plan.py", release=1, patience_ms=PATIENT_MS)
    assert (ran.passed, ran.failed) == (RENAMED + 1, 0), ran.output
