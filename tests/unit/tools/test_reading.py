"""observe and explain: what is known, on demand, in pages that join."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstcause.api.auth import Grant
from firstcause.api.server import Server
from firstcause.api.tools.clients import Clients
from firstcause.correlator.event import Channel

from ..serving import serving
from .agents import Agent, a_failure, click, happened, told

CHANNELS: tuple[Channel, ...] = ("errors", "network_errors", "performance")


async def test_explain_takes_an_event_or_a_chain(server: Server) -> None:
    agent = Agent(server)
    began = click()
    failed = a_failure(began)
    error = happened("uncaught", "high", failed, summary="cart is undefined", page="p1")
    await told(server, began, failed, error)
    of_event = await agent.call("explain", id=error.id)
    of_chain = await agent.call("explain", id=began.id)
    assert of_event["text"] == of_chain["text"]
    assert of_event["first_failure"] == failed.id
    assert "goes back to http_error (step 2)" in of_event["text"]
    assert of_event["pending"] == {"errors": 1, "network_errors": 1}


async def test_explain_takes_any_id_that_was_told(server: Server) -> None:
    agent = Agent(server)
    flood = happened("console_flood", summary="the same again", correlation_id="chain")
    grown = happened(
        "console_flood",
        summary="100 times the same",
        count=100,
        context={"repeats": flood.id},
        correlation_id="chain",
    )
    await told(server, flood, grown)
    (chain,) = (await agent.new())["chains"]
    assert "100 times the same" in (await agent.call("explain", id=chain["id"]))["text"]


async def test_the_latest_events_come_first(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened(summary="first"), a_failure(), happened(summary="last"))
    answer = await agent.call("observe", what="events")
    assert [one["summary"].split(" at ")[0] for one in answer["latest"]] == [
        "last",
        "POST /api/cart answered 500",
        "first",
    ]
    only = await agent.call("observe", what="events", include={"url": ["/api/cart"]})
    assert [one["kind"] for one in only["latest"]] == ["http_error"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(0, 400)), min_size=1, max_size=80),
    st.integers(200, 900),
)
def test_pages_of_events_join_without_a_gap(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[Channel, int]], max_tokens: int
) -> None:
    import asyncio

    async def story() -> None:
        async with serving(tmp_path_factory.mktemp("state")) as server:
            agent = Agent(server)
            events = [happened(channel=channel, summary="x" * size + "!") for channel, size in made]
            await told(server, *events)
            found: list[str] = []
            cursor = "start"
            while True:
                answer = await agent.call("observe", what="events", cursor=cursor, max_tokens=max_tokens)
                found += [one["id"] for one in answer["found"]]
                if not (answer["found"] and "left_out" in answer):
                    break
                cursor = answer["next"]
            assert found == [event.id for event in events]

    asyncio.run(story())


async def test_a_chain_is_listed_by_any_of_its_events(server: Server) -> None:
    agent = Agent(server)
    failed = a_failure(began := click())
    await told(server, began, failed)
    answer = await agent.call("observe", what="chain", id=failed.id)
    assert [step["id"] for step in answer["steps"]] == [began.id, failed.id]


async def test_an_event_is_told_whole(server: Server) -> None:
    agent = Agent(server)
    failed = a_failure()
    await told(server, failed)
    answer = await agent.call("observe", what="event", id=failed.id)
    assert answer["event"]["context"] == {"url": "/api/cart", "at": "cart.js:32:26 saveCart"}
    large = happened(context={"text": "x" * 1_500})
    await told(server, large)
    cut = await agent.call("observe", what="event", id=large.id, max_tokens=200)
    assert cut["left_out"]["bytes"] > 500


async def test_a_page_is_told_by_its_chains(server: Server) -> None:
    agent = Agent(server)
    await told(server, a_failure(), happened(page="p2"))
    answer = await agent.call("observe", what="page", page="p1")
    assert [chain["kinds"] for chain in answer["chains"]] == [{"http_error": 1}]


async def test_without_a_browser_it_says_how_to_get_one(server: Server) -> None:
    agent = Agent(server)
    answer = await agent.call("observe")
    assert answer["pages"] == []
    assert 'observe {"open":"http://localhost:3000"}' in agent.text


async def test_reading_leaves_the_place_of_the_client_alone(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened())
    before = agent.client.cursor
    for what in ("events", "stats", "pages"):
        assert (await agent.call("observe", what=what))["cursor"] == before
    assert (await agent.new())["events"] == 1


async def test_what_was_evicted_is_read_from_the_journal(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10, journal="sqlite") as server:
        agent = Agent(server)
        await told(server, *[happened(summary=f"boom {number}") for number in range(60)])
        answer = await agent.new(max_tokens=11_000)
        assert (answer["events"], answer["recovered"]) == (60, True)


async def test_a_token_of_a_project_sees_no_other(server: Server) -> None:
    await told(server, happened(), happened(project="shop"))
    mine = Grant(frozenset({"read"}), ("shop",), key="shop")
    agent = Agent(server, grant=mine)
    assert (await agent.refused("observe", what="events"))["code"] == "project_refused"
    clients = Clients(server.service.hub)
    clients.get("shop", "shop")
    there = Agent(server, "theirs", mine, clients)
    there.client = clients.get("shop", "shop")
    assert len((await there.call("observe", what="events"))["latest"]) == 1
    assert (await there.refused("observe", open="http://localhost:1"))["code"] == "scope_missing"
    assert (await there.refused("publish", kind="step", summary="click"))["code"] == "scope_missing"
