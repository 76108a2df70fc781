"""Heals the selectors of a run's failed tests, and keeps what is found until the run is over: of one worker, or of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import msgspec

from ...correlator.event import Event
from ...correlator.redact import BUILT_IN, Redactor
from ...observer.fingerprint import NOTHING
from ..observation import Observation
from .failure import Failure
from .healed import Broken, Healing
from .healing import heal
from .locators import BadLocator, read, written
from .patches import Patches, PlainEdit
from .patching import edits_for
from .places import Frame, PlaceUnclear
from .remembered import Remembered, found_by
from .sources import Project

Mode = Literal["suggest", "patch", "apply"]
MODES: Final[tuple[Mode, ...]] = ("suggest", "patch", "apply")
KINDS: Final = frozenset({"selector_missing", "selector_ambiguous", "selector_stale", "selector_blocked"})


class Found(msgspec.Struct):
    """What a worker has for the process that writes."""

    edits: list[PlainEdit] = []
    elements: bytes = b""


class Healer:
    """`root` is where the project's tests are, `memory` a folder that outlives the run, if there is one."""

    def __init__(
        self, mode: Mode, root: Path, memory: Path | None = None, redactor: Redactor = BUILT_IN
    ) -> None:
        self.mode: Mode = mode
        self._root = root
        self._memory = memory
        self._redactor = redactor
        self._project = Project(root)
        self._patches = Patches(root)
        self._remembered = Remembered.load(memory) if memory is not None else Remembered()

    async def heal(
        self,
        observation: Observation,
        failure: Failure,
        page: str,
        *,
        events: Sequence[Event] = (),
        failed: str = "",
        where: str = "",
        frames: Sequence[Frame] = (),
    ) -> Healing | None:
        """What to say of a failed test's selector; None if it is not about one. `events` are those of the test and its context,
        `failed` is the id of its own among them; `where` is the test's file from the root, `frames` is the traceback, the innermost
        last.
        """
        locator = _as_kept(failure.locator)
        was = self._remembered.was(where, locator)
        if not failure.locator or failure.negated or (failure.kind not in KINDS and was == NOTHING):
            return None
        is_blocked = failure.kind == "selector_blocked"
        broken = Broken(
            failure.locator,
            page,
            failure.matcher or failure.api,
            failure.expected,
            overlay=failure.overlay if is_blocked else "",
            reason=(failure.reason or "element can't be used") if is_blocked else "",
            is_css=not (failure.api or failure.matcher),  # Selenium's names neither
        )
        found = await heal(
            observation,
            broken,
            events=events,
            failure=failed,
            was=was,
            neighbours=self._remembered.neighbours(where, locator),
            redactor=self._redactor,
        )
        if found.kind == "selector_healthy" and failure.kind not in KINDS:
            return None
        return self._written(found, frames)

    def wants(self, where: str, locator: str) -> bool:
        """Whether `remember` would learn anything; `locator` as messages write it."""
        return self._memory is not None and bool(locator) and self._remembered.wants(where, locator)

    async def remember(self, observation: Observation, page: str, where: str, locator: str) -> None:
        """What a locator finds, while it does."""
        found = await found_by(observation, page, locator, self._redactor)
        self._remembered.put(where, locator, found)

    def plain(self) -> str:
        """For the process that writes."""
        return msgspec.json.encode(Found(self._patches.plain(), self._remembered.plain())).decode()

    def add_plain(self, told: str) -> None:
        found = msgspec.json.decode(told, type=Found)
        self._patches.add_plain(found.edits)
        self._remembered.add_plain(found.elements)

    def finish(self) -> list[str]:
        """Writes what there is to write, and says that in a line each. Raises OutputFailed."""
        if self._memory is not None:
            self._remembered.save(self._memory)
        if not self._patches:
            return []
        if self.mode == "apply":
            changed = [_from(file, self._root) for file in self._patches.apply()]
            return [f"{self._patches.count} healed in {', '.join(changed)}: look at the changes, and run the tests again"]  # fmt: skip
        path = self._patches.write(self._root)
        return (
            [f"{self._patches.count} healed: git apply {_from(path, self._root)}"] if path is not None else []
        )

    def _written(self, found: Healing, frames: Sequence[Frame]) -> Healing:
        """With the edit that makes it so; what can't be placed is not sure any more."""
        if self.mode == "suggest" or not found.is_sure:
            return found
        try:
            refused = self._patches.add(edits_for(frames, found, self._project))
        except PlaceUnclear as unclear:
            return replace(found, why_not=self._redactor.text(unclear.message))
        return replace(found, why_not="another test needs something else there") if refused else found


def _as_kept(locator: str) -> str:
    """Messages have an order of their own in what they write."""
    try:
        return written(read(locator))
    except BadLocator:
        return locator


def _from(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
