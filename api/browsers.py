"""The browsers that a server observes: attached to or launched while it runs, listed, let go."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Literal

from ..correlator.detecting import Thresholds
from ..correlator.event import Cause, Event
from ..correlator.redact import BUILT_IN, Redactor
from ..observer.errors import FirstcauseError
from ..observer.options import CaptureOptions
from ..observer.sources.launch import launch
from .errors import NotFound, RequestRefused, ShuttingDown, TooMany
from .observation import Observation

log = logging.getLogger(__name__)

MAX_BROWSERS = 20
How = Literal["attached", "launched"]


@dataclass(slots=True, eq=False)
class Observed:
    """One browser, and what keeps it observed."""

    id: str
    how: How
    address: str
    project: str
    observation: Observation
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    adopted: bool = False
    """Somebody else takes care of it."""

    @property
    def pages(self) -> dict[str, str]:
        return self.observation.observer.pages()


class Browsers:
    """Each browser tells its events to `publish`."""

    def __init__(
        self,
        publish: Callable[[Event], object],
        executable: str = "",
        redactor: Redactor = BUILT_IN,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._publish = publish
        self._redactor = redactor
        self._thresholds = thresholds or {}
        self._executable = executable or None
        self._observed: dict[str, Observed] = {}
        self._numbers = itertools.count(1)
        self._ended = False

    def __iter__(self) -> itertools.chain[Observed]:
        return itertools.chain(self._observed.values())

    async def attach(self, address: str, options: CaptureOptions, project: str) -> Observed:
        """Observe a running browser. Raises BrowserUnreachable and the like."""
        return await self._observe("attached", address, options, project, AsyncExitStack())

    async def launch(
        self, url: str, options: CaptureOptions, project: str, *, headed: bool = False
    ) -> Observed:
        """Launch a browser, observe it, then open the page."""
        stack = AsyncExitStack()
        launched = await stack.enter_async_context(launch(executable=self._executable, headed=headed))
        observed = await self._observe("launched", launched.ws_url, options, project, stack)
        try:
            await launched.open_page(url)
        except FirstcauseError:
            await self.detach(observed.id)
            raise
        return observed

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Other thresholds for the detectors, of the browsers that are observed and of those that will be."""
        self._thresholds = thresholds
        for observed in self:
            observed.observation.set_thresholds(thresholds)

    def observations(self, project: str) -> list[Observation]:
        return [observed.observation for observed in self if observed.project == project]

    def weak_of(self, project: str) -> Callable[[str], Sequence[Cause]]:
        """What may have caused an event of the project, as far as a browser that is observed now has told it."""
        observations = self.observations(project)
        return lambda event_id: [cause for one in observations for cause in one.weak_of(event_id)]

    def home_of(self, event: Event) -> Observation | None:
        """The browser whose story a published event is part of: it knows the cause, or is named by the session, or is the only one."""
        here = self.observations(event.project) if event.channel != "output" else []
        knowing = [one for one in here if event.cause is not None and one.knows(event.cause.id)]
        named = [one for one in here if one.session and one.session == event.session]
        return next(iter(knowing or named or (here if len(here) == 1 else ())), None)

    def adopt(self, observation: Observation, how: How, address: str, project: str) -> Observed:
        """List a browser that somebody else takes care of."""
        observed = Observed(observation.observer.name, how, address, project, observation, adopted=True)
        self._observed[observed.id] = observed
        return observed

    async def detach(self, browser_id: str) -> None:
        """Leave the browser as it was; one that was launched here ends."""
        observed = self._observed.get(browser_id)
        if observed is None:
            raise NotFound(
                f"No browser {browser_id[:40]} is observed.", "GET /v1/observe lists those that are."
            )
        if observed.adopted:
            raise RequestRefused(
                f"{browser_id} is what this server was started for.", "End the command that observes it."
            )
        del self._observed[browser_id]
        await observed.stack.aclose()

    async def close(self) -> None:
        self._ended = True
        for observed in list(self._observed.values()):
            if not observed.adopted:
                with suppress(NotFound):
                    await self.detach(observed.id)

    async def _observe(
        self, how: How, address: str, options: CaptureOptions, project: str, stack: AsyncExitStack
    ) -> Observed:
        async with AsyncExitStack() as undo:
            undo.push_async_exit(stack)
            if len(self._observed) >= MAX_BROWSERS:
                raise TooMany(f"{MAX_BROWSERS} browsers are observed already.", "Detach one first.")
            name = next(name for number in self._numbers if (name := f"b{number}") not in self._observed)
            observation = Observation(
                address,
                self._publish,
                options,
                project=project,
                name=name,
                redactor=self._redactor,
                thresholds=self._thresholds,
            )
            await stack.enter_async_context(observation)
            if self._ended:
                raise ShuttingDown("The server is ending.", "Ask again when it is back.")
            observed = Observed(name, how, address, project, observation, stack)
            self._observed[name] = observed
            undo.pop_all()
        return observed
