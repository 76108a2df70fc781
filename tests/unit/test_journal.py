"""Journals: what was committed is there whatever happened since, in order and without holes above the floor."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firstcause.api.errors import JournalLocked, ServerStartFailed
from firstcause.api.journal import BACKENDS, sqlite
from firstcause.api.journal.base import ChannelKey, JournalFailed, Opened, Record
from firstcause.api.journal.retention import Retention
from firstcause.api.journal.sqlite import INCARNATIONS, SqliteJournal

ERRORS = ChannelKey("shop", "errors")
NETWORK = ChannelKey("shop", "network")
ALL = 1 << 40
KEEP_ALL = Retention("none")

# Opens the journal that the first argument names and appends until it is killed, in groups of 1 to 3 on two channels; prints what
# is committed.
WRITER = """
import sys
from pathlib import Path
from firstcause.api.journal.base import ChannelKey, Record
from firstcause.api.journal.retention import Retention
from firstcause.api.journal.sqlite import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]), Retention("none"))
journal.open(0, 0)
seqs = {name: journal.last().get(ChannelKey("shop", name), 0) for name in ("errors", "network")}
while True:
    group = []
    for name in seqs:
        for _ in range(1 + seqs[name] % 3):
            seqs[name] += 1
            group.append(Record("shop", name, seqs[name], f"{name}-{seqs[name]}", 0, b"x" * 450))
    journal.append(group, {})
    print(seqs["errors"], seqs["network"], flush=True)
"""

# Fills a disk that takes no more than 400 kB a file, then is given more room; prints what a journal told of it.
FILLER = """
import json, resource, sys
from pathlib import Path
from firstcause.api.journal.base import ChannelKey, JournalFailed, Record
from firstcause.api.journal.retention import Retention
from firstcause.api.journal.sqlite import SqliteJournal

KEY = ChannelKey("shop", "errors")

def group(after):
    return [Record(*KEY, seq, str(seq), 0, b"x" * 450) for seq in range(after + 1, after + 11)]

_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, most))
journal = SqliteJournal(Path(sys.argv[1]), Retention("none"))
journal.open(0, 0)
done, why = 0, ""
while not why:
    try:
        journal.append(group(done), {})
        done += 10
    except JournalFailed as error:
        why = str(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
last = journal.last()[KEY]
journal.append(group(last), {})
print(json.dumps([done, why, last, [one.seq for one in journal.read(KEY, 0, 1 << 40, 1 << 40)]]))
journal.close()
"""


def record(key: ChannelKey, seq: int, *, stored_ms: int = 0, size: int = 50) -> Record:
    return Record(*key, seq, f"{key.project}-{key.channel}-{seq}", stored_ms, b"x" * size)


def records(key: ChannelKey, first: int, last: int, **fields: int) -> list[Record]:
    return [record(key, seq, **fields) for seq in range(first, last + 1)]


def seqs(found: list[Record]) -> list[int]:
    return [one.seq for one in found]


def kept(journal: SqliteJournal, key: ChannelKey = ERRORS) -> list[int]:
    return seqs(journal.read(key, 0, ALL, ALL))


def reopened(
    path: Path, retention: Retention = KEEP_ALL, tail_events: int = 0, tail_bytes: int = 0
) -> Opened:
    """What the next process finds."""
    with closing(SqliteJournal(path, retention)) as journal:
        return journal.open(tail_events, tail_bytes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal(path, KEEP_ALL)) as journal:
        journal.open(0, 0)
        yield journal


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_new_journal_has_an_epoch_and_nothing_else(backend: str, path: Path) -> None:
    with closing(BACKENDS[backend](path, Retention())) as journal:
        opened = journal.open(10, 10_000)
        assert re.fullmatch("[a-z0-9]{10}", opened.epoch)
        assert opened == Opened(opened.epoch)
        assert journal.last() == {}
        assert journal.read(ERRORS, 0, ALL, 10) == []
        assert journal.find("shop-errors-1") is None
        assert journal.open(10, 10_000).epoch != opened.epoch
    journal.close()


@pytest.mark.parametrize(("backend", "durable"), [("memory", False), ("sqlite", True)])
def test_a_backend_says_whether_it_outlives_the_process(backend: str, durable: bool, path: Path) -> None:
    for _ in range(2):
        with closing(BACKENDS[backend](path, Retention())) as journal:
            assert journal.durable is durable
            found = journal.open(10, 10_000)
            if durable:
                journal.append([record(ERRORS, found.floors.get(ERRORS, 0) + len(found.ends) + 1)], {})
    assert (found.tails != {}) is durable


def test_what_was_appended_is_read_back_now_and_after_the_end(path: Path, journal: SqliteJournal) -> None:
    line = b'{"at": "\xff\x00"}'
    one = Record(*ERRORS, 2, "two", 1_700_000_000_123, line)
    journal.append([record(ERRORS, 1), record(NETWORK, 1), one, *records(NETWORK, 2, 9)], {})
    assert journal.find("two") == one
    assert journal.read(ERRORS, 1, ALL, 10) == [one]
    assert seqs(journal.read(NETWORK, 3, 7, 10)) == [4, 5, 6, 7]
    assert seqs(journal.read(NETWORK, 3, 7, 2)) == [4, 5]
    assert journal.read(ChannelKey("other", "errors"), 0, ALL, 10) == []
    journal.close()
    opened = reopened(path, tail_events=3, tail_bytes=ALL)
    assert opened.floors == {ERRORS: 0, NETWORK: 0}
    assert opened.tails[ERRORS] == [record(ERRORS, 1), one]
    assert seqs(list(opened.tails[NETWORK])) == [7, 8, 9]


def test_tails_are_as_long_as_their_bytes_allow(path: Path, journal: SqliteJournal) -> None:
    journal.append(
        [*records(ERRORS, 1, 9, size=100), record(NETWORK, 1, size=1000), record(NETWORK, 2, size=1)], {}
    )
    journal.close()
    opened = reopened(path, tail_events=5, tail_bytes=300)
    assert {key: seqs(list(tail)) for key, tail in opened.tails.items()} == {ERRORS: [7, 8, 9], NETWORK: [2]}


def test_every_incarnation_ends_where_the_next_began(path: Path) -> None:
    epochs: list[str] = []
    for count in range(3):
        with closing(SqliteJournal(path, KEEP_ALL)) as journal:
            opened = journal.open(0, 0)
            assert opened.ends == {epoch: {ERRORS: n + 1} for n, epoch in enumerate(epochs)}
            epochs.append(opened.epoch)
            journal.append([record(ERRORS, count + 1)], {})
    assert len(set(epochs)) == 3


def test_only_the_newest_incarnations_are_kept(path: Path, journal: SqliteJournal) -> None:
    epochs = [journal.open(0, 0).epoch for _ in range(INCARNATIONS + 5)]
    journal.close()
    assert list(reopened(path).ends) == epochs[1 - INCARNATIONS :]
    assert len(reopened(path).ends) == INCARNATIONS - 1


@pytest.mark.parametrize("wrong", [5, 7, 1])
def test_what_does_not_follow_on_is_refused_with_all_that_comes_with_it(
    journal: SqliteJournal, wrong: int
) -> None:
    journal.append(records(ERRORS, 1, 5), {})
    with pytest.raises(JournalFailed, match=rf"event {wrong} of shop/errors does not follow on 5"):
        journal.append([record(NETWORK, 1), record(ERRORS, wrong)], {})
    assert journal.last() == {ERRORS: 5}
    journal.append(records(ERRORS, 6, 7), {})
    assert kept(journal) == [1, 2, 3, 4, 5, 6, 7]


def test_a_raised_floor_hides_what_is_below_and_never_sinks(path: Path, journal: SqliteJournal) -> None:
    journal.append([*records(ERRORS, 1, 5), *records(NETWORK, 1, 5)], {})
    journal.append(records(NETWORK, 9, 10), {ERRORS: 3, NETWORK: 8, ChannelKey("new", "errors"): 4})
    journal.append([], {ERRORS: 1})
    for _ in range(2):
        assert kept(journal) == [4, 5]
        assert kept(journal, NETWORK) == [9, 10]
        assert journal.last() == {ERRORS: 5, NETWORK: 10, ChannelKey("new", "errors"): 4}
        assert journal.find("shop-errors-3") is None
        assert journal.find("shop-errors-4") == record(ERRORS, 4)
        journal.close()
        opened = journal.open(10, ALL)
        assert opened.floors == {ERRORS: 3, NETWORK: 8, ChannelKey("new", "errors"): 4}
        assert seqs(list(opened.tails[NETWORK])) == [9, 10]


def test_rolling_retention_bounds_events_over_all_channels(path: Path) -> None:
    with closing(SqliteJournal(path, Retention(max_events=1000))) as journal:
        journal.open(0, 0)
        journal.append(records(NETWORK, 1, 50), {})
        for first in range(1, 3001, 50):
            journal.append(records(ERRORS, first, first + 49), {})
            assert len(kept(journal)) < 1000 + 50 + sqlite.TRIM_EVENTS
        assert kept(journal, NETWORK) == []
        first, *_ = kept(journal)
        assert kept(journal) == list(range(first, 3001))
    opened = reopened(path, Retention(max_events=1000))
    assert opened.floors == {ERRORS: 2000, NETWORK: 50}
    assert reopened(path, Retention(max_events=10)).floors == {ERRORS: 2990, NETWORK: 50}


def test_rolling_retention_bounds_the_file(path: Path) -> None:
    with closing(SqliteJournal(path, Retention(max_bytes=1_000_000))) as journal:
        journal.open(0, 0)
        for first in range(1, 6001, 100):
            journal.append(records(ERRORS, first, first + 99, size=450), {})
        assert 1500 < len(kept(journal)) < 2200
    assert 900_000 < path.stat().st_size < 1_300_000


def test_time_retention_forgets_what_is_too_old(path: Path) -> None:
    now_ms = int(time.time() * 1000)
    retention = Retention("time", max_age_s=60, max_events=1, max_bytes=1)
    with closing(SqliteJournal(path, retention)) as journal:
        journal.open(0, 0)
        journal.append(records(ERRORS, 1, 5, stored_ms=now_ms - 61_000), {})
        journal.append(records(ERRORS, 6, 9, stored_ms=now_ms), {})
    with closing(SqliteJournal(path, retention)) as journal:
        journal.open(0, 0)
        assert kept(journal) == [6, 7, 8, 9]
        journal.append(records(ERRORS, 10, 10 + sqlite.TRIM_EVENTS, stored_ms=now_ms - 61_000), {})
        # A clock that was set back makes no hole: what came later waits for what came before.
        assert kept(journal)[:5] == [6, 7, 8, 9, 10]


def test_space_is_given_back_after_a_burst(path: Path, journal: SqliteJournal) -> None:
    journal.append(records(ERRORS, 1, 20_000, size=450), {})
    journal.close()
    assert path.stat().st_size > 10_000_000
    reopened(path, Retention(max_events=100))
    assert path.stat().st_size < 5_000_000


def test_one_process_writes_at_a_time(path: Path, journal: SqliteJournal) -> None:
    other = SqliteJournal(path, KEEP_ALL)
    with pytest.raises(JournalLocked, match=rf"Process {os.getpid()} already writes") as caught:
        other.open(0, 0)
    assert caught.value.hint
    journal.append([record(ERRORS, 1)], {})
    journal.close()
    assert other.open(0, 0).floors == {ERRORS: 0}
    other.close()


def test_only_its_user_may_read_it(path: Path, journal: SqliteJournal) -> None:
    journal.append([record(ERRORS, 1)], {})
    files = [path.parent, *path.parent.iterdir()]
    assert len(files) == 4
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    path.write_text("This is no database, and it is long enough to be sure of that. " * 100)


@pytest.mark.parametrize("damage", [overwrite, truncate, replace])
def test_a_damaged_journal_is_set_aside(path: Path, journal: SqliteJournal, damage: object) -> None:
    journal.append(records(ERRORS, 1, 500, size=450), {})
    journal.close()
    assert callable(damage)
    damage(path)
    damaged = path.read_bytes()
    opened = journal.open(10, ALL)
    (aside,) = path.parent.glob("journal.db.corrupt-*")
    assert re.fullmatch(r"journal\.db\.corrupt-\d{8}T\d{6}\.\d{6}Z", aside.name)
    assert aside.read_bytes() == damaged
    assert opened == Opened(opened.epoch, repaired=opened.repaired)
    assert aside.name in opened.repaired
    journal.append(records(ERRORS, 1, 3), {})
    assert kept(journal) == [1, 2, 3]


def test_damage_that_shows_later_is_set_aside_too_and_the_epochs_live_on(
    path: Path, journal: SqliteJournal
) -> None:
    journal.append(records(ERRORS, 1, 5000, size=450), {})
    old = journal.open(0, 0).ends
    epoch = list(old)[-1]
    journal.close()
    now = journal.open(0, 0)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(JournalFailed, match="its file is damaged"):
        journal.read(ERRORS, 0, ALL, ALL)
    assert journal.last() == {}
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1
    journal.append(records(ERRORS, 4000, 5002), {ERRORS: 3999})
    journal.close()
    opened = reopened(path)
    assert opened.ends[epoch] == {ERRORS: 5000}
    assert opened.ends[now.epoch] == {ERRORS: 5002}
    assert opened.floors == {ERRORS: 3999}


def test_a_journal_of_a_newer_version_is_left_alone(path: Path, journal: SqliteJournal) -> None:
    journal.append([record(ERRORS, 1)], {})
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(
        ServerStartFailed, match=r"newer firstcause \(format 99; this one knows 1\)"
    ) as caught:
        journal.open(0, 0)
    assert caught.value.hint
    assert path.read_bytes() == before


def test_a_file_that_vanishes_is_noticed_at_once_and_begun_anew(path: Path, journal: SqliteJournal) -> None:
    journal.append(records(ERRORS, 1, 5), {})
    first = journal.open(0, 0)
    shutil.rmtree(path.parent)
    with pytest.raises(JournalFailed, match="its file was removed or replaced"):
        journal.append([record(ERRORS, 6)], {})
    assert journal.last() == {}
    with pytest.raises(JournalFailed, match="does not follow on 0"):
        journal.append([record(ERRORS, 6)], {})
    journal.append([record(ERRORS, 6)], {ERRORS: 5})
    # The lock was removed with the folder and is held again.
    with pytest.raises(JournalLocked):
        reopened(path)
    journal.close()
    opened = reopened(path)
    assert opened.ends == {**first.ends, first.epoch: {ERRORS: 6}}
    assert opened.floors == {ERRORS: 5}


def test_ends_of_lost_events_are_not_claimed_before_they_are_back(path: Path, journal: SqliteJournal) -> None:
    journal.append(records(ERRORS, 1, 5), {})
    first = journal.open(0, 0)
    path.unlink()
    with pytest.raises(JournalFailed):
        journal.append([], {})
    journal.append([], {})
    journal.close()
    opened = reopened(path)
    # A seq of 1 to 5 will be given out again, so a cursor that stands there must be beyond its end.
    assert opened.floors == {}
    assert opened.ends == {**{epoch: {ERRORS: 0} for epoch in first.ends}, first.epoch: {}}


def test_a_journal_that_can_not_be_begun_is_joined_later(path: Path) -> None:
    path.mkdir(parents=True)
    with closing(SqliteJournal(path, KEEP_ALL)) as journal:
        opened = journal.open(10, ALL)
        assert opened == Opened(opened.epoch)
        with pytest.raises(JournalFailed, match="is a directory"):
            journal.append([], {})
        path.rmdir()
        journal.append(records(ERRORS, 1, 3), {})
        assert kept(journal) == [1, 2, 3]
    assert reopened(path).ends == {opened.epoch: {ERRORS: 3}}


def test_history_that_could_not_be_read_at_the_start_is_set_aside(path: Path, journal: SqliteJournal) -> None:
    journal.append(records(ERRORS, 1, 5), {})
    journal.close()
    hidden = path.rename(path.with_name("hidden"))
    path.mkdir()
    opened = journal.open(10, ALL)
    path.rmdir()
    hidden.rename(path)
    # Seq 1 of this incarnation is another event than the one in the file.
    journal.append([record(ERRORS, 1, size=1)], {})
    assert journal.read(ERRORS, 0, ALL, 10) == [record(ERRORS, 1, size=1)]
    journal.close()
    assert reopened(path).ends == {opened.epoch: {ERRORS: 1}}
    (aside,) = path.parent.glob("journal.db.unread-*")
    assert reopened(aside, tail_events=9, tail_bytes=ALL).tails == {ERRORS: records(ERRORS, 1, 5)}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a file's size are POSIX")
def test_a_full_disk_takes_whole_groups_or_nothing_and_goes_on_when_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], check=True, capture_output=True, text=True
    )
    count, why, last, there = json.loads(done.stdout)
    assert count > 100
    assert why in {"the disk is full", "disk I/O error"}  # SQLite calls a refused write the one or the other
    assert last == count
    assert there == list(range(1, count + 11))


def test_what_was_committed_survives_a_kill(path: Path) -> None:
    epochs: set[str] = set()
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(50)]
            child.kill()
            lines += child.stdout.readlines()
        told = [line.split() for line in lines if line.endswith("\n")][-1]
        with closing(SqliteJournal(path, KEEP_ALL)) as journal:
            opened = journal.open(0, 0)
            assert opened.repaired == ""
            for key, seq in zip((ERRORS, NETWORK), map(int, told), strict=True):
                last = journal.last()[key]
                # A commit may be in that could not be told any more.
                assert seq <= last <= seq + 3
                assert kept(journal, key) == list(range(1, last + 1))
                assert list(opened.ends.values())[-1][key] == last
            epochs.add(opened.epoch)
    assert len(opened.ends) == 9
    assert len(epochs) == 5


class Life(RuleBasedStateMachine):
    """A journal against a plain list of what was told, over restarts, trims, raised floors and disks that vanish."""

    KEYS = (ERRORS, NETWORK, ChannelKey("other", "errors"))
    MEMORY_EVENTS = 12
    RETENTION = Retention(max_events=20)

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state" / "journal.db"
        self.journal = SqliteJournal(self.path, self.RETENTION)
        self.told: list[Record] = []
        self.seqs: dict[ChannelKey, int] = {}
        self.floors: dict[ChannelKey, int] = {}
        self.ends: dict[str, dict[ChannelKey, int]] = {}
        self.epoch = self.journal.open(0, 0).epoch

    def told_of(self, key: ChannelKey) -> list[Record]:
        return [one for one in self.told if (one.project, one.channel) == key]

    def make(self, keys: list[ChannelKey]) -> list[Record]:
        made: list[Record] = []
        for key in keys:
            self.seqs[key] = self.seqs.get(key, 0) + 1
            made.append(record(key, self.seqs[key], size=self.seqs[key] % 90))
        self.told += made
        return made

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=9))
    def append(self, keys: list[ChannelKey]) -> None:
        self.journal.append(self.make(keys), {})

    @rule(key=st.sampled_from(KEYS), by=st.integers(0, 5))
    def raise_floor(self, key: ChannelKey, by: int) -> None:
        floor = min(self.floors.get(key, 0) + by, self.seqs.get(key, 0))
        self.journal.append([], {key: floor})
        self.floors[key] = max(self.floors.get(key, 0), floor)
        self.seqs.setdefault(key, 0)

    @rule(key=st.sampled_from(KEYS))
    def refuse_a_hole(self, key: ChannelKey) -> None:
        with pytest.raises(JournalFailed):
            self.journal.append([record(key, self.seqs.get(key, 0) + 2)], {})

    @rule(tail_events=st.integers(0, 9))
    def restart(self, tail_events: int) -> None:
        self.journal.close()
        self.ends[self.epoch] = dict(self.seqs)
        opened = self.journal.open(tail_events, ALL)
        assert opened.ends == self.ends
        assert opened.floors.keys() == self.seqs.keys()
        for key, tail in opened.tails.items():
            there = self.journal.read(key, 0, ALL, ALL)
            assert tail == there[max(len(there) - tail_events, 0) :]
        self.epoch = opened.epoch

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=20))
    def lose_the_disk_and_heal(self, keys: list[ChannelKey]) -> None:
        shutil.rmtree(self.path.parent)
        with pytest.raises(JournalFailed):
            self.journal.append(self.make(keys), {})
        assert self.journal.last() == {}
        held = {key: self.told_of(key)[-self.MEMORY_EVENTS :] for key in self.seqs}
        floors = {key: held[key][0].seq - 1 if held[key] else seq for key, seq in self.seqs.items()}
        self.journal.append([one for key in held for one in held[key]], floors)
        self.told = [one for key in held for one in held[key]]
        self.floors = floors

    @rule()
    def lose_the_disk_and_restart(self) -> None:
        self.journal.close()
        shutil.rmtree(self.path.parent)
        opened = self.journal.open(9, ALL)
        assert opened == Opened(opened.epoch)
        self.told, self.seqs, self.floors, self.ends = [], {}, {}, {}
        self.epoch = opened.epoch

    @invariant()
    def has_what_was_told(self) -> None:
        assert self.journal.last() == self.seqs
        there = {key: self.journal.read(key, 0, ALL, ALL) for key in self.seqs}
        live = [
            one for one in self.told if one.seq > self.floors.get(ChannelKey(one.project, one.channel), 0)
        ]
        count = sum(map(len, there.values()))
        assert count <= self.RETENTION.max_events + 40
        if count < len(live):
            # The oldest went first, over all channels, and only as many as had to.
            assert count >= self.RETENTION.max_events
            live = live[-count:]
        self.told = live
        assert there == {key: self.told_of(key) for key in self.seqs}
        for one in live[-3:]:
            assert self.journal.find(one.id) == one

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


def test_a_journal_is_what_was_told_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TRIM_EVENTS", 10)
    monkeypatch.setattr(sqlite, "CHUNK_EVENTS", 4)
    Life.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
    case = Life.TestCase()
    case.runTest()
