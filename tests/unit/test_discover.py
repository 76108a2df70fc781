"""Which browser is taken, on machines that are made of a few empty files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from firstcause.observer.errors import BrowserNotFound, BrowserStartFailed
from firstcause.observer.sources import discover
from firstcause.observer.sources.discover import browser_version, find_browser


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "PLACES", {})
    monkeypatch.setattr("sys.platform", "linux")


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def playwright_revision() -> str:
    spec = importlib.util.find_spec("playwright")
    assert spec is not None
    assert spec.origin is not None
    browsers = json.loads((Path(spec.origin).parent / "driver/package/browsers.json").read_text())["browsers"]
    return next(browser["revision"] for browser in browsers if browser["name"] == "chromium")


def playwright_chromium(registry: Path, *, complete: bool = True) -> Path:
    folder = registry / f"chromium-{playwright_revision()}"
    executable = program(folder / "chrome-linux64" / "chrome")
    if complete:
        (folder / "INSTALLATION_COMPLETE").touch()
    return executable


def test_the_named_browser_comes_first(tmp_path: Path) -> None:
    named = program(tmp_path / "my browser")
    playwright_chromium(tmp_path)
    found = find_browser({"FIRSTCAUSE_BROWSER": str(named), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)})
    assert (found.path, found.source) == (named, "FIRSTCAUSE_BROWSER")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_wrong_name_is_not_answered_by_another_browser(tmp_path: Path, name: str) -> None:
    program(tmp_path / "chromium")
    with pytest.raises(BrowserNotFound, match="FIRSTCAUSE_BROWSER names") as caught:
        find_browser({"FIRSTCAUSE_BROWSER": str(tmp_path / name), "PATH": str(tmp_path)})
    assert "unset it" in caught.value.hint


def test_a_named_file_must_be_executable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no program")
    with pytest.raises(BrowserNotFound, match="not an executable file"):
        find_browser({"FIRSTCAUSE_BROWSER": str(tmp_path / "notes.txt")})


def test_playwrights_own_chromium_comes_before_the_machines(tmp_path: Path) -> None:
    own = playwright_chromium(tmp_path / "registry")
    program(tmp_path / "bin" / "google-chrome")
    found = find_browser(
        {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "registry"), "PATH": str(tmp_path / "bin")}
    )
    assert (found.path, found.source) == (own, "playwright")


def test_playwrights_cache_is_where_the_system_keeps_caches(tmp_path: Path) -> None:
    own = playwright_chromium(tmp_path / "ms-playwright")
    assert find_browser({"XDG_CACHE_HOME": str(tmp_path)}).path == own


@pytest.mark.parametrize(
    ("platform", "folder", "executable"),
    [
        (
            "darwin",
            "chrome-mac-arm64",
            "Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
        ),
        ("win32", "chrome-win64", "chrome.exe"),
        ("linux", "chrome-linux-arm64", "chrome"),
        ("linux", "chrome-linux", "chrome"),
    ],
)
def test_playwrights_layout_on_every_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, folder: str, executable: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    home = tmp_path / f"chromium-{playwright_revision()}"
    own = program(home / folder / executable)
    (home / "INSTALLATION_COMPLETE").touch()
    assert find_browser({"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}).path == own


def test_an_interrupted_download_is_not_a_browser(tmp_path: Path) -> None:
    playwright_chromium(tmp_path / "registry", complete=False)
    chromium = program(tmp_path / "bin" / "chromium")
    found = find_browser(
        {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "registry"), "PATH": str(tmp_path / "bin")}
    )
    assert (found.path, found.source) == (chromium, "installed")


def test_the_headless_shell_will_do(tmp_path: Path) -> None:
    folder = tmp_path / f"chromium_headless_shell-{playwright_revision()}"
    shell = program(folder / "chrome-headless-shell-linux64" / "chrome-headless-shell")
    (folder / "INSTALLATION_COMPLETE").touch()
    assert find_browser({"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}).path == shell


def test_a_browser_off_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = program(tmp_path / "Edge" / "msedge.exe")
    monkeypatch.setattr(discover, "PLACES", {"linux": ("%UNSET%nowhere", "%PROGRAMFILES%/Edge/msedge.exe")})
    environ = {"PROGRAMFILES": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    assert find_browser(environ).path == edge


def test_nothing_found_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(BrowserNotFound) as caught:
        find_browser({"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)})
    assert "playwright install chromium" in caught.value.hint


def test_version_of_a_chatty_wrapper(tmp_path: Path) -> None:
    wrapper = program(
        tmp_path / "chromium", "#!/bin/sh\necho oops >&2\necho Chromium 140.0.7339.16 built on Debian\n"
    )
    assert browser_version(wrapper) == "140.0.7339.16"


@pytest.mark.parametrize("text", ["#!/bin/sh\necho install me with snap\n", "#!/no/such/shell\n"])
def test_a_program_without_a_version_is_no_browser(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrowserStartFailed, match="does not tell its version"):
        browser_version(program(tmp_path / "chromium", text))


def test_version_on_windows_is_the_folder_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    (tmp_path / "141.0.7390.37").mkdir()
    assert browser_version(program(tmp_path / "chrome.exe")) == "141.0.7390.37"
