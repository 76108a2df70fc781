"""What to write in a test's source instead of a locator that broke: nothing but that expression is touched."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .healed import Healing
from .locators import BY, quoted, written
from .patches import Edit
from .places import Frame, Place, PlaceUnclear, places
from .sources import Project, Source, read_text


def edits_for(frames: Sequence[Frame], healing: Healing, project: Project) -> list[Edit]:
    """`frames` from the test's own to the innermost one; files that are not the project's are passed over. Raises PlaceUnclear."""
    if not healing.is_sure:
        raise PlaceUnclear(healing.why_not or "It is not known what to write.", "Change the test by hand.")
    edits = dict.fromkeys(_edit(place, healing) for place in places(frames, healing.replaced, project))
    for edit in edits:
        _check(edit)
    return list(edits)


def _check(edit: Edit) -> None:
    """Within a formatted string not every quote may stand."""
    text = read_text(edit.file)
    try:
        ast.parse((text[: edit.start] + edit.new + text[edit.end :]).removeprefix("\ufeff"))
    except SyntaxError as error:
        raise PlaceUnclear(
            f"{edit.file.name} would be no Python any more with {edit.new}.", "Change it by hand."
        ) from error


def _edit(place: Place, healing: Healing) -> Edit:
    source, constant = place.source, None
    if place.argument is not None and not isinstance(place.argument, ast.Constant):
        constant = source.defined(place.argument)
    if constant is not None and not _is_part(constant.source, constant.node, place):
        text = _constant_for(healing)
        if text is not None:
            source = constant.source
            return _made(
                source, source.start(constant.node), source.end(constant.node), as_text(text), healing
            )
    if not place.is_text:
        assert healing.best is not None
        return _made(source, place.start, place.end, written((healing.best.step,)), healing)
    text = _constant_for(healing)
    if text is None:
        raise PlaceUnclear("No text that could stand there finds it.", "Change it by hand.")
    if place.rest:
        text = " >> ".join(text if (step,) == healing.replaced else step.text for step in place.rest)
    return _made(source, place.start, place.end, as_text(text), healing)


def as_text(text: str) -> str:
    """In the quotes that need no escapes, as formatters have it."""
    return f"'{text}'" if '"' in text and "'" not in text and "\\" not in text else quoted(text)


def _made(source: Source, start: int, end: int, new: str, healing: Healing) -> Edit:
    return Edit(source.path, start, end, source.text[start:end], new, healing.locator)


def _constant_for(healing: Healing) -> str | None:
    """What a constant is to be so that the call that takes it asks for the right one; None if no constant does that."""
    [old, *more] = healing.replaced
    if more:
        return None
    if old.method == "locator":
        return next((each.selector for each in healing.replacements if each.selector), None)
    for each in healing.replacements:
        new = each.step
        if new.method != old.method:
            continue
        name = new.given("name")
        if new.method == "get_by_role" and new.args == old.args and isinstance(name, str):
            if dict(new.named) | {"name": ""} == dict(old.named) | {"name": ""}:
                return name
        elif new.method in BY and new.named == old.named:
            return new.text
    return None


def _is_part(source: Source, constant: ast.Constant, place: Place) -> bool:
    """Whether other texts are made of it: then it can't be changed for this one alone."""
    parent = source.parents.get(constant)
    names = [each.id for each in getattr(parent, "targets", ()) if isinstance(each, ast.Name)]
    uses = [
        node
        for each in {source, place.source}
        for node in ast.walk(each.tree)
        if (isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Attribute) and node.attr in names)
        if isinstance(each.parents.get(node), ast.FormattedValue | ast.BinOp)
    ]
    return bool(uses)
