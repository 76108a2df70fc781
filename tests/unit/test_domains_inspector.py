"""Crashes: told once although Chrome says them twice, and the life after one."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.observer.domains.inspector import TargetCrashed, TargetRevived

from .wire import Wire

BY_SESSION: tuple[str, dict[str, Any], str] = ("Inspector.targetCrashed", {}, "S1")
BY_TARGET: tuple[str, dict[str, Any], str] = (
    "Target.targetCrashed",
    {"targetId": "T-S1", "status": "crashed", "errorCode": 11},
    "",
)


@pytest.mark.parametrize(
    "channels", [[BY_SESSION], [BY_TARGET], [BY_SESSION, BY_TARGET], [BY_TARGET, BY_SESSION]]
)
async def test_a_crash_is_told_once(wire: Wire, channels: list[tuple[str, dict[str, Any], str]]) -> None:
    for method, params, session in channels:
        wire.event(method, params, session)
    assert wire.details == [TargetCrashed("http://a/")]
    assert (wire.last().session, wire.last().page) == ("S1", "p1")


async def test_a_reloaded_tab_may_crash_again(wire: Wire) -> None:
    wire.event(*BY_SESSION)
    wire.event("Inspector.targetReloadedAfterCrash")
    assert wire.methods()[-1] == "Runtime.runIfWaitingForDebugger"
    wire.event(*BY_SESSION)
    assert wire.details == [
        TargetCrashed("http://a/"),
        TargetRevived("http://a/"),
        TargetCrashed("http://a/"),
    ]


async def test_the_crash_of_a_target_that_we_do_not_know(wire: Wire) -> None:
    wire.event("Target.targetCrashed", {"targetId": "T-other", "status": "crashed", "errorCode": 11}, "")
    wire.detach()
    wire.event(*BY_TARGET)
    assert wire.details == []


async def test_dedicated_workers_have_no_inspector(wire: Wire) -> None:
    wire.attach("W1", "worker", parent="S1")
    wire.attach("W2", "service_worker")
    assert "Inspector.enable" not in wire.methods("W1")
    assert "Inspector.enable" in wire.methods("W2")
