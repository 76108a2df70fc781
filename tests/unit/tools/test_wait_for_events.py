"""wait_for_events: at once or as soon as something happens, chain by chain, nothing twice and nothing lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from firstcause.api.server import Server
from firstcause.api.tools import desk as desks

from ..serving import serving, until
from .agents import Agent, a_failure, click, happened, told


async def test_a_chain_is_one_line_with_its_first_cause_and_its_worst_effect(server: Server) -> None:
    agent = Agent(server)
    began = click()
    failed = a_failure(began)
    error = happened("uncaught", "high", failed, summary="cart is undefined", page="p1")
    await told(server, began, failed, error)
    answer = await agent.new()
    (chain,) = answer["chains"]
    assert chain == {
        "severity": "high",
        "after": "click on #buy",
        "first": "POST /api/cart answered 500 at cart.js:32:26 saveCart",
        "worst": "cart is undefined",
        "kinds": {"http_error": 1, "uncaught": 1},
        "events": 2,
        "page": "p1",
        "id": error.id,
    }
    assert agent.text.startswith(
        "high: click on #buy → POST /api/cart answered 500 at cart.js:32:26 saveCart → cart is undefined "
    )
    assert (answer["events"], answer["recovered"], answer["more"]) == (2, True, 0)


async def test_the_worst_chain_comes_first(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened(severity="low"), happened(severity="critical"), happened(severity="medium"))
    answer = await agent.new()
    assert [chain["severity"] for chain in answer["chains"]] == ["critical", "medium", "low"]


async def test_nothing_is_told_twice(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened())
    first = await agent.new()
    assert (await agent.new(cursor=first["cursor"]))["events"] == 0
    await told(server, happened(summary="another"))
    again = await agent.new(cursor=first["cursor"])
    assert [chain["first"] for chain in again["chains"]] == ["another"]


async def test_without_a_cursor_it_goes_on_where_the_client_was(server: Server) -> None:
    await told(server, happened())
    agent = Agent(server)
    assert (await agent.new())["events"] == 0
    await told(server, happened())
    assert (await agent.new())["events"] == 1
    assert (await agent.new())["events"] == 0


async def test_what_happens_ends_the_waiting(server: Server) -> None:
    agent = Agent(server)
    waiting = asyncio.create_task(agent.call("wait_for_events", timeout_s=50))
    await until(lambda: server.service.hub.project("default").readers)
    await told(server, happened())
    answer = await waiting
    assert answer["events"] == 1
    assert not server.service.hub.project("default").readers


async def test_waiting_ends_with_its_time_and_says_so(server: Server) -> None:
    answer = await Agent(server).call("wait_for_events", timeout_s=0.01)
    assert (answer["chains"], answer["events"], answer["recovered"]) == ([], 0, True)


async def test_progress_is_told_while_it_waits(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "PROGRESS_S", 0.005)
    agent = Agent(server)
    waiting = asyncio.create_task(agent.call("wait_for_events", timeout_s=50))
    await until(lambda: len(agent.progress) >= 2)
    await told(server, happened())
    await waiting
    assert agent.progress[0] == (0, 50, "nothing yet")


async def test_who_is_cancelled_while_waiting_leaves_nothing_behind(server: Server) -> None:
    log = server.service.hub.project("default")
    waiting = asyncio.create_task(Agent(server).call("wait_for_events", timeout_s=50))
    await until(lambda: log.readers)
    tasks = len(asyncio.all_tasks())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not log.readers
    assert len(asyncio.all_tasks()) <= tasks - 1
    with server.service.connections.take("all"):
        assert server.service.connections._open == {"all": 1}


async def test_a_server_that_ends_answers_who_waits(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        agent = Agent(server)
        waiting = asyncio.create_task(agent.call("wait_for_events", timeout_s=50))
        await until(lambda: server.service.hub.project("default").readers)
        server.service.ending.set()
        assert "call again with this cursor" in (await waiting)["ending"]


async def test_what_does_not_match_does_not_end_the_waiting(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened(severity="low"))
    waiting = asyncio.create_task(agent.call("wait_for_events", timeout_s=50, min_severity="high"))
    await until(lambda: server.service.hub.project("default").readers)
    await told(server, happened(severity="low"))
    await told(server, happened(severity="critical"))
    assert (await waiting)["events"] == 1


async def test_a_muted_channel_is_held_back_and_told_later(server: Server) -> None:
    agent, other = Agent(server), Agent(server, "other")
    await agent.call("configure", action="mute", channels=["errors"])
    await told(server, happened(), a_failure())
    assert [chain["kinds"] for chain in (await agent.new())["chains"]] == [{"http_error": 1}]
    assert (await other.new())["events"] == 2
    assert (await agent.call("configure", action="unmute"))["pending"] == {"errors": 1}
    assert [chain["kinds"] for chain in (await agent.new())["chains"]] == [{"js_error": 1}]


async def test_a_chain_that_goes_on_is_told_with_its_beginning(server: Server) -> None:
    agent = Agent(server)
    failed = a_failure()
    await told(server, failed)
    await agent.new()
    await told(server, happened("uncaught", "critical", failed, summary="cart is undefined"))
    (chain,) = (await agent.new())["chains"]
    assert (chain["first"].split(" at ")[0], chain["worst"]) == (
        "POST /api/cart answered 500",
        "cart is undefined",
    )
    assert chain["again"] is True
    assert chain["events"] == 1


async def test_the_growth_of_an_event_is_one_line_with_it(server: Server) -> None:
    agent = Agent(server)
    flood = happened("console_flood", summary="the same error again and again")
    grown = [
        happened(
            "console_flood",
            "medium",
            summary=f"{count} times the same error",
            count=count,
            context={"repeats": flood.id},
            correlation_id=flood.id,
        )
        for count in (10, 100)
    ]
    await told(server, flood, *grown)
    (chain,) = (await agent.new())["chains"]
    assert (chain["first"], chain["events"]) == ("100 times the same error", 3)


async def test_chains_that_turned_out_to_be_one_are_one_line(server: Server) -> None:
    agent = Agent(server)
    failed, late = (
        a_failure(),
        happened("uncaught", "high", summary="cart is undefined", correlation_id="lonely"),
    )
    notice = happened(
        "chain_merged",
        "info",
        correlation_id=failed.id,
        context={"event": late.id, "cause": failed.id, "from": "lonely", "into": failed.id},
    )
    await told(server, failed, late, notice)
    (chain,) = (await agent.new())["chains"]
    assert (chain["id"], chain["events"], chain["kinds"]) == (late.id, 3, {"http_error": 1, "uncaught": 1})


async def test_failures_that_share_only_their_page_are_told_apart(server: Server) -> None:
    agent = Agent(server)
    loaded = happened(
        "navigation", "info", channel="activity", type="activity", summary="The page navigated to /"
    )
    shipping, analytics = (
        a_failure(loaded),
        happened("request_failed", "low", loaded, summary="/analytics failed"),
    )
    await told(
        server, loaded, shipping, analytics, happened("uncaught", "high", shipping, summary="no options")
    )
    chains = (await agent.new())["chains"]
    assert [(chain["first"].split(" at ")[0], chain["events"]) for chain in chains] == [
        ("POST /api/cart answered 500", 2),
        ("/analytics failed", 1),
    ]
    assert not any("after" in chain for chain in chains)


async def test_a_cursor_of_another_log_is_told_as_such(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened())
    answer = await agent.new(cursor="otherlife.e7n0p0s0a0v0r0o0")
    assert (answer["recovered"], answer["reason"], answer["events"]) == (False, "epoch_changed", 1)


async def test_what_left_memory_and_the_journal_is_counted(tmp_path: Path) -> None:
    async with serving(tmp_path, ring_events=10) as server:
        agent = Agent(server)
        await told(server, *[happened(summary=f"boom {number}") for number in range(200)])
        answer = await agent.new()
        assert answer["events"] + answer.get("lost", 0) == 200
        assert answer["recovered"] is ("lost" not in answer)


async def test_a_storm_is_a_short_true_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server:
        agent = Agent(server)
        await told(
            server,
            *[
                happened(severity="high" if number % 100 == 0 else "low", summary=f"boom {number}")
                for number in range(10_000)
            ],
        )
        seen, high, calls = 0, 0, 0
        while True:
            answer = await agent.new()
            calls += 1
            told_here = sum(chain["events"] for chain in answer["chains"])
            left = answer.get("left_out", {"events": 0, "by_severity": {}})
            assert told_here + left["events"] == answer["events"]
            assert answer["chains"][0]["severity"] == "high"
            high += sum(chain["severity"] == "high" for chain in answer["chains"]) + left["by_severity"].get(
                "high", 0
            )
            seen += answer["events"]
            if not answer["more"]:
                break
        assert (seen, high) == (10_000, 100)
        assert calls == 3
