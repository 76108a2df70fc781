"""act: one step on a page, and what it led to in the same answer."""

from __future__ import annotations

import time
from typing import Final, Literal

from pydantic import Field

from ...correlator.event import Channel
from ...correlator.redact import redact_url
from ...observer.acting import Actor
from ...observer.sources.launch import checked_url
from ..errors import BadField
from ..filters import compiled
from ..wire import CHANNELS, Patterns
from .asked_page import AskedPage, asked_page
from .budget import DEFAULT_TOKENS
from .chain_lines import chain_items
from .desk import Bell, Desk
from .tool import Answer, Arguments, Tool

QUIET_S: Final = 0.8
"""Longer than anything is held back that may be handled a moment later."""
LIMIT_S: Final = 15.0
Action = Literal["navigate", "click", "fill", "press"]


class ActArguments(Arguments):
    action: Action
    page: str = Field(default="", max_length=64)
    selector: str = Field(
        default="", max_length=1_000, description='CSS, text=Save or role=button[name="Save"].'
    )
    value: str = Field(default="", max_length=8_000, description="URL, text or key.")
    wait_s: float = Field(default=3.0, ge=0, le=20)


async def act(arguments: ActArguments, desk: Desk) -> Answer:
    desk.may_read()
    desk.may_control()
    if arguments.action in ("click", "fill") and not arguments.selector:
        raise BadField("selector is missing.", 'Give one, like "selector":"role=button[name=\\"Save\\"]".')
    page = asked_page(desk, arguments.page)
    before: dict[Channel, int] = {channel: desk.log.rings[channel].last for channel in CHANNELS}
    with desk.listening() as bell:
        await _do(arguments, page)
        await _quiet(desk, bell, arguments.wait_s)
    reading = await desk.read(
        before, desk.client.channels, compiled(Patterns(page=[page.name]), Patterns(), "low")
    )
    entries = [entry for _, entry in reading.entries]
    url = page.observed.pages.get(page.name)
    return Answer(
        {"page": page.name, "url": redact_url(url) if url else "closed", "events": len(entries)},
        chain_items(entries, desk.kept(), DEFAULT_TOKENS),
        list_name="chains",
        title="" if entries else "Done; nothing went wrong so far.",
        rest=f'observe {{"what":"page","page":"{page.name}"}}',
    )


async def _do(arguments: ActArguments, page: AskedPage) -> None:
    actor = Actor(page.observed.observation.observer.session_of(page.name), LIMIT_S)
    match arguments.action:
        case "navigate":
            await actor.navigate(checked_url(arguments.value))
        case "click":
            await actor.click(arguments.selector)
        case "fill":
            await actor.fill(arguments.selector, arguments.value)
        case "press":
            await actor.press(arguments.selector, arguments.value)


async def _quiet(desk: Desk, bell: Bell, wait_s: float) -> None:
    began_s = time.monotonic()
    until_s = began_s + wait_s
    while await desk.wait(bell, min(until_s, time.monotonic() + QUIET_S), began_s):
        pass


TOOL = Tool(
    name="act",
    title="Do one step on a page",
    description="One step, and what went wrong from it.",
    arguments=ActArguments,
    run=act,
    example={"action": "click", "selector": 'role=button[name="Save"]'},
)
