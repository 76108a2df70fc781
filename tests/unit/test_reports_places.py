"""Places: from what an event tells to the one file of a repository that it can mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from firstcause.api.reports.places import Place, Sources

from .reported import event


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    for name in (
        "web/src/cart.ts",
        "web/src/list.ts",
        "admin/src/list.ts",
        "web/dist/bundle.js",
        "web/node_modules/left/cart.ts",
        ".git/cart.ts",
        "tests/test_cart.py",
        "README",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return Sources(tmp_path)


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ("cart.ts:88:12 save", Place("web/src/cart.ts", 88, 12, known=True)),
        ("src/cart.ts:88:12", Place("web/src/cart.ts", 88, 12, known=True)),
        ("webpack://shop/./src/cart.ts:8:1 save", Place("web/src/cart.ts", 8, 1, known=True)),
        ("…src/cart.ts:8", Place("web/src/cart.ts", 8, 0, known=True)),
        ("list.ts:3:1", Place("list.ts", 3, 1)),
        ("admin/src/list.ts:3:1", Place("admin/src/list.ts", 3, 1, known=True)),
        ("bundle.js:1:99999", Place("bundle.js", 1, 99999)),
        ("other/cart.ts:1:1", Place("other/cart.ts", 1, 1)),
        ("../../cart.ts:1:1", Place("web/src/cart.ts", 1, 1, known=True)),
        ("(index):1:1", None),
        ("save", None),
        ("", None),
    ],
)
def test_a_place_is_the_only_file_that_it_can_mean(sources: Sources, at: str, place: Place | None) -> None:
    assert sources.place(event(1, "console_error", "x", context={"at": at})) == place


def test_a_test_tells_its_own_file(sources: Sources, tmp_path: Path) -> None:
    for file in ("tests/test_cart.py", str(tmp_path / "tests/test_cart.py")):
        failed = event(1, "test.failed", "x", context={"file": file, "line": 7, "at": "cart.ts:88:12"})
        assert sources.place(failed) == Place("tests/test_cart.py", 7, known=True)


def test_a_file_that_is_there_is_better_than_an_earlier_place(sources: Sources) -> None:
    elsewhere = event(1, "console_error", "x", context={"at": "vendor.js:1:1"})
    here = event(2, "console_error", "x", context={"at": "cart.ts:88:12"})
    assert sources.place(elsewhere, here) == Place("web/src/cart.ts", 88, 12, known=True)
    assert sources.place(elsewhere) == Place("vendor.js", 1, 1)


def test_a_root_that_is_not_there_knows_no_files() -> None:
    known = Sources(Path("/nowhere")).place(event(1, "console_error", "x", context={"at": "cart.ts:88:12"}))
    assert known == Place("cart.ts", 88, 12)
