"""Settings while the server runs, its figures, and memory on demand."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, JsonValue

from firstcause import __version__

from ..access import Asker, Shared
from ..errors import BadField
from ..service import Service
from ..settings import RUNTIME, SettingRefused, changed

router = APIRouter()


class Config(BaseModel):
    settings: dict[str, JsonValue]
    changeable: list[str]


class MemoryUse(BaseModel):
    kept_bytes: int
    rss_bytes: int


class Optimized(BaseModel):
    before: MemoryUse
    after: MemoryUse


class Stats(BaseModel):
    version: str
    uptime_s: float
    projects: dict[str, dict[str, JsonValue]]
    subscribers: dict[str, int]
    subscriptions: int
    lag_events: int
    notifications: int
    digests: int
    gaps: int
    lost: int
    journal: dict[str, JsonValue]
    memory: dict[str, JsonValue]
    browsers: int


@router.get("/v1/config")
async def config(grant: Asker, service: Shared) -> Config:
    """The settings that are in force; secrets are masked."""
    grant.require("read")
    return _config(service)


@router.patch("/v1/config")
async def change(grant: Asker, service: Shared, patch: dict[str, JsonValue] = Body()) -> Config:  # noqa: B008
    """Change settings until the server ends. All of the change or, when something is wrong with it, nothing."""
    grant.require("control")
    grant.require_all_projects()
    try:
        service.change(changed(service.settings, patch))
    except SettingRefused as error:
        raise BadField(error.message, error.hint) from error
    return _config(service)


@router.post("/v1/config/optimize")
async def optimize(grant: Asker, service: Shared) -> Optimized:
    """Free memory now, and say what that brought."""
    grant.require("control")
    grant.require_all_projects()
    before, after = service.pressure.optimize()
    return Optimized(before=MemoryUse(**before), after=MemoryUse(**after))


@router.get("/v1/stats")
async def stats(grant: Asker, service: Shared) -> Stats:
    """What the server holds and has told."""
    grant.require("read")
    hub = service.hub
    pumps = [connected.pump for connected in service.connected]
    subscriptions = [subscription for pump in pumps for subscription in pump.subscriptions]
    return Stats(
        version=__version__,
        uptime_s=round(time.time() - service.started_s, 1),
        projects={
            name: {
                channel: {"kept": len(ring), "told": ring.last, "bytes": ring.size_bytes}
                for channel, ring in project.rings.items()
                if ring.last
            }
            for name, project in hub.projects.items()
            if not grant.projects or name in grant.projects
        },
        subscribers=service.readers,
        subscriptions=len(subscriptions),
        lag_events=max((subscription.lag for subscription in subscriptions), default=0),
        notifications=hub.tallies["notifications"],
        digests=hub.tallies["digests"],
        gaps=hub.tallies["gaps"],
        lost=hub.tallies["lost"],
        journal=journal_figures(service),
        memory={
            **service.pressure.in_use(),
            "budget_bytes": service.pressure.budget_bytes,
            "used_percent": round(service.pressure.used_percent, 1),
            "level": service.pressure.level,
        },
        browsers=len(list(service.browsers)),
    )


def journal_figures(service: Service) -> dict[str, Any]:
    keeper = service.hub.keeper
    return {
        "kind": service.settings.journal,
        "healthy": keeper.healthy,
        "problem": keeper.problem,
        "commits": keeper.commits.count,
        "mean_commit_ms": round(1000 * keeper.commits.seconds / max(1, keeper.commits.count), 3),
    }


def _config(service: Service) -> Config:
    return Config(settings=service.settings.model_dump(mode="json"), changeable=list(RUNTIME))
