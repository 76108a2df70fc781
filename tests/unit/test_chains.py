"""Chains: both directions, ids, and what becomes of them when causes are found late."""

from __future__ import annotations

from firstcause.correlator.chains import KEPT_EVENTS, Chains
from firstcause.correlator.event import Cause


def by(event_id: str) -> Cause:
    return Cause(id=event_id, via="task", confidence=0.9)


def test_an_event_without_a_cause_is_the_root_of_its_chain() -> None:
    chains = Chains()
    assert chains.add("a", None, "") == "a"
    assert chains.chain_of("a") == "a"
    assert chains.cause_of("a") is None


def test_both_directions_are_known() -> None:
    chains = Chains()
    chains.add("a", None, "")
    assert chains.add("b", by("a"), chains.chain_of("a")) == "a"
    assert chains.add("c", by("a"), chains.chain_of("a")) == "a"
    assert chains.effects_of("a") == ("b", "c")
    assert chains.cause_of("c") == by("a")


def test_what_was_too_weak_is_kept_apart() -> None:
    chains = Chains()
    chains.add("b", None, "", (by("a"),))
    assert chains.weak_of("b") == (by("a"),)
    assert chains.cause_of("b") is None


def test_only_the_latest_events_are_kept() -> None:
    chains = Chains()
    for number in range(KEPT_EVENTS + 10):
        chains.add(f"e{number}", None, "")
    assert chains.chain_of("e9") == ""
    assert chains.chain_of("e10") == "e10"
