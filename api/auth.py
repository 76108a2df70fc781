"""Who may do what: the master token, limited tokens made from it, and one-time tickets for browsers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from ..observer.errors import UsageError
from .errors import ProjectRefused, ScopeMissing, Unauthorized
from .settings import PROJECT_PATTERN

Scope = Literal["read", "publish", "control"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

LIMITED_PREFIX: Final = "fc_"
MAX_TOKEN_CHARS: Final = 8192
MAX_VALID_S: Final = 366 * 86_400
TICKET_VALID_S: Final = 30.0
MAX_TICKETS: Final = 1000
# Part of what is signed, so that another kind or form of token can never pass for this one.
SIGNED_FORM: Final = b"firstcause limited token 1\n"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client may do. No `projects` means all; `key` tells tokens apart for counting, and tells nothing of the token."""

    scopes: frozenset[Scope]
    projects: tuple[str, ...] = ()
    key: str = ""
    until_s: float = math.inf
    """When it ends, in seconds since 1970: whatever is made from it ends with it."""

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            able = " and ".join(sorted(self.scopes))
            raise ScopeMissing(
                f"This token is good for {able}, and this needs {scope}.",
                f"Use a token that has it; this makes one: firstcause token --scope {scope}",
            )

    def require_all_projects(self) -> None:
        """For what is of the server as a whole."""
        if self.projects:
            raise ProjectRefused(
                f"This token is limited to {' and '.join(self.projects)}, and this is about all projects.",
                "Use a token without --project.",
            )

    def require_project(self, name: str) -> None:
        if self.projects and name not in self.projects:
            raise ProjectRefused(
                f"This token is limited to {' and '.join(self.projects)}, and this is about {name[:64]}.",
                "Use a token of that project; firstcause token --project NAME makes one.",
            )


ANYONE: Final = Grant(frozenset(SCOPES), key="anyone")
"""What every client is granted while `auth` is off."""


class Ticket(NamedTuple):
    """Good once, until `expires_at` in seconds since 1970."""

    text: str
    expires_at: float


class Keyring:
    """Makes and checks what clients show. A limited token is signed and kept nowhere: another master token is what revokes it."""

    def __init__(self, secret: str, *, now_s: Callable[[], float] = time.time) -> None:
        if not secret:
            raise ValueError("An empty secret would let everybody in.")
        self._secret = _bytes(secret)
        self._now_s = now_s
        # A key may be shown and logged: salted, so that it is no help in guessing a token that a person chose.
        self._salt = secrets.token_bytes(16)
        self._tickets: OrderedDict[bytes, tuple[Grant, float]] = OrderedDict()

    def issue(self, scopes: Iterable[str], projects: Iterable[str], valid_s: float) -> str:
        """A token for these scopes alone, in these projects alone (none means all)."""
        projects = list(dict.fromkeys(projects))
        scopes = sorted(set(scopes))
        if not scopes:
            raise UsageError("A token needs a scope.", f"There are {', '.join(SCOPES)}.")
        for scope in scopes:
            if scope not in SCOPES:
                raise UsageError(f"{scope} is not a scope.", f"There are {', '.join(SCOPES)}.")
        for project in projects:
            if not re.fullmatch(PROJECT_PATTERN, project):
                raise UsageError(
                    f"{project} can't be the name of a project.",
                    "Use letters, digits, '.', '_' and '-', at most 64 of them.",
                )
        if not 1 <= valid_s <= MAX_VALID_S:
            raise UsageError(
                "A token is good for at least a second and at most a year.", "Choose a time between."
            )
        payload = {"s": scopes, "p": projects, "e": math.ceil(self._now_s() + valid_s)}
        body = _base64(json.dumps(payload, separators=(",", ":")).encode())
        token = f"{LIMITED_PREFIX}{body}.{self._signature(body)}"
        if len(token) > MAX_TOKEN_CHARS:
            raise UsageError("These are too many projects for one token.", "Make several tokens.")
        return token

    def grant_of(self, token: str) -> Grant:
        """What a client that shows this token may do."""
        if not token:
            raise Unauthorized(
                "A token is needed.", "Send it as Authorization: Bearer TOKEN; firstcause token prints it."
            )
        if hmac.compare_digest(_bytes(token), self._secret):
            return Grant(frozenset(SCOPES), key=self._key(token))
        body, _, signature = token.removeprefix(LIMITED_PREFIX).partition(".")
        signed = hmac.compare_digest(_bytes(signature), _bytes(self._signature(body)))
        if not (signed and token.startswith(LIMITED_PREFIX)):
            raise Unauthorized(
                "The token is not one of this server.",
                "firstcause token, run by the user who runs the server, prints the right one.",
            )
        payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if self._now_s() >= payload["e"]:
            raise Unauthorized("The token has expired.", "Make another one: firstcause token --for 1h")
        return Grant(frozenset(payload["s"]), tuple(payload["p"]), self._key(token), payload["e"])

    def ticket(self, grant: Grant) -> Ticket:
        """For a browser, which can't send a header with a WebSocket: good once, and for so short that an address may carry it."""
        while len(self._tickets) >= MAX_TICKETS:
            self._tickets.popitem(last=False)
        ticket = Ticket(secrets.token_urlsafe(32), self._now_s() + TICKET_VALID_S)
        self._tickets[_digest(ticket.text)] = grant, ticket.expires_at
        return ticket

    def redeem(self, text: str) -> Grant:
        """The grant of a ticket, which is used up by it."""
        held = self._tickets.pop(_digest(text), None)
        if held is None or self._now_s() >= held[1]:
            raise Unauthorized(
                "The ticket is used, expired or unknown.", "Ask for another one: POST /v1/tickets"
            )
        return held[0]

    def _signature(self, body: str) -> str:
        return _base64(hmac.digest(self._secret, SIGNED_FORM + _bytes(body), "sha256"))

    def _key(self, token: str) -> str:
        return hashlib.blake2b(_bytes(token), key=self._salt, digest_size=6).hexdigest()


def _bytes(text: str) -> bytes:
    """Whatever a client sends has bytes, lone surrogates as well; compare_digest takes only ASCII as text."""
    return text.encode("utf-8", "surrogatepass")


def _digest(text: str) -> bytes:
    """Looked up by this, the time that it takes tells nothing about the tickets that there are."""
    return hashlib.sha256(_bytes(text)).digest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
