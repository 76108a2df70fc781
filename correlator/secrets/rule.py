"""A rule: what hides one kind of secret, and the cheap sign that a text may hold one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

HIDDEN: Final = "***"


class Rule(NamedTuple):
    """`trigger` is an RE2 expression that matches in every text that `hide` would change, and in few others."""

    trigger: str
    hide: Callable[[str], str]
