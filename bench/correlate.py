"""How many signals a CPU-second the correlator takes, causes and all, what of that the detectors cost, and whether its memory stays
flat over a long session.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator

from _rig import Must, arguments, report, spread
from _stream import rss_mb

from firstcause.correlator.engine import Engine
from firstcause.correlator.event import Event
from firstcause.observer.domains.network import RequestFinished, RequestSent, ResponseReceived
from firstcause.observer.domains.page import Lifecycle, Navigated
from firstcause.observer.domains.page_script import ActionEnded, LoadTiming, UserAction
from firstcause.observer.domains.runtime import ConsoleCalled, ExceptionThrown
from firstcause.observer.domains.tasks import ActionBegan, RealmStarted, RequestMade, TaskFails
from firstcause.observer.signal import Detail, Signal, StackFrame

SIGNALS, QUICK_SIGNALS = 1_000_000, 200_000
ROUNDS, QUICK_ROUNDS = 7, 3
ROUND_SIGNALS = 40_000
PAGES = 10
VIEWS_PER_DOCUMENT = 50
REQUESTS_PER_VIEW = 8
SITE = "http://shop.test"
STACK = tuple(
    StackFrame(name, f"{SITE}/app.js", 10 + n, 5) for n, name in enumerate(("load", "show", "onClick"))
)


class Pages:
    """Pages that their users click through: a view makes requests and logs; one of five has an answer that fails and throws."""

    def __init__(self) -> None:
        self._orders = [0] * PAGES
        self._now_s = 1_000.0
        self._views = 0

    def signals(self) -> Iterator[Signal]:
        while True:
            page = self._views % PAGES
            if self._views // PAGES % VIEWS_PER_DOCUMENT == 0:
                yield from self._document(page)
            yield from self._view(page, self._views)
            self._views += 1

    def _document(self, page: int) -> Iterator[Signal]:
        loader = f"L{page}.{self._views}"
        yield self._signal(page, Navigated(f"{SITE}/{page}"), loader_id=loader)
        yield self._signal(page, RealmStarted(f"r{page}.{self._views}"))
        yield self._signal(page, Lifecycle("load"), loader_id=loader)
        yield self._signal(page, LoadTiming(20, 80, 120, 200))

    def _view(self, page: int, view: int) -> Iterator[Signal]:
        realm = f"r{page}v{view}"
        click = f"{realm}:a1"
        yield self._signal(page, UserAction("click"), element=f"#row{view % 7} button")
        yield self._signal(page, ActionBegan(click, "click"), wall_ms=self._now_s * 1000)
        failing = view % 5 == 0
        for number in range(REQUESTS_PER_VIEW):
            url, request = f"/api/item{number}?view={view}", f"{view}.{number}"
            yield self._signal(page, RequestMade(f"{realm}:{number}", click, url))
            sent = RequestSent("GET", SITE + url, "Fetch", "script")
            yield self._signal(page, sent, request_id=request, stack=STACK)
        yield self._signal(page, ActionEnded())
        for number in range(REQUESTS_PER_VIEW):
            url, request = f"{SITE}/api/item{number}?view={view}", f"{view}.{number}"
            status = 500 if failing and number == 3 else 200
            answer = ResponseReceived("GET", url, "Fetch", status, 23.5, "application/json")
            yield self._signal(page, answer, request_id=request)
            yield self._signal(page, RequestFinished("GET", url, "Fetch", status, 25.0), request_id=request)
            if status == 500:
                yield self._signal(page, TaskFails(f"{realm}:{number}"))
                yield self._signal(
                    page, ConsoleCalled("error", f"Failed to load item {view}"), stack=STACK[:1]
                )
                thrown = ExceptionThrown(
                    f"TypeError: item {view} is undefined", url=STACK[0].url, line=10, column=5
                )
                yield self._signal(page, thrown, stack=STACK[:1])

    def _signal(self, page: int, detail: Detail, **fields: object) -> Signal:
        self._orders[page] += 1
        self._now_s += 0.0005
        place = {"page": f"p{page}", "session": f"S{page}", "target": f"T{page}", "frame": f"T{page}"}
        told = {"wall_ms": self._now_s * 1000, **place, **fields}
        return Signal(
            detail=detail,
            browser="b1",
            order=self._orders[page],
            monotonic_s=self._now_s,
            **told,  # pyright: ignore[reportArgumentType]
        )


def fed(engine: Engine, signals: list[Signal]) -> tuple[float, list[Event]]:
    """CPU seconds, and what was told."""
    gc.collect()
    began_s = time.process_time()
    events = [event for signal in signals for event in engine.feed(signal)]
    return time.process_time() - began_s, events


def main() -> int:
    args = arguments(__doc__)
    pages = Pages().signals()
    engine, without = Engine("bench"), Engine("bench", detectors=())
    rates: list[float] = []
    costs_us: list[float] = []
    told = linked = 0
    for _ in range(QUICK_ROUNDS if args.quick else ROUNDS):
        signals = [next(pages) for _ in range(ROUND_SIGNALS)]
        took_s, events = fed(engine, signals)
        took_without_s, _ = fed(without, signals)
        told += len(events)
        linked += sum(event.cause is not None for event in events)
        rates.append(ROUND_SIGNALS / took_s)
        costs_us.append((took_s - took_without_s) / ROUND_SIGNALS * 1e6)
    sizes: list[float] = []
    total = QUICK_SIGNALS if args.quick else SIGNALS
    for number in range(total):
        engine.feed(next(pages))
        if number % (total // 10) == 0:
            gc.collect()
            sizes.append(rss_mb())
    rate, cost_us, growth_mb = spread(rates), spread(costs_us), sizes[-1] - sizes[len(sizes) // 2]
    print(
        f"{rate} signals a CPU-second, the detectors {cost_us} µs a signal; {told} events, {linked} with a cause; "
        f"RSS {sizes[-1]:.0f} MB, {growth_mb:+.1f} MB"
    )
    figures = {
        "signals_per_cpu_s": rate,
        "detectors_us_per_signal": cost_us,
        "events": told,
        "linked": linked,
        "rss_mb": sizes,
    }
    return report(
        "correlate",
        figures,
        [
            Must("signals a CPU-second", rate["median"], 100_000, at_least=True),
            Must("µs a signal that the detectors cost", cost_us["median"], 10),
            Must("MB that memory grew by in the second half", growth_mb, 5.0),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
