"""Plays stories: a browser with an observer beside it, a visitor that does the steps, and what was seen and told meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.async_api import Dialog, Frame, FrameLocator, Page
from playwright.async_api import TimeoutError as NotInTime

from firstcause.api.observation import resolver
from firstcause.api.stories import Matcher, Step, Story, StoryServer, read_story
from firstcause.correlator.engine import Engine, new_uuid7
from firstcause.correlator.event import Event
from firstcause.observer.domains.network import RequestSent
from firstcause.observer.domains.page import Lifecycle
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Detail, Signal
from firstcause.observer.sources.launch import LaunchedBrowser, launch

from ..links import STORIES, Published, Recorded, is_meant, missing
from ..npm_packages import npm_packages
from .support import Bell

STEP_PATIENCE_S = 15.0


@dataclass
class Played:
    """One story as it was played: `record` is what an engine needs to tell the same again."""

    name: str
    story: Story
    address: str
    record: list[Recorded] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Stage:
    """A browser on which one story after the other is played, each in a context of its own."""

    def __init__(self, browser: LaunchedBrowser, packages: Path | None) -> None:
        self._browser = browser
        self._packages = packages

    async def play(self, name: str, options: CaptureOptions | None = None, *, twin: bool = False) -> Played:
        """Plays the story of that folder, or its twin just below the trigger."""
        assert self._browser.browser is not None
        folder = STORIES / name
        story = read_story(folder).twin if twin else read_story(folder)
        async with StoryServer(folder, story=story, packages=self._packages) as server:
            played = Played(name, server.story, urlsplit(server.url).netloc)
            async with (
                Audience(played) as audience,
                Observer(resolver(self._browser.ws_url), audience.take, _captured(options, played.story)),
                await self._browser.browser.new_context() as context,
            ):
                page = await context.new_page()
                await audience.until_set_up()
                await page.goto(server.url + played.story.open, timeout=STEP_PATIENCE_S * 1000)
                visitor = Visitor(page, audience, server.url)
                for step in played.story.steps:
                    await visitor.do(step)
                await audience.until_all_came()
        return played


class Audience:
    """Takes the signals, has an engine tell what they mean, and wakes whoever waits for something."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._engine = Engine(thresholds=played.story.thresholds)
        self._bell = Bell()
        self._due: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._due is not None:
            self._due.cancel()
        self._tell(self._engine.finish())

    def take(self, signal: Signal) -> None:
        self._played.record.append(signal)
        self._tell(self._engine.feed(signal))

    def publish(self, event: Event) -> None:
        now_s = time.monotonic()
        self._played.record.append(Published(now_s, event.line()))
        self._tell(self._engine.advance(now_s))
        self._tell(self._engine.join(event))

    @property
    def page(self) -> str:
        """The page that was opened first."""
        signals = (item for item in self._played.record if isinstance(item, Signal))
        return next((signal.page for signal in signals if signal.page), "")

    async def until_set_up(self) -> None:
        """The observer may be later than Playwright, and would miss how the page begins."""

        def loaded() -> bool:
            return any(isinstance(detail, Lifecycle) and detail.name == "load" for detail in self._details())

        await self._bell.until(loaded, STEP_PATIENCE_S, "the observer's set-up of an empty page")

    async def until_request(self, method: str, path: str) -> None:
        def sent() -> bool:
            requests = [detail for detail in self._details() if isinstance(detail, RequestSent)]
            return any(request.method == method and path in request.url for request in requests)

        await self._bell.until(sent, STEP_PATIENCE_S, f"{method} {path}")

    async def until_told(self, matcher: Matcher) -> None:
        await self._bell.until(
            lambda: any(is_meant(matcher, event) for event in self._played.events),
            STEP_PATIENCE_S,
            str(matcher),
        )

    async def until_all_came(self) -> None:
        def came() -> bool:
            return not missing(self._played.story, self._played.events)

        await self._bell.until(came, STEP_PATIENCE_S, self._what_is_missing)

    def _details(self) -> list[Detail]:
        return [item.detail for item in self._played.record if isinstance(item, Signal)]

    def _what_is_missing(self) -> str:
        told = [f"{event.kind} {event.summary}" for event in self._played.events]
        return f"{missing(self._played.story, self._played.events)}; told: {told}"

    def _tell(self, events: list[Event]) -> None:
        self._played.events += events
        due_s = self._engine.next_due_s
        if due_s is not None:
            loop = asyncio.get_running_loop()
            at_s = loop.time() + max(0.0, due_s - time.monotonic())
            if self._due is None or at_s < self._due.when():
                if self._due is not None:
                    self._due.cancel()
                self._due = loop.call_at(at_s, self._advance)
        self._bell.ring()

    def _advance(self) -> None:
        self._due = None
        self._tell(self._engine.advance(time.monotonic()))


class Visitor:
    """Does the steps of a story with real input."""

    def __init__(self, page: Page, audience: Audience, address: str) -> None:
        self._page = page
        self._page.set_default_timeout(STEP_PATIENCE_S * 1000)
        self._audience = audience
        self._address = address
        self._answer = "dismiss"
        self._open_dialogs: list[Dialog] = []
        self._page.on("dialog", self._take)

    async def do(self, step: Step) -> None:
        match step:
            case ("click", selector):
                await self._located(selector).click()
            case ("double_click", selector):
                await self._located(selector).dblclick()
            case ("triple_click", selector):
                await self._located(selector).click(click_count=3)
            case ("hover", selector):
                await self._located(selector).hover()
            case ("scroll", selector):
                await self._located(selector).scroll_into_view_if_needed()
            case ("drag", selector, onto):
                await self._located(selector).drag_to(self._located(onto))
            case ("go", where):
                await self._go(where)
            case ("dialogs", answer):
                await self._answer_dialogs(answer)
            case ("type", selector, text):
                await self._located(selector).press_sequentially(text)
            case ("press", selector, key):
                await self._located(selector).press(key)
            case ("run", script):
                await self._page.evaluate(script)
            case ("wait_for", Matcher() as matcher):
                await self._audience.until_told(matcher)
            case ("wait_for", str(what)) if " /" in what:
                await self._audience.until_request(*what.split(" ", 1))
            case ("wait_for", selector):
                await self._page.wait_for_selector(selector, state="attached")
            case ("expect", selector, within_ms):
                await self._expect(selector, within_ms)
            case _:
                raise AssertionError(f"no visitor can do {step}")

    def _located(self, selector: str):
        place: Page | Frame | FrameLocator = self._page
        *frames, wanted = selector.split(" >> ")
        for frame in frames:
            place = place.frame_locator(frame)
        return place.locator(wanted)

    async def _go(self, where: str) -> None:
        if where == "back":
            await self._page.go_back()
        elif where == "forward":
            await self._page.go_forward()
        elif where == "reload":
            await self._page.reload()
        else:
            await self._page.goto(self._address + where)

    async def _take(self, dialog: Dialog) -> None:
        self._open_dialogs.append(dialog)
        await self._answer_dialogs(self._answer)

    async def _answer_dialogs(self, answer: str) -> None:
        """As this and all later ones are to be answered."""
        self._answer = answer
        while answer != "leave" and self._open_dialogs:
            dialog = self._open_dialogs.pop()
            await (dialog.accept() if answer == "accept" else dialog.dismiss())

    async def _expect(self, selector: str, within_ms: int) -> None:
        try:
            await self._page.wait_for_selector(selector, state="attached", timeout=within_ms)
        except NotInTime:
            self._audience.publish(
                assertion_failed(
                    f"expected {selector} to appear within {within_ms} ms", selector, self._audience.page
                )
            )


def assertion_failed(summary: str, selector: str, page: str) -> Event:
    """What a test would publish."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return Event(
        id=new_uuid7(),
        seq=1,
        timestamp=now,
        project="default",
        session=new_uuid7(),
        page=page,
        channel="errors",
        type="error",
        kind="assertion_failed",
        severity="high",
        summary=summary,
        context={"selector": selector},
        fingerprint="a55e2710",
        count=1,
    )


def _captured(options: CaptureOptions | None, story: Story) -> CaptureOptions:
    chosen: dict[str, Any] = {**story.capture, "watched_selectors": story.watch}
    return replace(options or CaptureOptions(), **chosen)


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    packages = await asyncio.to_thread(installed_packages)
    async with launch() as browser:
        yield Stage(browser, packages)


def installed_packages() -> Path | None:
    """What stories load from /npm/; None where that can't be had: then stories bring stand-ins."""
    folder = npm_packages(STORIES, without_maps)
    return folder and folder / "node_modules"


def without_maps(folder: Path) -> None:
    """An observer reads the maps of what it watches; recordings would be a hundred times as long."""
    for source_map in Path(folder, "node_modules").rglob("*.map"):
        source_map.unlink()
