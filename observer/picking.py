"""Picks the element that a selector means, for what is asked about it or done to it."""

from __future__ import annotations

import msgspec

from .asked_selector import BadSelector, parsed
from .asking import Check, by_page, counted, described, finder, fitting_nodes
from .errors import CommandFailed
from .world import World


async def picked(world: World, selector: str, *, only: bool = False) -> str:
    """The id of the first element that is found, or of the `only` one. Raises CommandFailed with what is found instead."""
    try:
        wanted = parsed(selector)
    except BadSelector as bad:
        raise CommandFailed(
            f"{selector[:80]} is not a selector: {bad}", "CSS, role=, text= and label= are."
        ) from bad
    if wanted.engine == "role":
        nodes = await fitting_nodes(world, wanted)
        elements = [await described(world, node) for node in nodes[:3]]
        expect(selector, counted(len(nodes), tuple(elements)), only=only)
        return await world.node(nodes[0].backend_node_id)
    expect(selector, await by_page(world, wanted), only=only)
    given = msgspec.json.encode([wanted.engine, wanted.wanted, wanted.exact]).decode()
    return await world.held(f"({finder()})(firstcause).first(...{given})")


def expect(selector: str, check: Check, *, only: bool) -> None:
    if check.state == "invalid":
        raise CommandFailed(
            f"{selector[:80]} is not a selector: {check.reason[:200]}", "CSS, role=, text= and label= are."
        )
    if check.state == "missing":
        raise CommandFailed(
            f"Nothing is found by {selector[:80]}.",
            "Look at the page's HTML, or try a role=, text= or label= selector; frames are not looked into.",
        )
    if only and check.state == "ambiguous":
        found = "; ".join(f"{one.words}: {one.selector}" for one in check.elements)
        raise CommandFailed(f"{selector[:80]} finds {check.count} elements.", f"Choose one, such as {found}.")
