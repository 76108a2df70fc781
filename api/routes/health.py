"""Whether the server lives, and whether it can promise what it promises; for anybody, so it says nothing else."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from ..access import Shared

router = APIRouter()


class Health(BaseModel):
    ok: bool


class Readiness(BaseModel):
    ready: bool
    problems: list[str]


@router.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(ok=True)


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(service: Shared, response: Response) -> Readiness:
    """Events are kept by the journal and told; 503 says what is not as it should be."""
    problems: list[str] = []
    if service.ending.is_set():
        problems.append("The server is ending.")
    if not service.hub.keeper.healthy:
        problems.append(
            f"The journal is not written, events are in memory only: {service.hub.keeper.problem}"
        )
    if service.pressure.level >= 90:
        problems.append(f"Kept events take {service.pressure.used_percent:.0f} % of their memory.")
    response.status_code = 503 if problems else 200
    return Readiness(ready=not problems, problems=problems)
