"""How soon we know: from the page's own clock to our signal and event, to a client of our server, and to a bare CDP client beside each."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import re
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any

import msgspec
from _rig import Chrome, Must, PageServer, arguments, chrome, page_server, percentile, report
from _stream import Checker, Child, Handler, child, machine, serve_ours
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from firstcause.api.server import Server
from firstcause.api.wire import CHANNELS
from firstcause.correlator.engine import Engine
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal

# Rate of stamps a second → seconds of each of the four rounds. A round begins with either client attached first, in turns:
# Chrome serves them in that order.
RATES = {"calm": (20, 45.0), "busy": (500, 15.0)}
QUICK_RATES = {"calm": (20, 4.0), "busy": (500, 1.5)}
WARM_UP_S = 0.7
SETTLE_S = 0.3
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


# --- our server --------------------------------------------------------------------------------------------------------

SUBSCRIBE = json.dumps({"op": "subscribe", "channels": CHANNELS, "throttle_ms": 0}).encode()


def observing(server: Server) -> Mapping[str, Handler]:
    browsers = server.service.browsers

    async def attach(ws_url: str) -> str:
        return (await browsers.attach(ws_url, CaptureOptions(), server.settings.project)).id

    return {"attach": attach, "detach": browsers.detach}


class Summary(msgspec.Struct):
    summary: str


class Batch(msgspec.Struct):
    events: list[Summary]


events_of = msgspec.json.Decoder(Batch).decode


@asynccontextmanager
async def streamed(
    server: Child, ws_url: str, seen: list[tuple[float, float]], broken: list[str]
) -> AsyncGenerator[None]:
    """A server in a process of its own observes the browser, and a WebSocket client here gets every event."""

    def note(batch: bytes) -> None:
        came_ms = now_ms()
        stamps = (STAMP.search(event.summary) for event in events_of(batch).events)
        seen.extend((float(stamp[1]), came_ms) for stamp in stamps if stamp)

    socket = await Checker.connect(server.port, "/v1/stream", SUBSCRIBE, None, note)
    browser_id = await server.ask("attach", ws_url)
    yield
    await server.ask("detach", browser_id)
    socket.transport.abort()
    broken += socket.account.broken


# --- a run -------------------------------------------------------------------------------------------------------------

WAYS = {"in_process": ("signal", "event", "raw"), "server": ("stream", "raw")}
"""What is attached in a round: ours, and a bare client for comparison, which comes last."""
Lags = dict[str, list[float]]
Seen = list[tuple[float, float]]


@dataclass(slots=True)
class Bench:
    """What all rounds share."""

    browser: Chrome
    pages: PageServer
    server: Child
    broken: list[str] = field(default_factory=list)

    def clients(
        self, way: str, target: str
    ) -> tuple[dict[str, Seen], list[AbstractAsyncContextManager[Any]]]:
        """Where what they see is put, and the clients: the bare one first."""
        bare: Seen = []
        bare_one = bare_client(self.browser.ws_url, target, bare)
        if way == "server":
            stream: Seen = []
            streaming = streamed(self.server, self.browser.ws_url, stream, self.broken)
            return {"stream": stream, "raw": bare}, [bare_one, streaming]
        ours = Ours()
        return {"signal": ours.signals, "event": ours.events, "raw": bare}, [
            bare_one,
            Observer(self._resolve, ours.take),
        ]

    async def _resolve(self) -> str:
        return self.browser.ws_url


async def one_round(bench: Bench, way: str, rate: int, length_s: float, bare_first: bool) -> tuple[Lags, int]:
    run = f"{way}-{rate}-{bare_first}"
    pages = bench.pages
    target = await bench.browser.open(f"{pages.url}/stamps.html?run={run}")
    await pages.step(run)
    seen, clients = bench.clients(way, target)
    async with AsyncExitStack() as stack:
        for client in clients if bare_first else reversed(clients):
            await stack.enter_async_context(client)
        await pages.step(run, {"rate": rate, "ms": WARM_UP_S * 1000})
        await asyncio.sleep(SETTLE_S)
        from_ms = now_ms()
        told = (await pages.step(run, {"rate": rate, "ms": length_s * 1000}))["told"]
        await asyncio.sleep(SETTLE_S)
    await bench.browser.close(target)
    return {who: [came - at for at, came in pairs if at >= from_ms] for who, pairs in seen.items()}, told


async def measure(rates: dict[str, tuple[int, float]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": machine()}
    settings = {"journal": "sqlite", "throttle_ms": 0}
    async with (
        page_server({"/stamps.html": PAGE}) as pages,
        child(serve_ours, settings, observing) as server,
        chrome() as browser,
    ):
        bench = Bench(browser, pages, server)
        for name, (rate, length_s) in rates.items():
            rounds: dict[str, list[tuple[Lags, int]]] = {way: [] for way in WAYS}
            for bare_first in (True, False):
                for way, so_far in rounds.items():
                    so_far.append(await one_round(bench, way, rate, length_s, bare_first))
            figures[name] = {way: figures_of(WAYS[way], of) for way, of in rounds.items()}
    figures["broken"] = bench.broken[:10]
    return figures


def figures_of(clients: Sequence[str], rounds: list[tuple[Lags, int]]) -> dict[str, Any]:
    lags = {who: [lag for one, _ in rounds for lag in one[who]] for who in clients}
    medians = [{who: statistics.median(one[who]) for who in clients} for one, _ in rounds]
    ours, raw = clients[:-1], clients[-1]
    return {
        "told": sum(told for _, told in rounds),
        **{who: lag_figures(lags[who]) for who in clients},
        "p50_to_raw": {
            who: round(statistics.median(lags[who]) / statistics.median(lags[raw]), 2) for who in ours
        },
        f"{ours[-1]}_p50_to_raw_by_who_attached_first": {
            first: round(one[ours[-1]] / one[raw], 2)
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
    calm = {"event": figures["calm"]["in_process"]["event"], "stream": figures["calm"]["server"]["stream"]}
    checked = {"in_process": "signal", "server": "stream"}
    astray = [
        abs(figures[name][way]["told"] - figures[name][way][who]["seen"])
        for name in RATES
        for way, who in checked.items()
    ]
    return [
        *(
            Must(f"calm_{who}_{share}_ms", of[f"{share}_ms"], limit_ms)
            for who, of in calm.items()
            for share, limit_ms in (("p50", 5.0), ("p99", 50.0))
        ),
        Must("stamps_lost_or_doubled", sum(astray), 0),
        Must("chain_broken", len(figures["broken"]), 0),
    ]


def main() -> int:
    figures = asyncio.run(measure(QUICK_RATES if arguments(__doc__).quick else RATES))
    for name in RATES:
        for way, clients in WAYS.items():
            of = figures[name][way]
            told = ", ".join(
                f"{who} p50 {of[who]['p50_ms']} ms p99 {of[who]['p99_ms']} ms" for who in clients
            )
            print(f"{name}: {told}; to raw {of['p50_to_raw']}")
    return report("latency", figures, musts_of(figures))


if __name__ == "__main__":
    sys.exit(main())
