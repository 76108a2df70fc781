"""The shape of a rule of evidence: what it calls itself, why it is believed, and the causes that it sees for an effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..flow import Flow
from ..nodes import Effect, Link


class Rule(NamedTuple):
    """`via` names the rule in a cause, `reason` says in words why the effect is believed to come of it."""

    via: str
    reason: str
    find: Callable[[Effect, Flow], Iterable[Link]]
