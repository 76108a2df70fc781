"""Stress: the journal can't be written for a while. The stream goes on, it is told, it heals, and then nothing is missing on disk."""

from __future__ import annotations

import asyncio
import resource
import shutil
from collections.abc import Callable

from _stress_client import Publishers, Reader, ask
from _stress_server import Served, serving
from _stress_truth import Checks, Truth

CHANNEL = "runs"
SPEC = {"channels": [CHANNEL]}
HEALS_S = 15.0
NOTICED_S = 8.0

Trouble = tuple[Callable[[Served], object], Callable[[Served], object]]


def _full(served: Served) -> None:
    """No file may grow, which stops root as well; stderr is a pipe."""
    resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def _room(served: Served) -> None:
    resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _away(served: Served) -> None:
    """The state folder is gone, and something that is no folder is in its place."""
    served.state_dir.rename(served.state_dir.with_name("away"))
    served.state_dir.write_text("no folder")


def _back(served: Served) -> None:
    served.state_dir.unlink()
    served.state_dir.with_name("away").rename(served.state_dir)


def _lost(served: Served) -> None:
    """Somebody cleans up: a folder without anything in it."""
    shutil.rmtree(served.state_dir)
    served.state_dir.write_text("no folder")


def _new(served: Served) -> None:
    served.state_dir.unlink()
    served.state_dir.mkdir(mode=0o700)
    (served.state_dir / "token").write_text(served.token)
    (served.state_dir / "token").chmod(0o600)


TROUBLES: dict[str, Trouble] = {"lost": (_lost, _new), "full": (_full, _room), "away": (_away, _back)}
"""What is lost comes first, so that what the others leave behind is seen at the end."""


async def disk(checks: Checks, quick: bool, seed: int) -> None:
    """One trouble after the other, and then kill -9."""
    truth = Truth()
    async with serving(checks, leaks=False) as served:
        reader = Reader(truth, served.token, **SPEC)
        notices = Reader(Truth(), served.token, channels=["anomalies"])
        for one in (reader, notices):
            await one.connect(served.port)
            await one.live.wait()
        for name, (begin, end) in TROUBLES.items():
            async with Publishers(served.port, served.token, truth, 100, name=name) as publishers:
                await _trouble(checks, served, truth, name, begin, end, 0.8 if quick else 6.0)
                await publishers.stop()
                checks.none("refused", publishers.refused)
                checks.none("unanswered", publishers.unsure)
        last = truth.last(CHANNEL)
        await reader.until(CHANNEL, last)
        reader.account.check(checks, {CHANNEL: last})
        places = sorted(notices.truth.places.items(), key=lambda place: place[0][1])
        told = [seen.summary.split(":")[0].split(",")[0] for _, seen in places]
        wanted = ["Events are kept in memory only", "Events are kept by the journal again"]
        checks.expect(told == wanted * len(TROUBLES), "not_told", told)
        await served.kill()
        await served.start()
        again = Reader(truth, served.token, **SPEC, cursor="start")
        for one in (reader, again):
            await one.connect(served.port)
            await one.live.wait()
            checks.expect(await one.until(CHANNEL, last), "promised_and_lost", (one.account.upto, last))
            one.account.check(checks, {CHANNEL: last})
        checks.expect(again.account.begun == {CHANNEL: 0}, "promised_and_lost", again.account.begun)
        checks.expect(reader.account.reasons[-1] == "complete", "not_recovered", reader.account.reasons)
        truth.check(checks)
        reader.drop()
        again.drop()
        checks.figures["events"] = len(truth.acked)


async def _trouble(
    checks: Checks,
    served: Served,
    truth: Truth,
    name: str,
    begin: Callable[[Served], object],
    end: Callable[[Served], object],
    lasts_s: float,
) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.3)
    checks.expect((await ask(served.port, "GET", "/readyz")).status == 200, "not_ready", name)
    begin(served)
    noticed = await _ready(served, 503, NOTICED_S)
    checks.expect(noticed, "not_noticed", name)
    problems = (await ask(served.port, "GET", "/readyz")).json["problems"]
    said = problems and problems[0].partition("memory only: ")[2]
    checks.expect(not noticed or said, "told_too_little", (name, problems))
    checks.expect((await ask(served.port, "GET", "/healthz")).status == 200, "not_healthy", name)
    before = len(truth.acked)
    await asyncio.sleep(lasts_s)
    checks.expect(len(truth.acked) > before + 20 * lasts_s, "stood_still", (name, before, len(truth.acked)))
    end(served)
    ended_s = loop.time()
    checks.expect(await _ready(served, 200, HEALS_S), "not_healed", name)
    checks.figures[f"{name}_healed_after_s"] = round(loop.time() - ended_s, 1)
    await asyncio.sleep(0.2)


async def _ready(served: Served, status: int, within_s: float) -> bool:
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + within_s
    while loop.time() < ends_s:
        if (await ask(served.port, "GET", "/readyz")).status == status:
            return True
        await asyncio.sleep(0.05)
    return False
