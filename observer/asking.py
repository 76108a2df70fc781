"""Questions to a page that somebody asks: what a selector finds, and what is wrong for people who can't see it or use a mouse.

Each is answered within a time limit, or refused: by a page that hangs, too.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

import msgspec

from .asked_selector import Asked, BadSelector, parsed
from .axe import GRAVE_RULES, Looked, axe_script, bring_in, look
from .cdp.session import Session
from .errors import PageBusy
from .page import asked
from .world import World

ANSWER_LIMIT_S = 5.0
DESCRIBED = 3
State = Literal["ok", "missing", "ambiguous", "invalid"]


class FoundElement(msgspec.Struct, frozen=True):
    """One element: a short CSS selector, and what it is in words."""

    selector: str
    words: str


class Check(msgspec.Struct, frozen=True):
    """What a selector finds: how many, and the first three. `reason` says why one is invalid."""

    state: State
    count: int = 0
    elements: tuple[FoundElement, ...] = ()
    reason: str = ""


class FoundByPage(msgspec.Struct):
    count: int
    elements: tuple[FoundElement, ...] = ()
    reason: str = ""


class AxValue(msgspec.Struct):
    value: Any = None


class AxProperty(msgspec.Struct):
    name: str
    value: AxValue


class AxNode(msgspec.Struct, rename={"backend_node_id": "backendDOMNodeId"}):
    ignored: bool = False
    backend_node_id: int = 0
    role: AxValue | None = None
    name: AxValue | None = None
    properties: list[AxProperty] = []

    @property
    def called(self) -> str:
        return str(self.name.value or "") if self.name else ""


class AxReply(msgspec.Struct):
    nodes: list[AxNode]


BY_PAGE = msgspec.json.Decoder(FoundByPage)
ELEMENT = msgspec.json.Decoder(FoundElement)
AX = msgspec.json.Decoder(AxReply)


async def check_selector(session: Session, selector: str) -> Check:
    """What the selector finds in the page's main document and its open shadow roots. Raises PageBusy."""
    try:
        wanted = parsed(selector)
    except BadSelector as bad:
        return Check("invalid", reason=str(bad))
    world = World(session, ANSWER_LIMIT_S)
    await world.enter()
    return await (by_role(world, wanted) if wanted.engine == "role" else by_page(world, wanted))


async def check_accessibility(session: Session, *, full: bool) -> Looked:
    """What axe finds in the page's main document, by all of its rules or by the grave ones. Raises AxeMissing, PageBusy."""
    axe_script()
    world = World(session, ANSWER_LIMIT_S)
    await world.enter()
    known = await bring_in(world)
    if not known:
        raise PageBusy(
            f"{session.page} has no document that could be looked at.", "Ask again once it is loaded."
        )
    return await look(world, known if full else [rule for rule in GRAVE_RULES if rule in known])


async def by_page(world: World, wanted: Asked) -> Check:
    given = msgspec.json.encode([wanted.engine, wanted.wanted, wanted.exact]).decode()
    found = BY_PAGE.decode(await world.run(f"({finder()})(firstcause).find(...{given})"))
    return counted(found.count, found.elements) if found.count >= 0 else Check("invalid", reason=found.reason)


async def by_role(world: World, wanted: Asked) -> Check:
    try:
        fitting = await fitting_nodes(world, wanted)
        elements = [await described(world, node) for node in fitting[:DESCRIBED]]
        return counted(len(fitting), tuple(elements))
    finally:
        world.release()


async def fitting_nodes(world: World, wanted: Asked) -> list[AxNode]:
    """By Chrome's own tree; it needs not be switched on for that, which would make the page keep it up from then on."""
    document = await world.held("document")
    reply = await world.call("Accessibility.queryAXTree", objectId=document, role=wanted.wanted)
    return [node for node in AX.decode(reply).nodes if not node.ignored and fits(node, wanted)]


async def described(world: World, node: AxNode) -> FoundElement:
    element = await world.node(node.backend_node_id)
    function = f"function (role, name) {{ return ({finder()})(firstcause).describe(this, role, name); }}"
    role = str(node.role.value) if node.role else ""
    return ELEMENT.decode(await world.apply(function, element, role, node.called))


def fits(node: AxNode, wanted: Asked) -> bool:
    if wanted.name is not None:
        name, asked_name = tidy(node.called), tidy(wanted.name)
        if not (name == asked_name if wanted.exact else asked_name.lower() in name.lower()):
            return False
    states = {one.name: str(one.value.value).lower() for one in node.properties}
    return all(states.get(state, "false") == value for state, value in wanted.states.items())


def tidy(text: str) -> str:
    return " ".join(text.split())


def counted(count: int, elements: tuple[FoundElement, ...]) -> Check:
    state: State = "ok" if count == 1 else "ambiguous" if count else "missing"
    return Check(state, count, elements)


def finder() -> str:
    return files(asked).joinpath("find.js").read_text("utf-8")
