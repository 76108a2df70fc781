"""What capturing costs: page time and CPU of all Chrome processes with ours and with Playwright, to nothing attached."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from _rig import Chrome, Must, PageServer, arguments, chrome, cpu_between, page_server, report, spread
from playwright.async_api import Playwright, async_playwright

from firstcause.observer.cdp.connection import Connection, Intake, Wanted
from firstcause.observer.cdp.targets import AttachedToTarget
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal


@dataclass(frozen=True, slots=True)
class Mode:
    """What is attached to the browser while the page works."""

    options: CaptureOptions | None = None
    playwright: bool = False
    tracing: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of each section (so many fetches, console calls, nodes …, views of the app), and for how long."""

    units: dict[str, int]
    modes: tuple[str, ...]
    settle_s: float
    ends_after_s: float


MODES = {
    "nothing": Mode(),
    "bare client": Mode(bare=True),
    "full": Mode(CaptureOptions()),
    "full, no markers": Mode(CaptureOptions(markers=False)),
    "full, no hang stacks": Mode(CaptureOptions(hang_stacks=False)),
    "lean": Mode(CaptureOptions(level="lean")),
    "playwright": Mode(playwright=True),
    "playwright + full": Mode(CaptureOptions(), playwright=True),
    "playwright + full, no markers": Mode(CaptureOptions(markers=False), playwright=True),
    "playwright + full, no hang stacks": Mode(CaptureOptions(hang_stacks=False), playwright=True),
    "playwright tracing": Mode(playwright=True, tracing=True),
}
UNITS = {
    "fetch": 300,
    "console": 550,
    "dom": 4000,
    "awaits": 75_000,
    "timers": 3000,
    "exceptions": 300,
    "app": 20,
}
PLAN = Plan(UNITS, tuple(MODES), settle_s=0.3, ends_after_s=330.0)
QUICK_PLAN = Plan(
    {**UNITS, "fetch": 150, "console": 330, "dom": 2000, "exceptions": 200, "app": 12},
    tuple(mode for mode in MODES if "no hang stacks" not in mode and mode != "bare client"),
    settle_s=0.15,
    ends_after_s=42.0,
)

PAGE = """<!doctype html><meta charset=utf-8><title>mix</title><link rel=icon href="data:,"><div id=root></div><script>
const run = new URLSearchParams(location.search).get("run"), root = document.getElementById("root");
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const times = (n, make) => Promise.all(Array.from({ length: n }, (_, i) => make(i)));
const api = async (name) => (await fetch("/api/" + name)).json();
const step = async (i) => i;
let caught = 0;
addEventListener("error", () => caught++);
addEventListener("unhandledrejection", () => caught++);
const sections = {
  async idle() {},
  async fetch(n) {
    for (let i = 0; i < n; i += 30) await times(30, (k) => api("item?" + (i + k)));
  },
  async console(n) {
    for (let i = 0; i < n; i++) {
      if (i % 11 === 0) console.error("request failed", new Error("no " + i));
      else if (i % 5 === 0) console.warn("slow answer of item " + i);
      else console.log("line " + i, { id: i, name: "x".repeat(20) }, [1, 2, 3]);
      if (i % 50 === 49) await sleep(0);
    }
  },
  async dom(n) {
    for (let i = 0; i < n; i++) {
      const node = document.createElement("div");
      node.className = i % 50 ? "row" : "row head";
      node.textContent = "row " + i;
      root.append(node);
      if (i % 3 === 0) node.setAttribute("data-i", i);
      if (i % 100 === 0) root.offsetHeight;
      if (i % 1000 === 999) await sleep(0);
    }
  },
  async awaits(n) {
    for (let i = 0; i < n; i++) await step(i);
  },
  async timers(n) {
    for (let i = 0; i < n; i += 500) await times(500, (k) => new Promise((done) => setTimeout(done, k % 10)));
  },
  async exceptions(n) {
    caught = 0;
    const broken = (i) => { throw new TypeError("item " + i + " is undefined"); };
    const refused = async (i) => { throw new Error("item " + i + " was refused"); };
    for (let i = 0; i < n; i++) {
      setTimeout(() => { i % 2 ? broken(i) : refused(i); });
      if (i % 10 === 9) await sleep(0);
    }
    while (caught < n) await sleep(1);
  },
  // One view of a single-page app: some answers, a list made of them, some state, a line for the log, a frame painted.
  async app(n) {
    for (let view = 0; view < n; view++) {
      const answers = await times(8, (k) => api("view" + view + "/part" + k));
      const items = answers.flatMap((answer) => answer.items.slice(0, 10));
      const sorted = items.map((item) => ({ ...item })).sort((a, b) => a.price - b.price || a.id - b.id);
      const state = JSON.parse(JSON.stringify({ view, sorted, history: Array.from({ length: 400 }, (_, i) => ({ i })) }));
      root.replaceChildren(...state.sorted.map((item) => {
        const row = document.createElement("li");
        row.innerHTML = `<b>${item.name}</b> <span>${item.price}</span> <button>add</button>`;
        row.addEventListener("click", () => {});
        return row;
      }));
      for (let i = 0; i < 200; i++) await step(i);
      console.log("view " + view, items.length);
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
  },
};
(async () => {
  let said = { ready: true };
  for (;;) {
    const task = await (await fetch("/next?run=" + run, { method: "POST", body: JSON.stringify(said) })).json();
    const began = performance.now();
    await sections[task.section](task.units);
    said = { ms: performance.now() - began };
    root.replaceChildren();
  }
})();
</script>"""


@dataclass(frozen=True, slots=True)
class Cost:
    page_ms: float
    cpu_ms: float


Round = dict[str, dict[str, Cost]]
"""Mode → section → cost; every ratio is taken within one round, where the machine's mood is the same."""


BARE_DOMAINS = ("Network", "Runtime", "Page", "Log")


@asynccontextmanager
async def bare_client(ws_url: str) -> AsyncGenerator[None]:
    """What Chrome asks of any client: the four domains on for every page, and all that comes of it thrown away."""

    def enable(_: str, event: AttachedToTarget) -> None:
        for domain in BARE_DOMAINS:
            connection.post(f"{domain}.enable", session=event.session_id)
        connection.post("Runtime.runIfWaitingForDebugger", session=event.session_id)

    connection = await Connection.open(
        ws_url, Intake([Wanted("Target.attachedToTarget", AttachedToTarget, enable)])
    )
    await connection.call(
        "Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
    )
    yield
    await connection.close()


@asynccontextmanager
async def attached(
    mode: Mode, browser: Chrome, playwright: Playwright, sink: Callable[[Signal], None]
) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        if mode.playwright:
            driver = await playwright.chromium.connect_over_cdp(browser.http_url)
            stack.push_async_callback(driver.close)
            if mode.tracing:
                tracing = driver.contexts[0].tracing
                await tracing.start(screenshots=True, snapshots=True)
                stack.push_async_callback(tracing.stop)
        if mode.bare:
            await stack.enter_async_context(bare_client(browser.ws_url))
        if mode.options is not None:

            async def resolve() -> str:
                return browser.ws_url

            await stack.enter_async_context(Observer(resolve, sink, mode.options))
        yield


class Overhead:
    """One browser, in which the modes take turns; each works through all sections in a new tab."""

    def __init__(self, browser: Chrome, server: PageServer, playwright: Playwright, plan: Plan) -> None:
        self._browser = browser
        self._server = server
        self._playwright = playwright
        self._plan = plan
        self._runs = 0
        self.signals: dict[str, int] = {}

    async def round(self, order: Sequence[str]) -> Round:
        return {name: await self._mode(name) for name in order}

    async def _mode(self, name: str) -> dict[str, Cost]:
        self._runs += 1
        run, signals = f"r{self._runs}", list[Signal]()
        async with attached(MODES[name], self._browser, self._playwright, signals.append):
            # Attached first, as a test does it: the page's scripts are compiled with the client's domains on.
            target = await self._browser.open(f"{self._server.url}/mix.html?run={run}")
            await self._server.step(run)
            await asyncio.sleep(self._plan.settle_s)
            sections = {**self._plan.units, "idle": 0}  # last: a page that has just loaded is not idle
            costs = {section: await self._section(run, section, units) for section, units in sections.items()}
            await self._browser.close(target)
        self.signals[name] = len(signals)
        return costs

    async def _section(self, run: str, section: str, units: int) -> Cost:
        before = self._browser.cpu_s()
        said = await self._server.step(run, {"section": section, "units": units})
        # What Chrome still has to tell is part of the cost; every mode is given the same time for it.
        await asyncio.sleep(self._plan.settle_s)
        return Cost(said["ms"], cpu_between(before, self._browser.cpu_s()) * 1000)


async def measure(plan: Plan) -> tuple[list[Round], dict[str, int]]:
    ends_s = time.monotonic() + plan.ends_after_s
    rounds: list[Round] = []
    async with (
        page_server({"/mix.html": PAGE}) as server,
        async_playwright() as playwright,
        chrome() as browser,
    ):
        overhead = Overhead(browser, server, playwright, plan)
        await overhead.round(["nothing"])  # the first page of a browser pays for much that the others do not
        while True:
            began_s = time.monotonic()
            shift = len(rounds) * 3 % len(plan.modes)  # so that none always follows the same one
            rounds.append(await overhead.round(plan.modes[shift:] + plan.modes[:shift]))
            took_s = time.monotonic() - began_s
            if time.monotonic() + took_s > ends_s:
                return rounds, overhead.signals


def without_floor(rounds: list[Round]) -> list[Round]:
    """What a settling browser uses anyway is no part of any ratio; what an idle client adds to that is."""
    floor_ms = min(one["nothing"]["idle"].cpu_ms for one in rounds)
    return [
        {
            mode: {section: Cost(cost.page_ms, cost.cpu_ms - floor_ms) for section, cost in costs.items()}
            for mode, costs in one.items()
        }
        for one in rounds
    ]


def whole(costs: dict[str, Cost]) -> Cost:
    worked = [cost for section, cost in costs.items() if section != "idle"]
    return Cost(sum(cost.page_ms for cost in worked), sum(cost.cpu_ms for cost in worked))


def with_whole(rounds: list[Round]) -> list[Round]:
    return [{mode: {**costs, "whole mix": whole(costs)} for mode, costs in one.items()} for one in rounds]


def ratios(rounds: list[Round], mode: str, to: str, section: str) -> dict[str, Any]:
    return {
        "cpu": spread([one[mode][section].cpu_ms / one[to][section].cpu_ms for one in rounds]),
        "page_time": spread([one[mode][section].page_ms / one[to][section].page_ms for one in rounds]),
    }


def per_unit_us(rounds: list[Round], mode: str, section: str, units: int) -> dict[str, Any]:
    more = [(one[mode][section].cpu_ms - one["nothing"][section].cpu_ms) * 1000 / units for one in rounds]
    return spread(more, 0)


def figures_of(measured: list[Round], plan: Plan, signals: dict[str, int]) -> dict[str, Any]:
    rounds, sections = with_whole(without_floor(measured)), [*plan.units, "whole mix"]
    clients = [mode for mode in plan.modes if mode != "nothing"]
    beside = [mode for mode in clients if mode.startswith("playwright +")]
    counted = {"request": "fetch", "console call": "console", "exception": "exceptions"}
    return {
        "rounds": len(rounds),
        "units": plan.units,
        "nothing_cpu_ms": {
            name: round(statistics.median(one["nothing"][name].cpu_ms for one in rounds), 1)
            for name in sections
        },
        "idle_cpu_ms_per_s": {
            mode: spread([one[mode]["idle"].cpu_ms / plan.settle_s for one in measured], 1)
            for mode in plan.modes
        },
        "to_nothing": {
            mode: {name: ratios(rounds, mode, "nothing", name) for name in sections} for mode in clients
        },
        "to_playwright": {
            mode: {name: ratios(rounds, mode, "playwright", name) for name in sections} for mode in beside
        },
        "markers_to_none": {
            mode: {name: ratios(rounds, mode, f"{mode}, no markers", name) for name in sections}
            for mode in ("full", "playwright + full")
        },
        "cpu_us_per": {
            what: {mode: per_unit_us(rounds, mode, section, plan.units[section]) for mode in clients}
            for what, section in counted.items()
        },
        "signals": signals,
    }


def musts_of(figures: dict[str, Any]) -> list[Must]:
    """The goals of the design, for what a person gets who chooses nothing: the full set, hang stacks and all."""
    app = {
        mode: figures["to_nothing"][mode]["app"]["cpu"]["median"] for mode in ("full", "playwright tracing")
    }
    per = {what: modes["full"]["median"] for what, modes in figures["cpu_us_per"].items()}
    beside = figures["to_playwright"]["playwright + full"]["whole mix"]["cpu"]["median"]
    markers = {
        mode: {name: of[name]["cpu"]["median"] for name in ("timers", "whole mix")}
        for mode, of in figures["markers_to_none"].items()
    }
    return [
        Must("markers_whole_mix_cpu", markers["full"]["whole mix"], 1.05),
        Must("markers_whole_mix_cpu_beside_playwright", markers["playwright + full"]["whole mix"], 1.05),
        Must("markers_timers_cpu", markers["full"]["timers"], 1.35),
        Must("playwright_full_to_playwright_whole_mix_cpu", beside, 1.25),
        Must("full_app_cpu", app["full"], 1.55),
        Must("full_app_cpu_below_playwright_tracing", app["full"], app["playwright tracing"]),
        Must("cpu_us_per_request", per["request"], 1000),
        Must("cpu_us_per_console_call", per["console call"], 200),
        Must("cpu_us_per_exception", per["exception"], 150),
    ]


def table(figures: dict[str, Any]) -> str:
    sections = [*figures["units"], "whole mix"]
    lines = [
        "CPU of all Chrome processes (page time)",
        f"{'':<48}" + "".join(f"{name:>14}" for name in sections),
    ]
    for to in ("nothing", "playwright"):
        for mode, of in figures[f"to_{to}"].items():
            cells = (f"{of[s]['cpu']['median']:.2f} ({of[s]['page_time']['median']:.2f})" for s in sections)
            lines.append(f"{mode + ', to ' + to:<48}" + "".join(f"{cell:>14}" for cell in cells))
    for mode, of in figures["markers_to_none"].items():
        cells = (f"{of[s]['cpu']['median']:.2f} ({of[s]['page_time']['median']:.2f})" for s in sections)
        lines.append(f"{mode + ', to no markers':<48}" + "".join(f"{cell:>14}" for cell in cells))
    for what, modes in figures["cpu_us_per"].items():
        lines.append(
            f"µs per {what}: " + " · ".join(f"{mode} {us['median']:.0f}" for mode, us in modes.items())
        )
    return "\n".join(lines)


def main() -> int:
    plan = QUICK_PLAN if arguments(__doc__).quick else PLAN
    rounds, signals = asyncio.run(measure(plan))
    figures = figures_of(rounds, plan, signals)
    print(table(figures))
    return report("overhead", figures, musts_of(figures))


if __name__ == "__main__":
    sys.exit(main())
