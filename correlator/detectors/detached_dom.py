"""Actions that leave nodes behind: out of the page, but held by a script, more with each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from pydantic import Field

from ...observer.domains.page import Navigated
from ...observer.domains.page_script import UserAction
from ...observer.domains.performance import DetachedNodes
from ...observer.signal import Signal
from ..findings.finding import Finding, Scene, said
from ..kept import Kept
from ..page_loads import is_of_target
from . import detector
from .detector import Detector, Found
from .windows import Growth

KEPT_TARGETS = 1_000
KEPT_ACTIONS = 200
MAX_NAMED = 2

TargetKey = tuple[str, str]


class Options(detector.Options):
    repeats: int = Field(
        default=3, ge=1, description="The same action was done so often, with a tree more each time."
    )
    rises: int = Field(
        default=2, ge=1, description="In so many samples there were more than in the one before."
    )


class Held:
    """What a document's scripts hold: how many detached trees there were at first, and what the user did since."""

    __slots__ = ("actions", "base", "began_ms", "rises", "trees")

    def __init__(self, trees: int, began_ms: float) -> None:
        self.base = self.trees = trees
        self.began_ms = began_ms
        self.rises = 0
        self.actions: Counter[str] = Counter()


class DetachedDom(Detector[Options]):
    id = "detached_dom"
    channel = "anomalies"
    severity = "medium"
    about = (
        "Nodes that were taken out of the page and are held by a script, more with each repeat of an action"
    )
    trigger = (
        "since a first sample an action was done `repeats` times and there are as many detached trees more, "
        "which rose in `rises` samples; there is a sample after each collection that left more nodes"
    )
    source = "memlab and fuite, which repeat an action too; the numbers: our own proposals"
    options_type = Options
    needs = (UserAction, DetachedNodes, Navigated)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._held: Kept[TargetKey, Held] = Kept(KEPT_TARGETS)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterator[Found]:
        key, detail = (signal.browser, signal.session), signal.detail
        held = self._held.get(key)
        if isinstance(detail, Navigated):
            if is_of_target(signal):
                self._held.pop(key, None)
        elif isinstance(detail, DetachedNodes):
            if held is None or detail.trees <= held.base:
                self._held[key] = Held(detail.trees, signal.wall_ms)
            else:
                yield from self._look(held, signal, detail)
        elif held is not None and isinstance(detail, UserAction):
            action = f"{f'key {detail.key}' if detail.key else detail.type} on {said(signal.element, 100) or 'the page'}"
            if action in held.actions or len(held.actions) < KEPT_ACTIONS:
                held.actions[action] += 1

    def _look(self, held: Held, signal: Signal, sample: DetachedNodes) -> Iterator[Found]:
        held.rises += sample.trees > held.trees
        held.trees = sample.trees
        grown = sample.trees - held.base
        times = max((n for n in held.actions.values() if n <= grown), default=0)
        if times < self.options.repeats or held.rises < self.options.rises:
            return
        # Opening and closing come in pairs: both are named.
        actions = [action for action, n in held.actions.items() if n == times][:MAX_NAMED]
        episode = f"{self.id} {signal.browser} {signal.session} {held.began_ms}"
        if self._growth.is_due(episode, times):
            yield Found(self._told(actions, times, grown, sample), signal, episode=episode)

    def _told(self, actions: list[str], times: int, grown: int, sample: DetachedNodes) -> Finding:
        names = [said(name, 60) for name in sample.names]
        of = f", such as {names[0]}" if names else ""
        return self.finding(
            "medium",
            f"Nodes stay in memory after {' and '.join(actions)}: {grown} detached trees more{of}, after {times} times",
            count=times,
            template=actions[0],
            action=actions[0],
            times=times,
            trees=grown,
            nodes=[*names],
        )
