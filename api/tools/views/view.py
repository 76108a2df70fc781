"""What a view is, and what all views take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import Field

from ...wire import Patterns
from ..budget import DEFAULT_TOKENS
from ..desk import Desk
from ..fields import LeastSeverity, MaxTokens, OtherChannels, PatternTable, patterns_of
from ..tool import Answer, Arguments


class Reads(Arguments):
    """Each view takes what it needs of these."""

    id: str = Field(default="", max_length=64, description="Of the event or chain.")
    page: str = Field(default="", max_length=64)
    selector: str = Field(default="", max_length=1_000)
    channels: OtherChannels = []
    include: PatternTable = Field(default={}, description="Only these events, written as in configure.")
    min_severity: LeastSeverity = "info"
    cursor: str = Field(
        default="", max_length=512, description='Read on from here; "start" for all; empty for the latest.'
    )
    max_tokens: MaxTokens = DEFAULT_TOKENS

    @property
    def patterns(self) -> Patterns:
        """Raises BadField."""
        table: PatternTable = {**self.include}
        if self.page:
            table["page"] = [self.page]
        return patterns_of("include", table) or Patterns()


@dataclass(frozen=True, slots=True)
class View:
    name: str
    about: str
    read: Callable[[Reads, Desk], Awaitable[Answer]]
