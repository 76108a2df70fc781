"""A page that fails ten thousand times: a few events, an exact count, and nothing else pushed out."""

from __future__ import annotations

from firstcause.api.observation import Observation

from .support import Chromium, Site, cdp_client
from .test_observation import Told

FLOOD = """
console.error("before the flood");
for (let n = 0; n < 10000; n++) console.error("the pump is stuck");
setTimeout(() => { for (let n = 0; n < 500; n++) setTimeout(() => { throw new Error("no water") }) }, 50);
"""


async def test_a_flood_is_told_in_a_few_events_and_counted_to_the_last(
    site: Site, chromium: Chromium
) -> None:
    told = Told()
    async with Observation(chromium.port, told), cdp_client(chromium.ws_url) as client:
        await client.open(site.page("/", FLOOD))

        def counted(text: str) -> int:
            return max((event.count for event in told.events if text in event.summary), default=0)

        await told.bell.until(
            lambda: counted("pump") == 10_000 and counted("water") == 100, what="the counts"
        )
    assert counted("water") == 500  # what has not been told yet is told at the end
    errors = [event for event in told.events if event.channel == "errors"]
    assert "before the flood" in [event.summary for event in errors]
    assert len(errors) <= 12
    assert max(len(event.line()) for event in errors) < 700
