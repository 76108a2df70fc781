"""Finds a Chromium on this machine without starting one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ..errors import BrowserNotFound, BrowserStartFailed

Source = Literal["FIRSTCAUSE_BROWSER", "playwright", "installed"]

COMMANDS: Final = (
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "chromium",
    "chromium-browser",
    "microsoft-edge-stable",
    "microsoft-edge",
    "msedge",
)

# Below ~ and the folders that Windows names in its environment, for browsers that are not on the PATH.
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "linux": (
        "/opt/google/chrome/chrome",
        "/usr/lib/chromium/chromium",
        "/snap/bin/chromium",
        "/opt/microsoft/msedge/msedge",
    ),
    "darwin": tuple(
        f"{root}/Applications/{name}.app/Contents/MacOS/{name}"
        for name in ("Google Chrome", "Chromium", "Microsoft Edge")
        for root in ("", "~")
    ),
    "win32": tuple(
        f"%{root}%\\{name}"
        for name in (
            "Google\\Chrome\\Application\\chrome.exe",
            "Chromium\\Application\\chrome.exe",
            "Microsoft\\Edge\\Application\\msedge.exe",
        )
        for root in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
    ),
}

PLAYWRIGHT_EXECUTABLES: Final = (
    ("chromium", "chrome-linux*/chrome"),
    ("chromium", "chrome-mac*/*.app/Contents/MacOS/*"),
    ("chromium", "chrome-win*/chrome.exe"),
    ("chromium_headless_shell", "chrome-*/chrome-headless-shell*"),
    ("chromium_headless_shell", "chrome-*/headless_shell*"),
)

_VERSION = re.compile(r"\d+(?:\.\d+){3}")


@dataclass(frozen=True, slots=True)
class FoundBrowser:
    """A browser that can be started, and who named it."""

    path: Path
    source: Source


def find_browser(environ: Mapping[str, str] = os.environ) -> FoundBrowser:
    """The browser to launch: the one the user named, else Playwright's own, else one of the machine's."""
    if named := environ.get("FIRSTCAUSE_BROWSER"):
        # A wrong name must not be answered by another browser than the one that was asked for.
        if not is_executable(Path(named)):
            raise BrowserNotFound(
                f"FIRSTCAUSE_BROWSER names {named}, which is not an executable file.",
                "Correct it, or unset it to let firstcause look for a browser.",
            )
        return FoundBrowser(Path(named), "FIRSTCAUSE_BROWSER")
    for path in _of_playwright(environ):
        return FoundBrowser(path, "playwright")
    for path in _installed(environ):
        return FoundBrowser(path, "installed")
    raise BrowserNotFound(
        "No Chromium, Chrome or Edge was found on this machine.",
        "Run: playwright install chromium (or set FIRSTCAUSE_BROWSER to the path of one).",
    )


def browser_version(path: Path) -> str:
    """The browser's own version, like 140.0.7339.16."""
    if sys.platform == "win32":
        # chrome.exe --version opens a window there; the version is a folder beside it.
        said = " ".join(sorted(entry.name for entry in path.parent.iterdir() if entry.is_dir()))
    else:
        try:
            answer = subprocess.run(
                [path, "--version"], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BrowserStartFailed(f"{path} does not tell its version.", "Name another browser.") from error
        said = answer.stdout
    versions = _VERSION.findall(said)
    if not versions:
        raise BrowserStartFailed(
            f"{path} does not tell its version, so it is not a working Chromium.",
            "Set FIRSTCAUSE_BROWSER to the path of another one, or run: playwright install chromium.",
        )
    return versions[-1]


def _of_playwright(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Playwright keeps its own Chromium, read from its files.

    Its executable_path needs a started driver, and the synchronous one fails inside a running event loop.
    """
    spec = importlib.util.find_spec("playwright")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent / "driver" / "package"
    registry = _registry(environ, package)
    for name, pattern in PLAYWRIGHT_EXECUTABLES:
        for revision in _revisions(package / "browsers.json", name.replace("_", "-")):
            folder = registry / f"{name}-{revision}"
            # Playwright writes the marker last: without it a download was interrupted.
            if (folder / "INSTALLATION_COMPLETE").exists():
                yield from (path for path in sorted(folder.glob(pattern)) if is_executable(path))


def _registry(environ: Mapping[str, str], package: Path) -> Path:
    named = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if named == "0":
        return package / ".local-browsers"
    if named:
        return Path(named)
    home = Path.home()
    if sys.platform == "darwin":
        cache = home / "Library" / "Caches"
    elif sys.platform == "win32":
        cache = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    return cache / "ms-playwright"


def _revisions(browsers_json: Path, name: str) -> list[str]:
    try:
        browsers = json.loads(browsers_json.read_bytes())["browsers"]
    except (OSError, ValueError, KeyError):
        return []
    return [
        revision
        for browser in browsers
        if browser["name"] == name
        for revision in (browser["revision"], *browser.get("revisionOverrides", {}).values())
    ]


def _installed(environ: Mapping[str, str]) -> Iterator[Path]:
    for command in COMMANDS:
        if found := shutil.which(command, path=environ.get("PATH", "")):
            yield Path(found)
    for place in PLACES.get(sys.platform, ()):
        named = re.sub("%(.+?)%", lambda match: environ.get(match[1], ""), place)
        path = Path(named).expanduser()
        if path.is_absolute() and is_executable(path):
            yield path


def is_executable(path: Path) -> bool:
    """Whether `path` is a file that this process may run."""
    return path.is_file() and os.access(path, os.X_OK)
