"""What a run tells a server: failures with what led to them, under the server's own ids; a server that fails disturbs nobody."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from firstcause.api.runner.sending import Sender
from firstcause.api.server import Server
from firstcause.correlator.event import Cause
from firstcause.observer.errors import BadUrl

from .streams import event

CAUSE = Cause(id="e2", via="task", confidence=0.95)
TOKEN = "t" * 16


def sent(url: str, *events: object) -> Sender:
    sender = Sender(url)
    sender.start()
    for one in events:
        sender.take(one)  # type: ignore[arg-type]
    sender.stop()
    return sender


async def test_failures_arrive_behind_what_led_to_them(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_TOKEN", server.token)
    sender = await asyncio.to_thread(
        sent,
        server.url,
        event("user_action", "info", id="e1", channel="activity", type="activity", summary="looked around"),
        event("user_action", "info", id="e2", channel="activity", type="activity", summary="click on #add"),
        event("js_error", "high", id="e3", cause=CAUSE, correlation_id="c1", context={"at": "cart.js:1"}),
        event("js_error", "low", id="e4", cause=CAUSE.model_copy(update={"confidence": 0.6})),
    )
    assert (sender.problem, sender.lost) == ("", 0)
    assert list(sender.ids) == ["e2", "e3", "e4"]
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        click, proven, unproven = [
            (await client.get(f"/v1/events/{name}")).json() for name in sender.ids.values()
        ]
    assert (click["summary"], click["channel"]) == ("click on #add", "activity")
    assert (proven["severity"], proven["context"], proven["correlation_id"]) == (
        "high",
        {"at": "cart.js:1"},
        "c1",
    )
    assert proven["cause"]["id"] == click["id"]
    assert "cause" not in unproven


async def test_a_server_that_is_not_there_is_a_problem_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sender = await asyncio.to_thread(sent, f"127.0.0.1:{port}", *(event("js_error") for _ in range(3)))
    assert sender.lost == 3
    assert "refused" in sender.problem.lower()


async def test_a_refusal_is_told_in_the_servers_words(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTCAUSE_TOKEN", TOKEN)
    sender = await asyncio.to_thread(sent, server.url, event("js_error"))
    assert sender.lost == 1
    assert "token" in sender.problem.lower()


def test_what_is_no_address_is_refused_at_once() -> None:
    with pytest.raises(BadUrl):
        Sender("ftp://x")
