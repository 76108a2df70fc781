"""The messages of the stream, the same on every transport: what a client sends, what it gets, and with which codes a WebSocket ends."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from ..correlator.event import SEVERITIES, Channel, Severity
from ..observer.errors import FirstcauseError
from .errors import BadField, BadJson, UnknownOp

CHANNELS: tuple[Channel, ...] = get_args(Channel)
DIAGNOSTICS: tuple[Channel, ...] = ("errors", "network_errors", "performance", "selectors", "anomalies")
"""The channels that a subscription has unless it names others."""

SubId = Annotated[
    int, Meta(ge=0, le=2**53 - 1, description="A subscription of this connection, named by its client.")
]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Pattern = Annotated[str, Meta(min_length=1, max_length=512)]
Project = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        description="The server's own if a client does not name one.",
    ),
]
ThrottleMs = Annotated[
    int,
    Meta(
        ge=0,
        le=3_600_000,
        description="The least time between two notifications of a channel; 0 tells every event at once.",
    ),
]
CursorText = Annotated[
    str, Meta(max_length=512, description="Where a subscription goes on, as a server said it: opaque.")
]
RequestId = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Given back in the answer.")]
EventJson = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "event.schema.json"})]


class Patterns(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Plain text is found anywhere in `url`, `text` and `selector` and is the whole of `kind`, `page` and `severity`; `*` stands for
    anything; `/…/` is an RE2 expression, searched for.
    """

    url: list[Pattern] = []
    kind: list[Pattern] = []
    text: list[Pattern] = []
    page: list[Pattern] = []
    selector: list[Pattern] = []
    severity: list[Severity] = []


class Op(Struct, tag_field="op", frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a client sends."""


class Subscribe(Op, tag="subscribe", frozen=True, kw_only=True):
    """Begin a subscription. `include`: every field that is given must match with one of its patterns; `exclude`: none may.
    Without a cursor it begins with what happens next, with `start` at the oldest event that memory holds, with a cursor where that
    ends. A channel that the cursor does not name begins with what happens next.
    """

    id: SubId = 0
    project: Project | UnsetType = UNSET
    channels: Annotated[list[Channel], Meta(min_length=1)] = field(default_factory=lambda: list(DIAGNOSTICS))
    include: Patterns = Patterns()
    exclude: Patterns = Patterns()
    min_severity: Severity = "info"
    throttle_ms: ThrottleMs | UnsetType = UNSET
    cursor: CursorText = ""


class Unsubscribe(Op, tag="unsubscribe", frozen=True, kw_only=True):
    """End a subscription."""

    sub: SubId = 0
    id: RequestId = 0


class Mute(Op, tag="mute", frozen=True, kw_only=True):
    """Hold these channels back, all without `channels`; nothing is lost, unmuting tells what came meanwhile."""

    sub: SubId = 0
    id: RequestId = 0
    channels: list[Channel] = []


class Unmute(Op, tag="unmute", frozen=True, kw_only=True):
    """Tell these channels again, all without `channels`."""

    sub: SubId = 0
    id: RequestId = 0
    channels: list[Channel] = []


class Update(Op, tag="update", frozen=True, kw_only=True):
    """Change a subscription; fields that are not given stay. What comes after the cursor of the answer is judged by the new filter,
    what the old one passed over is not told any more.
    """

    sub: SubId = 0
    id: RequestId = 0
    include: Patterns | UnsetType = UNSET
    exclude: Patterns | UnsetType = UNSET
    min_severity: Severity | UnsetType = UNSET
    throttle_ms: ThrottleMs | UnsetType = UNSET


class Fetch(Op, tag="fetch", frozen=True, kw_only=True):
    """Ask for the events of a range that match the subscription now, above all for what a digest only counted."""

    sub: SubId = 0
    id: RequestId = 0
    channel: Channel
    after: Seq
    upto: Seq


class Publication(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An event that a client tells: id, seq and fingerprint are given by the server."""

    channel: Channel
    kind: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}\Z")]
    summary: Annotated[str, Meta(min_length=1, max_length=2000)]
    severity: Severity = "info"
    type: Literal[
        "error",
        "network_error",
        "performance",
        "selector_broken",
        "anomaly",
        "accessibility",
        "activity",
        "run",
        "chunk",
        "",
    ] = ""
    context: dict[str, Any] = {}
    page: Annotated[str, Meta(max_length=64)] = ""
    session: Annotated[str, Meta(max_length=64)] = ""
    timestamp: Annotated[str, Meta(max_length=40)] = ""
    correlation_id: Annotated[str, Meta(max_length=64)] = ""
    cause: Annotated[str, Meta(max_length=64, description="The id of the event that caused it.")] = ""


class Publish(Op, tag="publish", frozen=True, kw_only=True):
    """Tell an event of one's own; the answer comes when it is kept."""

    id: RequestId = 0
    project: Project | UnsetType = UNSET
    event: Publication


class Ping(Op, tag="ping", frozen=True, kw_only=True):
    """Ask for a pong."""

    id: RequestId = 0


AnyOp = Subscribe | Unsubscribe | Mute | Unmute | Update | Fetch | Publish | Ping
OPS: tuple[type[Op], ...] = get_args(AnyOp)


class Frame(Struct, tag_field="op", frozen=True, kw_only=True, omit_defaults=True):
    """What a client gets."""


class Subscribed(Frame, tag="subscribed", frozen=True, kw_only=True):
    """A subscription begins. With `recovered` every channel goes on right after the cursor that was given, nothing is missing; else
    `reason` says why not. `positions` has, for every channel, where its first range begins.
    """

    sub: SubId
    project: Project
    recovered: bool
    reason: Literal["fresh", "start", "complete", "evicted", "epoch_changed"]
    cursor: CursorText
    positions: dict[Channel, Seq]
    throttle_ms: ThrottleMs


class Batch(Frame, tag="batch", frozen=True, kw_only=True):
    """All events of a channel in (prev, upto] that match, in order."""

    sub: SubId
    channel: Channel
    prev: Seq
    upto: Seq
    count: int
    events: list[EventJson]
    cursor: CursorText


class Range(Struct, frozen=True):
    after: Seq
    upto: Seq


class Digest(Frame, tag="digest", frozen=True, kw_only=True):
    """More events of a channel match in (prev, upto] than are told at once: how many of which (rare kinds and chains together as
    `other`), the most severe of them in order, and the range to fetch for all.
    """

    sub: SubId
    channel: Channel
    prev: Seq
    upto: Seq
    count: int
    omitted: int
    by_kind: dict[str, int]
    by_severity: dict[Severity, int]
    by_chain: dict[str, int] = {}
    events: list[EventJson]
    fetch: Range
    cursor: CursorText


class Gap(Frame, tag="gap", frozen=True, kw_only=True):
    """The events of a channel in (prev, upto] left memory before they were told: `lost` of them, counted before any filter, without
    those that were looked at and did not match. A journal may still give them to `fetch`.
    """

    sub: SubId
    channel: Channel
    prev: Seq
    upto: Seq
    lost: int
    reason: Literal["evicted", "pressure"]
    cursor: CursorText


class Live(Frame, tag="live", frozen=True, kw_only=True):
    """All that was there at the beginning is told; from now on it is news."""

    sub: SubId
    cursor: CursorText


class Pos(Frame, tag="pos", frozen=True, kw_only=True):
    """Nothing to tell for a while, or much that did not match: where each channel is now, with that. Also comes after an `update`."""

    sub: SubId
    cursor: CursorText
    positions: dict[Channel, Seq]


class Muted(Frame, tag="muted", frozen=True, kw_only=True):
    """The channels that are held back now; the answer to `mute` and `unmute`."""

    sub: SubId
    id: RequestId
    channels: list[Channel]


class Updated(Frame, tag="updated", frozen=True, kw_only=True):
    """The answer to `update`: what comes after the cursor is judged anew."""

    sub: SubId
    id: RequestId
    cursor: CursorText
    throttle_ms: ThrottleMs


class Unsubscribed(Frame, tag="unsubscribed", frozen=True, kw_only=True):
    """The answer to `unsubscribe`: where a later subscription can go on."""

    sub: SubId
    id: RequestId
    cursor: CursorText


class Fetched(Frame, tag="fetched", frozen=True, kw_only=True):
    """The answer to `fetch`: the first events of the range that match. `lost` of the range are not kept any more (counted before any
    filter); with `more`, ask again after `upto`.
    """

    sub: SubId
    id: RequestId
    channel: Channel
    after: Seq
    upto: Seq
    count: int
    events: list[EventJson]
    lost: int = 0
    more: bool = False


class Published(Frame, tag="published", frozen=True, kw_only=True):
    """The answer to `publish`: the event is kept."""

    id: RequestId
    event: str
    channel: Channel
    seq: Seq


class Pong(Frame, tag="pong", frozen=True, kw_only=True):
    """The answer to `ping`."""

    id: RequestId


class Error(Frame, tag="error", frozen=True, kw_only=True):
    """A message was refused: what was wrong and what to do; the connection goes on. Without an id it is about a message that could
    not be read, or tells why the server closes the connection.
    """

    code: str
    message: str
    hint: str = ""
    id: RequestId | UnsetType = UNSET


AnyFrame = (
    Subscribed
    | Batch
    | Digest
    | Gap
    | Live
    | Pos
    | Muted
    | Updated
    | Unsubscribed
    | Fetched
    | Published
    | Pong
    | Error
)
FRAMES: tuple[type[Frame], ...] = get_args(AnyFrame)


class Close(NamedTuple):
    """How a WebSocket ends; after a resumable one the client comes back with its last cursor."""

    code: int
    name: str
    resumable: bool
    when: str


RESTARTING = Close(1012, "restarting", True, "The server is ending or starting anew.")
FRAME_TOO_LARGE = Close(1009, "frame_too_large", False, "A message was larger than is taken.")
STALLED = Close(4408, "stalled", True, "The client did not read for longer than is waited.")
UNAUTHORIZED = Close(
    4401, "unauthorized", False, "There was no token or ticket, or it was wrong, expired or used up."
)
FORBIDDEN = Close(4403, "forbidden", False, "The token, the origin or the host is not allowed here.")
TOO_MANY = Close(
    4429, "too_many", True, "The token has as many connections as it may; wait before coming back."
)
CLOSES = (RESTARTING, FRAME_TOO_LARGE, STALLED, UNAUTHORIZED, FORBIDDEN, TOO_MANY)

encode = msgspec.json.Encoder().encode
_decode_op = msgspec.json.Decoder(AnyOp).decode
_decode_frame = msgspec.json.Decoder(AnyFrame).decode


EXAMPLE = 'Send one object a message, like {"op":"ping","id":1}.'


class _Envelope(Struct):
    op: Any = None
    id: Any = 0


def decode_op(message: str | bytes) -> AnyOp:
    """What a client sent; raises what is wrong with it."""
    try:
        try:
            return _decode_op(message)
        except msgspec.ValidationError as error:
            # What follows the wrong field has not been read yet, and need not be JSON at all.
            raise _explained(message, str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadJson(f"The message is not JSON: {error}.", EXAMPLE) from error


def decode_frame(message: str | bytes) -> AnyFrame:
    """What a server sent, for a client."""
    return _decode_frame(message)


def request_id(message: str | bytes) -> int | UnsetType:
    """The id of a message that was refused, where it has a usable one."""
    try:
        found = msgspec.json.decode(message, type=_Envelope).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return UNSET
    return found if type(found) is int and 0 <= found < 2**53 else UNSET


def refusal(error: FirstcauseError, answers: int | UnsetType = UNSET) -> Error:
    return Error(code=error.code, message=error.message, hint=error.hint, id=answers)


def _explained(message: str | bytes, reason: str) -> FirstcauseError:
    names = [str(op.__struct_config__.tag) for op in OPS]
    try:
        op = msgspec.json.decode(message, type=_Envelope).op
    except msgspec.ValidationError as error:
        if "`object`" in str(error):
            return BadField("A message is one JSON object.", EXAMPLE)
        return BadField(f"{str(error)[:300]}.", EXAMPLE)
    if op not in names:
        text = op[:40] if isinstance(op, str) else ""
        near = difflib.get_close_matches(text, names, 1)
        told = "The message has no `op`" if not text else f"{text!r} is not an op"
        return UnknownOp(
            f"{told}.", f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
        )
    return BadField(f"{op}: {reason[:300]}.", _field_hint(op, reason[:300]))


def _field_hint(op: str, reason: str) -> str:
    if "unknown field" in reason:
        kind = next(kind for kind in OPS if kind.__struct_config__.tag == op)
        wrong = reason.split("`")[1] if "`" in reason else ""
        nested = "$." in reason
        known = [
            field.name
            for field in msgspec.structs.fields(
                Patterns if nested and op != "publish" else Publication if nested else kind
            )
        ]
        near = difflib.get_close_matches(wrong, known, 1)
        return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    if "channel" in reason:
        return f"There are: {', '.join(CHANNELS)}."
    if "severity" in reason:
        return f"There are: {', '.join(SEVERITIES)}."
    return "docs/protocol.md has an example of every message."
