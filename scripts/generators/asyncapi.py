"""docs/asyncapi.json: the stream as AsyncAPI 3.0, for those who generate clients; its examples are those of docs/protocol.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from firstcause import __version__
from firstcause.api.access import COOKIE, STREAM_PROTOCOL, TOKEN_PROTOCOL
from firstcause.api.wire import FRAMES, OPS
from firstcause.correlator.event import Event

from .frames_schema import portable, schemas
from .openapi import parameters
from .protocol import ANSWERS, examples

WHERE: Final = "#/components/schemas/"
EVENT: Final = "event.schema.json"
WAYS_IN: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "`firstcause token` prints one."},
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": f"`{STREAM_PROTOCOL}, {TOKEN_PROTOCOL}TOKEN`, for web pages.",
    },
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "From POST /v1/tickets; good once, for 30 seconds.",
    },
    "cookie": {
        "type": "httpApiKey",
        "in": "cookie",
        "name": f"{COOKIE}_PORT",
        "description": "Set by the answer to a ticket over HTTP; PORT is the server's.",
    },
}


def asyncapi() -> str:
    """The description as it is written to the docs."""
    told = {_tag(kind): kind for kind in FRAMES}
    said = {_tag(kind): kind for kind in OPS}
    # Of one subscription that is in the address, there are no questions and so no answers.
    unasked = [name for name in told if name not in {*ANSWERS.values(), "error"} or name == "subscribed"]
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The stream of firstcause",
            "version": __version__,
            "description": "What is observed, as it happens. How ranges, cursors and digests work: docs/protocol.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "websocket": _server("ws", ("token", "subprotocol", "ticket", "cookie")),
            "http": _server("http", ("token", "ticket", "cookie")),
        },
        "channels": {
            "stream": _channel("websocket", "A WebSocket with any number of subscriptions.", [*said, *told]),
            "events": _channel(
                "http", "Server-sent events of the subscription that the query describes.", unasked
            ),
        },
        "operations": {
            **{name: _question(name) for name in said},
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/stream"},
                "summary": "What the server tells.",
                "messages": _messages("stream", told),
            },
            "tell_events": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "What the server tells by server-sent events; the id of each is its cursor.",
                "messages": _messages("events", unasked),
                "bindings": {"http": {"method": "GET", "query": _query(), "bindingVersion": "0.3.0"}},
            },
        },
        "components": {
            "messages": {name: _message(name, kind) for name, kind in (said | told).items()},
            "schemas": _schemas(),
            "securitySchemes": WAYS_IN,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _tag(kind: type[Any]) -> str:
    return str(kind.__struct_config__.tag)


def _server(protocol: str, ways_in: Iterable[str]) -> dict[str, Any]:
    return {
        "host": "127.0.0.1:4400",
        "protocol": protocol,
        "description": "On this machine; `firstcause serve` prints the port.",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in ways_in],
    }


def _channel(server: str, description: str, names: Iterable[str]) -> dict[str, Any]:
    return {
        "address": "/v1/stream",
        "description": description,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _query() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: one["schema"] for name, one in parameters("/v1/stream").items()},
        "additionalProperties": False,
    }


def _messages(channel: str, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]


def _question(name: str) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": "#/channels/stream"},
        "summary": f"A client's {name}, which is answered or refused.",
        "messages": _messages("stream", [name]),
        "reply": {
            "channel": {"$ref": "#/channels/stream"},
            "messages": _messages("stream", [ANSWERS[name], "error"]),
        },
    }


def _message(name: str, kind: type[Any]) -> dict[str, Any]:
    example = next(shown for shown in examples() if shown["op"] == name)
    return {
        "name": name,
        "summary": " ".join(str(kind.__doc__).split()),
        "payload": {"$ref": WHERE + kind.__name__},
        "examples": [{"payload": example}],
    }


def _schemas() -> dict[str, Any]:
    event = Event.model_json_schema(mode="serialization", ref_template=WHERE + "{model}")
    parts = event.pop("$defs")
    return _with_events({**schemas(WHERE), "Event": portable(event), **portable(parts)})


def _with_events(part: Any) -> Any:
    """Events by reference to the schema beside, instead of to a file."""
    if isinstance(part, list):
        return [_with_events(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: f"{WHERE}Event" if key == "$ref" and value == EVENT else _with_events(value)
        for key, value in part.items()
    }
