"""Runs the command line's coroutines on the fastest loop that there is here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    if sys.platform == "win32":  # uvloop is not made for it
        return asyncio.run(main)
    import uvloop

    return uvloop.run(main)
