"""What a chain of locators finds on a page, step by step, and which elements could be meant where it finds none or several."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import msgspec

from .asked_selector import Asked
from .asking import AX, fits
from .cdp.session import Session
from .fingerprint import NOTHING, Fingerprint
from .page import asked
from .world import WORLD, WORLD_REPLY, World

ANSWER_LIMIT_S = 5.0
Kind = Literal["", "write", "check", "select", "upload", "click"]
"""What somebody wants to do with the element."""
Engine = Literal[
    "css", "role", "text", "label", "placeholder", "alt", "title", "testid",
    "nth", "first", "last", "has_text", "has_not_text", "visible", "frame",
]  # fmt: skip


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text that is looked for: a part in any case, the whole, or a pattern, which has flags."""

    text: str
    exact: bool = False
    flags: str | None = None


class PageStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a chain as the page follows it; `name` is that of a role, `place` that of `nth`, and behind
    `frame` it goes on in the document of the frame that was found."""

    engine: Engine
    text: str = ""
    exact: bool = False
    flags: str | None = None
    name: Text | None = None
    states: dict[str, str] = {}
    place: int = 0


class Looked(msgspec.Struct, frozen=True):
    """`counts` has one number a step; `found` is the first that all of them find. `reason` says why a step is none."""

    counts: tuple[int, ...] = ()
    found: tuple[Fingerprint, ...] = ()
    candidates: tuple[Fingerprint, ...] = ()
    reason: str = ""

    @property
    def count(self) -> int:
        return self.counts[-1] if self.counts else 0


class Node(msgspec.Struct, rename="camel"):
    frame_id: str = ""


class DescribeReply(msgspec.Struct):
    node: Node


LOOKED = msgspec.json.Decoder(Looked)
DESCRIBED = msgspec.json.Decoder(DescribeReply)
FRAME = PageStep("frame")
Steps = tuple[PageStep, ...]


class Documents(World):
    """A page's world, and those of the frames that share its process."""

    async def enter_frame(self, frame: Steps) -> bool:
        """Of the element that a chain finds, if it finds one. Raises CommandFailed for a frame of another process."""
        element = await self.held(f"({script()})(firstcause).scope({encoded(frame)})")
        if not element:
            return False
        described = DESCRIBED.decode(await self.call("DOM.describeNode", objectId=element))
        self.release()
        reply = await self.call("Page.createIsolatedWorld", frameId=described.node.frame_id, worldName=WORLD)
        self._context = WORLD_REPLY.decode(reply).execution_context_id
        return True


async def look(
    session: Session,
    steps: Steps,
    scope_steps: int = 0,
    words: tuple[str, ...] = (),
    kind: Kind = "",
    was: Fingerprint = NOTHING,
) -> Looked:
    """In the page's main document, its frames and its open shadow roots: what the steps find, and what could be meant below what the
    first `scope_steps` find: of these words, of this kind, like what it was. Raises PageBusy and CommandFailed.
    """
    world = Documents(session, ANSWER_LIMIT_S)
    await world.enter()
    counts: tuple[int, ...] = ()
    while FRAME in steps:
        at = steps.index(FRAME)
        outer = await looked(world, (steps[:at], 0, (), "", None))
        if outer.reason or not outer.count or not await world.enter_frame(steps[:at]):
            return Looked((*counts, *outer.counts, *(0 for _ in steps[at:])), reason=outer.reason)
        counts, steps = (*counts, *outer.counts, 1), steps[at + 1 :]
    given = (steps, scope_steps - len(counts), words, kind, None if was == NOTHING else was)
    inner = await looked(world, given)
    return msgspec.structs.replace(inner, counts=(*counts, *inner.counts))


async def count_of_role(session: Session, scope: Steps, wanted: Asked) -> int:
    """How many elements Chrome's own tree has of a role and name below what a chain finds. Raises PageBusy and CommandFailed."""
    world = Documents(session, ANSWER_LIMIT_S)
    await world.enter()
    try:
        while FRAME in scope:
            at = scope.index(FRAME)
            if not await world.enter_frame(scope[:at]):
                return 0
            scope = scope[at + 1 :]
        root = await world.held(f"({script()})(firstcause).scope({encoded(scope)})")
        if not root:
            return 0
        reply = await world.call("Accessibility.queryAXTree", objectId=root, role=wanted.wanted)
        return sum(not node.ignored and fits(node, wanted) for node in AX.decode(reply).nodes)
    finally:
        world.release()


async def looked(world: World, given: object) -> Looked:
    return LOOKED.decode(await world.run(f"({script()})(firstcause).look(...{encoded(given)})"))


def encoded(given: object) -> str:
    return msgspec.json.encode(given).decode()


def script() -> str:
    return files(asked).joinpath("locate.js").read_text("utf-8")
