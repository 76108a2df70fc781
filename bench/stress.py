"""Tries to break the server: drops, stalls, kills, full disks, malformed frames, attacks; a model of what was published is the truth."""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from _rig import Must, report
from _stress_disk import disk
from _stress_frames import malformed
from _stress_http import requests
from _stress_limits import greed, leaks, patience
from _stress_resume import crash, crowd, epoch, evicted, recovery, slow
from _stress_tokens import tokens
from _stress_truth import Checks

SEED = 20_261_121
LIMIT_S = 240.0
DESCRIPTORS = 20_000

Scenario = Callable[[Checks, bool, int], Awaitable[None]]
GROUPS: tuple[tuple[Scenario, ...], ...] = (
    (recovery,),
    (slow, evicted, tokens),
    (crowd,),
    (epoch, requests),
    (crash, malformed),
    (disk, greed, leaks),
)
"""One after the other; of those within one at least one mostly waits."""
BESIDE: tuple[Scenario, ...] = (patience,)
"""Waits half a minute, so it runs beside all the others."""


async def run(scenario: Scenario, quick: bool, seed: int) -> Checks:
    checks = Checks(scenario.__name__)
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT_S):
            await scenario(checks, quick, seed)
    except Exception as error:  # noqa: BLE001 - a scenario that breaks off has failed, and the others go on
        checks.none("broken_off", 1, repr(error))
        import traceback

        traceback.print_exc()
    took_s = checks.figures["s"] = round(time.monotonic() - began_s, 1)
    print(f"{scenario.__name__:<12} {took_s:>6.1f} s  {checks.told()}", flush=True)
    return checks


async def run_all(wanted: set[str], quick: bool, seed: int) -> list[Checks]:
    async def run_some(scenarios: tuple[Scenario, ...]) -> list[Checks]:
        chosen = [scenario for scenario in scenarios if scenario.__name__ in wanted]
        return await asyncio.gather(*[run(scenario, quick, seed) for scenario in chosen])

    beside = asyncio.create_task(run_some(BESIDE))
    done: list[Checks] = []
    for group in GROUPS:
        done += await run_some(group)
    return done + await beside


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s; smaller numbers of everything")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="what is random is the same with the same seed"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="run this scenario; repeatable")
    given = parser.parse_args()
    named = [scenario.__name__ for group in (*GROUPS, BESIDE) for scenario in group]
    if unknown := set(given.only or ()) - set(named):
        parser.error(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(named)}.")
    if sys.platform != "linux":
        sys.exit("What the server holds open is read from /proc: this needs Linux.")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    began_s = time.monotonic()
    done = uvloop.run(run_all(set(given.only or named), given.quick, given.seed))
    figures: dict[str, Any] = {checks.name: checks.figures for checks in done}
    figures |= {"seed": given.seed, "s": round(time.monotonic() - began_s, 1)}
    musts = [
        Must(f"{checks.name}.{what}", count, 0) for checks in done for what, count in checks.wrong.items()
    ]
    return report("stress", figures, musts)


if __name__ == "__main__":
    raise SystemExit(main())
