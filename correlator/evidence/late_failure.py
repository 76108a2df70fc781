"""The page hears of an aborted or broken request before Chrome reports it: what fails then may be waiting for that report."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Link
from .rule import Rule
from .stacks import called_for

RECENT_S = 0.25
SAYS_SO = re.compile(r"abort|timed? ?out|failed to fetch|networkerror|load failed", re.IGNORECASE)


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind != "error" or effect.context:
        return
    called = [request for request, _ in called_for(effect, flow)]
    own = [request for request in called if not request.is_over]
    now_s = effect.signal.monotonic_s
    answered = any(request.is_over and now_s - request.heard_s <= RECENT_S for request in called)
    if len(own) == 1:
        # The one that was answered a moment ago is as likely as the one that may be about to fail.
        yield Link(own[0], RULE.via, 0.45 if answered else 0.82, if_failed=True)
    elif not own and SAYS_SO.search(effect.text):
        open_ones = [one for one in flow.page(effect.signal).requests if not one.is_over]
        if len(open_ones) == 1:
            yield Link(open_ones[0], RULE.via, 0.6, if_failed=True)


RULE = Rule("late-failure", "this request of the same code was reported as failed right after", find)
