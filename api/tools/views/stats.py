"""What is kept, how much was told, and whether anything is short."""

from __future__ import annotations

from ..desk import Desk
from ..tool import Answer
from .view import Reads, View


async def stats(reads: Reads, desk: Desk) -> Answer:
    service = desk.service
    kept = {channel: len(ring) for channel, ring in desk.log.rings.items() if len(ring)}
    told = {channel: ring.last for channel, ring in desk.log.rings.items() if ring.last}
    memory = {"level": service.pressure.level, "used_percent": round(service.pressure.used_percent, 1)}
    kinds = {kind: count for (_, kind), count in service.hub.events.most_common(10)}
    return Answer(
        {
            "project": desk.project,
            "kept": kept,
            "told": told,
            "kinds": {} if desk.grant.projects else kinds,
            "memory": memory,
            "journal": service.hub.keeper.problem or "healthy",
            "browsers": len(service.browsers.observations(desk.project)),
            "url": f"http://{service.settings.host}:{service.port}",
            "streams": {
                "channels": desk.client.channels,
                "min_severity": desk.client.min_severity,
                "muted": sorted(desk.client.muted),
            },
        },
        max_tokens=reads.max_tokens,
    )


VIEW = View("stats", "what is kept and streamed", stats)
