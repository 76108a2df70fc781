"""The reference docs follow the code: a small app, and the page that is made of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer

ROOT = Path(__file__).parents[2]

app = typer.Typer(help="Tastes teas.", add_completion=False)


@app.command()
def brew(
    tea: Annotated[str, typer.Argument(help="What to brew: green|black.")],
    minutes: Annotated[int, typer.Option("--minutes", "-m", help="How long.")] = 3,
    milk: Annotated[Literal["none", "some"], typer.Option(help="How white.")] = "none",
    sugar: Annotated[bool, typer.Option(help="Sweeten it.")] = False,
    notes: Annotated[Path | None, typer.Option(help="Where to write what it was like.")] = None,
) -> None:
    """Brews one cup.

    Example:

        teas brew green --minutes 2
    """


@app.command(hidden=True)
def spill() -> None:
    """Nobody should."""


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from generators.command_line import render  # pyright: ignore[reportMissingImports]

    return render(app, "teas", {2: "the request was wrong", 0: "all is well"})


def test_every_command_has_a_section_and_hidden_ones_have_none(reference: str) -> None:
    assert re.findall("^## (.+)", reference, re.MULTILINE) == ["`teas`", "`teas brew`", "Exit codes"]
    assert "spill" not in reference


def test_a_section_tells_usage_help_arguments_and_options(reference: str) -> None:
    section = reference.partition("## `teas brew`")[2]
    assert "Brews one cup." in section
    assert "Usage: `teas brew [OPTIONS]" in section
    assert "    teas brew green --minutes 2\n" in section
    rows = dict(re.findall(r"^\| `(.+)` \| (.*) \|$", section, re.MULTILINE))
    meaning = {re.split("[ ,]", names.replace("-m, ", ""))[0]: text for names, text in rows.items()}
    assert meaning["tea"].startswith("What to brew: green\\|black.")
    assert "required" in meaning["tea"]
    assert meaning["--minutes"] == "How long. [default: 3]"
    assert meaning["--notes"] == "Where to write what it was like."
    assert "Sweeten it." in meaning["--sugar"]
    assert any("none\\|some" in names for names in rows)


def test_exit_codes_are_sorted(reference: str) -> None:
    assert reference.endswith("| 0 | all is well |\n| 2 | the request was wrong |\n")


def test_the_same_page_for_every_terminal(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    from generators.command_line import render  # pyright: ignore[reportMissingImports]

    assert render(app, "teas", {2: "the request was wrong", 0: "all is well"}) == reference
    assert "\x1b" not in reference


def test_every_runtime_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = [name for extra in project["optional-dependencies"].values() for name in extra]
    needed = {re.split("[<>=\\[]", requirement)[0] for requirement in [*project["dependencies"], *optional]}
    explained = set(
        re.findall(r"^\| ([a-z0-9-]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    )
    assert explained - {"package", "---"} == needed
