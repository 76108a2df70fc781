"""docs/protocol.md: a page by hand, whose tables are made here: each stands between `<!-- made: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from firstcause.api import auth, fetching, filters, publishing, service, subscription, wire
from firstcause.api.errors import RequestRefused
from firstcause.api.settings import Settings

from .errors import tree
from .openapi import parameters

PAGE: Final = Path(__file__).parents[2] / "docs/protocol.md"
MADE: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
FENCE: Final = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ANSWERS: Final[Mapping[str, str]] = {
    "subscribe": "subscribed",
    "unsubscribe": "unsubscribed",
    "mute": "muted",
    "unmute": "muted",
    "update": "updated",
    "fetch": "fetched",
    "publish": "published",
    "ping": "pong",
}
COMPARED: Final[Mapping[str, str]] = {
    "url": "`context.url`",
    "kind": "`kind`",
    "text": "`summary`",
    "page": "`page`",
    "selector": "`context.selector`, else `context.element`",
    "severity": "`severity`",
}


def protocol() -> str:
    """The page as it is, with its tables made anew."""
    page = PAGE.read_text(encoding="utf-8")
    return MADE.sub(lambda found: f"{found[1]}\n{''.join(SECTIONS[found[2]]())}\n{found[3]}", page)


def examples() -> Iterator[dict[str, Any]]:
    """Every message that the page shows, in its order."""
    for block in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        shown = json.loads(block)
        if "op" in shown:
            yield shown


def _rows(head: str, rows: Iterable[Iterable[object]]) -> Iterator[str]:
    names = head.split("|")
    yield f"| {' | '.join(names)} |\n| {' | '.join(['---'] * len(names))} |\n"
    for row in rows:
        cells = [" ".join(str(cell).split()).replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |\n"


def _fields(kind: type[msgspec.Struct]) -> str:
    return ", ".join(
        f"**`{one.name}`**" if one.required else f"`{one.name}`" for one in msgspec.structs.fields(kind)
    )


def _ops() -> Iterator[str]:
    return _rows(
        "op|fields|answer|what it does",
        (
            (f"`{op}`", _fields(kind), f"`{ANSWERS[op]}`", kind.__doc__)
            for kind in wire.OPS
            for op in (_tag(kind),)
        ),
    )


def _frames() -> Iterator[str]:
    return _rows(
        "op|fields|what it says", ((f"`{_tag(kind)}`", _fields(kind), kind.__doc__) for kind in wire.FRAMES)
    )


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _filter_fields() -> Iterator[str]:
    return _rows(
        "field|compared with|plain text",
        (
            (f"`{name}`", COMPARED[name], "is the whole" if name in filters.WHOLE else "is found anywhere")
            for name in filters.FIELDS
        ),
    )


def _parameters() -> Iterator[str]:
    return _rows(
        "parameter|default|meaning",
        (
            (f"`{name}`", _default(one["schema"].get("default")), one["description"])
            for name, one in parameters("/v1/stream", "/v1/events").items()
        ),
    )


def _default(value: object) -> str:
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value else ""


def _closes() -> Iterator[str]:
    return _rows(
        "code|name|come back|when",
        (
            (
                close.code,
                f"`{close.name}`",
                "yes, with the last cursor" if close.resumable else "no",
                close.when,
            )
            for close in wire.CLOSES
        ),
    )


def _errors() -> Iterator[str]:
    kinds = [RequestRefused, *tree(RequestRefused)]
    return _rows("code|HTTP|when", ((f"`{kind.code}`", kind.status, kind.__doc__) for kind in kinds))


def _limits() -> Iterator[str]:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return _rows(
        "what|limit",
        [
            ("a message, and the body of a request", f"{defaults['max_body_kb']} KB (`max_body_kb`)"),
            (
                "a published event",
                f"{publishing.MAX_EVENT_BYTES} bytes; its summary is cut after {publishing.MAX_SUMMARY_BYTES}",
            ),
            (
                "published events of one token",
                f"{defaults['publish_per_s']:g} a second, and as many at once (`publish_per_s`)",
            ),
            ("connections of one token", f"{defaults['max_connections']} (`max_connections`)"),
            ("subscriptions of one connection", f"{defaults['max_subscriptions']} (`max_subscriptions`)"),
            ("patterns of `include`, and of `exclude`", f"{filters.MAX_PATTERNS}, each of {get_args(wire.Pattern)[1].max_length} characters"),
            ("events in a `digest`, or in a `batch` of a throttled subscription", f"{defaults['inline_events']} (`inline_events`)"),
            (
                "events in a `batch` with `throttle_ms` 0",
                f"{subscription.FRAME_EVENTS}, or {subscription.FRAME_BYTES // 1024} KB",
            ),
            (
                "events looked at by one `fetch`",
                f"{fetching.FETCH_EVENTS}, or {fetching.FETCH_BYTES // 1024} KB",
            ),
            (
                "names in `by_kind` and in `by_chain`",
                f"{subscription.COUNTED_KINDS} and {subscription.COUNTED_CHAINS}; the rest is `other`",
            ),
            (
                "early notifications of a subscription",
                f"{subscription.FLUSH_BURST:g} at once, then {subscription.FLUSHES_PER_S:g} a second",
            ),
            ("silence of the server on a WebSocket", f"a `pos` after {subscription.IDLE_S:g} s without a frame"),
            ("silence of server-sent events", f"a comment every {service.HEARTBEAT_S:g} s"),
            ("a client that reads nothing", f"cut off after {defaults['stall_s']:g} s (`stall_s`)"),
            ("a ticket", f"good once, for {auth.TICKET_VALID_S:g} s"),
        ],
    )  # fmt: skip


SECTIONS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "ops": _ops,
    "frames": _frames,
    "filter_fields": _filter_fields,
    "parameters": _parameters,
    "closes": _closes,
    "errors": _errors,
    "limits": _limits,
}
