"""What the pytest plugin costs: CPU of all processes and wall time a test, off and on, over the same 25 tests, interleaved; 6 with --quick."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from _rig import Must, arguments, report, spread

from firstcause.observer.sources.discover import find_browser
from firstcause.observer.sources.launch import running_as_root

ROUNDS, QUICK_ROUNDS = 8, 2
TESTS, QUICK_TESTS = 25, 6
MUST_RATIO = 1.20
PLUGIN = "firstcause.api.testing.plugin"
BECOME_REAPER = 36  # prctl's PR_SET_CHILD_SUBREAPER
PATIENCE_S = 300
REAPED_WITHIN_S = 10.0

# Each test is one that people write: a page of its own, some requests, a form, a click, and what comes of them.
CONFTEST = '''
import json, os, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import pytest

ITEMS = json.dumps([{"id": i, "name": f"Item {i}", "price": i * 7 % 100} for i in range(20)])
PAGE = """<!doctype html><title>Shop</title><link rel=icon href=data:,><h1>Shop</h1><ul></ul>
<form><label>Name <input name=name></label><label>Street <input name=street></label><button>Order</button></form>
<p role=status></p><script>
const list = document.querySelector("ul");
async function load() {
  for (let number = 0; number < 5; number++) {
    for (const item of await (await fetch(`/api/items?page=${number}`)).json()) {
      const row = document.createElement("li");
      row.textContent = `${item.name} ${item.price}`;
      row.addEventListener("click", () => row.classList.toggle("chosen"));
      list.append(row);
    }
  }
  document.body.dataset.ready = "yes";
}
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/api/orders", { method: "POST", body: new FormData(event.target) });
  document.querySelector("[role=status]").textContent = answer.ok ? "Ordered" : "Failed";
});
load();
</script>"""

class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_api = self.path.startswith("/api/")
        body = (ITEMS if is_api else PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if is_api else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *_):
        pass

@pytest.fixture(scope="session")
def base_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()

@pytest.fixture(scope="session")
def browser_type_launch_args():
    return {"executable_path": os.environ["BENCH_BROWSER"], "args": os.environ["BENCH_ARGS"].split()}
'''
SUITE = """
import os
import pytest
from playwright.sync_api import expect

@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_an_order(page, number):
    page.goto("/")
    expect(page.get_by_role("heading")).to_have_text("Shop")
    expect(page.get_by_role("listitem")).to_have_count(100)
    for row in range(3):
        page.get_by_role("listitem").nth(row).click()
    page.get_by_label("Name").fill(f"Customer {number}")
    page.get_by_label("Street").fill("1 Kiln Lane")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_role("status")).to_have_text("Ordered")
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(100)
"""


class Cost(NamedTuple):
    cpu_ms: float
    wall_ms: float


def main() -> int:
    args = arguments(__doc__)
    if sys.platform != "linux":
        sys.exit("The CPU time of a browser that outlives its parent is known on Linux only.")
    # Whoever is left behind by the browser or its driver is waited for here, so that its time counts.
    ctypes.CDLL(None).prctl(BECOME_REAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="fc-bench-") as scratch:
        folder = Path(scratch)
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "test_orders.py").write_text(SUITE)
        (folder / "pytest.ini").write_text("[pytest]\n")
        modes: dict[str, tuple[str, ...]] = {"off": (), "on": ("--firstcause",)}
        costs: dict[str, list[Cost]] = {mode: [] for mode in modes}
        for number in range(QUICK_ROUNDS if args.quick else ROUNDS):
            for mode in modes if number % 2 else reversed(modes):
                cost = measured(folder, QUICK_TESTS if args.quick else TESTS, modes[mode])
                costs[mode].append(cost)
                print(f"{mode}: {cost.cpu_ms:.0f} ms CPU and {cost.wall_ms:.0f} ms wall a test", flush=True)
    pairs = list(zip(costs["off"], costs["on"], strict=True))
    cpu = spread([on.cpu_ms / off.cpu_ms for off, on in pairs])
    wall = spread([on.wall_ms / off.wall_ms for off, on in pairs])
    figures = {
        "cpu_ratio": cpu,
        "wall_ratio": wall,
        **{f"{mode}_cpu_ms_a_test": spread([one.cpu_ms for one in costs[mode]], 0) for mode in modes},
        **{f"{mode}_wall_ms_a_test": spread([one.wall_ms for one in costs[mode]], 0) for mode in modes},
    }
    musts = [
        Must("CPU a test, on to off", cpu["median"], MUST_RATIO),
        Must("wall time a test, on to off", wall["median"], MUST_RATIO),
    ]
    return report("plugin", figures, musts)


def measured(folder: Path, tests: int, options: tuple[str, ...]) -> Cost:
    before_s, began_s = used_s(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *loaded(), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={
            **os.environ,
            "BENCH_TESTS": str(tests),
            "BENCH_BROWSER": str(find_browser().path),
            "BENCH_ARGS": "--no-sandbox" if running_as_root() else "--disable-breakpad",
        },
        check=False,
    )
    wall_s = time.perf_counter() - began_s
    if done.returncode or f"{tests} passed" not in done.stdout or "not all could be observed" in done.stdout:
        sys.exit(f"The tests did not pass:\n{done.stdout}{done.stderr}")
    reap()
    return Cost((used_s() - before_s) / tests * 1000, wall_s / tests * 1000)


def loaded() -> list[str]:
    from importlib.metadata import entry_points

    installed = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
    return [] if installed else ["-p", PLUGIN]


def used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap() -> None:
    """All that was left behind; it is about to end, because its parents have."""
    ends_s = time.monotonic() + REAPED_WITHIN_S
    while time.monotonic() < ends_s:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
