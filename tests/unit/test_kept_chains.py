"""Chains as the server keeps them: published events that join one, chains that turn out to be one, and their explanation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from firstcause.api.journal.base import Record
from firstcause.api.server import Server
from firstcause.correlator.event import Cause, Event
from firstcause.correlator.explain import explain

from .serving import an_event, client_of, limited, streaming
from .test_explain import CHAIN, FAILED, SAVE, STORY, event, name
from .test_http import published, refusal

EXPLAIN = f"/v1/chains/{CHAIN}/explain"
OWN = [one.model_copy(update={"project": "default"}) for one in STORY]


class Told:
    """Stands for an observed browser: what its engine knows, and what it makes of what is published."""

    def __init__(self, *knows: str, session: str = "", also: tuple[Event, ...] = ()) -> None:
        self.session = session
        self.joined: list[Event] = []
        self._knows = knows
        self._also = also

    def knows(self, event_id: str) -> bool:
        return event_id in self._knows

    def weak_of(self, event_id: str) -> tuple[Cause, ...]:
        return (Cause(id=SAVE.id, via="named", confidence=0.4),) if self.knows(event_id) else ()

    def join(self, event: Event) -> list[Event]:
        self.joined.append(event)
        fields = {"correlation_id": event.correlation_id or f"chain of {self.session}"}
        return [*self._also, event.model_copy(update=fields)]


def observes(server: Server, told: Any, number: str = "b1", project: str = "default") -> Told:
    told.observer = type("Observer", (), {"name": number})
    server.service.browsers.adopt(told, "attached", "9222", project)
    return told


@pytest.fixture
async def client(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    async with client_of(server) as client:
        yield client


async def keep(server: Server, *events: Event) -> None:
    for one in events:
        server.publish(one)
    await server.service.hub.kept()


async def chain(client: httpx.AsyncClient, correlation_id: str) -> list[str]:
    answer = await client.get(f"/v1/chains/{correlation_id}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["events"]]


async def test_a_chain_is_explained(server: Server, client: httpx.AsyncClient) -> None:
    await keep(server, *OWN, an_event())
    answer = await client.get(EXPLAIN)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == explain(OWN).json()
    answer = await client.get(EXPLAIN, params={"event": SAVE.id})
    assert answer.json() == explain(OWN, SAVE.id).json()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/plain;q=0.9, */*", "text/plain; charset=utf-8"),
        ("TEXT/PLAIN, application/json", "text/plain; charset=utf-8"),
        ("application/json, text/plain, */*", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
    ],
)
async def test_an_explanation_is_text_for_whoever_wants_text(
    server: Server, client: httpx.AsyncClient, accept: str, kind: str
) -> None:
    await keep(server, *OWN)
    answer = await client.get(EXPLAIN, headers={"accept": accept})
    assert answer.headers["content-type"] == kind
    if kind.startswith("text"):
        assert answer.text == f"{explain(OWN).text}\n"


async def test_what_can_not_be_explained(server: Server, client: httpx.AsyncClient) -> None:
    await keep(server, *OWN)
    assert refusal(await client.get("/v1/chains/none/explain")) == (404, "not_found")
    assert refusal(await client.get(EXPLAIN, params={"project": "other"})) == (404, "not_found")
    answer = await client.get(EXPLAIN, params={"event": name(9)})
    assert refusal(answer) == (404, "not_found")
    assert name(9) in answer.json()["message"]
    for scopes, projects in (("publish", ()), ("read", ("other",))):
        async with client_of(server, limited(server, scopes, projects=projects)) as other:
            assert (await other.get(EXPLAIN)).status_code == 403


async def test_weak_candidates_come_from_the_browsers_that_are_observed(
    server: Server, client: httpx.AsyncClient
) -> None:
    alone = event(7, "uncaught_exception", "Uncaught x", correlation_id="c7", project="default")
    await keep(server, alone)
    observes(server, Told(alone.id), project="other")
    assert "maybe" not in (await client.get("/v1/chains/c7/explain")).json()
    observes(server, Told(alone.id), "b2")
    (maybe,) = (await client.get("/v1/chains/c7/explain")).json()["maybe"]
    assert (maybe["id"], maybe["confidence"]) == (SAVE.id, 0.4)


async def test_a_cause_that_has_left_memory_comes_from_the_journal(
    server: Server, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {
        one.id: Record("default", one.channel, one.seq, one.id, 0, one.line().encode()) for one in OWN[:3]
    }

    async def find(event_id: str) -> Record | None:
        return kept.get(event_id)

    monkeypatch.setattr(server.service.hub.keeper, "find", find)
    await keep(server, *OWN[3:])
    answer = (await client.get(EXPLAIN)).json()
    assert [step["id"] for step in answer["steps"]] == [one.id for one in OWN]
    del kept[SAVE.id]
    answer = (await client.get(EXPLAIN)).json()
    assert (len(answer["steps"]), answer["missing"]) == (3, SAVE.id)
    kept[SAVE.id] = Record("other", "errors", 1, SAVE.id, 0, SAVE.line().encode())
    assert (await client.get(EXPLAIN)).json()["missing"] == SAVE.id


async def test_a_failure_that_has_left_memory_is_explained_from_the_journal(
    server: Server, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {one.id: Record("default", one.channel, one.seq, one.id, 0, one.line().encode()) for one in OWN}

    async def find(event_id: str) -> Record | None:
        return kept.get(event_id)

    monkeypatch.setattr(server.service.hub.keeper, "find", find)
    failed = OWN[-1]
    for in_memory in ((), OWN[:1]):
        await keep(server, *in_memory)
        answer = (await client.get(EXPLAIN, params={"event": failed.id})).json()
        assert [step["id"] for step in answer["steps"]] == [one.id for one in OWN]
    elsewhere = await client.get("/v1/chains/other/explain", params={"event": failed.id})
    assert refusal(elsewhere) == (404, "not_found")


async def test_chains_that_turned_out_to_be_one_are_read_by_either_name(
    server: Server, client: httpx.AsyncClient
) -> None:
    early = [one.model_copy(update={"correlation_id": "early"}) for one in OWN[:2]]
    late = [one.model_copy(update={"correlation_id": "late"}) for one in OWN[2:]]
    fields: Any = {"project": "default", "correlation_id": None, "context": {"from": "late", "into": "early"}}
    notice = event(9, "chain_merged", "…", "info", **fields)
    other = event(10, "chain_merged", "…", "info", **fields | {"context": {"from": "x", "into": "y"}})
    await keep(server, *early, *late, notice, other)
    wanted = [*(one.id for one in OWN), notice.id]
    assert await chain(client, "early") == await chain(client, "late") == wanted
    answers = [(await client.get(f"/v1/chains/{each}/explain")).json() for each in ("early", "late")]
    assert answers[0] == answers[1]
    assert [step["id"] for step in answers[0]["steps"]] == [one.id for one in OWN]
    assert answers[0]["correlation_id"] == "early"


async def test_a_publisher_that_tells_of_merged_chains_joins_no_others(
    server: Server, client: httpx.AsyncClient
) -> None:
    await keep(server, *OWN, an_event())
    for context in ({}, {"from": "", "into": CHAIN}, {"from": CHAIN}, {"from": [], "into": {}}, {"into": 7}):
        await published(client, kind="chain_merged", context=context)
    assert await chain(client, CHAIN) == [one.id for one in OWN]
    assert (await client.get(EXPLAIN)).json() == explain(OWN).json()


async def test_a_published_event_goes_through_the_engine_of_its_project(
    server: Server, client: httpx.AsyncClient
) -> None:
    removal = event(8, "element_removed", "#cart was removed", "info", project="default")
    told = observes(server, Told(session="one", also=(removal,)))
    observes(server, Told(session="two"), "b2", "other")
    answer = await published(client)
    assert [one.id for one in told.joined] == [answer["event"]]
    kept = (await client.get(f"/v1/events/{answer['event']}")).json()
    assert (kept["correlation_id"], kept["seq"]) == ("chain of one", answer["seq"])
    assert (await client.get(f"/v1/events/{removal.id}")).status_code == 200
    assert await chain(client, CHAIN) == [removal.id]


async def test_it_is_the_same_in_the_stream(server: Server) -> None:
    told = observes(server, Told(session="one"))
    async with streaming(server) as stream:
        await stream.subscribe(1, channels=["runs"])
        answer = await stream.ask("publish", event={"channel": "runs", "kind": "step", "summary": "x"})
        assert [one.id for one in told.joined] == [answer["event"]]
        (batch,) = [frame for frame in stream.frames if frame["op"] == "batch"] or [
            await stream.frame("batch")
        ]
        assert batch["events"][0]["correlation_id"] == "chain of one"


async def test_of_several_browsers_one_has_to_be_meant(server: Server, client: httpx.AsyncClient) -> None:
    one, two = Told("e1", session="one"), Told("e2", session="two")
    observes(server, one, "b1")
    observes(server, two, "b2")
    await published(client)
    await published(client, session="three")
    assert (one.joined, two.joined) == ([], [])
    await published(client, session="two")
    await published(client, cause="e1", session="two")
    assert [len(each.joined) for each in (one, two)] == [1, 1]
    assert one.joined[0].cause == Cause(id="e1", via="published", confidence=1.0)


async def test_a_cause_that_only_the_log_knows_gives_its_chain(
    server: Server, client: httpx.AsyncClient
) -> None:
    await keep(server, *OWN)
    for told in (None, Told(session="one")):
        if told is not None:
            observes(server, told)
        answer = await published(client, cause=FAILED.id)
        kept = (await client.get(f"/v1/events/{answer['event']}")).json()
        assert kept["correlation_id"] == CHAIN
        assert kept["cause"]["id"] == FAILED.id
        assert (await chain(client, CHAIN))[-1] == answer["event"]


async def test_a_cause_without_a_chain_is_the_root_of_one(server: Server, client: httpx.AsyncClient) -> None:
    root = (await published(client, kind="plan"))["event"]
    effect = (await published(client, cause=root))["event"]
    assert await chain(client, root) == [root, effect]
    answer = (await client.get(f"/v1/chains/{root}/explain")).json()
    assert [step["id"] for step in answer["steps"]] == [root, effect]


async def test_what_a_publisher_says_of_its_chain_stays(server: Server, client: httpx.AsyncClient) -> None:
    await keep(server, *OWN)
    answer = await published(client, cause=FAILED.id, correlation_id="mine")
    assert (await client.get(f"/v1/events/{answer['event']}")).json()["correlation_id"] == "mine"
    unknown = await published(client, cause="nobody")
    assert "correlation_id" not in (await client.get(f"/v1/events/{unknown['event']}")).json()
    elsewhere = await client.post(
        "/v1/events?project=shop",
        json={"channel": "runs", "kind": "step", "summary": "x", "cause": FAILED.id},
    )
    kept = (await client.get(f"/v1/events/{elsewhere.json()['event']}")).json()
    assert "correlation_id" not in kept


async def test_output_is_no_part_of_a_story(server: Server, client: httpx.AsyncClient) -> None:
    told = observes(server, Told(session="one"))
    await published(client, channel="output", kind="token")
    assert told.joined == []
