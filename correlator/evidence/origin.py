"""An error that was kept and thrown later: its stack still tells the function that made it, and the request that this awaited."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Link
from .rule import Rule
from .stacks import called_for
from .task import is_rethrown


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind != "error" or not is_rethrown(effect):
        return
    failed = [request for request, _ in called_for(effect, flow) if request.failed]
    if failed:
        yield Link(failed[0], RULE.via, 0.75 if len(failed) == 1 else 0.45)


RULE = Rule("error-origin", "the error was made by the function that awaited this, and thrown later", find)
