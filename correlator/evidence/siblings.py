"""Several requests were made together and one failed: what fails when the last of them is answered is that one's doing."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Link, Request
from .rule import Rule
from .task import failed_sibling


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind != "error":
        return
    origin = flow.origin(effect)
    if origin is None or not isinstance(origin.node, Request) or origin.node.failed:
        return
    sibling = failed_sibling(origin.node, flow)
    if sibling is not None:
        yield Link(sibling, RULE.via, 0.62)


RULE = Rule(
    "failed-sibling",
    "it was requested together with what was awaited, and of these it is the one that failed",
    find,
)
