"""The pytest plugin: on by `--firstcause`, and next to nothing without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

NAME = "firstcause-tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("firstcause", "firstcause: why a browser test failed")
    group.addoption(
        "--firstcause",
        action="store_true",
        default=False,
        help="Observe the Chromium that the tests drive, and tell the first cause of each failure.",
    )
    group.addoption(
        "--firstcause-report",
        metavar="DIR",
        default="",
        help="Write the events of the failed tests and a page that shows them into this folder; implies --firstcause.",
    )
    group.addoption(
        "--firstcause-heal",
        choices=("suggest", "patch", "apply"),
        default=None,
        help="What to do about selectors that broke: suggest (default) says what to use instead, patch writes "
        "firstcause-heal.patch, apply edits the tests; implies --firstcause.",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not any(config.getoption(name) for name in ("firstcause", "firstcause_report", "firstcause_heal")):
        return
    from .hooks import Hooks

    config.pluginmanager.register(Hooks(config), NAME)
