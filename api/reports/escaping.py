"""What a page said, as text in Markdown: never a heading, a link, a mention or HTML."""

from __future__ import annotations

import re
from typing import Final

from ..terminal import printable

TICKS: Final = re.compile(r"`+")
SPECIAL: Final = re.compile(r"[!#$&*<>@\[\\\]_`{|}~]")


def code(text: str) -> str:
    """A span of code."""
    shown = printable(" ".join(text.split()))
    fence = "`" * (_longest(shown) + 1)
    return f"{fence} {shown} {fence}" if shown[:1] == "`" or shown[-1:] == "`" else f"{fence}{shown}{fence}"


def block(text: str) -> str:
    """A block of code."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    fence = "`" * max(3, _longest(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def words(text: str) -> str:
    """Words as they are; what Markdown or HTML could take for its own is told by number."""
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", printable(" ".join(text.split())))


def _longest(text: str) -> int:
    return max((len(run) for run in TICKS.findall(text)), default=0)
