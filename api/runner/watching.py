"""All of ours that goes on beside the command; whatever fails of it is a problem that is told, never one of the command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from ...observer.options import CaptureOptions
from ..settings import Settings
from .background import Background
from .hooked import Exchange
from .log import Log
from .observed import POLL_S, Observed
from .published import Published
from .sending import Sender

NO_FOLDER: Final = "no folder for the exchange with the command can be made"

log = logging.getLogger(__name__)


class Watching:
    """`environment` for the command, then `start` when it runs and `stop` when it has ended."""

    def __init__(self, settings: Settings, options: CaptureOptions, sender: Sender | None = None) -> None:
        self.log = Log(sender.take if sender is not None else lambda _: None)
        self.observed: Observed | None = None
        self._settings = settings
        self._options = options
        self._sender = sender
        self._problem = ""
        self._exchange: Exchange | None = None
        self._background: Background | None = None

    @property
    def problem(self) -> str:
        """Why browsers were not observed, or not all of them."""
        of_background = self._background.problem if self._background is not None else ""
        of_browser = self.observed.problem if self.observed is not None else ""
        return self._problem or of_background or of_browser

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What the command needs to be observed."""
        try:
            self._exchange = Exchange()
            self.observed = Observed(
                self._exchange,
                self.log,
                self._options,
                project=self._settings.project,
                redactor=self._settings.redactor,
                thresholds=self._settings.detectors,
            )
            return self._exchange.environment(given)
        except Exception as error:
            self._problem = str(error) or NO_FOLDER
            log.debug(NO_FOLDER, exc_info=True)
            return dict(given)

    def start(self) -> None:
        if self._sender is not None:
            self._sender.start()
        if self._exchange is not None and self.observed is not None:
            self._background = Background(self._observe, self._exchange.end)
            self._background.start()

    def stop(self) -> None:
        if self._background is not None:
            self._background.stop()
        if self._sender is not None:
            self._sender.stop()

    def close(self) -> None:
        """Leave no folder behind."""
        if self._exchange is not None:
            self._exchange.close()

    async def _observe(self, stop: asyncio.Event) -> None:
        assert self._exchange is not None
        assert self.observed is not None
        published = Published(
            self.log, self.observed.of_worker, self._settings.project, self._settings.redactor
        )
        while not stop.is_set():
            self.observed.look()
            self._hear(published)
            await asyncio.sleep(POLL_S)
        await self.observed.settle()
        self._hear(published)

    def _hear(self, published: Published) -> None:
        assert self._exchange is not None
        for told in self._exchange.told():
            published.take(told)
