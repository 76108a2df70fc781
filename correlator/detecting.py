"""Runs the detectors: each gets what it needs, and one that fails is reported and left out while the others go on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..observer.signal import Detail, Signal
from .detectors import DETECTORS
from .detectors.detector import NEVER_S, Detector, Found, Options, Told
from .findings.finding import Finding, Scene, context, said
from .redact import redact_text

AnyDetector = Detector[Any]
NOBODY: tuple[AnyDetector, ...] = ()
Kinds = Sequence[type[AnyDetector]]
Thresholds = Mapping[str, Mapping[str, bool | float]]


class ThresholdRefused(ValueError):
    """A detector or an option that does not exist, or a value that it can't have."""


def options_of(thresholds: Thresholds, kinds: Kinds = DETECTORS) -> dict[str, Options]:
    """The options of every detector, with what `thresholds` say instead of the defaults."""
    known = {kind.id: kind for kind in kinds}
    for name in thresholds:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ThresholdRefused(
                f"{name} is not a detector" + (f"; did you mean {near[0]}?" if near else "")
            )
    return {name: options_from(kind, thresholds.get(name, {})) for name, kind in known.items()}


def options_from(kind: type[AnyDetector], values: Mapping[str, bool | float]) -> Options:
    try:
        return kind.options_type.model_validate(dict(values))
    except ValueError as error:
        raise ThresholdRefused(f"{kind.id}: {said_of(error, kind)}") from None


def said_of(error: ValueError, kind: type[AnyDetector]) -> str:
    """What is wrong, by pydantic's own account, with the names that would be right."""
    told: Callable[[], list[dict[str, Any]]] | None = getattr(error, "errors", None)
    if told is None:
        return str(error)
    first = told()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{name} is not one of its options, which are {', '.join(kind.options_type.model_fields)}"
    return f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}"


class Detectors:
    """One of each, and who wants what."""

    def __init__(
        self, scene: Callable[[Signal], Scene], thresholds: Thresholds | None = None, kinds: Kinds = DETECTORS
    ) -> None:
        self._scene = scene
        self._kinds = kinds
        self._options: dict[str, Options] = {}
        self._running: dict[str, AnyDetector] = {}
        self._seeing: dict[type[Detail], tuple[AnyDetector, ...]] = {}
        self._hearing: dict[str, list[AnyDetector]] = {}
        self._renaming: dict[type[Detail], list[AnyDetector]] = {}
        self._timed: list[AnyDetector] = []
        self._failed: list[Found] = []
        self._latest: Signal | None = None
        self.due_s = NEVER_S
        self.set(thresholds or {})

    def set(self, thresholds: Thresholds) -> None:
        """Other thresholds from now on; a detector whose own did not change remembers what it saw. Raises ThresholdRefused."""
        wanted = options_of(thresholds, self._kinds)
        for kind in self._kinds:
            options = wanted[kind.id]
            if self._options.get(kind.id) == options:
                continue
            self._options[kind.id] = options
            self._running.pop(kind.id, None)
            if options.enabled:
                self._running[kind.id] = kind(options, self._scene)
        self._sort()

    def wants(self, detail: Detail) -> bool:
        return type(detail) in self._seeing

    def see(self, signal: Signal) -> list[Found]:
        self._latest = signal
        found: list[Found] = []
        # As `_asked`, without a call more for each: this is done for every signal.
        for detector in self._seeing.get(type(signal.detail), NOBODY):
            try:
                found += detector.see(signal)
            except Exception as error:  # noqa: BLE001 - one failing detector is a finding, never a dead stream
                self._leave_out(detector, error)
        self._look_at_the_clock()
        return found + self._reported() if self._failed else found

    def hear(self, told: Told) -> list[Found]:
        hearing = self._hearing.get(told.finding.kind)
        if hearing:
            return self._asked(hearing, lambda detector: detector.hear(told))
        return self._reported() if self._failed else []

    def rename(self, signal: Signal, finding: Finding) -> Finding:
        """The finding, under a better name if one is known."""
        for detector in tuple(self._renaming.get(type(signal.detail), ())):
            self._latest = signal
            try:
                renamed = detector.rename(signal, finding)
            except Exception as error:  # noqa: BLE001 - as below
                self._leave_out(detector, error)
                continue
            if renamed is not None:
                return renamed
        return finding

    def advance(self, now_s: float) -> list[Found]:
        """What becomes clear by time alone."""
        return self._asked(
            [one for one in self._timed if one.due_s <= now_s], lambda detector: detector.advance(now_s)
        )

    def _asked(
        self, detectors: list[AnyDetector], ask: Callable[[AnyDetector], Iterable[Found]]
    ) -> list[Found]:
        found: list[Found] = []
        for detector in tuple(detectors):
            try:
                found += ask(detector)
            except Exception as error:  # noqa: BLE001 - as above
                self._leave_out(detector, error)
        self._look_at_the_clock()
        return found + self._reported() if self._failed else found

    def _reported(self) -> list[Found]:
        failed, self._failed = self._failed, []
        return failed

    def _look_at_the_clock(self) -> None:
        due_s = NEVER_S
        for detector in self._timed:
            if detector.due_s < due_s:
                due_s = detector.due_s
        self.due_s = due_s

    def _leave_out(self, detector: AnyDetector, error: Exception) -> None:
        self._running.pop(detector.id, None)
        self._sort()
        if self._latest is not None:
            self._failed.append(Found(failed(detector, error), self._latest))

    def _sort(self) -> None:
        """Who wants what, in the order of the list."""
        self._hearing, self._renaming = {}, {}
        seeing: dict[type[Detail], list[AnyDetector]] = {}
        for kind in self._kinds:
            detector = self._running.get(kind.id)
            if detector is None:
                continue
            for detail in kind.needs:
                seeing.setdefault(detail, []).append(detector)
            for told in kind.hears:
                self._hearing.setdefault(told, []).append(detector)
            for detail in kind.renames:
                self._renaming.setdefault(detail, []).append(detector)
        self._seeing = {detail: tuple(detectors) for detail, detectors in seeing.items()}
        # Only those that wait for a time say so, by having a way to tell when it has come.
        self._timed = [one for one in self._running.values() if "advance" in vars(type(one))]
        self._look_at_the_clock()


def failed(detector: AnyDetector, error: Exception) -> Finding:
    why = said(redact_text(f"{type(error).__name__}: {error}"), 120)
    return Finding(
        kind="detector_failed",
        channel="anomalies",
        type="anomaly",
        severity="low",
        summary=f"The detector {detector.id} failed and is left out; the others go on",
        context=context(detector=detector.id, error=why),
        key=f"detector {detector.id}",
    )
