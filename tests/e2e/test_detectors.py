"""Every detector's story played live: it is told with its cause, and its twin just below the trigger is not."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from firstcause.correlator.event import Event

from ..links import STORIES, SURE, judged, linked
from .play import Played, Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = sorted(file.parent.name for file in STORIES.glob("detectors/*/story.json"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncGenerator[Stage]:
    async with stage() as stage_of_all:
        yield stage_of_all


@pytest.mark.parametrize("name", NAMES)
async def test_what_a_detector_is_for_is_told_with_its_cause(shared_stage: Stage, name: str) -> None:
    played = await shared_stage.play(f"detectors/{name}")
    assert of_kind("detector_failed", played) == []
    assert of_kind(played.story.detects, played)
    links = judged(name, played.story, linked(played.events))
    wrong = [link.says for link in links if link.verdict == "wrong" and link.confidence >= SURE]
    untold = [link.says for link in links if link.verdict != "right" and not link.soft]
    assert (wrong, untold) == ([], [])


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_just_below_the_trigger_is_not_told(shared_stage: Stage, name: str) -> None:
    played = await shared_stage.play(f"detectors/{name}", twin=True)
    assert of_kind("detector_failed", played) == []
    assert of_kind(played.story.detects, played) == []


def of_kind(kind: str, played: Played) -> list[str]:
    return [_said(event) for event in played.events if event.kind == kind]


def _said(event: Event) -> str:
    return f"{event.kind}: {event.summary} {event.context}"
