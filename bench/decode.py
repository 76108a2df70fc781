"""Decoding: recorded CDP frames to our signals, in frames a CPU-second, against json and orjson that only read the same fields."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import orjson
from _rig import ROOT, Must, arguments, report, spread

from firstcause.observer.cdp.connection import COMMAND_TIMEOUT_S, Connection, Intake, Reply, Wanted
from firstcause.observer.domain import Domain
from firstcause.observer.domains import DOMAINS
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal

RECORDING = ROOT / "tests" / "recorded" / "mixed.ndjson.gz"
ROUNDS, PASSES = 30, 12
QUICK_ROUNDS, QUICK_PASSES = 5, 4

Pass = Callable[[list[bytes]], float]
"""Takes all frames once; returns the CPU seconds that it took."""


class Client(Protocol):
    """One of those compared, which take turns."""

    @property
    def name(self) -> str: ...

    async def prepare(self) -> Pass: ...


async def nowhere() -> str:
    raise NotImplementedError


class NoBrowser(Connection):
    """A connection that answers every command at once and sends none."""

    def post(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> asyncio.Future[msgspec.Raw]:
        answer: asyncio.Future[msgspec.Raw] = self._loop.create_future()
        answer.set_result(msgspec.Raw(b"{}"))
        return answer


def no_reply(_: Reply) -> None:
    """The commands that the recording answers were not ours."""


class Ours:
    """The observer as it runs, all domains on, with frames from a file instead of a socket."""

    name = "ours"

    def __init__(self) -> None:
        self.signals = 0
        self.skipped: dict[str, int] = {}

    async def prepare(self) -> Pass:
        """A new observer for every pass: one that sees the same recording twice would take it for a replay."""
        told: list[Signal] = []
        observer = Observer(nowhere, told.append)
        tree, intake = observer._tree, observer._intake
        await tree.attach_all(NoBrowser(intake))
        told.clear()

        def one_pass(frames: list[bytes]) -> float:
            started_s = time.process_time()
            take_all(intake, frames)
            took_s = time.process_time() - started_s
            self.signals, self.skipped = len(told), dict(intake.skipped)
            tree.drop_all()
            return took_s

        return one_pass


def take_all(intake: Intake, frames: list[bytes]) -> None:
    for frame in frames:
        intake.take(frame, no_reply)


class DecodeOnly:
    """Our intake with the same typed decoders, and nothing made of what they return."""

    name = "decode_only"

    async def prepare(self) -> Pass:
        listeners = [listener for domain in domains() for listener in domain.listen()]
        intake = Intake(Wanted(listener.method, listener.params, lambda *_: None) for listener in listeners)

        def one_pass(frames: list[bytes]) -> float:
            started_s = time.process_time()
            take_all(intake, frames)
            return time.process_time() - started_s

        return one_pass


class Plain:
    """What a client does at least: the whole frame decoded, the fields that we read picked from wanted events.

    Only the fields at the top, and nothing is made of them, so that the comparison is in its favour.
    """

    def __init__(self, name: str, loads: Callable[[bytes], Any], fields: dict[str, tuple[str, ...]]) -> None:
        self.name = name
        self._loads = loads
        self._fields = fields

    async def prepare(self) -> Pass:
        def one_pass(frames: list[bytes]) -> float:
            started_s = time.process_time()
            self._pick_all(frames, [])
            return time.process_time() - started_s

        return one_pass

    def _pick_all(self, frames: list[bytes], picked: list[tuple[Any, ...]]) -> None:
        loads, wanted = self._loads, self._fields
        for frame in frames:
            try:
                message = loads(frame)
            except ValueError:  # half a surrogate pair, as pages may log it: orjson takes none
                continue
            names = wanted.get(message.get("method"))
            if names is not None:
                params = message["params"]
                picked.append((message.get("sessionId"), *[params.get(name) for name in names]))


def domains() -> list[Domain]:
    return [domain(CaptureOptions()) for domain in DOMAINS]


def wanted_fields() -> dict[str, tuple[str, ...]]:
    """Every event that we listen to, with the names of what we read of it."""
    fields: dict[str, tuple[str, ...]] = {}
    for domain in domains():
        for listener in domain.listen():
            names = tuple(field.encode_name for field in msgspec.structs.fields(listener.params))
            fields[listener.method] = tuple(dict.fromkeys((*fields.get(listener.method, ()), *names)))
    return fields


def read_frames() -> list[bytes]:
    try:
        with gzip.open(RECORDING) as file:
            return file.read().splitlines()
    except OSError as error:
        sys.exit(
            f"{RECORDING.relative_to(ROOT)} can't be read ({error.strerror}): the benchmark replays that recording."
        )


async def measure(
    frames: list[bytes], clients: list[Client], rounds: int, passes: int
) -> dict[str, list[float]]:
    """CPU seconds of all passes of a round, for each client and round; the clients take turns pass by pass."""
    took: dict[str, list[float]] = {client.name: [] for client in clients}
    for round_number in range(rounds + 1):
        sums = dict.fromkeys(took, 0.0)
        for _ in range(passes):
            for client in clients:
                one_pass = await client.prepare()
                gc.collect()
                sums[client.name] += one_pass(frames)
                await asyncio.sleep(0)  # lets cancelled set-ups end
        if round_number:  # the first one warms up
            for name, took_s in sums.items():
                took[name].append(took_s)
    return took


def main() -> int:
    quick = arguments(__doc__).quick
    rounds, passes = (QUICK_ROUNDS, QUICK_PASSES) if quick else (ROUNDS, PASSES)
    frames, fields, ours = read_frames(), wanted_fields(), Ours()
    plain = [Plain("json", json.loads, fields), Plain("orjson", orjson.loads, fields)]
    took = asyncio.run(measure(frames, [ours, DecodeOnly(), *plain], rounds, passes))
    rates = {name: [len(frames) * passes / took_s for took_s in all_s] for name, all_s in took.items()}
    figures: dict[str, Any] = {
        "frames": len(frames),
        "bytes": sum(map(len, frames)),
        "signals": ours.signals,
        "skipped": ours.skipped,
        "rounds": rounds,
        "frames_per_cpu_s": {name: spread(of, 0) for name, of in rates.items()},
        "signals_per_cpu_s": spread([rate * ours.signals / len(frames) for rate in rates["ours"]], 0),
    }
    for name in ("json", "orjson"):
        for mine in ("ours", DecodeOnly.name):
            figures[f"{mine}_to_{name}"] = spread(
                [a / b for a, b in zip(rates[mine], rates[name], strict=True)]
            )
    for name, rate in figures["frames_per_cpu_s"].items():
        print(f"{name:<18}{rate['median']:>12,.0f} frames a CPU-second")
    rate = figures["frames_per_cpu_s"]["ours"]["median"]
    return report("decode", figures, [Must("frames_per_cpu_s", rate, 300_000, at_least=True)])


if __name__ == "__main__":
    sys.exit(main())
