"""Recordings read back: events as they were told, and signals told anew by today's engine, at the times of the recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from ..correlator.detecting import Thresholds
from ..correlator.engine import Engine
from ..correlator.event import Cause, Event
from ..observer.errors import BadRecording
from ..observer.recorded import Lines, RecordedSignals, is_recording
from .terminal import counted

WRITERS: Final = "`firstcause record` and `watch --json` write one."
COUNTER_BITS: Final = 62
VERSION_7: Final = 0x7 << 76 | 0b10 << 62
CUT: Final = "The recording ends in the middle of a line: what came after is missing."


class Replay:
    """The events of a recording of signals, by being iterated once; then `notes` says what was missing. Raises BadRecording.

    The same recording gives the same ids every time: they are made of its own times.
    """

    def __init__(self, path: Path, project: str = "default", thresholds: Thresholds | None = None) -> None:
        self.engine = Engine(project, self._new_id, thresholds=thresholds)
        self.signals = 0
        self._recorded = RecordedSignals(path)
        self._wall_ms = 0
        self._given = 0

    def __iter__(self) -> Iterator[Event]:
        for signal in self._recorded:
            self.signals += 1
            self._wall_ms = max(self._wall_ms, int(signal.wall_ms))
            yield from self.engine.feed(signal)
        yield from self.engine.finish()

    @property
    def notes(self) -> list[str]:
        skipped = self._recorded.skipped
        kinds = f": {', '.join(sorted(skipped))}" if skipped else ""
        unknown = f"{counted(skipped.total(), 'signal')} of kinds that this version does not know{kinds}."
        return ([unknown] if skipped else []) + ([CUT] if self._recorded.cut else [])

    def _new_id(self) -> str:
        self._given += 1
        return str(UUID(int=self._wall_ms << 80 | VERSION_7 | self._given % (1 << COUNTER_BITS)))


@dataclass(frozen=True, slots=True)
class Told:
    """What a recording tells. `weak` has, by event, what may have caused it; only signals show that."""

    events: Sequence[Event]
    notes: Sequence[str] = ()
    weak: Mapping[str, Sequence[Cause]] = field(default_factory=dict[str, Sequence[Cause]])


def told_by(path: Path) -> Told:
    """The events of a recording of events or of signals. Raises BadRecording."""
    if is_recording(next(Lines(path), b"")):
        replay = Replay(path)
        events = list(replay)
        weak_of = replay.engine.chains.weak_of
        weak = {event.id: causes for event in events if (causes := weak_of(event.id))}
        return Told(events, replay.notes, weak)
    lines = Lines(path)
    events = [_event(path, number, line) for number, line in enumerate(lines, 1)]
    return Told(events, [CUT] if lines.cut else [])


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        return Event.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise BadRecording(
            f"{path} is not a recording: line {number} is not an event ({f'{where}: ' if where else ''}{problem['msg']}).",
            WRITERS,
        ) from error
