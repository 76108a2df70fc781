"""What can go wrong while delivering, as one tree below FirstcauseError; the same on HTTP, in the stream and in Python.

RequestRefused                   bad_request
├── BadJson                      bad_json
├── UnknownOp                    unknown_op
├── BadField                     bad_field
├── BadFilter                    bad_filter
├── BadCursor                    bad_cursor
├── NotFound                     not_found
│   └── UnknownSubscription      unknown_subscription
├── DuplicateSubscription        duplicate_subscription
├── TooLarge                     too_large
├── Unauthorized                 unauthorized
├── Forbidden                    forbidden
│   ├── ScopeMissing             scope_missing
│   ├── ProjectRefused           project_refused
│   ├── HostRefused              host_refused
│   └── OriginRefused            origin_refused
├── TooMany                      too_many
└── ShuttingDown                 shutting_down
StreamBroken                     stream_broken
ServerUnreachable                server_unreachable
ServerStartFailed                server_start_failed
├── BindRefused                  bind_refused
└── JournalLocked                journal_locked
"""

from __future__ import annotations

from typing import ClassVar

from ..observer.errors import FirstcauseError


class RequestRefused(FirstcauseError):
    """A request that can't be met as it is."""

    code = "bad_request"
    status: ClassVar[int] = 400


class BadJson(RequestRefused):
    """A message or a body is not JSON."""

    code = "bad_json"


class UnknownOp(RequestRefused):
    """A message's `op` is none that is known."""

    code = "unknown_op"


class BadField(RequestRefused):
    """A field is missing, unknown, of the wrong type or out of its range."""

    code = "bad_field"
    status = 422


class BadFilter(RequestRefused):
    """A filter can't be compiled, or there is too much of it."""

    code = "bad_filter"
    status = 422


class BadCursor(RequestRefused):
    """A cursor that no server has made."""

    code = "bad_cursor"
    status = 422


class NotFound(RequestRefused):
    """There is no such event, chain, browser or address, or it is not kept any more."""

    code = "not_found"
    status = 404


class UnknownSubscription(NotFound):
    """The connection has no such subscription."""

    code = "unknown_subscription"


class DuplicateSubscription(RequestRefused):
    """The connection has a subscription of this id already."""

    code = "duplicate_subscription"
    status = 409


class TooLarge(RequestRefused):
    """A message, a body or an event is larger than is taken."""

    code = "too_large"
    status = 413


class Unauthorized(RequestRefused):
    """There is no token or ticket, or it is wrong, expired or used up."""

    code = "unauthorized"
    status = 401


class Forbidden(RequestRefused):
    """The token is good, but not for this."""

    code = "forbidden"
    status = 403


class ScopeMissing(Forbidden):
    """The token lacks the scope that this needs: read, publish or control."""

    code = "scope_missing"


class ProjectRefused(Forbidden):
    """The token is limited to other projects."""

    code = "project_refused"


class HostRefused(Forbidden):
    """The request names a host that this server does not answer for: a guard against DNS rebinding."""

    code = "host_refused"


class OriginRefused(Forbidden):
    """A web page of another origin made the request."""

    code = "origin_refused"


class TooMany(RequestRefused):
    """A limit is reached: connections of a token, subscriptions of a connection, projects, published events a second."""

    code = "too_many"
    status = 429


class ShuttingDown(RequestRefused):
    """The server is ending; what was promised is kept, and a cursor goes on at the next one."""

    code = "shutting_down"
    status = 503


class StreamBroken(FirstcauseError):
    """Frames do not follow one another: something between the server and this client lost or repeated some."""

    code = "stream_broken"


class ServerUnreachable(FirstcauseError):
    """No firstcause answers at the address."""

    code = "server_unreachable"


class ServerStartFailed(FirstcauseError):
    """The server can't start: its port is taken, or its state folder can't be used."""

    code = "server_start_failed"


class BindRefused(ServerStartFailed):
    """Listening beyond this machine is refused while no token is set."""

    code = "bind_refused"


class JournalLocked(ServerStartFailed):
    """Another firstcause writes to the same journal."""

    code = "journal_locked"
