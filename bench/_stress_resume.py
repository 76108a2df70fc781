"""Stress: clients that come back, after drops, stalls, evictions, lost journals, kills of the server; and a thousand at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

from _stress_client import CUT, Publishers, Reader, Talk, ask
from _stress_server import Served, serving
from _stress_truth import Checks, Seen, Truth

CHANNEL = "runs"
SPEC = {"channels": [CHANNEL]}


async def gather_all(readers: Iterable[Reader], served: Served, at_once: int = 100) -> None:
    """Connect them and wait until each is live."""
    slots = asyncio.Semaphore(at_once)

    async def one(reader: Reader) -> None:
        async with slots:
            await reader.connect(served.port)
            async with asyncio.timeout(30):
                await reader.live.wait()

    await asyncio.gather(*[one(reader) for reader in readers])


async def account_all(checks: Checks, readers: list[Reader], truth: Truth, last: int) -> None:
    """Every one of them got everything, once and in order."""
    await asyncio.gather(*[reader.until(CHANNEL, last, 20) for reader in readers])
    for reader in readers:
        reader.account.check(checks, {CHANNEL: last})
    truth.check(checks)
    for reader in readers:
        reader.drop()


async def recovery(checks: Checks, quick: bool, seed: int) -> None:
    """All clients are cut off at once, again and again, while events keep coming."""
    clients, rounds, round_s, rate = (100, 3, 0.4, 300) if quick else (200, 12, 2.0, 400)
    chance = random.Random(seed)
    truth = Truth()
    async with serving(checks) as served:
        readers = [Reader(truth, served.token, **SPEC) for _ in range(clients)]
        await gather_all(readers, served)
        async with Publishers(served.port, served.token, truth, rate) as publishers:
            for _ in range(rounds):
                await asyncio.sleep(round_s * chance.uniform(0.7, 1.3))
                for reader in readers:
                    reader.drop()
                await gather_all(readers, served)
            await publishers.stop()
            checks.none("refused", publishers.refused)
            checks.none("unanswered", publishers.unsure)
        await account_all(checks, readers, truth, truth.last(CHANNEL))
        resumes = [reason for reader in readers for reason in reader.account.reasons[1:]]
        checks.none("not_recovered", len(resumes) - resumes.count("complete"))
        checks.figures.update(clients=clients, resumes=len(resumes), events=len(truth.acked))
        checks.figures["deliveries"] = sum(reader.account.tally["inline"] for reader in readers)


async def crowd(checks: Checks, quick: bool, seed: int) -> None:
    """A thousand connections (half of that to be quick), and every one gets every event."""
    clients, seconds, rate = (500, 0.8, 50) if quick else (1000, 10.0, 100)
    truth = Truth()
    async with serving(checks) as served:
        readers = [Reader(truth, served.token, **SPEC) for _ in range(clients)]
        before_mb = served.rss_mb
        await gather_all(readers, served)
        checks.figures["kb_a_connection"] = round((served.rss_mb - before_mb) * 1024 / clients, 1)
        checks.expect((await served.stats())["subscribers"]["websocket"] == clients, "not_connected")
        async with Publishers(served.port, served.token, truth, rate, lines=2) as publishers:
            await asyncio.sleep(seconds)
            await publishers.stop()
        await account_all(checks, readers, truth, truth.last(CHANNEL))
        checks.figures.update(clients=clients, events=len(truth.acked))
        checks.figures["deliveries"] = sum(reader.account.tally["inline"] for reader in readers)


LINES = 4
RING = 200
BALLAST = 30
CUT_S = 6.0
"""So long after the close who still does not read is cut off; a little more."""


async def slow(checks: Checks, quick: bool, seed: int) -> None:
    """Some stop reading: nobody else notices, memory stays, and what they missed is told exactly when they come back."""
    healthy, stalled = (10, 6) if quick else (50, 40)
    truth = Truth()
    async with serving(checks, stall_s=1, ring_events=RING) as served:
        readers = [Reader(truth, served.token, **SPEC) for _ in range(healthy)]
        sleepers = [Reader(truth, served.token, **SPEC) for _ in range(stalled)]
        for sleeper in sleepers:
            sleeper.receive_buffer = 4096
        await gather_all([*readers, *sleepers], served)
        before_mb, worst_mb = served.rss_mb, 0.0
        for sleeper in sleepers:
            sleeper.pause()
            # Other subscriptions fill what the system holds for a connection, some MB, sooner.
            sleeper.subscribe_more(BALLAST)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with Publishers(served.port, served.token, truth, 300, lines=LINES, pad=1500) as publishers:
            while loop.time() < began_s + 20:
                await asyncio.sleep(0.1)
                stats = await served.stats()
                worst_mb = max(worst_mb, stats["memory"]["rss_bytes"] / (1 << 20) - before_mb)
                if stats["subscribers"]["websocket"] <= healthy + LINES and len(truth.acked) > 2 * RING:
                    break
            checks.figures["closed_after_s"] = closed_s = round(loop.time() - began_s, 1)
            checks.expect(closed_s >= 1, "closed_too_early", closed_s)
            left = (await served.stats())["subscribers"]["websocket"] - healthy - LINES
            checks.none("stalled_and_kept", max(0, left))
            # Half of them read what still waits for them, and the close; the others are cut off.
            for sleeper in sleepers[::2]:
                sleeper.resume()
            codes = await asyncio.gather(*[_end(sleeper) for sleeper in sleepers])
            # The one whose socket had no room for the close before it was cut off sees no code.
            checks.none("wrong_close", sum(code not in {4408, CUT} for code in codes), codes)
            checks.expect(4408 in codes[::2], "wrong_close", codes)
            for sleeper in sleepers[1::2]:
                sleeper.spec["throttle_ms"] = 200  # it comes back as a client that is told digests
            await gather_all(sleepers, served)
            await asyncio.sleep(0.3)
            await publishers.stop()
        last = truth.last(CHANNEL)
        await asyncio.gather(*[sleeper.until(CHANNEL, last) for sleeper in sleepers])
        for sleeper in sleepers:
            sleeper.account.check(checks, {CHANNEL: last})
            account = sleeper.account
            gap = account.tally["gaps"] > 0
            checks.expect(gap == (account.reasons[-1] == "evicted"), "wrong_reason", account.reasons)
            told = account.tally["inline"] + account.tally["omitted"] + account.tally["lost"]
            checks.expect(told == last - account.begun[CHANNEL], "missing", account.tally)
            sleeper.drop()
        await account_all(checks, readers, truth, last)
        checks.none("others_disturbed", sum(reader.account.tally["gaps"] for reader in readers))
        checks.expect(worst_mb < 64, "memory_grew", worst_mb)
        tallies = [sleeper.account.tally for sleeper in sleepers]
        checks.figures.update(
            healthy=healthy, stalled=stalled, events=len(truth.acked), rss_grew_mb=round(worst_mb, 1)
        )
        checks.figures["lost_in_gaps"] = sum(tally["lost"] for tally in tallies)
        checks.figures["digests"] = sum(tally["digest"] for tally in tallies)


async def _end(reader: Reader) -> int:
    assert reader.link
    try:
        return await reader.link.end(CUT_S)
    except TimeoutError:
        # Nothing tells a paused socket that it was cut off; reading on does.
        reader.resume()
        return await reader.link.end(5)


async def evicted(checks: Checks, quick: bool, seed: int) -> None:
    """What has left the smallest ring is told as lost, to the event; a journal still has it."""
    rounds, ring = (8, 10) if quick else (100, 10)
    chance = random.Random(seed)
    truth = Truth()
    async with serving(checks, ring_events=ring) as served:
        talk = await Talk.connect(served.port, served.token, truth)
        reader = Reader(truth, served.token, **SPEC)
        await gather_all([reader], served)
        number = 0
        for index in range(rounds):
            for _ in range(chance.randrange(3)):
                number += 1
                await talk.publish(CHANNEL, f"p {number}")
            await reader.until(CHANNEL, truth.last(CHANNEL))
            reader.drop()
            missed = (
                [0, ring - 1, ring, ring + 1, 3 * ring][index] if index < 5 else chance.randrange(4 * ring)
            )
            at, tally = reader.account.upto[CHANNEL], reader.account.tally.copy()
            for _ in range(missed):
                number += 1
                await talk.publish(CHANNEL, f"p {number}")
            last = truth.last(CHANNEL)
            await gather_all([reader], served)
            checks.expect(await reader.until(CHANNEL, last), "missing", (reader.account.upto, last))
            lost = max(0, missed - ring)
            reason = "evicted" if lost else "complete"
            checks.expect(
                reader.account.reasons[-1] == reason, "wrong_reason", (missed, reader.account.reasons[-1])
            )
            found = reader.account.tally - tally
            checks.expect(
                (found["lost"], found["inline"]) == (lost, missed - lost), "wrong_count", (missed, found)
            )
            if lost:
                answer = await ask(
                    served.port,
                    "GET",
                    f"/v1/channels/{CHANNEL}/events?after={at}&upto={at + lost}",
                    token=served.token,
                )
                kept: list[int] = []
                for event in answer.json["events"]:
                    truth.saw(CHANNEL, Seen(event["id"], event["seq"], event["summary"]))
                    kept.append(event["seq"])
                checks.expect(kept == list(range(at + 1, at + lost + 1)), "not_in_journal", (at, lost, kept))
            await _polls_alike(checks, served, at, lost, last)
        talk.link.drop()
        await account_all(checks, [reader], truth, last)
        checks.figures.update(
            rounds=rounds, events=len(truth.acked), lost_in_gaps=reader.account.tally["lost"]
        )


async def _polls_alike(checks: Checks, served: Served, at: int, lost: int, last: int) -> None:
    """Another transport tells the same."""
    first = await ask(served.port, "GET", f"/v1/events?channels={CHANNEL}&wait=0", token=served.token)
    cursor = f"{first.json['cursor'].partition('.')[0]}.r{at}"
    path = f"/v1/events?channels={CHANNEL}&throttle_ms=0&wait=0&cursor={cursor}"
    frames = (await ask(served.port, "GET", path, token=served.token)).json["frames"]
    told = sum(frame.get("lost", 0) for frame in frames), sum(frame.get("count", 0) for frame in frames)
    checks.expect(told == (lost, last - at - lost), "polled_otherwise", (told, lost, last, at))


async def epoch(checks: Checks, quick: bool, seed: int) -> None:
    """A log that was lost, or put back from a copy, is never taken for the one that a cursor is about."""
    # From where it is told anew: what a known life of the log had before its end is not.
    ways = {"memory": 0, "wiped": 0, "copy": BEFORE, "copy_of_an_unknown_life": 0}
    await asyncio.gather(*[_changes(checks, how, begins) for how, begins in ways.items()])
    checks.figures["ways"] = len(ways)


BEFORE, MEANWHILE, AFTERWARDS = 20, 10, 15


async def _changes(checks: Checks, how: str, begins: int) -> None:
    truth = Truth()
    async with serving(checks, journal="memory" if how == "memory" else "sqlite") as served:
        reader = Reader(truth, served.token, **SPEC)
        account = reader.account
        await gather_all([reader], served)
        await _published(served, truth, range(BEFORE))
        await reader.until(CHANNEL, BEFORE)
        files = [served.state_dir / f"journal.db{end}" for end in ("", "-wal", "-shm")]
        copies = {file: file.read_bytes() for file in files if how.startswith("copy") and file.exists()}
        if how == "copy_of_an_unknown_life":
            await served.kill()
            await served.start()
            await gather_all([reader], served)
            checks.expect(account.reasons[-1] == "complete", "not_recovered", account.reasons)
        await _published(served, truth, range(BEFORE, BEFORE + MEANWHILE))
        await reader.until(CHANNEL, BEFORE + MEANWHILE)
        await served.kill()
        for file in files:
            file.unlink(missing_ok=True)
        for file, content in copies.items():
            file.write_bytes(content)
        await served.start()
        again = reader.truth = Truth()
        await _published(served, again, range(1000, 1000 + AFTERWARDS))
        last = again.last(CHANNEL)
        checks.expect(last == AFTERWARDS + (BEFORE if copies else 0), "wrong_place", (how, last))
        account.begun.clear()
        await gather_all([reader], served)
        checks.expect(await reader.until(CHANNEL, last), "missing", (how, account.upto, last))
        checks.expect(account.reasons[-1] == "epoch_changed", "wrong_reason", (how, account.reasons))
        checks.expect(account.begun[CHANNEL] == begins, "wrong_place", (how, account.begun))
        known = {seen.id for seen in truth.places.values()}
        twice = [seq for (_, seq), seen in again.places.items() if seen.id in known]
        replayed = list(range(begins + 1, BEFORE + 1)) if copies else []
        checks.expect(twice == replayed, "counted_twice", (how, twice))
        again.check(checks, after=begins)
        reader.drop()
        await gather_all([reader], served)
        checks.expect(account.reasons[-1] == "complete", "not_recovered", (how, account.reasons))
        account.check(checks, {CHANNEL: last})
        reader.drop()


async def _published(served: Served, truth: Truth, numbers: Iterable[int]) -> None:
    talk = await Talk.connect(served.port, served.token, truth)
    for number in numbers:
        await talk.publish(CHANNEL, f"p {number}")
    talk.link.drop()


async def crash(checks: Checks, quick: bool, seed: int) -> None:
    """kill -9 in mid-stream, started again on the same port."""
    kills, clients, rate = (5, 20, 250) if quick else (20, 50, 300)
    chance = random.Random(seed)
    truth = Truth()
    async with serving(checks) as served:
        readers = [Reader(truth, served.token, **SPEC) for _ in range(clients)]
        staying = [asyncio.create_task(reader.stay(served.port)) for reader in readers]
        async with asyncio.timeout(20):
            await asyncio.gather(*[reader.live.wait() for reader in readers])
        async with Publishers(served.port, served.token, truth, rate) as publishers:
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                await served.kill()
                await served.start()
                async with asyncio.timeout(30):
                    await asyncio.gather(*[reader.live.wait() for reader in readers])
            await publishers.stop()
            checks.figures["unsure"] = publishers.unsure
        last = (await served.stats())["projects"]["default"][CHANNEL]["told"]
        checks.expect(last >= truth.last(CHANNEL), "promised_and_lost", (last, truth.last(CHANNEL)))
        await asyncio.gather(*[reader.until(CHANNEL, last) for reader in readers])
        for task in staying:
            task.cancel()
        await account_all(checks, readers, truth, last)
        reasons = [reason for reader in readers for reason in reader.account.reasons[1:]]
        checks.none("not_recovered", len(reasons) - reasons.count("complete"), set(reasons))
        # More than was promised may be there, but nothing that nobody sent.
        checks.none("invented", max(0, len(truth.places) - publishers.sent))
        checks.figures.update(kills=kills, clients=clients, resumes=len(reasons), events=len(truth.acked))
