"""What the elements of a suite's locators were when they were found: kept from run to run, so that they are known again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from ...correlator.redact import BUILT_IN, Redactor
from ...observer.errors import CommandFailed, OutputFailed, UnknownPage
from ...observer.fingerprint import NOTHING, Fingerprint
from ...observer.locating import look
from ..observation import Observation
from .asked_for import page_steps
from .locators import BadLocator, read

FILE_NAME: Final = "elements.json"
MAX_KEPT: Final = 5_000
MAX_TRIES: Final = 3

Elements = dict[str, dict[str, Fingerprint]]
"""By file of tests and locator, as messages write it."""


class Kept(msgspec.Struct):
    version: int = 1
    elements: Elements = {}


KEPT: Final = msgspec.json.Decoder(Kept)


class Remembered:
    """`where` is the file of a test from the project's root. What is known already costs a lookup in here and no question."""

    def __init__(self, elements: Elements | None = None) -> None:
        self.elements: Elements = elements or {}
        self.fresh: Elements = {}
        """What this process has learned, for the one that writes the file."""
        self._tries: dict[tuple[str, str], int] = {}

    @classmethod
    def load(cls, folder: Path) -> Remembered:
        """A file that is not there, or says something else, is as good as none."""
        try:
            kept = KEPT.decode((folder / FILE_NAME).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return cls()
        return cls(kept.elements if kept.version == 1 else {})

    def was(self, where: str, locator: str) -> Fingerprint:
        return self.elements.get(where, {}).get(locator, NOTHING)

    def neighbours(self, where: str, locator: str) -> list[Fingerprint]:
        """What the other locators of the file found."""
        return [found for name, found in self.elements.get(where, {}).items() if name != locator]

    def wants(self, where: str, locator: str) -> bool:
        """Whether to ask the page: not for what is known, nor again and again for what goes with the action."""
        if locator in self.elements.get(where, {}) or self._tries.get((where, locator), 0) >= MAX_TRIES:
            return False
        self._tries[where, locator] = self._tries.get((where, locator), 0) + 1
        return True

    def put(self, where: str, locator: str, found: Fingerprint) -> None:
        if found != NOTHING:
            for elements in (self.elements, self.fresh):
                elements.setdefault(where, {})[locator] = found

    def forget(self, where: str, locator: str) -> None:
        """What a healed locator was is no longer what it should be."""
        self.elements.get(where, {}).pop(locator, None)

    def plain(self) -> bytes:
        """What is new, for another process."""
        return msgspec.json.encode(Kept(elements=self.fresh))

    def add_plain(self, told: bytes) -> None:
        for where, elements in KEPT.decode(told).elements.items():
            for locator, found in elements.items():
                self.put(where, locator, found)

    def save(self, folder: Path) -> None:
        """If there is anything new. Raises OutputFailed."""
        if not self.fresh:
            return
        flat = [
            (where, locator, found)
            for where, each in self.elements.items()
            for locator, found in each.items()
        ]
        kept: Elements = {}
        for where, locator, found in flat[-MAX_KEPT:]:
            kept.setdefault(where, {})[locator] = found
        path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.encode(Kept(elements=kept)))
        except OSError as error:
            raise OutputFailed(
                f"{path} can't be written: {error.strerror}.", "Choose another folder."
            ) from error


async def found_by(
    observation: Observation, page: str, locator: str, redactor: Redactor = BUILT_IN
) -> Fingerprint:
    """The one element that a locator finds on a page now, without secrets; nothing if it is none, or can't be told."""
    try:
        session = observation.observer.session_of(page)
        seen = await look(session, page_steps(read(locator)))
    except (BadLocator, UnknownPage, CommandFailed, msgspec.MsgspecError):
        return NOTHING
    return redactor.strings(seen.found[0]) if seen.count == 1 and seen.found else NOTHING
