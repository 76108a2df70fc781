"""Two browsers observed in one process: what belongs to one is never told of the other."""

from __future__ import annotations

from firstcause.api.observation import Observation
from firstcause.correlator.event import Event

from .support import Bell, Chromium, Site, cdp_client


class Told:
    """The events of one observation."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.bell = Bell()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.bell.ring()

    def summaries(self, kind: str) -> list[str]:
        return [event.summary for event in self.events if event.kind == kind]

    async def of(self, kind: str, count: int) -> list[str]:
        await self.bell.until(lambda: len(self.summaries(kind)) >= count, what=kind)
        return self.summaries(kind)


SCRIPT = """
const who = location.search.slice(1);
for (let n = 0; n < 50; n++) setTimeout(() => { console.error(`${who} says ${"o".repeat(n)}`); }, n);
setTimeout(() => { throw new Error(`${who} fails`) }, 60);
Promise.reject(new Error(`${who} rejects`));
"""


async def test_events_of_two_browsers_do_not_mix(site: Site) -> None:
    page = site.page("/", SCRIPT)
    anna, bert = Told(), Told()
    async with (
        Chromium() as one,
        Chromium() as other,
        Observation(one.port, anna) as first,
        Observation(other.port, bert) as second,
        cdp_client(one.ws_url) as one_client,
        cdp_client(other.ws_url) as other_client,
    ):
        for _ in range(2):
            await one_client.open(f"{page}?anna")
            await other_client.open(f"{page}?bert")
        for told, name in ((anna, "anna"), (bert, "bert")):
            assert sorted(await told.of("console_error", 100)) == sorted(
                f"{name} says {'o' * n}".strip() for n in range(50) for _ in range(2)
            )
            assert await told.of("uncaught_exception", 2) == [f"Uncaught Error: {name} fails"] * 2
            # Nothing more happens in these pages: what is held back is told when its time has come.
            assert (
                await told.of("unhandled_rejection", 2) == [f"Unhandled rejection: Error: {name} rejects"] * 2
            )
        assert set(first.observer.pages().values()) & set(second.observer.pages().values()) <= {"about:blank"}
    for told, other_name in ((anna, "bert"), (bert, "anna")):
        assert not [event for event in told.events if other_name in event.line()]
        assert len({event.session for event in told.events}) == 1
        for channel in {event.channel for event in told.events}:
            seqs = [event.seq for event in told.events if event.channel == channel]
            assert seqs == list(range(1, len(seqs) + 1))
    assert anna.events[0].session != bert.events[0].session
    assert not {event.id for event in anna.events} & {event.id for event in bert.events}


async def test_one_browser_that_dies_does_not_disturb_the_other(site: Site) -> None:
    page = site.page("/", "console.error(location.search)")
    anna, bert = Told(), Told()
    async with (
        Chromium() as one,
        Chromium() as other,
        Observation(one.port, anna),
        Observation(other.port, bert),
        cdp_client(other.ws_url) as client,
    ):
        await one.kill()
        await anna.of("browser_lost", 1)
        await client.open(f"{page}?bert")
        assert await bert.of("console_error", 1) == ["?bert"]
    assert len(anna.summaries("capture_gap")) == 1
    assert bert.summaries("browser_lost") + bert.summaries("capture_gap") == []


async def test_a_rejection_that_is_held_when_it_ends_is_told(site: Site) -> None:
    told = Told()
    async with Chromium() as chromium, cdp_client(chromium.ws_url) as client:
        async with Observation(chromium.port, told):
            # Chromium reports a rejection when the script is over, and the console call of a later task after it.
            now = "onunhandledrejection = () => void setTimeout(() => console.error('now'))"
            await client.open(site.page("/", f"{now}; Promise.reject(new Error('late'))"))
            await told.of("console_error", 1)
        assert told.summaries("unhandled_rejection") == ["Unhandled rejection: Error: late"]
