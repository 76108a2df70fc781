"""What the watched selectors find on each page, or what one selector finds on a page now."""

from __future__ import annotations

from typing import Any

from ....correlator.redact import redact_url
from ..asked_page import asked_page
from ..desk import Desk
from ..tool import Answer, Item, one_line
from .view import Reads, View


async def selectors(reads: Reads, desk: Desk) -> Answer:
    return await _now(reads, desk) if reads.selector else _watched(reads, desk)


async def _now(reads: Reads, desk: Desk) -> Answer:
    page = asked_page(desk, reads.page)
    check = await page.observed.observation.check_selector(page.name, reads.selector)
    head: dict[str, Any] = {"page": page.name, "state": check.state, "count": check.count}
    if check.reason:
        head["reason"] = check.reason[:300]
    return Answer(
        head,
        [
            Item({"selector": one.selector, "words": one.words}, one_line(f"{one.selector}: {one.words}"))
            for one in check.elements
        ],
        list_name="elements",
        max_tokens=reads.max_tokens,
    )


def _watched(reads: Reads, desk: Desk) -> Answer:
    items = [
        _item(f"{observed.id}:{page}", found.selector, found.state, found.count)
        for observed in desk.service.browsers
        if observed.project == desk.project
        for page in observed.pages
        if reads.page.rpartition(":")[2] in ("", page)
        for found in observed.observation.watched.on(page)
    ]
    nothing = (
        'None is watched and found yet: configure {"action":"selectors","selectors":["#save"]} watches some.'
    )
    return Answer(
        items=sorted(items, key=lambda item: item.fields["state"] == "healthy"),
        list_name="selectors",
        title="" if items else nothing,
        rest="the same call with `page`, or with more max_tokens",
        max_tokens=reads.max_tokens,
    )


def _item(page: str, selector: str, state: str, count: int) -> Item:
    fields = {"page": page, "selector": redact_url(selector), "state": state, "count": count}
    return Item(fields, one_line(f"{page} {state} ({count}): {fields['selector']}"))


VIEW = View("selectors", "those watched, or `selector` now", selectors)
