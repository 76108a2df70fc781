"""What is wrong on a page for people who can't see it or use a mouse, as axe finds it now."""

from __future__ import annotations

from typing import Any, Final

from ....correlator.findings.finding import cut
from ....observer.axe import Violated
from ..asked_page import asked_page
from ..budget import sentence_bytes
from ..desk import Desk
from ..tool import Answer, Item, one_line
from .view import Reads, View

IMPACTS: Final = ("critical", "serious", "moderate", "minor")


async def a11y(reads: Reads, desk: Desk) -> Answer:
    desk.may_control()  # it keeps the page busy
    page = asked_page(desk, reads.page)
    looked = await page.observed.observation.check_accessibility(page.name)
    head: dict[str, Any] = {"page": page.name, "rules": looked.rules}
    if looked.left:
        head["no_time_for"] = [*looked.left]
    width = sentence_bytes(reads.max_tokens, 2, len(looked.violations))
    return Answer(
        head,
        [_item(one, width) for one in sorted(looked.violations, key=_rank)],
        list_name="violations",
        title="" if looked.violations else "Nothing grave is found.",
        rest="the same call with more max_tokens",
        max_tokens=reads.max_tokens,
    )


def _rank(violated: Violated) -> int:
    return IMPACTS.index(violated.impact) if violated.impact in IMPACTS else len(IMPACTS)


def _item(violated: Violated, width: int) -> Item:
    nodes = [cut(node, width) for node in violated.nodes]
    told = cut(violated.help, width)
    fields = {
        "impact": violated.impact,
        "rule": violated.rule,
        "count": violated.count,
        "help": told,
        "nodes": nodes,
    }
    line = f"{violated.impact} {violated.rule} ({violated.count}): {told}: {', '.join(nodes)}"
    return Item(fields, one_line(line))


VIEW = View("a11y", "axe on `page` now", a11y)
