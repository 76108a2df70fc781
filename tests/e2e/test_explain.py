"""From a click to a failed test in one chain: told live, explained over HTTP, from a file of events and from one of signals."""

from __future__ import annotations

import gzip
import json
import re
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright
from playwright.async_api import TimeoutError as NotInTime

from firstcause.api.observation import Observation
from firstcause.api.playback import Replay
from firstcause.correlator.event import Event
from firstcause.observer.recorded import RecordedSignals
from firstcause.observer.signal import Signal
from firstcause.observer.sources.attach import ws_url_of
from firstcause.observer.sources.discover import find_browser

from ..unit.serving import client_of, streaming
from ..unit.signals import write_signals
from .support import Answer, Bell, Chromium, Site, cdp_client
from .test_cli import Running, running
from .test_streaming import Place, place_of

SECRET = "Zq7Xv93kLmW2pR8tY5"
SAVE = """
document.querySelector('#save').onclick = async () => {
    const answer = await fetch('/api/save?token=TOKEN', {method: 'POST'});
    if (answer.ok) document.querySelector('#form').dataset.status = 'success';
    else console.error('Failed to save');
};
""".replace("TOKEN", SECRET)
BODY = "<div id=form><button id=save>Save</button></div>"
SUCCESS = '[data-status="success"]'
FAILURE = Answer("no", status="500 Internal Server Error")
KINDS = ["user_action", "http_error", "console_error", "selector_missing", "assertion_failed"]
MISSING: dict[str, Any] = {
    "channel": "selectors",
    "kind": "selector_missing",
    "severity": "high",
    "summary": f"{SUCCESS} did not appear within 200 ms",
    "context": {"selector": SUCCESS},
    "page": "p1",
}
FAILED: dict[str, Any] = {
    "channel": "errors",
    "kind": "assertion_failed",
    "severity": "high",
    "summary": "test_saving: the order is not saved",
    "page": "p1",
}


@asynccontextmanager
async def driven() -> AsyncGenerator[tuple[str, Page]]:
    """A browser in the hands of Playwright: where it is, and its page."""
    async with async_playwright() as playwright:
        path = find_browser().path
        browser = await playwright.chromium.launch(executable_path=path, args=["--remote-debugging-port=0"])
        try:
            yield await ws_url_of(browser), await browser.new_page()
        finally:
            await browser.close()


async def fails(page: Page, site: Site) -> None:
    """The test of somebody who saves."""
    site.routes["/api/save"] = FAILURE
    await page.goto(site.page("/order", SAVE, BODY))
    await page.click("#save")
    with pytest.raises(NotInTime):
        await page.locator(SUCCESS).wait_for(timeout=200)


async def told_by_the_test(place: Place, watch: Running, cause: bool) -> None:
    """What a test-runner publishes: over HTTP, then in the stream; it may say itself what came of what."""
    await watch.told(kind="console_error")
    async with client_of(place) as client, streaming(place) as stream:
        answer = await client.post("/v1/events", json=MISSING)
        assert answer.status_code == 201
        named = {"cause": answer.json()["event"]} if cause else {"context": {"selector": SUCCESS}}
        assert (await stream.ask("publish", event={**FAILED, **named}))["op"] == "published"
    await watch.told(kind="assertion_failed")


@pytest.mark.parametrize("cause", [False, True], ids=["by evidence", "by name"])
async def test_a_click_a_failed_save_and_a_failed_test_are_one_chain(
    site: Site, tmp_path: Path, cause: bool
) -> None:
    async with (
        driven() as (address, page),
        running("watch", "--cdp", address, "--json", "--activity", "--state-dir", tmp_path) as watch,
    ):
        place = await place_of(watch, tmp_path)
        await fails(page, site)
        await told_by_the_test(place, watch, cause)
        events = {event["kind"]: event for event in watch.events if event["kind"] in KINDS}
        assert list(events) == KINDS
        assert {event["correlation_id"] for event in events.values()} == {events["user_action"]["id"]}
        assert "cause" not in events["user_action"]
        for effect, direct in zip(KINDS[1:], KINDS, strict=False):
            assert events[effect]["cause"]["id"] == events[direct]["id"], (effect, events[effect])
            assert events[effect]["cause"]["confidence"] >= 0.5
        for effect in ("http_error", "console_error"):
            assert events[effect]["cause"]["confidence"] >= 0.8
        chain = events["assertion_failed"]["correlation_id"]
        async with client_of(place) as client:
            kept = (await client.get(f"/v1/chains/{chain}")).json()["events"]
            answer = (await client.get(f"/v1/chains/{chain}/explain")).json()
            plain = await client.get(f"/v1/chains/{chain}/explain", headers={"accept": "text/plain"})
        assert [event["kind"] for event in kept if event["kind"] in KINDS] == KINDS
        assert [step["kind"] for step in answer["steps"]] == KINDS
        assert answer["first_failure"] == events["http_error"]["id"]
        assert plain.text == answer["text"] + "\n"
        assert await watch.end(signal.SIGINT) == 0
    recording = tmp_path / "events.ndjson"
    recording.write_text(watch.out)
    async with running("explain", recording) as explain:
        assert await explain.end() == 0
    assert explain.out == plain.text
    assert len(explain.out.encode()) < 1500
    lines = explain.out.splitlines()
    assert lines[0].startswith("assertion_failed (high) on p1 goes back to http_error (step 2)")
    for number, said in enumerate(
        ("click on", "POST /api/save", "Failed to save", SUCCESS, "test_saving"), 1
    ):
        assert re.search(rf"^{number}\. .*{re.escape(said)}", explain.out, re.MULTILINE)
    assert any(line.startswith("Look at the server's log for POST /api/save") for line in lines)


async def test_signals_that_were_recorded_tell_the_chain_again(site: Site, tmp_path: Path) -> None:
    async with driven() as (address, page), running("record", "--cdp", address, "--signals") as record:
        await record.until(lambda: '"lifecycle"' in record.out)
        await fails(page, site)
        await record.until(lambda: "Failed to save" in record.out)
        assert await record.end(signal.SIGINT) == 0
    assert record.err == ""
    assert SECRET not in record.out
    story = tmp_path / "story.ndjson.gz"
    story.write_bytes(gzip.compress(record.out.encode()))
    recorded = RecordedSignals(story)
    assert len(list(recorded)) == record.out.count("\n") - 1
    assert (recorded.skipped, recorded.cut) == ({}, False)
    outs: list[str] = []
    for _ in range(2):
        async with running("replay", story, "--json", "--activity") as replay:
            assert await replay.end() == 0
        outs.append(replay.out)
    assert outs[0] == outs[1]
    events = {event["kind"]: event for event in map(json.loads, outs[0].splitlines())}
    for effect, direct in zip(KINDS[1:3], KINDS, strict=False):
        assert events[effect]["cause"]["id"] == events[direct]["id"]
        assert events[effect]["cause"]["confidence"] >= 0.8
    async with running("explain", story, events["console_error"]["id"], "--json") as explain:
        assert await explain.end() == 0
    assert [step["kind"] for step in json.loads(explain.out)["steps"]] == KINDS[:3]


MIXTURE = """
fetch('/api/save', {method: 'POST'}).then(answer => { if (!answer.ok) throw new Error('not saved'); });
fetch('/gone').then(() => setTimeout(() => console.error('gone'), 20));
const late = Promise.reject(new Error('handled later'));
setTimeout(() => late.catch(() => {}), 700);
new Image().src = '/missing.png';
const request = new XMLHttpRequest();
request.open('GET', 'http://127.0.0.1:1/');
request.onerror = () => console.warn('no answer');
request.send();
setTimeout(() => { undefinedFunction() }, 50);
setTimeout(() => console.error('the end'), 800);
"""


async def test_a_replay_tells_what_was_told_live(site: Site, chromium: Chromium, tmp_path: Path) -> None:
    events: list[Event] = []
    signals: list[Signal] = []
    bell = Bell()

    def tell(event: Event) -> None:
        events.append(event)
        bell.ring()

    site.routes["/api/save"] = FAILURE
    site.routes["/missing.png"] = Answer("no", status="404 Not Found")
    async with (
        Observation(chromium.port, tell, on_signal=signals.append),
        cdp_client(chromium.ws_url) as cdp,
    ):
        tab = await cdp.open()
        await tab.goto(site.page("/", MIXTURE))
        await bell.until(lambda: any(event.summary == "the end" for event in events))
        await tab.close()
        await bell.until(lambda: any(event.kind == "page_closed" for event in events))
    write_signals(tmp_path / "story.gz", signals)
    again = list(Replay(tmp_path / "story.gz"))
    assert links_of(again) == links_of(events)
    kinds = {event.kind for event in events}
    assert kinds >= {"http_error", "unhandled_rejection", "uncaught_exception"}
    assert sum(event.cause is not None for event in events) >= 3


def links_of(events: Sequence[Event]) -> list[tuple[str, str, str, str]]:
    """What was told, in order, and what caused it; ids differ."""
    summaries = {event.id: event.summary for event in events}
    return [
        (event.kind, event.summary, event.cause.via, summaries[event.cause.id])
        if event.cause is not None
        else (event.kind, event.summary, "", "")
        for event in events
    ]
