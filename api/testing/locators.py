"""Playwright's locators as Python source: read from its messages and from tests, compared step by step, and written back."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ...observer.errors import FirstcauseError

PROPERTIES: Final = frozenset({"first", "last", "content_frame", "visible"})
BY: Final = frozenset(
    {
        "get_by_alt_text",
        "get_by_label",
        "get_by_placeholder",
        "get_by_role",
        "get_by_test_id",
        "get_by_text",
        "get_by_title",
    }
)
FILTERS: Final = ("has_text", "has_not_text", "has", "has_not", "visible")
METHODS: Final = BY | {"locator", "frame_locator", "filter", "nth", "and_", "or_"}
FLAGS: Final = {"IGNORECASE": "i", "I": "i", "MULTILINE": "m", "M": "m", "DOTALL": "s", "S": "s"}
FLAG_NAMES: Final = {"i": "IGNORECASE", "m": "MULTILINE", "s": "DOTALL"}
CHAINED = re.compile(r"""\s*>>\s*(?=(?:[^"']|"[^"]*"|'[^']*')*$)""")
MAX_CHARS: Final = 4_000


class BadLocator(FirstcauseError):
    """A text is no locator that is understood."""

    code = "bad_locator"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression where a text could stand."""

    source: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a chain, or a property such as `first`; every filter is a step of its own."""

    method: str
    args: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()

    def given(self, name: str) -> Value | None:
        return dict(self.named).get(name)

    @property
    def text(self) -> str:
        """Its first argument, if that is a text."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else ""


VISIBLE: Final = Step("filter", (), (("visible", True),))
Locator = tuple[Step, ...]
Value = str | bool | int | Pattern | tuple[Step, ...]
Resolve = Callable[[ast.expr], Value]


def read(text: str) -> Locator:
    """Of a message, such as `locator("#form").get_by_role("button", name="Save").first`. Raises BadLocator."""
    said = text.strip()
    try:
        base, steps = unwound(ast.parse(said[:MAX_CHARS], mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        base, steps = None, ()
    if base is not None or not steps:
        raise BadLocator(
            f"{said[:80]} is no locator that is understood.", "Write it as Playwright's messages do."
        )
    return steps


def written(steps: Sequence[Step]) -> str:
    """Without what it is called on: `locator("#form").first`."""
    return ".".join(_step_written(step) for step in steps)


def quoted(text: str) -> str:
    """As a string of Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def literal(node: ast.expr) -> Value:
    """What stands there: a constant, a pattern or another locator. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand)
        if isinstance(value, int):
            return -value
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "compile":
            return _pattern(node)
        _, steps = unwound(node)
        if steps:
            return steps
    raise ValueError("no constant")


def unwound(node: ast.expr, resolve: Resolve = literal) -> tuple[ast.expr | None, Locator]:
    """The steps of an expression in their order, and what the first of them is called on: None in messages.
    Raises ValueError if an argument can't be told.
    """
    steps: list[Step] = []
    at: ast.expr | None = node
    while at is not None:
        inner, found = one_call(at, resolve)
        if not found:
            break
        steps[:0] = found
        at = inner
    return at, tuple(steps)


def one_call(node: ast.expr, resolve: Resolve = literal) -> tuple[ast.expr | None, Locator]:
    """The steps of the outermost call alone, and what it is called on; no steps if it is none of a locator's."""
    if isinstance(node, ast.Attribute) and node.attr in PROPERTIES:
        return node.value, (VISIBLE if node.attr == "visible" else Step(node.attr),)
    if not isinstance(node, ast.Call):
        return node, ()
    if isinstance(node.func, ast.Name):
        return (None, _steps(node.func.id, node, resolve)) if node.func.id in METHODS else (node, ())
    if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        return node.func.value, _steps(node.func.attr, node, resolve)
    return node, ()


def chained(selector: str) -> Locator:
    """`#form >> text=Save` is two steps."""
    return tuple(Step("locator", (part,)) for part in CHAINED.split(selector.strip()))


def _steps(method: str, call: ast.Call, resolve: Resolve) -> Locator:
    args = tuple(resolve(argument) for argument in call.args)
    named = {keyword.arg or "": resolve(keyword.value) for keyword in call.keywords}
    filters = tuple(Step("filter", (), ((name, named[name]),)) for name in FILTERS if name in named)
    if method == "filter":
        return filters
    if method in {"locator", "frame_locator"}:
        selector = args[0] if args else named.get("selector")
        if not isinstance(selector, str):
            raise ValueError("no selector")
        frame = (Step("content_frame"),) if method == "frame_locator" else ()
        return (*chained(selector), *filters, *frame)
    if method == "nth":
        place = args[0] if args else named.get("index")
        if not isinstance(place, int):
            raise ValueError("no place")
        return (Step({0: "first", -1: "last"}[place]) if place in (0, -1) else Step("nth", (place,)),)
    if not args and method in BY and named:
        args = (named.pop(next(iter(named))),)
    kept = {name: value for name, value in named.items() if (name, value) != ("exact", False)}
    return (Step(method, args, tuple(sorted(kept.items(), key=lambda pair: pair[0]))),)


def _pattern(call: ast.Call) -> Pattern:
    names = [
        each.attr for more in call.args[1:] for each in ast.walk(more) if isinstance(each, ast.Attribute)
    ]
    source = literal(call.args[0]) if call.args else ""
    if source and isinstance(source, str):
        return Pattern(source, "".join(sorted(FLAGS[name] for name in names if name in FLAGS)))
    raise ValueError("no pattern")


def _step_written(step: Step) -> str:
    if step.method in PROPERTIES:
        return step.method
    # `name` stands before `exact`, as Playwright writes it.
    named = sorted(step.named, key=lambda pair: (pair[0] == "exact", pair[0] != "name", pair[0]))
    values = [_value_written(value) for value in step.args]
    values += [f"{name}={_value_written(value)}" for name, value in named]
    return f"{step.method}({', '.join(values)})"


def _value_written(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Pattern):
        flags = " | ".join(f"re.{FLAG_NAMES[flag]}" for flag in value.flags)
        is_raw = '"' not in value.source and not value.source.endswith("\\")
        source = f'r"{value.source}"' if is_raw else quoted(value.source)
        return f"re.compile({source}{f', {flags}' if flags else ''})"
    return written(value) if isinstance(value, tuple) else repr(value)
