"""Nothing is missed and nothing doubled: every failure of every kind of target, against a raw recorder and against the site itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from playwright.async_api import Error, Page

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import REPEATS, Event
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions, Level
from firstcause.observer.signal import Signal
from firstcause.observer.sources.launch import LaunchedBrowser, launch

from .broken_site import NAME, STAGES, WORKER_REALMS, BrokenSite, planned, realm_of
from .raw_recorder import Fact, RawRecorder
from .support import Bell, Cdp, Chromium, Tab, cdp_client

Failures = Counter[tuple[str, str]]

DIAGNOSTICS = ("errors", "network_errors")
# What a kind of event is an answer to; every other kind of the two channels is about a load that failed or was refused.
CLASSES = {
    "uncaught_exception": "exception",
    "worker_error": "exception",
    "unhandled_rejection": "rejection",
    "console_error": "console error",
    "console_warning": "console warning",
    "console_assert": "console assert",
    "page_crash": "crash",
}


# What the lean level has no way to see: a worker's loads are in nobody's log, and a load that the page gives up is no error there.
LEAN_IS_BLIND_FOR = {
    (f"f-{realm}-{load}", "load") for realm in WORKER_REALMS for load in ("404", "500", "refused")
} | {("f-fetch-abort", "load"), ("f-xhr-abort", "load")}


class Driver(Protocol):
    @property
    def ws_url(self) -> str: ...

    async def open(self, url: str, *, new_context: bool = False) -> Any: ...

    async def crash(self, page: Any) -> None: ...


@dataclass
class PlaywrightDriver:
    launched: LaunchedBrowser

    @property
    def ws_url(self) -> str:
        return self.launched.ws_url

    async def open(self, url: str, *, new_context: bool = False) -> Page:
        assert self.launched.browser is not None
        context = await self.launched.browser.new_context() if new_context else self.launched.context
        page = await context.new_page()
        with contextlib.suppress(Error):  # nobody listens there
            await page.goto(url, wait_until="commit")
        return page

    async def crash(self, page: Page) -> None:
        with contextlib.suppress(Error):
            await page.goto("chrome://crash")


@dataclass
class RawDriver:
    ws_url: str
    cdp: Cdp
    # Who opens a tab at an address gives nobody the time to see its first request.
    until_watched: Callable[[str], Awaitable[None]]

    async def open(self, url: str, *, new_context: bool = False) -> Tab:
        where = await self.cdp.call("Target.createBrowserContext") if new_context else {}
        tab = await self.cdp.open(**where)
        await self.until_watched(tab.target)
        await tab.goto(url)
        return tab

    async def crash(self, page: Tab) -> None:
        await page.post("Page.navigate", url="chrome://crash")


class Ears:
    """All that is listened with: the observer with the correlator behind it, and a recorder if there is one."""

    def __init__(self, level: Level, *, recorded: bool) -> None:
        self.events: list[Event] = []
        self.bell = Bell()
        self.recorder = RawRecorder(self.bell.ring) if recorded else None
        self._options = CaptureOptions(level=level)
        self._engine = Engine()
        self._loaded: set[str] = set()

    async def open(self, ws_url: str) -> None:
        async def resolve() -> str:
            return ws_url

        if self.recorder is not None:
            await self.recorder.start(ws_url)
        self._observer = await Observer(resolve, self._take, self._options).start()

    async def close(self) -> None:
        """The answers to the last commands come after all that was told before them."""
        if self.recorder is not None:
            await self.recorder.stop()
        await self._observer.stop()
        self.events += self._engine.finish()

    async def until_watched(self, target: str) -> None:
        await self.bell.until(lambda: target in self._loaded, what="the observer's set-up")
        if self.recorder is not None:
            await self.recorder.knows(target)

    async def heard(self, what: str) -> None:
        """Our own word about something, and the recorder's if it can have any."""
        await self.bell.until(
            lambda: any(what in event.line() for event in self.events), what=f"an event about {what}"
        )

    def _take(self, signal: Signal) -> None:
        self.events += self._engine.feed(signal)
        if signal.kind == "lifecycle":
            self._loaded.add(signal.target)
        self.bell.ring()
        if (due_s := self._engine.next_due_s) is not None:
            asyncio.get_running_loop().call_at(due_s, self._advance)  # both clocks are the monotonic one

    def _advance(self) -> None:
        self.events += self._engine.advance(time.monotonic())
        self.bell.ring()


@asynccontextmanager
async def beside_playwright(_: Ears) -> AsyncGenerator[Driver]:
    async with launch() as launched:
        yield PlaywrightDriver(launched)


@asynccontextmanager
async def alone(ears: Ears) -> AsyncGenerator[Driver]:
    async with Chromium(["--disable-popup-blocking"]) as chromium, cdp_client(chromium.ws_url) as cdp:
        yield RawDriver(chromium.ws_url, cdp, ears.until_watched)


Driven = Callable[[Ears], AbstractAsyncContextManager[Driver]]


async def listen(ears: Ears, driven: Driven) -> None:
    """The whole story, one stage after another, until everything that happens has happened."""
    async with BrokenSite() as site, driven(ears) as driver:
        await ears.open(driver.ws_url)
        for stage in STAGES:
            await driver.open(site.address(stage.path), new_context=stage.new_context)
            for realm in stage.realms:
                await site.hit("/done", realm=realm)
            if not stage.realms:  # nothing runs there that could say that it is through
                for name in stage.kinds:
                    await ears.heard(name)
        doomed = await driver.open(site.address("/doomed"))
        await site.hit("/done", realm="doomed")
        await driver.crash(doomed)
        await ears.heard("page_crash")
        await ears.close()


def class_of(kind: str) -> str:
    return CLASSES.get(kind, "load")


def classes(kinds: Failures) -> Failures:
    counted: Failures = Counter()
    for (name, kind), count in kinds.items():
        counted[name, class_of(kind)] += count
    return counted


def name_in(*texts: str) -> str:
    found = NAME.search(" ".join(texts))
    return found[0] if found else f"nameless: {' '.join(texts)[:160]}"


def told_by(events: Iterable[Event]) -> Failures:
    """Names and kinds. What is severity info informs; no failure is that. Of a flood the last event says how many there were."""
    told: Failures = Counter()
    floods: Counter[str] = Counter()
    for event in events:
        if event.channel not in DIAGNOSTICS or event.severity == "info":
            continue
        name = "crash" if event.kind == "page_crash" else name_in(event.summary, str(event.context))
        flood = str(event.context.get(REPEATS, event.id))
        told[name, event.kind] += event.count - floods[flood]
        floods[flood] = event.count
    return told


class Truth:
    """The failures in a recording, by these rules:

    - an exception is a failure, unless it is a rejection that is revoked;
    - every console.error, warn and assert is one; so is a crash of a target, however often Chrome says it;
    - a worker's exception is its own; a line of source "worker" in its parent's log repeats it, and so does the exception without a
      value that a worker throws at a place of the worker that it has started;
    - a request is one failure, however often it is told: by loadingFailed, an answer ≥ 400, a socket's error, or log lines with its id;
    - but a load that is canceled after a good answer is none: Chrome does so with every answer without a body that is not read;
    - log lines without an id are about the failed request of their name, if there is one; else they are one failure for each time that
      the same line comes.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.failures: Counter[tuple[str, str]] = Counter()
        self._thrown: dict[tuple[str, int], tuple[str, str]] = {}
        self._urls: dict[str, str] = {}
        self._failed: set[str] = set()
        self._answered: set[str] = set()
        self._lines: Counter[tuple[str, str]] = Counter()
        self._crashed: set[str] = set()
        for fact in facts:
            take = getattr(self, "_" + fact.method.partition(".")[2])
            take(fact, fact.params)
        self.failures.update(self._thrown.values())
        self.failures.update(("crash", "crash") for _ in self._crashed)
        named = [name_in(self._urls[request]) for request in self._failed if request in self._urls]
        self.failures.update((name, "load") for name in named)
        for (name, _), count in self._lines.items():
            if name not in named:
                self.failures[name, "load"] = max(count, self.failures[name, "load"])

    def _exceptionThrown(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        details = params["exceptionDetails"]
        thrown = details.get("exception", {})
        if thrown.get("subtype") == "null" and details["url"] != fact.target["url"]:
            return
        text = f"{thrown.get('description', '')} {thrown.get('value', '')} {details['text']}"
        kind = "rejection" if details["text"].startswith("Uncaught (in promise") else "exception"
        self._thrown[fact.session, details["exceptionId"]] = (name_in(text), kind)

    def _exceptionRevoked(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._thrown.pop((fact.session, params["exceptionId"]), None)

    def _consoleAPICalled(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        if params["type"] in ("error", "warning", "assert"):
            text = " ".join(str(arg.get("value", arg.get("description", ""))) for arg in params["args"])
            self.failures[name_in(text), f"console {params['type']}"] += 1

    def _entryAdded(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        entry = params["entry"]
        if entry["level"] not in ("error", "warning") or entry["source"] == "worker":
            return
        name = name_in(entry["text"], entry.get("url", ""))
        if request := entry.get("networkRequestId"):
            self._urls.setdefault(request, entry.get("url", ""))
            self._failed.add(request)
        else:
            self._lines[name, entry["text"]] += 1

    def _requestWillBeSent(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._urls.setdefault(params["requestId"], params["request"]["url"])

    def _webSocketCreated(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._urls.setdefault(params["requestId"], params["url"])

    def _responseReceived(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._urls.setdefault(params["requestId"], params["response"]["url"])
        if params["response"]["status"] >= 400:
            self._failed.add(params["requestId"])
        else:
            self._answered.add(params["requestId"])

    def _loadingFailed(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        if not (params.get("canceled") and params["requestId"] in self._answered):
            self._failed.add(params["requestId"])

    def _webSocketFrameError(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._failed.add(params["requestId"])

    def _targetCrashed(self, fact: Fact, params: dict[str, Any]) -> None:  # noqa: N802
        self._crashed.add(fact.target["targetId"])


def difference(known: Failures, ours: Failures, events: Iterable[Event] = ()) -> str:
    """What is missing and what is too much, a line each, with the events of that name."""
    lines: list[str] = []
    for failure in sorted((known - ours) | (ours - known)):
        wrong = "missing" if known[failure] > ours[failure] else "doubled" if known[failure] else "invented"
        lines.append(f"{wrong}: {' · '.join(failure)}: {known[failure]} known, {ours[failure]} told")
        lines += [f"    {event.line()}" for event in events if failure[0] in event.line()]
    return "\n".join(lines)


@pytest.mark.parametrize("driven", [beside_playwright, alone])
async def test_nothing_is_missing_and_nothing_doubled(driven: Driven) -> None:
    ears = Ears("full", recorded=True)
    await listen(ears, driven)
    assert ears.recorder is not None
    truth, plan, ours = Truth(ears.recorder.facts).failures, planned(), told_by(ears.events)
    assert not (wrong := difference(plan, ours, ears.events)), f"the events against the site:\n{wrong}"
    # A worker runs as soon as one client lets it go, so a recorder that is slower than the others may miss its first loads.
    late = {
        failure
        for failure in classes(plan) - truth
        if failure[1] == "load" and realm_of(failure[0]) in WORKER_REALMS
    }
    for failure in late:
        truth[failure] = classes(plan)[failure]
    assert not (wrong := difference(truth, classes(ours), ears.events)), (
        f"the events against the recorder:\n{wrong}"
    )


@pytest.mark.parametrize("driven", [beside_playwright, alone])
async def test_the_lean_level_misses_just_what_it_says(driven: Driven) -> None:
    ears = Ears("lean", recorded=False)
    await listen(ears, driven)
    visible: Failures = Counter(
        {failure: count for failure, count in classes(planned()).items() if failure not in LEAN_IS_BLIND_FOR}
    )
    assert not (wrong := difference(visible, classes(told_by(ears.events)), ears.events)), wrong
