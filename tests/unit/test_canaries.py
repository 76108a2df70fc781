"""No secret that a page puts anywhere is in anything that is told: each finding, each of its texts, each kind of secret."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from rich.console import Console

from firstcause.api.recording import Recording
from firstcause.api.server import Server
from firstcause.api.terminal import Terminal
from firstcause.correlator.event import Event
from firstcause.correlator.findings import DESCRIPTIONS
from firstcause.correlator.redact import BUILT_IN
from firstcause.observer.domains.network import shorten_url
from firstcause.observer.domains.runtime import MAX_TEXT_CHARS, shorten
from firstcause.observer.signal import Detail, Signal, StackFrame

from .canaries import CANARIES, CARD, CORE, leaks
from .serving import client_of, feeding, serving, streaming
from .signals import signal, told
from .test_findings import EVENTS

SIGNALS = [signal(detail) for detail in {kind: detail for detail, kind, *_ in EVENTS}.values()]
OURS = frozenset({"browser"})
"""Texts that no page has a part in."""


def put(text: str, canary: str) -> Iterator[str]:
    """Ways for a canary to be in a text: alone, behind it, and where it is cut, by the observer or by us."""
    yield canary
    yield f"{text} {canary}"
    for limit in (120, 160, 240, MAX_TEXT_CHARS):
        for shown in (12, 24):
            yield f"{text} {'x ' * limit}"[: limit - shown] + f" {canary}"


def texts_of(detail: Detail) -> Iterator[tuple[str, str]]:
    for name in detail.__struct_fields__:
        if isinstance(value := getattr(detail, name), str) and name not in OURS:
            yield name, value


def spoilt(one: Signal, canary: str) -> Iterator[Signal]:
    """The signal with a canary in one of its texts."""
    detail = one.detail
    for name, value in texts_of(detail):
        for text in put(value, canary):
            cut = shorten_url(text) if name.endswith("url") else shorten(text, MAX_TEXT_CHARS)
            yield msgspec.structs.replace(one, detail=msgspec.structs.replace(detail, **{name: cut}))
    frames = (
        StackFrame(canary, "http://shop.test/a.js", 1, 2),
        StackFrame("f", f"http://shop.test/{canary}", 1, 2),
    )
    yield msgspec.structs.replace(one, element=canary, stack=frames)
    yield msgspec.structs.replace(
        one, element=f"#form button[aria-label={json.dumps(canary)}]", stack=frames[1:]
    )


def test_the_table_has_every_finding() -> None:
    assert {type(one.detail) for one in SIGNALS} <= set(DESCRIPTIONS)


@pytest.mark.parametrize("kind", CANARIES)
def test_no_finding_tells_a_secret(kind: str) -> None:
    for one in SIGNALS:
        for bad in spoilt(one, CANARIES[kind]):
            for event in told(bad):
                assert not leaks(event.line()), (bad, event)


@pytest.mark.parametrize("kind", CANARIES)
def test_no_recorded_signal_holds_a_secret(kind: str) -> None:
    for one in SIGNALS:
        for bad in spoilt(one, CANARIES[kind]):
            recorded = BUILT_IN.signal(bad)
            assert not leaks(msgspec.json.encode(recorded)), bad
            assert type(recorded.detail) is type(bad.detail)


@pytest.mark.parametrize("kind", CANARIES)
def test_no_data_address_tells_what_is_in_it(kind: str) -> None:
    assert not leaks(BUILT_IN.url(f"data:text/html,{CANARIES[kind]}"))


def published() -> Iterator[dict[str, Any]]:
    step: dict[str, Any] = {"channel": "runs", "kind": "step", "summary": "x"}
    for canary in CANARIES.values():
        yield from ({**step, "summary": summary[:2000]} for summary in put("said", canary))
        for fields in ({"context": {"a": [{"b": canary}]}}, {"context": {canary: 1}}, {"page": canary[:64]}):
            yield step | fields
    for name in ("password", "apiKey", "Authorization", "set-cookie"):
        fields = {name: CORE, "list": [{name: {"deep": CORE}}], "pair": {"name": name, "value": CORE}}
        yield step | {"context": fields}
    yield step | {"context": {"card_number": int(CARD)}}


async def refused(client: httpx.AsyncClient) -> list[str]:
    """What the server says about what it does not take."""
    canary = CANARIES["query"]
    asked = (
        client.post("/v1/events", json={"channel": "runs", "kind": "step", "summary": "", "password": CORE}),
        client.post(
            "/v1/events", json={"channel": "runs", "kind": "step", "summary": "x", "context": canary}
        ),
        client.post("/v1/events", content=f'{{"password":"{CORE}"'),
        client.get("/v1/events", params={"cursor": "x", "token": CORE}),
        client.post("/v1/observe", json={"action": "attach", "cdp": f"ws://ann:{CORE}@127.0.0.1:1/x"}),
    )
    answers = [await one for one in asked]
    assert all(400 <= answer.status_code < 600 for answer in answers)
    return [answer.text for answer in answers]


async def test_no_output_of_a_server_holds_a_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    events = [event for one in SIGNALS for canary in CANARIES.values() for event in behind(one, canary)]
    async with serving(tmp_path, journal="sqlite", inline_events=200) as server:
        said = await told_of(server, events)
    said += [file.read_bytes().decode(errors="replace") for file in tmp_path.iterdir() if file.is_file()]
    captured = capfd.readouterr()
    assert not [
        text[max(0, text.find(CORE) - 300) :][:400]
        for text in (*said, captured.out, captured.err)
        if leaks(text)
    ]
    assert "***" in said[0]


async def told_of(server: Server, events: list[Event]) -> list[str]:
    """All that the server says, in every way that it has of saying something."""
    async with client_of(server) as client, streaming(server) as stream:
        await stream.subscribe(1, channels=["errors", "network_errors", "activity", "runs", "output"])
        for event in events:
            server.publish(event)
        answers = await asyncio.gather(*(client.post("/v1/events", json=fields) for fields in published()))
        assert {answer.status_code for answer in answers} == {201}
        last = {answer.json()["event"] for answer in answers}
        while last:
            last -= {event["id"] for event in (await stream.next()).get("events", ())}
        said = [json.dumps(stream.frames), *await refused(client)]
        for path in ("/v1/stats", "/metrics", "/v1/config", "/v1/observe", "/v1/events?cursor=start&wait=0"):
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            said.append(answer.text)
        async with feeding(client, cursor="start", channels="runs") as feed:
            while "live" not in (told_next := (await feed.event()).data):
                said.append(told_next)
        return said


def behind(one: Signal, canary: str) -> list[Event]:
    """What is told of a signal with a canary behind its first text."""
    texts = list(texts_of(one.detail))
    if not texts:
        return []
    name, value = texts[-1]
    return told(
        msgspec.structs.replace(
            one, detail=msgspec.structs.replace(one.detail, **{name: f"{value} {canary}"})
        )
    )


def test_no_recording_and_no_terminal_shows_a_secret(tmp_path: Path) -> None:
    events = [event for one in SIGNALS for canary in CANARIES.values() for event in behind(one, canary)]
    shown = io.StringIO()
    with (
        Recording(str(tmp_path / "events.ndjson")) as recording,
        Terminal(Console(file=shown, width=400), "watching", show_activity=True) as terminal,
    ):
        for event in events:
            assert recording.write(event)
            assert terminal.write(event)
    assert len((tmp_path / "events.ndjson").read_bytes().splitlines()) == len(events)
    assert not leaks((tmp_path / "events.ndjson").read_bytes())
    assert not leaks(shown.getvalue())
