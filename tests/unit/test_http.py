"""The HTTP surface beside the stream: every route, what it refuses and how, and that no secret gets through."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from prometheus_client.parser import text_string_to_metric_families

from firstcause.api.errors import RequestRefused
from firstcause.api.journal.base import JournalFailed
from firstcause.api.routes import ROUTERS
from firstcause.api.server import Server

from .serving import client_of, ids_of, limited, serving, streaming, told, until

MINIMAL = {"channel": "runs", "kind": "step", "summary": "logged in"}
ROUTES = {
    "GET /client.js",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "GET /v1/chains/{correlation_id}",
    "GET /v1/chains/{correlation_id}/explain",
    "GET /v1/channels/{channel}/events",
    "GET /v1/config",
    "GET /v1/events",
    "GET /v1/events/{event_id}",
    "GET /v1/observe",
    "GET /v1/selectors",
    "GET /v1/stats",
    "GET /v1/stream",
    "PATCH /v1/config",
    "POST /v1/a11y",
    "POST /v1/check",
    "POST /v1/config/optimize",
    "POST /v1/events",
    "POST /v1/observe",
    "POST /v1/selectors",
    "POST /v1/tickets",
}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Its status and code; every refusal has the same shape."""
    body = answer.json()
    assert set(body) == {"code", "message", "hint"}
    assert body["message"]
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, body["code"]


async def published(client: httpx.AsyncClient, status: int = 201, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/events", json=MINIMAL | fields)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_every_route_is_known_here_and_wants_a_token(server: Server) -> None:
    open_to_all = {"GET /client.js", "GET /healthz", "GET /readyz"}
    async with client_of(server, "") as nobody:
        schema = (await nobody.get("/openapi.json")).json()
        routes = {f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item}
        assert routes == ROUTES
        for route in sorted(routes - open_to_all):
            method, path = route.replace("{channel}", "errors").split()
            answer = await nobody.request(method, path, json={} if method != "GET" else None)
            assert refusal(answer) == (401, "unauthorized"), route
            assert answer.headers["www-authenticate"] == "Bearer"
    powerless = {"read": {"GET"}, "publish": {"POST /v1/events"}, "control": {"PATCH", "POST"}}
    for scope in powerless:
        async with client_of(server, limited(server, scope)) as client:
            assert (await client.get("/v1/stats")).status_code == (200 if scope == "read" else 403)
            assert (await client.get("/metrics")).status_code == (200 if scope == "read" else 403)
            assert (await client.get("/v1/observe")).status_code == (200 if scope == "read" else 403)
            answer = await client.post("/v1/events", json=MINIMAL)
            assert answer.status_code == (201 if scope == "publish" else 403)
            for method, path in (("PATCH", "/v1/config"), ("POST", "/v1/config/optimize")):
                answer = await client.request(method, path, json={})
                assert answer.status_code == (200 if scope == "control" else 403)
            answer = await client.post("/v1/observe", json={"action": "detach", "id": "b1"})
            assert answer.status_code == (404 if scope == "control" else 403)


async def test_what_is_published_is_kept_told_and_found(server: Server) -> None:
    async with client_of(server) as client, streaming(server) as stream:
        await stream.subscribe(1, channels=["runs"])
        answer = await published(
            client,
            severity="medium",
            page="p1",
            session="s9",
            timestamp="2026-01-02T03:04:05.678+01:00",
            correlation_id="c1",
            cause="e1",
            context={"step": 3, "url": "/login"},
        )
        batch = await stream.frame("batch")
        event = batch["events"][0]
        assert answer == {"event": event["id"], "channel": "runs", "seq": 1}
        assert event == {
            "id": answer["event"],
            "seq": 1,
            "timestamp": "2026-01-02T02:04:05.678Z",
            "project": "default",
            "session": "s9",
            "page": "p1",
            "channel": "runs",
            "type": "run",
            "kind": "step",
            "severity": "medium",
            "summary": "logged in",
            "context": {"step": 3, "url": "/login"},
            "correlation_id": "c1",
            "cause": {"id": "e1", "via": "published", "confidence": 1.0},
            "fingerprint": event["fingerprint"],
            "count": 1,
        }
        assert (await client.get(f"/v1/events/{answer['event']}")).json() == event
        other = await client.post("/v1/events?project=shop", json=MINIMAL)
        assert other.json()["seq"] == 1
        found = (await client.get(f"/v1/events/{other.json()['event']}")).json()
        assert (found["project"], found["session"]) == ("shop", server.service.session)


CANARY = "Zq7Xv93kLmW2pR8tY5"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + CANARY
SECRETS = (
    f"password={CANARY}",
    f"password: {CANARY}",
    f"Authorization: Bearer {CANARY}",
    f"Authorization: Basic {CANARY}",
    f"Cookie: theme=dark; sid={CANARY}",
    f"Set-Cookie: sid={CANARY}; HttpOnly",
    f"GET /callback?access_token={CANARY}&state=1",
    f"https://user:{CANARY}@example.com/",
    f'{{"api_key":"{CANARY}"}}',
    f"{{'clientSecret': '{CANARY}'}}",
    JWT,
    "ghp_" + CANARY * 2,
)
SECRET_FIELDS: dict[str, Any] = {
    "password": CANARY,
    "Passphrase": CANARY,
    "accessToken": CANARY,
    "api_key": [CANARY],
    "authorization": CANARY,
    "X-Auth-Token": CANARY,
    "cookie": f"theme=dark; sid={CANARY}",
    "cookies": {"sid": CANARY},
    "set-cookie": [f"sid={CANARY}"],
    "credentials": {"user": "u", "pass": CANARY},
    "session": CANARY,
    "code": CANARY,
    "pin": 74219053,
}


async def test_no_secret_of_a_publisher_is_kept_or_told(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, journal="sqlite") as server,
        client_of(server) as client,
        streaming(server) as stream,
    ):
        await stream.subscribe(1, channels=["runs"])

        async def said_of(fields: dict[str, Any]) -> str:
            answer = await published(client, **fields)
            return (await client.get(f"/v1/events/{answer['event']}")).text

        tries: list[dict[str, Any]] = [{"summary": f"it said {secret}"} for secret in SECRETS]
        for secret in SECRETS:
            tries += [
                {"context": one} for one in ({"a": secret}, {"b": [{"c": [secret]}]}, {f"a {secret}": 1})
            ]
        for name, value in SECRET_FIELDS.items():
            tries += [{"context": one} for one in ({name: value}, {"request": {"headers": [{name: value}]}})]
        said = await asyncio.gather(*map(said_of, tries))
        for fields, text in zip(tries, said, strict=True):
            assert CANARY not in text, fields
            assert "74219053" not in text, fields
            assert "***" in text, fields
        while len(stream.ids()) < len(said):
            await stream.next()
        assert CANARY not in json.dumps(stream.frames)
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file


async def test_what_is_no_secret_stays(server: Server) -> None:
    context = {"key": "Enter", "code": "E_FAIL", "status": 500, "tokens": 5, "author": "me", "pinned": True}
    async with client_of(server) as client:
        answer = await published(client, context={**context, "password": None})
        found = (await client.get(f"/v1/events/{answer['event']}")).json()
        assert found["context"] == {**context, "password": None}


async def test_a_published_event_is_small(server: Server) -> None:
    async with client_of(server) as client:
        answer = await published(client, summary="é" * 2000)
        found = (await client.get(f"/v1/events/{answer['event']}")).json()
        assert len(found["summary"].encode()) <= 500
        assert (await published(client, 413, context={"a": "b" * 2000}))["code"] == "too_large"
        assert (await published(client, 413, context={"a": "é" * 1000}))["code"] == "too_large"


REFUSED = (
    (b"nope", 400, "bad_json"),
    (b"\xff\xfe", 400, "bad_json"),
    (b"", 400, "bad_json"),
    (b'{"channel":"runs","kind":"step","summary":"x","context":' + b'{"a":' * 20_000, 400, "bad_json"),
    (b"[]", 422, "bad_field"),
    (b"{}", 422, "bad_field"),
    (b'{"channel":"runs","kind":"step","summary":""}', 422, "bad_field"),
    (b'{"channel":"runs","kind":"STEP","summary":"x"}', 422, "bad_field"),
    (b'{"channel":"nope","kind":"step","summary":"x"}', 422, "bad_field"),
    (b'{"channel":"runs","kind":"step","summary":"x","id":"mine"}', 422, "bad_field"),
    (b'{"channel":"runs","kind":"step","summary":"x","timestamp":"9999-12-31T23:59:59-23:00"}', 422, "bad_field"),
    (b'{"channel":"runs","kind":"step","summary":"x","context":' + b'{"a":' * 300 + b"1" + b"}" * 301, 422, "bad_field"),
    (b'{"channel":"runs","kind":"step","summary":"' + b"x" * 2001 + b'"}', 422, "bad_field"),
    (b" " * (257 * 1024), 413, "too_large"),
)  # fmt: skip


async def test_what_can_not_be_published_is_refused(server: Server) -> None:
    async with client_of(server) as client:
        for body, status, code in REFUSED:
            assert refusal(await client.post("/v1/events", content=body)) == (status, code), body[:100]
    assert not server.service.hub.events


async def test_projects_have_names_and_not_too_many(tmp_path: Path) -> None:
    async with serving(tmp_path, max_projects=2) as server, client_of(server) as client:
        for name in ("../x", "a" * 65, "é", "a b"):
            answer = await client.post("/v1/events", params={"project": name}, json=MINIMAL)
            assert refusal(answer) == (422, "bad_field")
        for number in range(3):
            # Looking for what is not there takes no place.
            await client.get(f"/v1/channels/errors/events?project=none{number}")
        for name, status in (("one", 201), ("two", 201), ("three", 429), ("two", 201)):
            answer = await client.post("/v1/events", params={"project": name}, json=MINIMAL)
            assert answer.status_code == status
        assert refusal(await client.get("/v1/channels/errors/events?project=four")) == (429, "too_many")
        body = {"action": "attach", "cdp": "127.0.0.1:1", "project": "five"}
        assert refusal(await client.post("/v1/observe", json=body)) == (429, "too_many")


async def test_a_token_publishes_only_so_much(tmp_path: Path) -> None:
    async with serving(tmp_path, publish_per_s=3) as server:
        async with client_of(server) as client:
            answers = [await client.post("/v1/events", json=MINIMAL) for _ in range(5)]
        assert [answer.status_code for answer in answers][:3] == [201, 201, 201]
        assert refusal(answers[-1]) == (429, "too_many")
        async with client_of(server, limited(server, "publish")) as other:
            await published(other)


async def test_a_body_without_a_length_is_bounded_too(tmp_path: Path) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    async with serving(tmp_path, max_body_kb=2) as server, client_of(server) as client:
        for path in ("/v1/events", "/v1/observe", "/v1/tickets"):
            assert refusal(await client.post(path, content=endless())) == (413, "too_large"), path


async def test_an_event_beyond_memory_is_found_in_the_journal(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite", ring_events=10) as server, client_of(server) as client:
        first, *_ = await told(server, 30, project="shop")
        assert (await client.get(f"/v1/events/{first}")).json()["id"] == first
        assert refusal(await client.get("/v1/events/none")) == (404, "not_found")
        assert refusal(await client.get("/v1/events/" + "x" * 65)) == (422, "bad_field")
        token = limited(server, "read", projects=("bank",))
    async with serving(tmp_path, journal="sqlite") as again, client_of(again, token) as client:
        assert refusal(await client.get(f"/v1/events/{first}")) == (403, "project_refused")


async def test_a_chain_is_told_in_order_across_channels(server: Server) -> None:
    ids = [
        (await told(server, channel=channel, correlation_id=chain))[0]
        for channel, chain in (("network_errors", "c1"), ("errors", "c1"), ("errors", "c2"), ("anomalies", "c1"))
    ]  # fmt: skip
    async with client_of(server) as client:
        answer = await client.get("/v1/chains/c1")
        assert answer.json()["correlation_id"] == "c1"
        assert ids_of([answer.json()]) == [ids[0], ids[1], ids[3]]
        assert refusal(await client.get("/v1/chains/c3")) == (404, "not_found")
        assert refusal(await client.get("/v1/chains/c1?project=shop")) == (404, "not_found")
    async with client_of(server, limited(server, "read", projects=("shop",))) as client:
        assert refusal(await client.get("/v1/chains/c1")) == (403, "project_refused")


async def test_a_range_of_a_channel_page_by_page(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite", ring_events=20) as server, client_of(server) as client:
        ids = await told(server, 450)
        await told(server, 10, severity="low")
        seen: list[str] = []
        after, pages = 0, 0
        while True:
            answer = await client.get(f"/v1/channels/errors/events?after={after}&min_severity=medium")
            page = answer.json()
            seen += ids_of([page])
            pages += 1
            assert page["op"] == "fetched"
            if not page.get("more"):
                break
            after = page["upto"]
        assert seen == ids
        assert 2 < pages < 10
        answer = await client.get("/v1/channels/errors/events?after=449&upto=451")
        assert ids_of([answer.json()])[0] == ids[449]
        assert refusal(await client.get("/v1/channels/nope/events")) == (422, "bad_field")
        assert refusal(await client.get("/v1/channels/errors/events?after=-1")) == (422, "bad_field")
        assert refusal(await client.get(f"/v1/channels/errors/events?upto={2**53}")) == (422, "bad_field")


async def test_stats_count_what_is_held_and_who_reads(server: Server) -> None:
    async with client_of(server) as client, streaming(server) as stream:
        await stream.subscribe(1)
        await stream.subscribe(2, project="shop")
        await told(server, 3, project="shop")
        await told(server, 2, channel="activity")
        stats = (await client.get("/v1/stats")).json()
        assert stats["projects"]["shop"]["errors"].items() >= {"kept": 3, "told": 3}.items()
        assert list(stats["projects"]["default"]) == ["activity"]
        assert stats["subscribers"] == {"websocket": 1, "sse": 0, "poll": 0, "mcp": 0}
        assert (stats["subscriptions"], stats["lag_events"], stats["notifications"]) == (2, 0, 1)
        assert stats["journal"]["kind"] == "memory"
        assert stats["memory"]["kept_bytes"] == server.service.hub.size_bytes
        assert (stats["memory"]["level"], stats["browsers"]) == (0, 0)
    async with client_of(server, limited(server, "read", projects=("shop",))) as client:
        assert list((await client.get("/v1/stats")).json()["projects"]) == ["shop"]


async def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    async with serving(tmp_path, token="a-token-of-my-own") as server, client_of(server) as client:
        answer = await client.get("/v1/config")
        assert "a-token-of-my-own" not in answer.text
        assert answer.json()["settings"]["token"] == "**********"
        assert "throttle_ms" in answer.json()["changeable"]
        assert "port" not in answer.json()["changeable"]


async def test_settings_change_all_or_not_at_all(server: Server) -> None:
    async with client_of(server) as client:
        answer = await client.patch("/v1/config", json={"throttle_ms": 250, "ring_events": 10})
        assert answer.status_code == 200
        assert answer.json()["settings"]["throttle_ms"] == 250
        ids = await told(server, 15)
        async with streaming(server) as stream:
            assert (await stream.subscribe(1, cursor="start"))["throttle_ms"] == 250
            assert stream.ids() == ids[-10:]
        before = (await client.get("/v1/config")).json()
        for patch in (
            {"throttle_ms": 1, "ring_events": 5},
            {"throttle_ms": 1, "port": 1},
            {"throttle_ms": 1, "nonsense": 1},
            {"throttle_ms": True},
            {"throttle_ms": None},
            {"stall_s": "nan"},
            {"token": "another-token-of-mine"},
        ):
            assert refusal(await client.patch("/v1/config", json=patch)) == (422, "bad_field"), patch
        for body in (b"[]", b"nope", b"null", b'"x"', b""):
            assert refusal(await client.patch("/v1/config", content=body)) == (422, "bad_field"), body
        assert (await client.get("/v1/config")).json() == before


async def test_a_raised_limit_holds_at_once(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, max_connections=1) as server,
        client_of(server) as client,
        streaming(server) as one,
    ):
        await one.ask("ping")
        await client.patch("/v1/config", json={"max_connections": 2, "publish_per_s": 0.5})
        async with streaming(server) as two:
            await two.ask("ping")
        answers = [await client.post("/v1/events", json=MINIMAL) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 429]


async def test_memory_on_demand(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite", ring_events=100) as server, client_of(server) as client:
        ids = await told(server, 100, context={"padding": "x" * 1000})
        answer = (await client.post("/v1/config/optimize")).json()
        assert answer["before"]["kept_bytes"] > 100_000
        assert answer["after"]["kept_bytes"] == server.service.hub.size_bytes < answer["before"]["kept_bytes"]
        assert answer["before"]["rss_bytes"] >= 0
        # The journal still has them all.
        assert (await client.get(f"/v1/events/{ids[0]}")).status_code == 200


async def ticket_of(client: httpx.AsyncClient, **wanted: Any) -> httpx.Response:
    return await client.post("/v1/tickets", json=wanted or None)


async def test_a_ticket_never_does_more_than_who_asked_for_it(server: Server) -> None:
    token = limited(server, "read", "publish", projects=("shop", "bank"))
    async with client_of(server, token) as client, client_of(server, "") as browser:
        assert refusal(await ticket_of(client, scopes=["control"])) == (403, "scope_missing")
        assert refusal(await ticket_of(client, projects=["other"])) == (403, "project_refused")
        assert refusal(await ticket_of(client, scopes=[])) == (422, "bad_field")
        assert refusal(await ticket_of(client, scopes=["all"])) == (422, "bad_field")
        assert refusal(await ticket_of(client, more=1)) == (422, "bad_field")
        for wanted, path, status in (
            ({}, "/v1/events?project=shop", 200),
            ({}, "/v1/events?project=other", 403),
            ({"projects": ["bank"]}, "/v1/events?project=shop", 403),
            ({"scopes": ["publish"]}, "/v1/events?project=shop", 403),
        ):
            answer = await ticket_of(client, **wanted)
            assert answer.status_code == 201
            assert set(answer.json()) == {"ticket", "expires_at"}
            browser.cookies.clear()
            once = await browser.get(f"{path}&ticket={answer.json()['ticket']}")
            assert once.status_code == status, (wanted, path)
            browser.cookies.clear()
            again = await browser.get(f"{path}&ticket={answer.json()['ticket']}")
            assert refusal(again) == (401, "unauthorized")


async def test_browsers_are_listed_and_bad_addresses_refused(server: Server) -> None:
    async with client_of(server) as client:
        assert (await client.get("/v1/observe")).json() == {"browsers": []}
        for body, status, code in (
            ({"action": "attach", "cdp": "127.0.0.1:1"}, 502, "browser_unreachable"),
            ({"action": "attach", "cdp": "not an address"}, 422, "bad_url"),
            ({"action": "attach", "cdp": ""}, 422, "bad_field"),
            ({"action": "attach"}, 422, "bad_field"),
            ({"action": "attach", "cdp": "1", "level": "loud"}, 422, "bad_field"),
            ({"action": "attach", "cdp": "1", "project": "a b"}, 422, "bad_field"),
            ({"action": "launch", "url": "javascript:alert(1)"}, 422, "bad_url"),
            ({"action": "launch"}, 422, "bad_field"),
            ({"action": "detach", "id": "b9"}, 404, "not_found"),
            ({"action": "explode"}, 422, "bad_field"),
            ({}, 422, "bad_field"),
        ):
            assert refusal(await client.post("/v1/observe", json=body)) == (status, code), body
        assert (await client.get("/v1/observe")).json() == {"browsers": []}
    async with client_of(server, limited(server, "control", projects=("shop",))) as client:
        body = {"action": "attach", "cdp": "127.0.0.1:1"}
        assert refusal(await client.post("/v1/observe", json=body)) == (403, "project_refused")


async def test_health_and_readiness_are_for_anybody(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server, client_of(server, "") as client:
        assert (await client.get("/healthz")).json() == {"ok": True}
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


async def test_a_journal_that_fails_is_told_and_the_stream_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, journal="sqlite") as server, client_of(server) as client:
        journal: Any = server.service.hub.keeper._journal

        def full(*_: object) -> None:
            raise JournalFailed("the disk is full")

        async with streaming(server) as stream:
            await stream.subscribe(1)
            with monkeypatch.context() as patch:
                patch.setattr(journal, "append", full)
                (told_id,) = await told(server)
                notice = (await stream.frame("batch", channel="anomalies"))["events"][0]
                assert (notice["kind"], notice["severity"]) == ("journal_failed", "high")
                assert told_id in stream.ids()
                assert (await client.get("/healthz")).status_code == 200
                answer = await client.get("/readyz")
                assert (answer.status_code, answer.json()["ready"]) == (503, False)
                assert "the disk is full" in answer.json()["problems"][0]
                stats = (await client.get("/v1/stats")).json()
                assert (stats["journal"]["healthy"], stats["journal"]["problem"]) == (
                    False,
                    "the disk is full",
                )
                assert (await figures(client))["firstcause_journal_healthy"][()] == 0
            healed = await stream.frame("batch", channel="anomalies")
            assert healed["events"][0]["kind"] == "journal_healed"
        assert (await client.get("/readyz")).status_code == 200


Figures = dict[str, dict[tuple[str, ...], float]]


async def figures(client: httpx.AsyncClient) -> Figures:
    """By name and labels."""
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: Figures = defaultdict(dict)
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        for sample in family.samples:
            found[sample.name][tuple(sample.labels.values())] = sample.value
    return found


async def test_the_figures_for_prometheus(tmp_path: Path) -> None:
    async with serving(tmp_path, journal="sqlite") as server, client_of(server) as client:
        async with streaming(server) as stream:
            await stream.subscribe(1, throttle_ms=1000)
            await told(server, 30, kind="x")
            await told(server, 2, kind="y", channel="activity")
            await stream.frame("digest")
            await told(server, 1)
            seen = await figures(client)
        assert seen["firstcause_events_total"] == {
            ("errors", "x"): 30,
            ("activity", "y"): 2,
            ("errors", "js_error"): 1,
        }
        assert seen["firstcause_notifications_total"][()] == 1
        assert seen["firstcause_digests_total"][()] == 1
        assert seen["firstcause_gaps_total"][()] == 0
        assert seen["firstcause_lost_events_total"][()] == 0
        assert seen["firstcause_subscribers"] == {
            ("websocket",): 1,
            ("sse",): 0,
            ("poll",): 0,
            ("mcp",): 0,
        }
        assert seen["firstcause_lag_events"][()] == 1
        assert seen["firstcause_ring_bytes"][()] == server.service.hub.size_bytes
        assert seen["firstcause_memory_budget_bytes"][()] == 64 << 20
        assert seen["firstcause_memory_pressure_level"][()] == 0
        assert seen["firstcause_journal_healthy"][()] == 1
        buckets = seen["firstcause_journal_commit_seconds_bucket"]
        assert list(buckets.values()) == sorted(buckets.values())
        assert buckets["+Inf",] == seen["firstcause_journal_commit_seconds_count"][()] == 4
        assert 0 < seen["firstcause_journal_commit_seconds_sum"][()] < 10
        assert seen["firstcause_rss_bytes"][()] >= 0
        text = (await client.get("/metrics")).text
        for name in ("firstcause_pages", "firstcause_browser_connected", "firstcause_signals_total"):
            assert re.search(rf"^# TYPE {name} ", text, re.MULTILINE), name


async def test_what_is_not_there_and_what_is_not_done(server: Server) -> None:
    async with client_of(server) as client:
        for path in ("/", "/v1", "/v2/events", "/v1/events/a/b", "/docs", "/redoc", "/v1/events/%2e%2e"):
            assert refusal(await client.get(path)) == (404, "not_found"), path
        for method, path, allowed in (
            ("DELETE", "/v1/config", "GET, PATCH"),
            ("PUT", "/v1/events", "GET, POST"),
            ("HEAD", "/v1/stats", "GET"),
            ("OPTIONS", "/v1/stats", "GET"),
            ("GET", "/v1/tickets", "POST"),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == 405, path
            assert set(answer.headers["allow"].split(", ")) == set(allowed.split(", ")), path
            if method != "HEAD":
                assert refusal(answer) == (405, RequestRefused.code)
            else:
                assert answer.content == b""


async def test_pages_of_allowed_origins_may_ask_and_no_others(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, allowed_origins=("http://dev.example",)) as server,
        client_of(server) as client,
    ):
        ours = {"Origin": "http://dev.example"}
        answer = await client.get("/v1/stats", headers=ours)
        assert answer.headers["access-control-allow-origin"] == "http://dev.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()
        preflight = await client.options(
            "/v1/events",
            headers={
                **ours,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization, content-type",
            },
        )
        assert preflight.status_code == 200
        assert "POST" in preflight.headers["access-control-allow-methods"]
        refused = await client.get("/v1/nothing", headers=ours)
        assert refused.headers["access-control-allow-origin"] == "http://dev.example"
        for origin in ("http://evil.example", "null", "http://dev.example.evil.example"):
            answer = await client.get("/v1/stats", headers={"Origin": origin})
            assert refusal(answer) == (403, "origin_refused")
            assert "access-control-allow-origin" not in answer.headers
        answer = await client.get("/v1/stats", headers={"Origin": server.url})
        assert answer.status_code == 200


async def test_a_name_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_hosts=("devbox",)) as server, client_of(server) as client:
        for host, status in (("evil.example", 403), ("localhost", 200), ("devbox:1234", 200), ("", 403)):
            answer = await client.get("/healthz", headers={"Host": host})
            assert answer.status_code == status, host
        assert refusal(await client.get("/healthz", headers={"Host": "evil.example"}))[1] == "host_refused"


async def test_the_client_for_pages_is_served(server: Server) -> None:
    async with client_of(server, "") as client:
        answer = await client.get("/client.js")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "export" in answer.text


async def test_with_auth_off_anybody_may(tmp_path: Path) -> None:
    async with serving(tmp_path, auth="off") as server, client_of(server, "") as client:
        await published(client)
        assert (await client.get("/v1/config")).status_code == 200
        assert refusal(await client.get("/v1/stats", headers={"Origin": "http://evil.example"}))[0] == 403


async def test_a_failure_of_ours_says_so_and_nothing_else(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("firstcause.api.routes.config.journal_figures", lambda _: 1 / 0)
    async with client_of(server) as client:
        assert refusal(await client.get("/v1/stats")) == (500, "failed")
        assert (await client.get("/healthz")).status_code == 200
    assert "A request failed" in caplog.text
    await until(lambda: not server.service.connected)


async def test_what_is_of_all_projects_is_not_for_a_token_of_one(server: Server) -> None:
    token = limited(server, "read", "control", projects=("shop",))
    async with client_of(server, token) as client:
        for answer in (
            await client.get("/metrics"),
            await client.patch("/v1/config", json={"throttle_ms": 1}),
            await client.post("/v1/config/optimize"),
        ):
            assert refusal(answer) == (403, "project_refused")
        assert (await client.get("/v1/config")).status_code == 200


def test_nothing_of_a_request_runs_in_another_thread() -> None:
    def calls(dependant: Dependant) -> Iterator[object]:
        yield dependant.call
        for dependency in dependant.dependencies:
            yield from calls(dependency)

    # /mcp is an app of its own, without dependencies that FastAPI would call.
    routes = [route for router in ROUTERS for route in router.routes if hasattr(route, "dependant")]
    called = {call for route in routes for call in calls(getattr(route, "dependant"))}  # noqa: B009
    assert len(called) > 15
    assert [call for call in called if not inspect.iscoroutinefunction(call)] == []
