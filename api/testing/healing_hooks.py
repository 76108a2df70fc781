"""What the pytest plugin does about selectors: remembers what they find, heals those that broke, writes the patch in the end.

All of it is called under the plugin's guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import pytest
from _pytest._code.code import TracebackEntry

from .background import Background
from .failure import Failure
from .internal import as_in_messages

if TYPE_CHECKING:
    from ..observation import Observation
    from .healer import Healer, Mode
    from .observed import SeenPage
    from .story import Looked
    from .told import Report

OPTION: Final = "firstcause_heal"
OUTPUT: Final = "firstcause_heal"
MEMORY: Final = "firstcause"
HEAL_WITHIN_S: Final = 20.0
# A page that does not answer by then is not worth a longer test.
LEARN_WITHIN_S: Final = 3.0


class Seen(Protocol):
    """A browser that is observed."""

    @property
    def observation(self) -> Observation: ...

    @property
    def pages(self) -> Mapping[str, SeenPage]: ...


class HealingHooks:
    """In each worker of pytest-xdist there is one of its own; that of the controller writes what they found."""

    def __init__(self, config: pytest.Config, background: Background) -> None:
        self._config = config
        self._background = background
        self._has_healer = False
        self._used: set[str] = set()
        """The selectors of this test."""
        self._learned: set[tuple[str, str]] = set()
        """Files and selectors of which there is nothing more to learn: most tests wait for nobody, and ask nothing."""
        self._asking: set[asyncio.Task[None]] = set()
        self.lines: list[str] = []

    @cached_property
    def _healer(self) -> Healer:
        """Made when there is something to heal: what it needs is not imported before."""
        from .healer import Healer

        self._has_healer = True
        return Healer(
            cast("Mode", self._config.getoption(OPTION) or "suggest"), self._config.rootpath, self._memory
        )

    @cached_property
    def _memory(self) -> Path | None:
        """Pytest's own cache, which outlives the run, if it is in use."""
        cache = cast("pytest.Cache | None", getattr(self._config, "cache", None))
        return cache.mkdir(MEMORY) if cache is not None else None

    def begin(self) -> None:
        """Another test."""
        self._used.clear()

    def step(self, selector: str, observed: Seen, where: str) -> None:
        """As it begins: its element may not be there yet, and need not be there for long."""
        if (where, selector) not in self._learned:
            self._used.add(selector)
            self._background.post(self._learn, selector, observed, where)

    def passed(self, observed: Seen, where: str) -> None:
        """While the pages are still there: what was not found as its step began is looked for once more."""
        if self._used and not self._learned.issuperset((where, selector) for selector in self._used):
            with suppress(TimeoutError):
                self._background.ask(self._learn_all(tuple(self._used), observed, where), LEARN_WITHIN_S)

    async def _learn_all(self, selectors: Sequence[str], observed: Seen, where: str) -> None:
        await asyncio.gather(*self._asking)
        for selector in selectors:
            self._learn(selector, observed, where)
        await asyncio.gather(*self._asking)

    def _learn(self, selector: str, observed: Seen, where: str) -> None:
        """In the thread of the browsers. Who has several pages does not say which one is meant."""
        pages = [name for name, page in observed.pages.items() if page.is_open]
        if len(pages) != 1:
            return
        locator = as_in_messages(selector) if self._memory is not None else ""
        if not locator or not self._healer.wants(where, locator):
            self._learned.add((where, selector))
            return
        asked = self._healer.remember(observed.observation, pages[0], where, locator)
        task = asyncio.ensure_future(asked)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def failed(
        self,
        observed: Seen,
        failure: Failure,
        looked: Looked,
        where: str,
        entries: Sequence[TracebackEntry],
    ) -> Report:
        """The failing test's report with what is to be said of its selector."""
        from .places import Frame
        from .told import MAX_LINES

        healing = self._healer.heal(
            observed.observation,
            failure,
            looked.failed.page,
            events=looked.events,
            failed=looked.failed.id,
            where=where,
            frames=[Frame(Path(str(entry.path)), entry.lineno + 1) for entry in entries],
        )
        found = self._background.ask(healing, HEAL_WITHIN_S)
        if found is None:
            return looked.report
        cause, *rest = looked.report.text.splitlines()
        lines = [cause, *found.lines(), *rest][:MAX_LINES]
        return looked.report._replace(
            text="\n".join(lines), properties=(*looked.report.properties, *found.properties())
        )

    def output(self) -> str:
        """What a worker has for the controller."""
        return self._healer.plain() if self._has_healer else ""

    def take(self, node: Any) -> None:
        """What a worker had."""
        if told := str(getattr(node, "workeroutput", {}).get(OUTPUT, "")):
            self._healer.add_plain(told)

    def finish(self) -> None:
        """Raises OutputFailed."""
        if self._has_healer:
            self.lines += self._healer.finish()
