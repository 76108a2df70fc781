"""Calls a tool by its name: arguments checked, the answer cut to its budget, a failure told so that the next call works."""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from ...correlator.findings.finding import cut
from ...correlator.redact import redact_text
from ...observer.errors import FirstcauseError
from . import TOOLS
from .budget import Fitted, fitted
from .desk import Desk
from .tool import BadArguments, Tool

log = logging.getLogger(__name__)

BY_NAME: Final = {tool.name: tool for tool in TOOLS}
MESSAGE_BYTES: Final = 600


class Called(NamedTuple):
    answer: Fitted
    failed: bool


async def call(name: str, arguments: Mapping[str, Any], desk: Desk) -> Called:
    """What a tool answers, or why it can't; nothing is raised."""
    tool = BY_NAME.get(name)
    if tool is None:
        return Called(_refusal(_unknown(name), None), failed=True)
    try:
        answer = await tool.run(_checked(tool, arguments), desk)
        if answer.tells_pending:
            answer = replace(answer, head={**answer.head, **desk.pending()})
        return Called(fitted(answer, answer.max_tokens), failed=False)
    except FirstcauseError as error:
        return Called(_refusal(error, tool), failed=True)
    except Exception:
        log.exception("the tool %s failed", cut(name, 60))
        error = FirstcauseError(
            f"{cut(name, 60)} failed within the server.", "Its log says why; other calls go on working."
        )
        return Called(_refusal(error, tool), failed=True)


def _unknown(name: str) -> BadArguments:
    near = difflib.get_close_matches(name, list(BY_NAME), 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(BY_NAME)}."
    return BadArguments(f"There is no tool {cut(name, 60)!r}.", hint)


def _checked(tool: Tool[Any], arguments: Mapping[str, Any]) -> Any:
    """Raises BadArguments."""
    try:
        return tool.arguments.model_validate(arguments)
    except ValidationError as error:
        raise _refused(tool, error) from error


def _refused(tool: Tool[Any], error: ValidationError) -> BadArguments:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"][:4])
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        names: list[str] = list(tool.arguments.model_fields)
        near = difflib.get_close_matches(where, names, 1)
        hint = f"Did you mean {near[0]}?" if near else f"It takes: {', '.join(names)}."
        return BadArguments(f"{tool.name} does not take {cut(where, 60)}.", hint)
    rule = first["msg"].removeprefix("Value error, ")
    return BadArguments(f"{tool.name}: {cut(where, 80) or 'arguments'}: {cut(rule, 300)}.", "")


def _refusal(error: FirstcauseError, tool: Tool[Any] | None) -> Fitted:
    told = {
        "code": error.code,
        "message": cut(redact_text(error.message), MESSAGE_BYTES),
        "hint": cut(redact_text(error.hint), MESSAGE_BYTES),
    }
    if tool is not None:
        told["example"] = f"{tool.name} {json.dumps(dict(tool.example))}"
    told = {name: text for name, text in told.items() if text}
    return Fitted({"error": told}, "\n".join(f"{name}: {text}" for name, text in told.items()))
