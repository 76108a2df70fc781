"""Where in a project's source a locator is written.

The failing line is looked at first, then its function, its file, and what that imports; where it is not clear which of several places
is meant, it is said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ...observer.errors import FirstcauseError
from .locators import Locator, chained, one_call, written
from .sources import Project, Scope, Source

# What a page takes a selector for at once: the message says `locator(…)` all the same.
SHORTCUTS: Final = frozenset(
    {
        "check", "click", "dblclick", "dispatch_event", "eval_on_selector", "fill", "focus", "get_attribute", "hover", "inner_html",
        "inner_text", "input_value", "is_checked", "is_disabled", "is_editable", "is_enabled", "is_hidden", "is_visible", "press",
        "query_selector", "select_option", "set_checked", "set_input_files", "tap", "text_content", "type", "uncheck",
        "wait_for_selector",
    }
)  # fmt: skip


class PlaceUnclear(FirstcauseError):
    """It can't be told where in the tests a locator is written."""

    code = "place_unclear"


class Frame(NamedTuple):
    """A line of a traceback."""

    file: Path
    line: int


class Place(NamedTuple):
    """Where a locator is written: from the name of its first method to the end of the last. `argument` is the only constant in it
    that tells what is asked for.
    """

    source: Source
    node: ast.expr
    start: int
    end: int
    base: str
    argument: ast.expr | None
    rest: Locator = ()
    """The steps of the one text, where it has several."""
    is_text: bool = False

    @property
    def scope(self) -> Scope:
        return self.source.scope(self.node)


def places(frames: Sequence[Frame], replaced: Locator, project: Project) -> list[Place]:
    known = [
        (source, frame) for frame in reversed(frames) if (source := project.source(frame.file)) is not None
    ]
    for source, frame in known:
        at = [place for place in _found(source, replaced) if _is_at(place.node, frame.line, source)]
        if at:
            # Whoever asks for it twice in one function asks for the same.
            return [each for each in _found(source, replaced) if _is_near(each, at[0])]
    for source, frame in known:
        handed = [place for place in _handed(source, replaced) if _is_at(place.node, frame.line, source)]
        if handed:
            return handed
    for source, frame in known:
        function = _function_at(source, frame.line)
        within = [place for place in _found(source, replaced) if function and function in _around(place)]
        if within:
            return _only(within, replaced)
    for sources in ([source for source, _ in known], _imported([source for source, _ in known], project)):
        found = [place for source in dict.fromkeys(sources) for place in _found(source, replaced)]
        if found:
            return _only(found, replaced)
    raise PlaceUnclear(
        f"{written(replaced)} is not written in the test, nor in what it imports.",
        "It may be put together from parts: change it by hand.",
    )


def _only(found: Sequence[Place], replaced: Locator) -> list[Place]:
    """All of them if one function has them, or if they share the constant that says it."""
    if len({(each.source.path, each.scope) for each in found}) == 1:
        return list(found)
    definitions = {each.source.defined(each.argument) if each.argument else None for each in found}
    if len(definitions) == 1 and None not in definitions:
        return list(found)
    places = ", ".join(f"{each.source.path.name}:{each.node.lineno}" for each in found[:4])
    raise PlaceUnclear(
        f"{written(replaced)} is written in {len(found)} places, and which is meant is not clear: {places}.",
        "Change the one by hand, or give it a name of its own.",
    )


def _found(source: Source, replaced: Locator) -> Iterator[Place]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call | ast.Attribute):
            place = _chain_at(source, node, replaced) or _text_at(source, node, replaced)
            if place is not None:
                yield place


def _chain_at(source: Source, node: ast.expr, replaced: Locator) -> Place | None:
    """The expression whose last calls are just these steps."""
    steps, at, inner = (), node, node
    while len(steps) < len(replaced):
        try:
            base, found = one_call(at, source.value)
        except ValueError:
            return None
        if not found or base is None:
            return None
        steps, inner, at = (*found, *steps), at, base
    if steps != replaced:
        return None
    name = inner.func if isinstance(inner, ast.Call) else inner
    if not isinstance(name, ast.Attribute):
        return None
    start = source.end(name) - len(name.attr)
    is_one = isinstance(inner, ast.Call) and inner is node and len(replaced) == 1
    argument = _telling(inner) if is_one and isinstance(inner, ast.Call) else None
    return Place(
        source, node, start, source.end(node), source.text[source.start(at) : source.end(at)], argument
    )


def _telling(call: ast.Call) -> ast.expr | None:
    """The name of a role, the first argument of anything else."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "get_by_role":
        return next((each.value for each in call.keywords if each.arg == "name"), None)
    return call.args[0] if call.args else None


def _text_at(source: Source, node: ast.expr, replaced: Locator) -> Place | None:
    """The text that a page takes for a locator, or that is a chain of several."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return None
    argument, [wanted, *more] = node.args[0], replaced
    if more or wanted.method != "locator":
        return None
    try:
        text = source.value(argument)
    except ValueError:
        return None
    steps = chained(text) if isinstance(text, str) else ()
    is_shortcut = node.func.attr in SHORTCUTS and steps == replaced
    is_chain = node.func.attr in {*SHORTCUTS, "locator"} and len(steps) > 1 and wanted in steps
    if not is_shortcut and not is_chain:
        return None
    return _of_text(source, node, argument, steps if is_chain else ())


def _handed(source: Source, replaced: Locator) -> Iterator[Place]:
    """The text where it is handed to a helper, which makes a locator of it."""
    [wanted, *more] = replaced
    if more or not wanted.text or wanted.named:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            for argument in (*node.args, *(each.value for each in node.keywords)):
                try:
                    if source.value(argument) == wanted.text:
                        yield _of_text(source, node, argument)
                except ValueError:
                    continue


def _of_text(source: Source, call: ast.Call, argument: ast.expr, rest: Locator = ()) -> Place:
    on = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    base = source.text[source.start(on) : source.end(on)]
    return Place(
        source, call, source.start(argument), source.end(argument), base, argument, rest, is_text=True
    )


def _is_at(node: ast.expr, line: int, source: Source) -> bool:
    """In the statement of a line; of a block only its head counts."""
    at: ast.AST = node
    while not isinstance(at, ast.stmt):
        at = source.parents[at]
    body = getattr(at, "body", None)
    last = body[0].lineno - 1 if body else at.end_lineno or at.lineno
    return at.lineno <= line <= max(last, at.lineno)


def _is_near(place: Place, at: Place) -> bool:
    return place.scope is at.scope and place.base == at.base


def _around(place: Place) -> Iterator[ast.AST]:
    at: ast.AST | None = place.node
    while at is not None:
        yield at
        at = place.source.parents.get(at)


def _function_at(source: Source, line: int) -> ast.AST | None:
    """The innermost function that the line is in."""
    functions = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(functions, key=lambda node: node.lineno, default=None)


def _imported(sources: Iterable[Source], project: Project) -> list[Source]:
    """All that they import, directly and through others, and the conftest files that apply to them."""
    fresh, seen = list(sources), dict.fromkeys(sources)
    for source in list(fresh):
        above = [each for each in source.path.parents if each.is_relative_to(project.root)]
        fresh += [found for each in above if (found := project.source(each / "conftest.py")) is not None]
    found = dict[Source, None]()
    while fresh:
        source = fresh.pop(0)
        if source in found:
            continue
        found[source] = None
        fresh += source.imports()
    return [each for each in found if each not in seen]
