"""What a secret looks like in a text: one file a kind, each a `Rule`; a rule is asked only about texts that hold its trigger."""

from __future__ import annotations

from . import addresses, fields, numbers, schemes, shapes
from .names import Names
from .rule import Rule


def built_in(names: Names) -> tuple[Rule, ...]:
    """Fields come after what takes a secret out of the midst of them."""
    return (
        addresses.USER_INFO,
        addresses.PATHS,
        shapes.TOKENS,
        shapes.PRIVATE_KEYS,
        fields.rule(names),
        schemes.SCHEMES,
        schemes.CURL,
        numbers.CARDS,
        numbers.ACCOUNTS,
        numbers.CUTS,
    )
