"""configure and publish: what a client is told, what the server notices, and what the agent tells itself."""

from __future__ import annotations

from firstcause.api.server import Server

from .agents import Agent, a_failure, happened, told


async def test_what_is_streamed_is_this_clients_alone(server: Server) -> None:
    agent, other = Agent(server), Agent(server, "other")
    answer = await agent.call(
        "configure",
        action="streaming",
        channels=["network_errors"],
        exclude={"url": ["/analytics"]},
        min_severity="medium",
    )
    assert answer["channels"] == ("network_errors",)
    assert answer["exclude"] == {"url": ["/analytics"]}
    await told(
        server, happened(), a_failure(), happened(channel="network_errors", context={"url": "/analytics/1"})
    )
    assert (await agent.new())["events"] == 1
    assert (await other.new())["events"] == 3


async def test_a_channel_that_is_added_begins_with_what_happens_next(server: Server) -> None:
    agent = Agent(server)
    await told(server, happened("click", "info", channel="activity"))
    await agent.call("configure", action="streaming", channels=["activity"])
    await told(server, happened("click", "info", channel="activity"))
    assert (await agent.new())["events"] == 1


async def test_thresholds_and_buffers_are_the_servers(server: Server) -> None:
    agent = Agent(server)
    await agent.call("configure", action="thresholds", thresholds={"slow_response": {"after_ms": 700}})
    assert server.service.settings.detectors["slow_response"] == {"after_ms": 700}
    answer = await agent.call("configure", action="buffers", buffers={"ring_events": 500})
    assert answer["settings"] == {"ring_events": 500}
    assert server.service.hub.limits.ring_events == 500


async def test_selectors_are_kept_for_browsers_that_come(server: Server) -> None:
    await Agent(server).call("configure", action="selectors", selectors=["#buy"])
    assert server.service.settings.selectors == ("#buy",)


async def test_long_settings_do_not_break_the_budget(server: Server) -> None:
    agent = Agent(server)
    patterns = [f"/path/{number:04}/{'x' * 400}" for number in range(60)]
    await agent.call("configure", action="streaming", exclude={"url": patterns})
    assert len(agent.text) < 1_000 * 3.5 * 1.1


async def test_an_assertion_takes_part_in_a_chain(server: Server) -> None:
    agent = Agent(server)
    failed = a_failure()
    await told(server, failed)
    answer = await agent.call(
        "publish", kind="assertion_failed", summary="the cart is empty", cause=failed.id
    )
    assert (answer["chain"], answer["cause"]["id"]) == (failed.id, failed.id)
    (chain,) = (await agent.new())["chains"]
    assert chain["worst"] == "the cart is empty"
    step = await agent.call("publish", kind="step", summary="click Buy", selector="#buy", page="p1")
    assert "chain" not in step
