"""What a tool is: a value that says when to use it, what it takes and what it does. It knows nothing of how it is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from ...observer.errors import FirstcauseError

if TYPE_CHECKING:
    from .desk import Desk

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Arguments(BaseModel):
    """What a tool takes; an unknown name is refused, so that a misspelt one is not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


A = TypeVar("A", bound=Arguments)


def one_line(text: str) -> str:
    """What pages and publishers say can't begin a line that looks like one of ours."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of an answer, as fields and as a line; `events` counts by severity what it stands for."""

    fields: Mapping[str, Any]
    line: str
    events: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says, before it is cut to the budget.

    `items` are in the order in which they may be cut from the end; `after` has what depends on how many of them are told, `rest` is the
    call that tells the others. A `body` is a text instead of items; `whole` has it as fields, for as long as nothing is cut.
    """

    head: Mapping[str, Any] = field(default_factory=dict[str, Any])
    items: list[Item] = field(default_factory=list[Item])
    list_name: str = ""
    title: str = ""
    after: Callable[[int], Mapping[str, Any]] = lambda _: NOTHING
    rest: str = ""
    body: str = ""
    whole: Mapping[str, Any] | None = None
    max_tokens: int = 1_000
    tells_pending: bool = True
    """Whether what else has happened is put beside it."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    name: str
    title: str
    description: str
    arguments: type[A]
    run: Callable[[A, Desk], Awaitable[Answer]]
    example: Mapping[str, Any]
    """Arguments that work."""
    read_only: bool = False
    """It changes nothing, neither here nor in a browser."""


class BadArguments(FirstcauseError):
    """A tool was called with arguments that it does not take."""

    code = "bad_arguments"
