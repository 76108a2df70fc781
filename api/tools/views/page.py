"""One page: where it is, and what went wrong on it, a line a chain."""

from __future__ import annotations

from ....correlator.redact import redact_url
from ...errors import BadField, NotFound
from ..chain_lines import chain_items
from ..desk import Desk
from ..tool import Answer
from .chains import kept_entries
from .view import Reads, View


async def page(reads: Reads, desk: Desk) -> Answer:
    addresses = {
        name: redact_url(url)
        for observed in desk.service.browsers
        if observed.project == desk.project
        for name, url in observed.pages.items()
    }
    name = reads.page or (next(iter(addresses)) if len(addresses) == 1 else "")
    if not name:
        there = ", ".join(addresses) or "none yet"
        raise BadField(
            "page is missing.", f'Give one, like {{"what":"page","page":"p1"}}; there are: {there}.'
        )
    entries = kept_entries(reads.model_copy(update={"page": name}), desk)
    if name not in addresses and not entries:
        raise NotFound(
            f"No page {name} is or was observed.", 'observe {"what":"pages"} lists those that are.'
        )
    return Answer(
        {"page": name, "url": addresses.get(name, "closed"), "events": len(entries)},
        chain_items(entries, desk.kept(), reads.max_tokens),
        list_name="chains",
        rest=f'observe {{"what":"events","page":"{name}"}}',
        max_tokens=reads.max_tokens,
    )


VIEW = View("page", "the same, of `page`", page)
