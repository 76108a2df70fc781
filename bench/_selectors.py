"""How well elements are known again after pages have changed: random changes of five pages in a real Chromium, through the real
page script and the real ranking. What was changed is hidden from both: all elements are new ones, and the one that was meant is
known to the page's own world alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _rig import Must, page_server, report, spread
from playwright.async_api import CDPSession, Page

from firstcause.api.observation import resolver
from firstcause.correlator.selectors.ranking import Suggestion, suggest
from firstcause.correlator.selectors.wording import selector_of
from firstcause.observer.domains.page_script import WORLD, SelectorMatches
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal
from firstcause.observer.sources.launch import launch

PAGES = Path(__file__).parent / "pages"
WORDS = (PAGES / "words.txt").read_text("utf-8").split()
NAMES = ("article", "dashboard", "form", "shop", "table")
TABS = 5
TRIALS_A_PAGE = 12
SIGNAL_TIMEOUT_S = 20.0
BROKEN = frozenset({"missing", "ambiguous"})
BREAKS = {
    "id": ("rename_id",),
    "test": ("rename_test", "drop_test"),
    "field": ("rename_field",),
    "class": ("rename_class", "hash_classes"),
    "href": ("rehref",),
    "label": ("retext",),
    "path": ("wrap", "move_far", "retag", "insert_before"),
}
COPIES = ("copy_far", "copy_container")
DELETES = ("delete", "delete_container")
EXTRAS = (
    "rename_id",
    "rename_test",
    "rename_field",
    "rename_class",
    "hash_classes",
    "rehref",
    "retext_some",
    "retext",
    "wrap",
    "move_end",
    "move_far",
    "move_container",
    "insert_before",
    "retag",
)


@dataclass
class Trial:
    """One change of one page, and what was said of it."""

    page: str
    selector: str
    steps: list[list[Any]]
    deleted: bool = False
    right: bool = False
    confident: bool = False
    score: float = 0.0
    margin: float = 0.0
    ranking_ms: float = 0.0
    proposed: str = ""

    def says(self) -> str:
        steps = "+".join(step[0] for step in self.steps)
        return f"{self.page} {self.selector} {steps}: {self.score:.2f} by {self.margin:.2f}, {self.proposed}"


class Tab:
    """A page, what it is observed to say of its selectors, and a draw of its own."""

    def __init__(self, page: Page, session: CDPSession, target: str, url: str, mutate: str) -> None:
        self.name = ""
        self.target = target
        self._page = page
        self._session = session
        self._world = 0
        self._url = url
        self._mutate = mutate
        self._left = 0
        self._targets: list[dict[str, Any]] = []

    async def show(self, rng: random.Random) -> list[dict[str, Any]]:
        """The page as it was made, another one now and then; gives what may be watched."""
        if self._left == 0:
            self.name, self._left = rng.choice(NAMES), TRIALS_A_PAGE
            await self._page.goto(f"{self._url}/{self.name}")
            self._targets = await self._page.evaluate(f"(globalThis.bench = {self._mutate}).targets()")
        self._left -= 1
        await self._page.evaluate("bench.reset()")
        return self._targets

    async def watch(self, selector: str) -> None:
        """It alone, in this tab alone; an observer would have all pages watch it."""
        expression = f"firstcause.watch([]); firstcause.watch({json.dumps([selector])})"
        await self._session.send("Runtime.evaluate", {"expression": expression, "contextId": self._world})

    def entered(self, created: dict[str, Any]) -> None:
        if created["context"]["name"] == WORLD:
            self._world = created["context"]["id"]

    async def change(self, given: dict[str, Any]) -> bool:
        return await self._page.evaluate("(given) => bench.change(given)", given)

    async def is_truth(self, selector: str) -> bool:
        """Whether Playwright finds exactly the element that was meant."""
        found = "(elements) => elements.length === 1 && elements[0] === globalThis.truth"
        return await self._page.locator(selector).evaluate_all(found)


async def opened(page: Page, url: str, mutate: str) -> Tab:
    session = await page.context.new_cdp_session(page)
    target = (await session.send("Target.getTargetInfo"))["targetInfo"]["targetId"]
    tab = Tab(page, session, target, url, mutate)
    session.on("Runtime.executionContextCreated", tab.entered)
    await session.send("Runtime.enable")
    return tab


class Watching:
    """What the tabs tell of their selectors."""

    def __init__(self) -> None:
        self._told: defaultdict[str, asyncio.Queue[SelectorMatches]] = defaultdict(asyncio.Queue)

    def take(self, signal: Signal) -> None:
        if isinstance(signal.detail, SelectorMatches):
            self._told[signal.target].put_nowait(signal.detail)

    async def until(self, tab: Tab, selector: str, states: frozenset[str]) -> SelectorMatches:
        async with asyncio.timeout(SIGNAL_TIMEOUT_S):
            while True:
                told = await self._told[tab.target].get()
                if told.selector == selector and told.state in states:
                    return told


@dataclass
class Bench:
    watching: Watching
    trials: list[Trial] = field(default_factory=list)
    unbroken: int = 0

    async def run(self, tab: Tab, count: int, rng: random.Random) -> None:
        while count:
            trial = await self._try(tab, rng)
            if trial is None:
                self.unbroken += 1
            else:
                self.trials.append(trial)
                count -= 1

    async def _try(self, tab: Tab, rng: random.Random) -> Trial | None:
        target = rng.choice(await tab.show(rng))
        kind, selector = rng.choice(target["kinds"])
        steps = steps_of(kind, rng)
        await tab.watch(selector)
        await self.watching.until(tab, selector, frozenset({"healthy"}))
        broken = await tab.change({"index": target["index"], "selector": selector, "steps": steps})
        told = await self.watching.until(tab, selector, BROKEN) if broken else None
        return await judged(Trial(tab.name, selector, steps), told, tab) if told is not None else None


def steps_of(kind: str, rng: random.Random) -> list[list[Any]]:
    """What breaks the selector, and up to two things more."""
    drawn = rng.random()
    if drawn < 0.15:
        return [step(rng.choice(DELETES), rng)]
    extras = rng.sample(EXTRAS, rng.choice((0, 0, 1, 1, 2)))
    if drawn < 0.25 and kind != "path":
        # Last: what is changed after it was copied may be less like itself than the copy.
        return [step(name, rng) for name in (*extras, rng.choice(COPIES))]
    names = [*extras, rng.choice(BREAKS[kind])]
    rng.shuffle(names)
    return [step(name, rng) for name in dict.fromkeys(names)]


def step(name: str, rng: random.Random) -> list[Any]:
    return [name, rng.sample(WORDS, rng.choice((1, 2))), rng.choice((1, 2, 3))]


async def judged(trial: Trial, told: SelectorMatches, tab: Tab) -> Trial:
    began_s = time.perf_counter()
    found: Suggestion = suggest(told.was, told.candidates)
    trial.ranking_ms = (time.perf_counter() - began_s) * 1000
    trial.deleted = any(step[0] in DELETES for step in trial.steps)
    trial.confident = found.confident
    if found.best is not None:
        trial.score, trial.margin = found.best.score, found.margin
        trial.proposed = selector_of(found.best.candidate)
        trial.right = not trial.deleted and await tab.is_truth(trial.proposed)
    return trial


def figures_of(trials: Sequence[Trial]) -> dict[str, Any]:
    living = [trial for trial in trials if not trial.deleted]
    confident = [trial for trial in trials if trial.confident]
    right = sum(trial.right for trial in confident)
    return {
        "trials": len(trials),
        "deleted": len(trials) - len(living),
        "deleted_confident": sum(trial.deleted for trial in confident),
        "top_1": round(sum(trial.right for trial in living) / max(1, len(living)), 3),
        "confident": len(confident),
        "confident_right": round(right / max(1, len(confident)), 4),
        "confident_of_living": round(right / max(1, len(living)), 3),
    }


def show(trials: Sequence[Trial]) -> None:
    for trial in trials:
        if trial.confident and not trial.right:
            print(f"WRONG {trial.says()}")
    for trial in trials:
        if not trial.deleted and not trial.right and not trial.confident:
            print(f"miss  {trial.says()}")
    for name in NAMES:
        print(name, figures_of([trial for trial in trials if trial.page == name]))
    missed = Counter(
        step[0] for trial in trials if not trial.deleted and not trial.right for step in trial.steps
    )
    print("missed after", dict(missed.most_common()))


async def run(count: int, seed: int) -> int:
    pages = {f"/{name}": (PAGES / f"{name}.html").read_text("utf-8") for name in NAMES}
    mutate = f"({(PAGES / 'mutate.js').read_text('utf-8')})"
    watching = Watching()
    began_s = time.monotonic()
    async with page_server(pages) as server, launch() as browser:
        options = CaptureOptions("lean", hang_stacks=False, markers=False)
        assert browser.browser is not None
        async with Observer(resolver(browser.ws_url), watching.take, options):
            context = await browser.browser.new_context()
            tabs = [await opened(await context.new_page(), server.url, mutate) for _ in range(TABS)]
            bench = Bench(watching)
            # Each tab draws by itself: which is the faster must not change what is tried.
            draws = (random.Random(f"{seed} {number}") for number in range(TABS))
            runs = (bench.run(tab, count // TABS, rng) for tab, rng in zip(tabs, draws, strict=True))
            await asyncio.gather(*runs)
    show(bench.trials)
    figures = figures_of(bench.trials)
    figures |= {
        "seed": seed,
        "unbroken": bench.unbroken,
        "ranking_ms": spread([trial.ranking_ms for trial in bench.trials]),
        "seconds": round(time.monotonic() - began_s, 1),
    }
    return report(
        "selectors",
        figures,
        [
            Must("trials", figures["trials"], 300, at_least=True),
            Must("top_1", figures["top_1"], 0.84, at_least=True),
            Must("confident_right", figures["confident_right"], 0.99, at_least=True),
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s: 300 changes instead of 1,500")
    parser.add_argument("--seed", type=int, default=1, help="other changes")
    given = parser.parse_args()
    return asyncio.run(run(300 if given.quick else 1_500, given.seed))
