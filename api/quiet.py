"""A uvicorn inside another program: it leaves that program's loggers and signals alone."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import uvicorn


class QuietConfig(uvicorn.Config):
    def configure_logging(self) -> None:
        """The host program may run a uvicorn of its own."""


class QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """They belong to the host program."""
        yield
