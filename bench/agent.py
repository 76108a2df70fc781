"""What an AI agent waits for and reads: how soon `wait_for_events` answers, and how many bytes tell the true cause of what broke."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from _agents import PEERS, Agent, Ours, installed_peers, ours
from _rig import ROOT, Chrome, Must, chrome, percentile, report
from _truth import Account, true_words
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import TimeoutError as NotInTime

from firstcause.api.stories import Step, StoryServer, read_story

STORIES = ROOT / "e2e_fixtures"
SCENARIOS = (
    "cart-add",
    "token-refresh",
    "chunk-missing",
    "partner-cors",
    "settings-save",
    "sync-retry-loop",
    "styles-missing",
    "detectors/reload_loop",
)
P95_MS = 100.0
SHARE = 0.1
POLL_S = 5.0
STAMPS = 200
QUICK_STAMPS = 60
EVERY_S = (0.1, 0.3)
QUIET_S = 0.8
MINUTE_S = 60.0
USED = "used"
USE = """
() => {
    let views = 0;
    setInterval(async () => {
        const answer = await fetch(`/?view=${++views}`);
        console.log("view", views, (await answer.text()).length);
    }, 1000);
}
"""
# In letters: errors that differ by their numbers alone are told as one.
STAMP = re.compile(r"stamp ([a-j]+)")
DIGITS = str.maketrans("0123456789", "abcdefghij")
LETTERS = str.maketrans("abcdefghij", "0123456789")
# Each from a script of its own: what the same place says over and over is told with a count.
STAMPED = """
name => setTimeout(() => (0, eval)(`
    const at_us = String(Math.round((performance.timeOrigin + performance.now()) * 1000));
    throw new Error("stamp " + at_us.replace(/[0-9]/g, digit => "abcdefghij"[digit]));
    //# sourceURL=${name}.js`))
"""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s; fewer stamps, so more noise")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="the same on other MCP servers, which npm installs; takes minutes",
    )
    parser.add_argument("--show", action="store_true", help="print all that was read")
    return parser.parse_args()


def now_ms() -> float:
    return time.time() * 1000


# --- how soon ----------------------------------------------------------------------------------------------------------


def stamped_ms(stamp: str) -> float:
    return int(stamp.translate(LETTERS)) / 1000


@dataclass(slots=True)
class Stamps:
    """When an agent first read each of the page's own stamps."""

    at: dict[str, float] = field(default_factory=dict[str, float])

    def take(self, text: str) -> None:
        came_ms = now_ms()
        for stamp in STAMP.findall(text):
            self.at.setdefault(stamp, came_ms)

    @property
    def lags_ms(self) -> list[float]:
        return [came_ms - stamped_ms(stamp) for stamp, came_ms in self.at.items()]


async def waits(agent: Agent, stamps: Stamps) -> None:
    cursor = ""
    while True:
        text, answer = await agent.ask(Account(()), "wait_for_events", cursor=cursor, max_tokens=4000)
        stamps.take(text)
        cursor = answer["cursor"]


async def polls(agent: Agent, stamps: Stamps) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        text, _ = await agent.ask(Account(()), "observe", what="events", max_tokens=4000)
        stamps.take(text)


async def how_soon(agent: Ours, browser: Chrome, driver: Browser, count: int) -> dict[str, Any]:
    """One agent waits, and one beside it reads the list of the latest every 5 s, as an agent must that nobody tells anything."""
    page = await driver.contexts[0].new_page()
    await agent.attend(Account(()), browser.ws_url, page.url)
    waiting, polling = Stamps(), Stamps()
    tasks = [asyncio.create_task(waits(agent, waiting)), asyncio.create_task(polls(agent, polling))]
    chance = random.Random(6)
    for number in range(count):
        name = str(number).translate(DIGITS)
        await page.evaluate(STAMPED, name)
        await asyncio.sleep(chance.uniform(*EVERY_S))
    await asyncio.wait(tasks, timeout=POLL_S + 1)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await page.close()
    await agent.leave()
    return {"stamps": count, **soon_figures(waiting.lags_ms, polling.lags_ms)}


def soon_figures(waiting_ms: Sequence[float], polling_ms: Sequence[float]) -> dict[str, Any]:
    told = {
        who: {
            "seen": len(lags_ms),
            "p50_ms": round(percentile(lags_ms, 0.5), 1),
            "p95_ms": round(percentile(lags_ms, 0.95), 1),
        }
        for who, lags_ms in (("waiting", waiting_ms), ("polling", polling_ms))
    }
    return {**told, "speed_up": round(statistics.median(polling_ms) / statistics.median(waiting_ms), 1)}


# --- how much ----------------------------------------------------------------------------------------------------------


async def visit(page: Page, address: str, steps: Sequence[Step]) -> None:
    """As far as the stories above need it."""
    for step in steps:
        match step:
            case ("click", selector):
                await page.click(selector)
            case ("wait_for", str(what)) if " /" in what:
                path = what.split(" ", 1)[1]
                await page.wait_for_function(
                    "path => performance.getEntriesByType('resource').some(one => one.name.includes(path))"
                    " || new Promise(done => setTimeout(done, 300, true))",
                    arg=path,
                )
            case ("expect", selector, within_ms):
                with suppress(NotInTime):
                    await page.wait_for_selector(selector, state="attached", timeout=within_ms)
            case _:
                raise ValueError(f"no visitor can do {step} at {address}")


async def settled(server: StoryServer) -> None:
    """Until nothing has been asked for in a while."""
    hits = -1
    while hits != len(server.hits):
        hits = len(server.hits)
        await asyncio.sleep(QUIET_S)


async def diagnosed(
    agent: Agent, browser: Chrome, driver: Browser, name: str, *, show: bool
) -> dict[str, Any]:
    """What the agent read until it held the true cause of what broke in that story."""
    story = read_story(STORIES / name)
    account = Account(true_words(story))
    async with StoryServer(STORIES / name, story=story) as server:
        page = await driver.contexts[0].new_page()
        try:
            await page.goto(f"data:text/html,<!doctype html><title>{name}</title>")
            await agent.attend(account, browser.ws_url, name)
            await page.goto(server.url + story.open)
            await visit(page, server.url, story.steps)
            await settled(server)
            with suppress(TimeoutError):  # an answer that never came: what was read until then counts
                await agent.find(account)
            await agent.leave()
        finally:
            await page.close()
    if show:
        print(f"{agent.name} on {name}, until {account.words}:", *account.said, sep="\n--- ")
    return account.told()


@asynccontextmanager
async def driven(browser: Chrome) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(browser.ws_url)


async def watched(agents: Sequence[Agent], browser: Chrome, driver: Browser) -> dict[str, Any]:
    """What each reads in a minute about a page that is used and well, all at the same time."""
    accounts = {agent.name: Account(()) for agent in agents}
    async with StoryServer(STORIES / SCENARIOS[0]) as server:
        page = await driver.contexts[0].new_page()
        await page.goto(f"data:text/html,<!doctype html><title>{USED}</title>")
        for agent in agents:
            await agent.attend(Account(()), browser.ws_url, USED)
        await page.goto(server.url)
        await page.evaluate(USE)
        await asyncio.gather(*(agent.watch(accounts[agent.name], MINUTE_S) for agent in agents))
        for agent in agents:
            await agent.leave()
        await page.close()
    return {name: account.told() for name, account in accounts.items()}


def ratios(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], before: tuple[int, int] = (0, 0)
) -> dict[str, float]:
    """Our bytes to theirs for each scenario whose cause both found; `before` that each has read so much."""
    return {
        name: round((mine[name]["bytes"] + before[0]) / (theirs[name]["bytes"] + before[1]), 3)
        for name in mine
        if mine[name]["found"] and theirs[name]["found"]
    }


def compared(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Ours to each peer: of the diagnosis alone, and after a minute in which nothing had broken yet."""
    read, minute = figures["read"], figures["minute"]
    told: dict[str, Any] = {}
    for peer in PEERS:
        before = (minute[Ours.name]["bytes"], minute[peer]["bytes"])
        alone, after = ratios(read[Ours.name], read[peer]), ratios(read[Ours.name], read[peer], before)
        told[peer] = {
            "diagnosis": alone,
            "diagnosis_median": round(statistics.median(alone.values()), 3),
            "after_a_minute": after,
            "after_a_minute_median": round(statistics.median(after.values()), 3),
        }
    return told


async def measure(given: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"read": {}, "before_any_call": {}}
    modules = await asyncio.to_thread(installed_peers) if given.peers else None
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chrome())
        driver = await stack.enter_async_context(driven(browser))
        mine = await stack.enter_async_context(ours())
        figures["soon"] = await how_soon(mine, browser, driver, QUICK_STAMPS if given.quick else STAMPS)
        agents: list[Agent] = [mine]
        if modules is not None:
            for peer in PEERS.values():
                other: Agent = await stack.enter_async_context(peer(modules, browser.ws_url))
                agents.append(other)
            figures["minute"] = await watched(agents, browser, driver)
        for agent in agents:
            figures["before_any_call"][agent.name] = await agent.before_any_call()
            figures["read"][agent.name] = {
                name: await diagnosed(agent, browser, driver, name, show=given.show) for name in SCENARIOS
            }
    if modules is not None:
        figures["ours_to"] = compared(figures)
    return figures


def musts_of(figures: Mapping[str, Any]) -> list[Must]:
    soon, mine = figures["soon"], figures["read"][Ours.name]
    return [
        Must("p95_ms", soon["waiting"]["p95_ms"], P95_MS),
        Must("stamps_unseen", soon["stamps"] - soon["waiting"]["seen"], 0),
        Must("causes_found", sum(told["found"] for told in mine.values()), len(SCENARIOS), at_least=True),
        *(
            Must(f"{what}_to_{peer}", told[what], SHARE)
            for peer, told in figures.get("ours_to", {}).items()
            for what in ("diagnosis_median", "after_a_minute_median")
        ),
    ]


def show(figures: Mapping[str, Any]) -> None:
    soon = figures["soon"]
    for who in ("waiting", "polling"):
        print(f"{who}: p50 {soon[who]['p50_ms']} ms, p95 {soon[who]['p95_ms']} ms")
    print(f"waiting is {soon['speed_up']} times as soon in the median")
    for who, read in figures["read"].items():
        found = [told["bytes"] for told in read.values() if told["found"]]
        middle = statistics.median(found) if found else 0
        print(f"{who}: {len(found)} of {len(read)} causes, {middle:g} bytes in the median; ", end="")
        print(", ".join(f"{name} {told['bytes']}" for name, told in read.items()))
    for peer, told in figures.get("ours_to", {}).items():
        print(f"ours to {peer}: {told['diagnosis_median']}, after a minute {told['after_a_minute_median']}")


def main() -> int:
    figures = asyncio.run(measure(options()))
    show(figures)
    return report("agent", figures, musts_of(figures))


if __name__ == "__main__":
    sys.exit(main())
