"""The master token's file: one for all servers and commands of a user, and for nobody else."""

from __future__ import annotations

import logging
import os
import re
import secrets
from pathlib import Path
from typing import Final

from .errors import ServerStartFailed
from .settings import TOKEN_PATTERN

log = logging.getLogger(__name__)

FILE_NAME: Final = "token"
OTHERS: Final = 0o077


def load_secret(state_dir: Path) -> str:
    """The master token; the first who asks makes it."""
    path = state_dir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        _close_to_others(path)
        secret = path.read_text("utf-8", errors="replace").strip()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ServerStartFailed(
            f"The token in {path} can't be read or made: {reason}.",
            "Set FIRSTCAUSE_STATE_DIR to a folder that you can write to, or FIRSTCAUSE_TOKEN.",
        ) from None
    if not re.fullmatch(TOKEN_PATTERN, secret):
        raise ServerStartFailed(f"{path} does not hold a token.", "Remove it, then a new one is made.")
    return secret


def _create(path: Path) -> None:
    """Written aside and then linked: who finds the file finds all of it, and of two at once one wins and both read the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f"{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            log.debug("another firstcause has just made %s", path)
    finally:
        aside.unlink()


def _close_to_others(path: Path) -> None:
    mode = path.stat().st_mode
    if os.name == "posix" and mode & OTHERS:
        path.chmod(mode & 0o700)
        log.warning("others could read %s: that is put right, but make a new token if they may have", path)
