"""Stories played live: a visitor does the steps, and what is told names the causes that the story knows."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from ..links import SURE, causal_stories, impure_chains, judged, linked
from .play import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncGenerator[Stage]:
    async with stage() as stage_of_all:
        yield stage_of_all


@pytest.mark.parametrize("name", causal_stories())
async def test_a_story_is_told_with_its_causes(shared_stage: Stage, name: str) -> None:
    played = await shared_stage.play(name)
    links = judged(name, played.story, linked(played.events))
    wrong = [link.says for link in links if link.verdict == "wrong" and link.confidence >= SURE]
    untold = [link.says for link in links if link.verdict != "right" and not link.soft]
    assert (wrong, untold) == ([], [])
    assert impure_chains(played.story, played.events) == []
