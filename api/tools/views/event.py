"""One event with everything that it holds."""

from __future__ import annotations

import json

from ...errors import BadField
from ..desk import Desk
from ..tool import Answer
from .view import Reads, View


async def event(reads: Reads, desk: Desk) -> Answer:
    if not reads.id:
        raise BadField("id is missing.", 'Give the id of an event, like {"what":"event","id":"019aa4e2-…"}.')
    line = await desk.find(reads.id)
    return Answer(
        body=line.decode(),
        whole={"event": json.loads(line)},
        rest="the same call with more max_tokens",
        max_tokens=reads.max_tokens,
    )


VIEW = View("event", "all of event `id`", event)
