"""How soon we know: from the page's own clock to our signal and event, and to a bare CDP client attached at the same time."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import re
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any

from _rig import Chrome, Must, PageServer, arguments, chrome, page_server, percentile, report
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from firstcause.correlator.engine import Engine
from firstcause.observer.observer import Observer
from firstcause.observer.signal import Signal

# Rate of stamps a second → seconds of each of the two rounds. A round begins with either client attached first, in turns:
# Chrome serves them in that order.
RATES = {"calm": (20, 45.0), "busy": (500, 15.0)}
QUICK_RATES = {"calm": (20, 9.0), "busy": (500, 4.0)}
WARM_UP_S = 1.0
SETTLE_S = 0.5
STAMP = re.compile(r"stamp (\d+\.\d+)")

# Half of the stamps are console calls, half are exceptions. The clock is that of the system, fine to 5 µs as the page is
# cross-origin isolated; the stamp is taken last, so that making the text is not counted.
PAGE = """<!doctype html><meta charset=utf-8><title>stamps</title><link rel=icon href="data:,"><script>
const run = new URLSearchParams(location.search).get("run");
const stamp = () => "stamp " + (performance.timeOrigin + performance.now()).toFixed(3);
const tell = (i) => {
  if (i % 2) console.error(stamp());
  else setTimeout(() => { throw new Error(stamp()); });
};
const stream = (rate, ms) => new Promise((done) => {
  const total = rate * ms / 1000, began = performance.now();
  let told = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor((performance.now() - began) * rate / 1000));
    while (told < due) tell(told++);
    if (told >= total) { clearInterval(timer); done(told); }
  }, 1000 / rate);
});
(async () => {
  let said = { ready: true };
  for (;;) {
    const task = await (await fetch("/next?run=" + run, { method: "POST", body: JSON.stringify(said) })).json();
    said = { told: await stream(task.rate, task.ms) };
  }
})();
</script>"""


def now_ms() -> float:
    return time.time() * 1000


# --- the bare client ---------------------------------------------------------------------------------------------------


class BareClient(WSListener):
    """The least that a raw CDP client does: attach, enable, decode, find the text. In a process of its own."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.enabled = asyncio.get_running_loop().create_future()
        self.seen: list[tuple[float, float]] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._send(transport, 1, "Target.attachToTarget", targetId=self._target, flatten=True)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = json.loads(frame.get_payload_as_bytes())
        method = message.get("method")
        if method == "Runtime.consoleAPICalled":
            self._note(str(message["params"]["args"][0].get("value", "")))
        elif method == "Runtime.exceptionThrown":
            self._note(message["params"]["exceptionDetails"]["exception"]["description"])
        elif message.get("id") == 1:
            self._send(transport, 2, "Runtime.enable", message["result"]["sessionId"])
        elif message.get("id") == 2:
            self.enabled.set_result(None)

    def _note(self, text: str) -> None:
        if found := STAMP.search(text):
            self.seen.append((float(found[1]), now_ms()))

    def _send(
        self, transport: WSTransport, command: int, method: str, session: str = "", **params: Any
    ) -> None:
        message = {"id": command, "method": method, "params": params}
        transport.send(
            WSMsgType.TEXT, json.dumps(message | ({"sessionId": session} if session else {})).encode()
        )


async def _bare(ws_url: str, target: str, pipe: Pipe) -> None:
    transport, client = await ws_connect(lambda: BareClient(target), ws_url)
    assert isinstance(client, BareClient)
    await client.enabled
    gc.freeze()
    pipe.send("enabled")
    await asyncio.to_thread(pipe.recv)
    pipe.send(client.seen)
    transport.disconnect()


def run_bare(ws_url: str, target: str, pipe: Pipe) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_bare(ws_url, target, pipe))


@asynccontextmanager
async def bare_client(ws_url: str, target: str, seen: list[tuple[float, float]]) -> AsyncGenerator[None]:
    """Attached for the length of the block; what it has seen is in `seen` afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_bare, args=(ws_url, target, theirs), daemon=True)
    process.start()
    try:
        await asyncio.to_thread(ours.recv)
        yield
        ours.send("enough")
        seen += await asyncio.to_thread(ours.recv)
    finally:
        process.terminate()
        process.join()


# --- ours --------------------------------------------------------------------------------------------------------------


@dataclass
class Ours:
    """Notes when the signal of each stamp came, and when its event was made."""

    engine: Engine = field(default_factory=Engine)
    signals: list[tuple[float, float]] = field(default_factory=list)
    events: list[tuple[float, float]] = field(default_factory=list)

    def take(self, signal: Signal) -> None:
        came_ms = now_ms()
        events = self.engine.feed(signal)
        made_ms = now_ms()
        if found := STAMP.search(getattr(signal.detail, "text", "")):
            self.signals.append((float(found[1]), came_ms))
        for event in events:
            if found := STAMP.search(event.summary):
                self.events.append((float(found[1]), made_ms))


# --- a run -------------------------------------------------------------------------------------------------------------

CLIENTS = ("signal", "event", "raw")
Lags = dict[str, list[float]]


async def one_round(
    browser: Chrome, server: PageServer, rate: int, length_s: float, bare_first: bool
) -> tuple[Lags, int]:
    run = f"{rate}-{bare_first}"
    ours, bare = Ours(), list[tuple[float, float]]()
    target = await browser.open(f"{server.url}/stamps.html?run={run}")
    await server.step(run)

    async def resolve() -> str:
        return browser.ws_url

    async with AsyncExitStack() as stack:
        clients = [bare_client(browser.ws_url, target, bare), Observer(resolve, ours.take)]
        for client in clients if bare_first else reversed(clients):
            await stack.enter_async_context(client)
        await server.step(run, {"rate": rate, "ms": WARM_UP_S * 1000})
        await asyncio.sleep(SETTLE_S)
        from_ms = now_ms()
        told = (await server.step(run, {"rate": rate, "ms": length_s * 1000}))["told"]
        await asyncio.sleep(SETTLE_S)
    await browser.close(target)
    seen = {"signal": ours.signals, "event": ours.events, "raw": bare}
    return {who: [came - at for at, came in pairs if at >= from_ms] for who, pairs in seen.items()}, told


async def measure(rates: dict[str, tuple[int, float]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    async with page_server({"/stamps.html": PAGE}) as server, chrome() as browser:
        for name, (rate, length_s) in rates.items():
            rounds = [
                await one_round(browser, server, rate, length_s, bare_first) for bare_first in (True, False)
            ]
            figures[name] = figures_of(rounds)
    return figures


def figures_of(rounds: list[tuple[Lags, int]]) -> dict[str, Any]:
    lags = {who: [lag for one, _ in rounds for lag in one[who]] for who in CLIENTS}
    medians = [{who: statistics.median(one[who]) for who in CLIENTS} for one, _ in rounds]
    return {
        "told": sum(told for _, told in rounds),
        **{who: lag_figures(lags[who]) for who in CLIENTS},
        "p50_to_raw": {
            who: round(statistics.median(lags[who]) / statistics.median(lags["raw"]), 2)
            for who in CLIENTS[:2]
        },
        "event_p50_to_raw_by_who_attached_first": {
            first: round(one["event"] / one["raw"], 2)
            for first, one in zip(("raw", "ours"), medians, strict=True)
        },
    }


def lag_figures(lags_ms: list[float]) -> dict[str, Any]:
    p50, p99 = (round(percentile(lags_ms, share), 2) for share in (0.5, 0.99))
    return {
        "seen": len(lags_ms),
        "p50_ms": p50,
        "p99_ms": p99,
        "min_ms": round(min(lags_ms), 2),
        "max_ms": round(max(lags_ms), 2),
    }


def musts_of(figures: dict[str, Any]) -> list[Must]:
    calm = figures["calm"]["event"]
    astray = sum(abs(of["told"] - of["signal"]["seen"]) for of in figures.values())
    return [
        Must("calm_event_p50_ms", calm["p50_ms"], 5.0),
        Must("calm_event_p99_ms", calm["p99_ms"], 50.0),
        Must("stamps_lost_or_doubled", astray, 0),
    ]


def main() -> int:
    figures = asyncio.run(measure(QUICK_RATES if arguments(__doc__).quick else RATES))
    for name, of in figures.items():
        told = ", ".join(f"{who} p50 {of[who]['p50_ms']} ms p99 {of[who]['p99_ms']} ms" for who in CLIENTS)
        print(f"{name}: {told}; event to raw {of['p50_to_raw']['event']}")
    return report("latency", figures, musts_of(figures))


if __name__ == "__main__":
    sys.exit(main())
