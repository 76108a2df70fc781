"""An element that was looked for in vain has been removed before."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.domains.page_script import SelectorMatches
from ..flow import Flow, plain, selectors_in
from ..nodes import Effect, Link
from .rule import Rule

SEEN_WITHIN_S = 1.0


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    detail = effect.signal.detail
    watched = isinstance(detail, SelectorMatches)
    if effect.kind not in {"selector", "published"} or not effect.text or (watched and detail.count):
        return
    names = selectors_in(effect.text)
    if isinstance(detail, SelectorMatches):
        names += selectors_in(detail.removed)
    for removal in reversed(flow.page(effect.signal).removals):
        if watched and effect.signal.monotonic_s - removal.at_s > SEEN_WITHIN_S:
            return
        if plain(removal.text) in names:
            yield Link(removal, RULE.via, 0.9)
            return


RULE = Rule("removed", "the element that was looked for was removed", find)
