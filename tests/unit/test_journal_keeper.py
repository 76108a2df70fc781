"""The keeper: nobody waits for a dead disk, and what it missed is there exactly once when it is back."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from firstcause.api.errors import JournalLocked
from firstcause.api.journal import keeper as keeping
from firstcause.api.journal.base import ChannelKey, JournalFailed, Opened, Record
from firstcause.api.journal.keeper import Keeper
from firstcause.api.journal.memory import MemoryJournal
from firstcause.api.journal.retention import Retention
from firstcause.api.journal.sqlite import SqliteJournal

ERRORS = ChannelKey("shop", "errors")
NETWORK = ChannelKey("shop", "network")
ALL = 1 << 40


class Rings:
    """Memory as the hub has it: the newest records of every channel; tells when the keeper's health changes."""

    def __init__(self, size: int = 1_000_000) -> None:
        self.size = size
        self.records: dict[ChannelKey, list[Record]] = {}
        self.seqs: dict[ChannelKey, int] = {}
        self.health: list[str] = []
        self._changed = asyncio.Event()

    def begin(self, opened: Opened) -> None:
        for key, floor in opened.floors.items():
            self.records[key] = list(opened.tails[key])
            self.seqs[key] = self.records[key][-1].seq if self.records[key] else floor

    def make(self, count: int, key: ChannelKey = ERRORS) -> list[Record]:
        first = self.seqs.get(key, 0) + 1
        made = [
            Record(*key, seq, f"{key.channel}-{seq}", 0, b"x" * 450) for seq in range(first, first + count)
        ]
        self.seqs[key] = first + count - 1
        ring = self.records.setdefault(key, [])
        ring += made
        del ring[: -self.size]
        return made

    def missing(self, last: Mapping[ChannelKey, int]) -> tuple[list[Record], dict[ChannelKey, int]]:
        found: list[Record] = []
        floors: dict[ChannelKey, int] = {}
        for key, records in self.records.items():
            found += [one for one in records if one.seq > last.get(key, 0)]
            if (before := records[0].seq - 1) > last.get(key, 0):
                floors[key] = before
        return found, floors

    def on_health(self, problem: str) -> None:
        self.health.append(problem)
        self._changed.set()

    async def until(self, *health: str) -> None:
        while self.health != list(health):
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)


class Stuck(SqliteJournal):
    """A disk that does not answer until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Retention("none"))
        self.go = threading.Event()
        self.go.set()

    def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        self.go.wait()
        super().append(records, floors)


class Refusing(SqliteJournal):
    """A disk that refuses to write for a while; it is read all the same."""

    problem = ""

    def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        if self.problem:
            raise JournalFailed(self.problem)
        super().append(records, floors)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "HEAL_FIRST_S", 0.01)
    monkeypatch.setattr(keeping, "HEAL_LAST_S", 0.02)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def rings() -> Rings:
    return Rings()


def sqlite(path: Path) -> SqliteJournal:
    return SqliteJournal(path, Retention("none"))


def reopened(path: Path) -> tuple[Opened, dict[ChannelKey, list[int]]]:
    """What the next process finds, and the seqs of all that is kept."""
    with closing(sqlite(path)) as journal:
        opened = journal.open(ALL, ALL)
        found = {key: [one.seq for one in journal.read(key, 0, ALL, ALL)] for key in opened.floors}
        assert {key: [one.seq for one in tail] for key, tail in opened.tails.items()} == found
        return opened, found


async def test_what_was_handed_over_is_kept(path: Path, rings: Rings) -> None:
    took: list[float] = []
    keeper = Keeper(sqlite(path), rings.on_health, rings.missing, took.append)
    opened = await keeper.open(10, ALL)
    made = rings.make(3)
    await keeper.append(made)
    await keeper.append([])
    assert await keeper.read(ERRORS, 1, ALL, 10) == made[1:]
    assert await keeper.find("errors-2") == made[1]
    assert await keeper.find("errors-4") is None
    await keeper.close()
    await keeper.close()
    assert reopened(path)[0].ends == {opened.epoch: {ERRORS: 3}}
    assert (keeper.healthy, keeper.problem, rings.health) == (True, "", [])
    assert keeper.commits.count == len(took) == 2
    assert keeper.commits.seconds == sum(took)
    assert keeper.commits.worst_s == max(took)


async def test_all_that_was_handed_over_is_in_when_it_is_closed(path: Path, rings: Rings) -> None:
    keeper = Keeper(sqlite(path), rings.on_health, rings.missing)
    await keeper.open(0, 0)
    appends = [asyncio.create_task(keeper.append(rings.make(10))) for _ in range(50)]
    await asyncio.sleep(0)
    await keeper.close()
    await asyncio.gather(*appends)
    await keeper.append(rings.make(1))
    assert reopened(path)[1] == {ERRORS: list(range(1, 501))}
    assert rings.health == []


async def test_a_journal_that_keeps_nothing_needs_no_thread(rings: Rings) -> None:
    before = threading.active_count()
    keeper = Keeper(MemoryJournal(), rings.on_health, rings.missing)
    assert not keeper.durable
    opened = await keeper.open(10, ALL)
    await keeper.append(rings.make(3))
    assert await keeper.read(ERRORS, 0, ALL, 10) == []
    assert await keeper.find("errors-1") is None
    assert threading.active_count() == before
    await keeper.close()
    assert opened == Opened(opened.epoch)
    assert keeper.healthy


async def test_a_journal_of_another_process_is_not_passed_over(path: Path, rings: Rings) -> None:
    before = threading.active_count()
    with closing(sqlite(path)) as other:
        other.open(0, 0)
        with pytest.raises(JournalLocked):
            await Keeper(sqlite(path), rings.on_health, rings.missing).open(0, 0)
    assert threading.active_count() == before
    assert rings.health == []


async def test_a_folder_that_is_removed_is_begun_anew_with_what_memory_holds(
    path: Path, rings: Rings
) -> None:
    rings.size = 20
    keeper = Keeper(sqlite(path), rings.on_health, rings.missing)
    opened = await keeper.open(0, 0)
    await keeper.append(rings.make(100))
    await keeper.append(rings.make(5, NETWORK))
    shutil.rmtree(path.parent)
    await keeper.append(rings.make(10))
    assert not keeper.healthy
    assert await keeper.read(ERRORS, 0, ALL, 10) == []
    assert await keeper.find("errors-1") is None
    await rings.until("its file was removed or replaced", "")
    assert (keeper.healthy, keeper.problem) == (True, "")
    await keeper.append(rings.make(1))
    await keeper.close()
    later, found = reopened(path)
    assert found == {ERRORS: list(range(91, 112)), NETWORK: [1, 2, 3, 4, 5]}
    assert later.floors == {ERRORS: 90, NETWORK: 0}
    assert later.ends == {opened.epoch: {ERRORS: 111, NETWORK: 5}}


async def test_damage_is_set_aside_while_the_server_runs(path: Path, rings: Rings) -> None:
    first = Keeper(sqlite(path), rings.on_health, rings.missing)
    await first.open(0, 0)
    await first.append(rings.make(5000))
    await first.close()
    keeper = Keeper(sqlite(path), rings.on_health, rings.missing)
    opened = await keeper.open(0, 0)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    assert await keeper.read(ERRORS, 0, 100, 100) == []
    await keeper.append(rings.make(1))
    await rings.until("event 5001 of shop/errors does not follow on 0", "")
    await keeper.close()
    later, found = reopened(path)
    assert found == {ERRORS: list(range(1, 5002))}
    assert later.ends[opened.epoch] == {ERRORS: 5001}
    assert next(iter(later.ends.values())) == {ERRORS: 5000}


async def test_an_outage_leaves_neither_holes_nor_doubles(path: Path, rings: Rings) -> None:
    journal = Refusing(path, Retention("none"))
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    await keeper.append(rings.make(5))
    journal.problem = "the disk is full"
    for count in range(1, 10):
        await keeper.append(rings.make(count))
        await keeper.append(rings.make(count, NETWORK))
    assert keeper.problem == "the disk is full"
    assert keeper.commits.count == 2
    journal.problem = ""
    while not keeper.healthy:
        # What comes while it catches up is in memory, and handed over in vain or after it was taken from there.
        made = rings.make(1)
        await asyncio.sleep(0)
        await keeper.append(made)
    assert rings.health == ["the disk is full", ""]
    await keeper.append(rings.make(3))
    await keeper.close()
    assert rings.health == ["the disk is full", ""]
    assert reopened(path)[1] == {key: list(range(1, seq + 1)) for key, seq in rings.seqs.items()}


async def test_what_healing_took_from_memory_may_be_handed_over_again(path: Path, rings: Rings) -> None:
    journal = Refusing(path, Retention("none"))
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    journal.problem = "the disk is full"
    await keeper.append(rings.make(2))
    late = rings.make(3)
    journal.problem = ""
    await rings.until("the disk is full", "")
    await keeper.append([*late, *rings.make(2)])
    await keeper.append(late)
    await keeper.close()
    assert rings.health == ["the disk is full", ""]
    assert reopened(path)[1] == {ERRORS: [1, 2, 3, 4, 5, 6, 7]}


async def test_events_that_memory_lost_meanwhile_are_a_raised_floor(path: Path, rings: Rings) -> None:
    rings.size = 10
    journal = Refusing(path, Retention("none"))
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    await keeper.append(rings.make(5))
    await keeper.append(rings.make(5, NETWORK))
    journal.problem = "the disk is full"
    await keeper.append(rings.make(50))
    await keeper.append(rings.make(2, NETWORK))
    journal.problem = ""
    await rings.until("the disk is full", "")
    await keeper.close()
    later, found = reopened(path)
    assert later.floors == {ERRORS: 45, NETWORK: 0}
    assert found == {ERRORS: list(range(46, 56)), NETWORK: [1, 2, 3, 4, 5, 6, 7]}


async def test_what_was_told_and_never_kept_is_beyond_the_end(path: Path, rings: Rings) -> None:
    journal = Refusing(path, Retention("none"))
    keeper = Keeper(journal, rings.on_health, rings.missing)
    opened = await keeper.open(0, 0)
    await keeper.append(rings.make(5))
    journal.problem = "the disk is full"
    await keeper.append(rings.make(3))
    await keeper.append(rings.make(3, NETWORK))
    await keeper.close()
    assert rings.health == ["the disk is full"]
    later, found = reopened(path)
    assert later.ends == {opened.epoch: {ERRORS: 5}}
    assert found == {ERRORS: [1, 2, 3, 4, 5]}


async def test_closing_is_a_last_chance_to_catch_up(
    path: Path, rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "HEAL_FIRST_S", 1000)
    journal = Refusing(path, Retention("none"))
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    journal.problem = "the disk is full"
    await keeper.append(rings.make(3))
    journal.problem = ""
    await keeper.close()
    assert reopened(path)[1] == {ERRORS: [1, 2, 3]}


async def test_nobody_waits_for_a_disk_that_hangs(
    path: Path, rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "STALL_S", 0.02)
    journal = Stuck(path)
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    journal.go.clear()
    await keeper.append(rings.make(3))
    assert keeper.problem == "the disk has not answered for 0.02 s"
    await keeper.append(rings.make(3))
    journal.go.set()
    # The commit that hung is done after all, and is not done again.
    await rings.until("the disk has not answered for 0.02 s", "")
    monkeypatch.undo()
    await keeper.append(rings.make(3))
    await keeper.close()
    assert reopened(path)[1] == {ERRORS: list(range(1, 10))}


async def test_a_thread_that_hangs_is_left_behind(
    path: Path, rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "STALL_S", 0.02)
    monkeypatch.setattr(keeping, "CLOSE_S", 0.02)
    before = set(threading.enumerate())
    journal = Stuck(path)
    keeper = Keeper(journal, rings.on_health, rings.missing)
    await keeper.open(0, 0)
    journal.go.clear()
    await keeper.append(rings.make(3))
    await keeper.close()
    await keeper.append(rings.make(3))
    journal.go.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert reopened(path)[1] == {ERRORS: [1, 2, 3]}


def test_a_hung_disk_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    code = """
import asyncio, sys, threading
from firstcause.api.journal import keeper as keeping
from firstcause.api.journal.memory import MemoryJournal

class Hung(MemoryJournal):
    durable = True
    def append(self, records, floors):
        threading.Event().wait()

keeping.STALL_S = keeping.CLOSE_S = 0.02

async def main():
    keeper = keeping.Keeper(Hung(), lambda problem: print(problem), lambda last: ([], {}))
    await keeper.open(0, 0)
    await keeper.close()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "the disk has not answered for 0.02 s\n"


async def test_a_state_folder_that_can_not_be_used_is_told_and_joined_when_it_can(
    path: Path, rings: Rings
) -> None:
    path.parent.write_text("in the way")
    keeper = Keeper(sqlite(path), rings.on_health, rings.missing)
    opened = await keeper.open(10, ALL)
    assert opened == Opened(opened.epoch)
    assert rings.health == [keeper.problem]
    await keeper.append(rings.make(3))
    path.parent.unlink()
    await rings.until(rings.health[0], "")
    await keeper.append(rings.make(2))
    await keeper.close()
    later, found = reopened(path)
    assert later.ends == {opened.epoch: {ERRORS: 5}}
    assert found == {ERRORS: [1, 2, 3, 4, 5]}


async def test_a_disk_that_is_full_at_the_start_still_tells_what_it_holds(path: Path, rings: Rings) -> None:
    with closing(sqlite(path)) as journal:
        first = journal.open(0, 0)
        journal.append(rings.make(5), {})
    full = Refusing(path, Retention("none"))
    full.problem = "the disk is full"
    keeper = Keeper(full, rings.on_health, rings.missing)
    opened = await keeper.open(10, ALL)
    assert opened.ends == {first.epoch: {ERRORS: 5}}
    rings.begin(opened)
    await keeper.append(rings.make(2))
    full.problem = ""
    await rings.until("the disk is full", "")
    await keeper.close()
    later, found = reopened(path)
    assert later.ends == {first.epoch: {ERRORS: 5}, opened.epoch: {ERRORS: 7}}
    assert found == {ERRORS: [1, 2, 3, 4, 5, 6, 7]}


async def test_a_backend_that_can_not_be_opened_is_left_out_until_the_next_start(
    path: Path, rings: Rings
) -> None:
    class Closed(SqliteJournal):
        def open(self, tail_events: int, tail_bytes: int) -> Opened:
            raise JournalFailed("nobody answers")

    keeper = Keeper(Closed(path, Retention()), rings.on_health, rings.missing)
    opened = await keeper.open(10, ALL)
    assert opened == Opened(opened.epoch)
    await keeper.append(rings.make(1))
    await keeper.close()
    assert rings.health == ["nobody answers; it is tried again at the next start"]
    assert not path.exists()


async def test_a_mistake_in_a_backend_is_logged_and_no_more(
    path: Path, rings: Rings, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(SqliteJournal):
        def append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
            if not floors and records == []:
                return super().append(records, floors)
            return {}[records[0].seq]

        def find(self, event_id: str) -> Record | None:
            raise LookupError(event_id)

    keeper = Keeper(Wrong(path, Retention()), rings.on_health, rings.missing)
    await keeper.open(0, 0)
    assert await keeper.find("one") is None
    assert keeper.healthy
    await keeper.append(rings.make(1))
    assert rings.health == ["1"]
    await keeper.close()
    assert "in a way that it should not" in caplog.text
