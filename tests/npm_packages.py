"""Packages of npm that tests are made with: each package-lock.json installed once, by its hash, and never again."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .links import ROOT

CACHE: Final = ROOT / ".venv" / ".cache" / "npm"
TIMEOUT_S: Final = 180.0


def as_it_is(_: Path) -> None:
    pass


def npm_packages(listed_in: Path, made_ready: Callable[[Path], None] = as_it_is) -> Path | None:
    """The folder above the node_modules of that folder's package-lock.json; None where npm is not there or gives nothing.

    `made_ready` is called with that folder once, and may raise what a subprocess raises.
    """
    files = [listed_in / "package.json", listed_in / "package-lock.json"]
    folder = CACHE / hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    if folder.exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE, ignore_cleanup_errors=True) as made:
        for file in files:
            shutil.copy(file, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        try:
            subprocess.run(command, cwd=made, capture_output=True, timeout=TIMEOUT_S, check=True)
            made_ready(Path(made))
        except (OSError, subprocess.SubprocessError):
            return None
        with suppress(OSError):  # another process has done the same meanwhile
            Path(made).rename(folder)
    return folder
