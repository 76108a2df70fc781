"""Keeps what fails in firstcause itself away from the tests of its users: nothing is raised, and the first trouble is told once."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ...correlator.findings.finding import said
from ...observer.errors import FirstcauseError

T = TypeVar("T")
MAX_TROUBLE_BYTES: Final = 300


class Guard:
    """`with guard:` around anything of ours that a test could stumble over. No warning is raised: many make errors of them."""

    def __init__(self) -> None:
        self.trouble = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """A person who interrupts the tests is not kept from it."""
        if not isinstance(error, Exception):
            return False
        self.note(error)
        return True

    def note(self, error: BaseException) -> None:
        if not self.trouble:
            told = str(error) if isinstance(error, FirstcauseError) else f"{type(error).__name__}: {error}"
            self.trouble = said(told, MAX_TROUBLE_BYTES)

    def quietly(self, call: Callable[..., T]) -> Callable[..., T | None]:
        """The same, for what others are to call."""

        def guarded(*args: Any, **kwargs: Any) -> T | None:
            with self:
                return call(*args, **kwargs)
            return None

        return guarded
