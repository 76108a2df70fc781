"""One-time tickets, for a browser that can set no header on a WebSocket or an EventSource."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ...correlator.engine import iso_ms
from ..access import Asker, Shared
from ..auth import Scope
from ..settings import PROJECT_PATTERN

router = APIRouter()


class TicketRequest(BaseModel):
    """A ticket may do less than the token that asks for it, never more."""

    model_config = ConfigDict(extra="forbid")

    scopes: list[Scope] = Field(default=["read"], min_length=1, max_length=3)
    projects: list[Annotated[str, Field(pattern=f"^(?:{PROJECT_PATTERN})$")]] = Field(
        default=[], max_length=100
    )


class TicketAnswer(BaseModel):
    ticket: str
    expires_at: str


@router.post("/v1/tickets", status_code=201)
async def tickets(grant: Asker, service: Shared, body: TicketRequest | None = None) -> TicketAnswer:
    """A ticket for one connection, good for 30 seconds: `?ticket=…`."""
    wanted = body or TicketRequest()
    for scope in wanted.scopes:
        grant.require(scope)
    for project in wanted.projects:
        grant.require_project(project)
    ticket = service.keyring.ticket(
        replace(grant, scopes=frozenset(wanted.scopes), projects=tuple(wanted.projects) or grant.projects)
    )
    return TicketAnswer(ticket=ticket.text, expires_at=iso_ms(ticket.expires_at * 1000))
