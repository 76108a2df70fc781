"""observe: open, attach to or let go of a page, and read on demand what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from ...observer.sources.launch import checked_url
from ..commands.options import capture_of
from ..errors import BadField, NotFound
from .desk import Desk
from .tool import Answer, Tool
from .views import VIEWS
from .views.pages import listed
from .views.view import Reads

BY_NAME: Final = {view.name: view for view in VIEWS}


def _known(name: str) -> str:
    if name not in BY_NAME:
        raise ValueError(f"must be one of {', '.join(BY_NAME)}")
    return name


What = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(BY_NAME)})]


class ObserveArguments(Reads):
    open: str = Field(
        default="", max_length=8000, description="Launch a browser with this page and watch it."
    )
    attach: str = Field(
        default="", max_length=2000, description="DevTools port or address of a running browser."
    )
    detach: str = Field(default="", max_length=40, description="A browser, like b1.")
    headed: bool = False
    what: What = Field(default="pages", description="; ".join(f"{view.name}: {view.about}" for view in VIEWS))


async def observe(arguments: ObserveArguments, desk: Desk) -> Answer:
    given = [name for name in ("open", "attach", "detach") if getattr(arguments, name)]
    if len(given) > 1:
        raise BadField(f"{' and '.join(given)} can't be done in one call.", "Give one of them.")
    if not given:
        desk.may_read()
        return await BY_NAME[arguments.what].read(arguments, desk)
    desk.may_control()
    before = desk.client.cursor
    await _change(arguments, desk)
    opening = checked_url(arguments.open) if arguments.open else ""
    answer = listed(desk, arguments.max_tokens, opening)
    then = (
        {}
        if arguments.detach
        else {"then": f'wait_for_events {{"cursor":"{before}"}} tells what happened since'}
    )
    return replace(answer, head={**answer.head, **then})


async def _change(arguments: ObserveArguments, desk: Desk) -> None:
    browsers, options = desk.service.browsers, capture_of(desk.service.settings)
    if arguments.detach:
        if arguments.detach not in [one.id for one in browsers if one.project == desk.project]:
            raise NotFound(
                f"No browser {arguments.detach} is observed.",
                'observe {"what":"pages"} lists those that are.',
            )
        await browsers.detach(arguments.detach)
    elif arguments.attach:
        await browsers.attach(arguments.attach, options, desk.project)
    else:
        await browsers.launch(checked_url(arguments.open), options, desk.project, headed=arguments.headed)


TOOL = Tool(
    name="observe",
    title="Watch a page, read what is known",
    description=(
        "Begin with `open` or `attach`; then wait_for_events. With `what` read on demand, cut to max_tokens: what is left out is counted, "
        "with the call that tells it."
    ),
    arguments=ObserveArguments,
    run=observe,
    example={"open": "http://localhost:3000"},
)
