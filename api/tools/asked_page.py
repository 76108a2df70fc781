"""The page that a tool is to ask something: by its name, with its browser's where several have one of that name."""

from __future__ import annotations

from typing import NamedTuple

from ...observer.errors import UnknownPage
from ..browsers import Observed
from ..errors import BadField
from .desk import Desk


class AskedPage(NamedTuple):
    observed: Observed
    name: str


def asked_page(desk: Desk, given: str) -> AskedPage:
    """`p1`, `b2:p1`, or nothing where there is only one. Raises BadField and UnknownPage."""
    browser, _, name = given.rpartition(":")
    pages = [
        AskedPage(observed, page)
        for observed in desk.service.browsers
        if observed.project == desk.project and browser in ("", observed.id)
        for page in observed.pages
        if name in ("", page)
    ]
    if len(pages) == 1:
        return pages[0]
    if not pages:
        raise UnknownPage(
            f"No page {given[:60]} is observed now." if given else "No page is observed now.",
            'observe {"what":"pages"} lists those that are.',
        )
    names = ", ".join(f"{page.observed.id}:{page.name}" for page in pages[:10])
    raise BadField("page: there are several.", f"Give one of {names}.")
