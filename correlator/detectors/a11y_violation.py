"""What keeps people who can't see a page or use a mouse from using it, by the rules of axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ...observer.domains.accessibility import Violation
from ...observer.signal import Signal
from ..event import Severity
from ..findings.finding import Finding, Scene, said
from ..kept import Kept
from .detector import Detector, Found, Options
from .windows import Growth

KEPT_RULES = 2_000
GRAVE = frozenset({"critical", "serious"})

RuleKey = tuple[str, str, str, str]


class A11yViolation(Detector[Options]):
    id = "a11y_violation"
    channel = "selectors"
    severity = "low or high"
    about = "Elements that a screen reader or a keyboard can't make anything of: buttons without a name, images without a text."
    trigger = (
        "With `a11y` on idle, a rule of axe that elements of a document break, looked at while the page rests; once for each "
        "rule and document, and again at ten times as many. High where axe calls it critical or serious."
    )
    source = "axe"
    needs = (Violation,)

    def __init__(self, options: Options, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._counts: Kept[RuleKey, int] = Kept(KEPT_RULES)
        self._growth = Growth(KEPT_RULES)

    def see(self, signal: Signal) -> Iterator[Found]:
        detail = signal.detail
        assert isinstance(detail, Violation)
        key = signal.browser, signal.page, signal.loader_id, detail.rule
        # Each look tells only elements that are new since the last one.
        count = self._counts[key] = self._counts.get(key, 0) + detail.count
        episode = " ".join((self.id, *key))
        if self._growth.is_due(episode, count):
            yield Found(self._told(detail, count), signal, episode=episode)

    def _told(self, detail: Violation, count: int) -> Finding:
        nodes = [said(node, 100) for node in detail.nodes]
        severity: Severity = "high" if detail.impact in GRAVE else "low"
        more = f" and {count - 1} more" if count > 1 else ""
        finding = self.finding(
            severity,
            f"{said(detail.help, 100)}: {nodes[0] if nodes else 'an element'}{more}",
            count=count,
            template=detail.rule,
            rule=detail.rule,
            impact=detail.impact,
            nodes=[*nodes],
        )
        return replace(finding, type="accessibility")
