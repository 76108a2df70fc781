"""So many nodes changed in one task that style, layout and everything that watches the page have to work through them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ...observer.domains.page_script import MutationBatch
from ...observer.signal import Signal
from ..event import Severity
from ..findings.finding import said
from ..kept import Kept
from . import detector
from .detector import Detector, Found, Scenes
from .windows import KEPT_KEYS, Growth


class Options(detector.Options):
    medium_nodes: int = Field(default=750, ge=100, description="More nodes in one task are medium.")
    high_nodes: int = Field(default=10_000, ge=100, description="More nodes than this are high.")


class MutationStorm(Detector[Options]):
    id = "mutation_storm"
    channel = "performance"
    severity = "medium or high"
    about = "Very many nodes are added or removed in one task."
    trigger = "More than `medium_nodes`, or `high_nodes`, added and removed in one task, once the document was parsed."
    source = "Sentry"
    options_type = Options
    needs = (MutationBatch,)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._batches: Kept[str, int] = Kept(KEPT_KEYS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        assert isinstance(detail, MutationBatch)
        nodes = detail.added + detail.removed
        if nodes <= self.options.medium_nodes or signal.replayed:
            return
        severity: Severity = "high" if nodes > self.options.high_nodes else "medium"
        episode = f"{self.id} {severity} {signal.browser} {signal.page} {signal.element}"
        batches = self._batches[episode] = self._batches.get(episode, 0) + 1
        if not self._growth.is_due(episode, batches):
            return
        element = said(signal.element, 160)
        within = f", most of them in {element}" if element else ""
        finding = self.finding(
            severity,
            f"{nodes} nodes were added or removed in one task{within}{f' ({batches} times)' if batches > 1 else ''}",
            count=batches,
            template=f"{self.id} {element}",
            element=element,
            added=detail.added,
            removed=detail.removed,
        )
        yield Found(finding, signal, episode=episode)
