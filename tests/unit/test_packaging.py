"""What users install holds every module and asset, whichever way it is built."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("observer", "correlator", "api", "e2e_fixtures/shop")


def build(target: Path, *kinds: str) -> Path:
    """Builds without an environment of its own: quick, and it needs no network."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(target), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return target


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    (built,) = build(tmp_path_factory.mktemp("wheel"), "--wheel").iterdir()
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, and a wheel that was built from it: what build does when it is not told what to build."""
    return build(tmp_path_factory.mktemp("both"))


@pytest.fixture(scope="module")
def sdist(both: Path) -> Path:
    return next(both.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def sdist_wheel(both: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(both.glob("*.whl")))


def modules(archive: zipfile.ZipFile) -> set[str]:
    return {name for name in archive.namelist() if ".dist-info/" not in name}


def expected() -> set[str]:
    files = {path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.is_file()}
    names = {
        f"firstcause/{path.relative_to(ROOT).as_posix()}" for path in files if "__pycache__" not in path.parts
    }
    return names | {"firstcause/__init__.py", "firstcause/__main__.py", "firstcause/py.typed"}


def test_the_wheel_holds_the_floors_and_the_shop_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert modules(wheel) == expected()


def test_the_assets_are_among_them(wheel: zipfile.ZipFile) -> None:
    """Guards the comparison above: it would also hold for two empty sets."""
    kinds = {Path(name).suffix for name in modules(wheel)}
    assert {".py", ".js", ".html"} <= kinds


def test_a_wheel_from_the_sdist_is_the_same(wheel: zipfile.ZipFile, sdist_wheel: zipfile.ZipFile) -> None:
    assert {info.filename: info.CRC for info in sdist_wheel.infolist()} == {
        info.filename: info.CRC for info in wheel.infolist()
    }


def test_the_sdist_has_no_links_and_no_second_copies(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        assert not [member.name for member in archive if member.issym() or member.islnk()]
        below = {member.name.partition("/")[2] for member in archive if "/src/firstcause/" in member.name}
    assert below == {f"src/firstcause/{name}" for name in ("__init__.py", "__main__.py", "py.typed")}


def test_every_folder_with_code_is_a_package() -> None:
    """An import of a folder without __init__.py works, but type checkers and import-linter pass it over."""
    folders = {path.parent for floor in FLOORS[:3] for path in (ROOT / floor).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_links_of_the_editable_install_lead_to_the_floors() -> None:
    for floor in ("observer", "correlator", "api", "e2e_fixtures"):
        link = ROOT / "src" / "firstcause" / floor
        assert link.is_symlink()
        assert link.resolve() == ROOT / floor


def test_the_wheel_runs_where_the_repository_is_not(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", "import firstcause.observer.errors as e; print(e.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert Path(said.stdout.strip()).is_relative_to(tmp_path.resolve())


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = [
        block
        for block in lock.replace("\\\n", "").splitlines()
        if block and not block.lstrip().startswith("#")
    ]
    assert pinned
    assert [line for line in pinned if "--hash=sha256:" not in line] == []
    assert "://" not in lock
    assert "--index" not in lock
