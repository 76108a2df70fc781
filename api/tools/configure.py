"""configure: what this client is told, and what is watched, noticed and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from pydantic import Field

from ...correlator.event import Channel, Severity
from ..errors import BadField
from ..filters import compiled
from ..settings import RUNTIME, changed
from .clients import Client
from .desk import Desk
from .fields import PATTERNS_ABOUT, PatternTable, patterns_of
from .tool import Answer, Arguments, Tool

BUFFERS: Final = tuple(name for name in RUNTIME if name != "detectors")
Action = Literal["streaming", "mute", "unmute", "selectors", "thresholds", "buffers"]


class ConfigureArguments(Arguments):
    action: Action
    channels: list[Channel] = Field(
        default=[], description="To stream, mute or unmute; none: all that you stream."
    )
    include: PatternTable | None = Field(default=None, description=PATTERNS_ABOUT)
    exclude: PatternTable | None = None
    min_severity: Severity | None = None
    throttle_ms: int | None = Field(
        default=None, ge=0, le=3_600_000, description="Between two pushed notices."
    )
    selectors: list[Annotated[str, Field(min_length=1, max_length=512)]] = Field(
        default=[], max_length=100, description="Exactly these CSS selectors are watched for breaking."
    )
    thresholds: dict[str, dict[str, bool | float]] = Field(
        default={},
        description='By detector: {"slow_response":{"after_ms":500}} or {"dead_click":{"enabled":false}}.',
    )
    buffers: dict[str, int | float] = Field(default={}, description=f"Any of {', '.join(BUFFERS[:5])}.")


async def configure(arguments: ConfigureArguments, desk: Desk) -> Answer:
    desk.may_read()
    made = ACTIONS[arguments.action]
    _refuse_others(arguments, made.takes)
    told = await made.run(arguments, desk)
    desk.client.changed()
    return Answer({"done": arguments.action, **told})


async def _stream(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    client = desk.client
    include, exclude = patterns_of("include", arguments.include), patterns_of("exclude", arguments.exclude)
    compiled(
        include or client.include, exclude or client.exclude, "info"
    )  # refused before anything has changed
    client.include, client.exclude = include or client.include, exclude or client.exclude
    client.min_severity = arguments.min_severity or client.min_severity
    client.throttle_ms = client.throttle_ms if arguments.throttle_ms is None else arguments.throttle_ms
    if arguments.channels:
        _begin(client, desk, [one for one in arguments.channels if one not in client.channels])
        client.channels = tuple(dict.fromkeys(arguments.channels))
    return _streamed(client)


def _begin(client: Client, desk: Desk, channels: list[Channel]) -> None:
    """A channel that is new to a client begins with what happens next."""
    place = desk.place("")
    client.stands_at(
        desk.log.epoch, {**place.seqs, **{channel: desk.log.rings[channel].last for channel in channels}}
    )


def _streamed(client: Client) -> Mapping[str, Any]:
    told: dict[str, Any] = {"channels": client.channels, "min_severity": client.min_severity}
    if client.throttle_ms is not None:
        told["throttle_ms"] = client.throttle_ms
    for name, patterns in (("include", client.include), ("exclude", client.exclude)):
        if filled := {field: value for field, value in msgspec.to_builtins(patterns).items() if value}:
            told[name] = filled
    return told


async def _mute(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    desk.client.muted |= set(arguments.channels or desk.client.channels)
    return {"held_back": "nothing is lost: unmuting tells what came meanwhile"}


async def _unmute(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    desk.client.muted -= set(arguments.channels or desk.client.channels)
    return {}


async def _watch(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    desk.may_control()
    service = desk.service
    service.change(service.settings.model_copy(update={"selectors": tuple(arguments.selectors)}))
    for observation in service.browsers.observations(desk.project):
        observation.watch_selectors(arguments.selectors)
    return {"selectors": arguments.selectors}


async def _thresholds(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    return _change(desk, {"detectors": arguments.thresholds})


async def _buffers(arguments: ConfigureArguments, desk: Desk) -> Mapping[str, Any]:
    return _change(desk, arguments.buffers)


def _change(desk: Desk, patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """For the whole server, until it ends."""
    desk.may_control()
    desk.grant.require_all_projects()
    service = desk.service
    service.change(changed(service.settings, patch))
    settings = service.settings.model_dump(mode="json")
    return {"settings": {name: settings[name] for name in (patch or BUFFERS)}}


class _Made(NamedTuple):
    run: Callable[[ConfigureArguments, Desk], Awaitable[Mapping[str, Any]]]
    takes: tuple[str, ...]


ACTIONS: Final[Mapping[Action, _Made]] = {
    "streaming": _Made(_stream, ("channels", "include", "exclude", "min_severity", "throttle_ms")),
    "mute": _Made(_mute, ("channels",)),
    "unmute": _Made(_unmute, ("channels",)),
    "selectors": _Made(_watch, ("selectors",)),
    "thresholds": _Made(_thresholds, ("thresholds",)),
    "buffers": _Made(_buffers, ("buffers",)),
}


def _refuse_others(arguments: ConfigureArguments, takes: tuple[str, ...]) -> None:
    """What an action does not take would be passed over in silence."""
    others = arguments.model_fields_set - {"action", *takes}
    if others:
        raise BadField(
            f"{arguments.action} does not take {', '.join(sorted(others))}.", f"It takes {', '.join(takes)}."
        )


TOOL = Tool(
    name="configure",
    title="Choose what you are told",
    description=(
        "streaming: channels, patterns, severity, throttle of this client alone. mute and unmute: hold channels back, for this client "
        "alone. selectors, thresholds, buffers: of the whole server until it ends."
    ),
    arguments=ConfigureArguments,
    run=configure,
    example={
        "action": "streaming",
        "channels": ["errors", "network_errors"],
        "exclude": {"url": ["/analytics"]},
    },
)
