"""Stands between the event loop and the journal: commits in a thread of its own, and goes on without it when the disk does not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from ...observer.errors import FirstcauseError
from ..worker import Worker
from .base import ChannelKey, Journal, JournalFailed, Opened, Record
from .memory import MemoryJournal

STALL_S = 5.0
OPEN_STALL_S = 60.0
CLOSE_S = 2.0
HEAL_FIRST_S = 0.5
HEAL_LAST_S = 10.0

Missing = Callable[[Mapping[ChannelKey, int]], tuple[list[Record], dict[ChannelKey, int]]]
T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Commits:
    """How long commits took; one that stalls counts when it ends."""

    count: int = 0
    seconds: float = 0.0
    worst_s: float = 0.0

    def add(self, took_s: float) -> None:
        self.count += 1
        self.seconds += took_s
        self.worst_s = max(self.worst_s, took_s)


class Keeper:
    """The only one that touches the journal. While `healthy` is False, `problem` says why and nothing waits for the disk.

    `missing` is asked in the event loop, with the last seqs that the journal has (0 for a channel that it does not name): it gives
    the records after them that memory still holds, each channel's in order and without holes, and for a channel where memory begins
    later the floor to raise, one below its first record. A record must be in memory before it is handed to `append`.

    `on_health` gets the problem when events stop being kept, and "" when all are kept again. `on_commit` gets the seconds that a
    commit took, in the journal's thread.
    """

    def __init__(
        self,
        journal: Journal,
        on_health: Callable[[str], object],
        missing: Missing,
        on_commit: Callable[[float], object] | None = None,
    ) -> None:
        self.healthy = True
        self.problem = ""
        self.commits = Commits()
        self._journal = journal
        self._on_health = on_health
        self._missing = missing
        self._on_commit = on_commit
        self._worker: Worker | None = None
        self._healing: asyncio.Task[None] | None = None
        self._closing = False
        self._caught_up: dict[ChannelKey, int] = {}

    @property
    def durable(self) -> bool:
        return self._journal.durable

    async def open(self, tail_events: int, tail_bytes: int) -> Opened:
        """Raises what must not be passed over: JournalLocked, and ServerStartFailed for a newer format."""
        if not self.durable:
            return self._journal.open(tail_events, tail_bytes)
        self._worker = Worker("journal")
        try:
            opened = await self._answer(OPEN_STALL_S, self._journal.open, tail_events, tail_bytes)
        except FirstcauseError:
            await self.close()
            raise
        except JournalFailed as error:
            # There is nothing to heal: nobody knows which epoch the journal may have begun.
            self._degrade(f"{error}; it is tried again at the next start", heal=False)
            return MemoryJournal().open(tail_events, tail_bytes)
        if opened.repaired:
            log.warning(opened.repaired)
        await self._commit([])  # that it can be read does not mean that it can be written
        return opened

    async def append(self, records: Sequence[Record]) -> None:
        """Returns when they are kept, or when it is clear that they can't be now; never raises."""
        if not self.healthy or self._worker is None:
            return
        if self._caught_up:
            # Healing may have taken from memory what is only now handed over.
            records = [one for one in records if one.seq > self._caught_up.get(_key(one), 0)]
        if records:
            await self._commit(records)

    async def read(self, key: ChannelKey, after: int, upto: int, limit: int) -> list[Record]:
        """Empty also when the journal can't be read."""
        return await self._ask(self._journal.read, key, after, upto, limit) or []

    async def find(self, event_id: str) -> Record | None:
        return await self._ask(self._journal.find, event_id)

    async def close(self) -> None:
        """What was handed over before is committed, and what is still missing if it can be; a thread that hangs is left behind."""
        if self._worker is None:
            return
        self._closing = True
        deadline_s = time.monotonic() + CLOSE_S
        if self._healing is not None:
            self._healing.cancel()
            await asyncio.wait({self._healing})
            if not self.healthy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._try(), CLOSE_S)
        worker, self._worker = self._worker, None
        await asyncio.wait({worker.run(self._journal.close)}, timeout=deadline_s - time.monotonic())
        if not worker.stop(0.1):
            log.warning("the journal was left as it is: %s", self.problem or "its disk does not answer")

    async def _answer(self, limit_s: float | None, call: Callable[..., T], *args: Any) -> T:
        """Raises nothing but JournalFailed and the errors of the tree."""
        assert self._worker is not None
        answer = self._worker.run(call, *args)
        await asyncio.wait({answer}, timeout=limit_s)
        if not answer.done():
            raise JournalFailed(f"the disk has not answered for {limit_s:g} s")
        try:
            return answer.result()
        except (JournalFailed, FirstcauseError):
            raise
        except Exception as error:
            log.exception("the journal failed in a way that it should not")
            raise JournalFailed(str(error) or type(error).__name__) from error

    async def _ask(self, call: Callable[..., T], *args: Any) -> T | None:
        if not self.healthy or self._worker is None:
            return None
        try:
            return await self._answer(STALL_S, call, *args)
        except (JournalFailed, FirstcauseError) as error:
            log.warning("the journal can't be read: %s", error)
            return None

    async def _commit(
        self, records: Sequence[Record], floors: Mapping[ChannelKey, int] = MappingProxyType({})
    ) -> None:
        try:
            await self._answer(STALL_S, self._timed_append, records, floors)
        except (JournalFailed, FirstcauseError) as error:
            self._degrade(str(error))

    def _timed_append(self, records: Sequence[Record], floors: Mapping[ChannelKey, int]) -> None:
        """Runs in the thread: also a commit that nobody waits for any more is counted."""
        start_s = time.perf_counter()
        self._journal.append(records, floors)
        took_s = time.perf_counter() - start_s
        self.commits.add(took_s)
        if self._on_commit is not None:
            self._on_commit(took_s)

    def _degrade(self, problem: str, *, heal: bool = True) -> None:
        if not self.healthy or self._worker is None:
            return
        self.healthy, self.problem = False, problem
        log.warning("events are kept in memory only: %s", problem)
        if heal and not self._closing:
            self._healing = asyncio.create_task(self._heal())
        self._on_health(problem)

    async def _heal(self) -> None:
        wait_s = HEAL_FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, HEAL_LAST_S)
            if await self._try():
                return

    async def _try(self) -> bool:
        try:
            await self._catch_up()
        except (JournalFailed, FirstcauseError) as error:
            self.problem = str(error)
        except Exception:
            log.exception("what the journal misses can't be told")
        else:
            return True
        return False

    async def _catch_up(self) -> None:
        """Commits what the journal misses in two steps: the backlog, and what came meanwhile.

        To wait until nothing comes meanwhile would take forever on a busy stream. So appending begins again as soon as the second
        step is in the thread's queue, where all that is handed over from then on follows it.
        """
        # A commit that hung is before this in the queue, so what is there is known for certain.
        last = await self._answer(None, self._journal.last)
        # The first is done even if there is nothing to do: a disk that can be read may still refuse to write.
        await self._answer(None, self._timed_append, *self._missing(last))
        last = await self._answer(None, self._journal.last)
        records, floors = self._missing(last)
        self._caught_up = {**last, **floors, **{_key(one): one.seq for one in records}}
        self.healthy, self.problem = True, ""
        log.info("events are kept in the journal again")
        self._on_health("")
        if records or floors:
            await self._commit(records, floors)


def _key(record: Record) -> ChannelKey:
    return ChannelKey(record.project, record.channel)
