"""The browsers that are observed, with their pages."""

from __future__ import annotations

from ....correlator.findings.finding import cut
from ....correlator.redact import redact_url
from ...browsers import Observed
from ..budget import sentence_bytes
from ..desk import Desk
from ..tool import Answer, Item, one_line
from .view import Reads, View

BLANK = "about:blank"
NONE_YET = 'No browser is observed: observe {"open":"http://localhost:3000"} launches one, {"attach":"9222"} takes a running one.'


async def pages(reads: Reads, desk: Desk) -> Answer:
    return listed(desk, reads.max_tokens)


def listed(desk: Desk, max_tokens: int, opening: str = "") -> Answer:
    """`opening` is where the latest browser's page is going: Chrome says so a moment later."""
    here = [observed for observed in desk.service.browsers if observed.project == desk.project]
    width = sentence_bytes(max_tokens)
    return Answer(
        items=[
            item
            for observed in here
            for item in _items(observed, width, opening if observed is here[-1] else "")
        ],
        list_name="pages",
        title="" if here else NONE_YET,
        rest="the same call with more max_tokens",
        max_tokens=max_tokens,
    )


def _items(observed: Observed, width: int, opening: str) -> list[Item]:
    """A browser without a page is told as well."""
    connected = observed.observation.observer.connected
    state = "" if connected else " (not connected now)"
    told = {"browser": observed.id, "how": observed.how}
    told |= {} if connected else {"connected": False}
    if not observed.pages:
        return [Item(told, f"{observed.id}: no page{state}")]
    urls = {page: opening if opening and url == BLANK else url for page, url in observed.pages.items()}
    shown = {page: cut(redact_url(url), width) for page, url in urls.items()}
    return [
        Item({**told, "page": page, "url": url}, one_line(f"{observed.id} {page}: {url}{state}"))
        for page, url in shown.items()
    ]


VIEW = View("pages", "what is observed", pages)
